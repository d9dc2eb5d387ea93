// What the decoder of OpenAI's chat requests reads.
#include <array>

#include "codec/body_shape.h"

namespace weir {
namespace {

using Member = BodyMember;

constexpr std::array kMarkerMembers = {Member{"type"}, Member{"ttl"}};
constexpr BodyShape kMarker{.members = kMarkerMembers};

constexpr std::array kImageMembers = {Member{"url"}, Member{"detail"}};
constexpr BodyShape kImage{.members = kImageMembers};
constexpr std::array kAudioMembers = {Member{"data"}, Member{"format"}};
constexpr BodyShape kAudio{.members = kAudioMembers};
constexpr std::array kFileMembers = {Member{"file_data"}, Member{"file_id"}, Member{"filename"}};
constexpr BodyShape kFile{.members = kFileMembers};
constexpr std::array kPartMembers = {Member{"type"},
                                     Member{"text"},
                                     Member{"refusal"},
                                     Member{"image_url", &shape_of<kImage>},
                                     Member{"input_audio", &shape_of<kAudio>},
                                     Member{"file", &shape_of<kFile>},
                                     Member{"cache_control", &shape_of<kMarker>}};
constexpr BodyShape kPart{.members = kPartMembers};

const BodyShape* shape_of_part(JsonValue part) {
  const std::string_view type = part["type"].string_or("");
  const bool is_read =
      type == "text" || type == "refusal" || type == "image_url" || type == "input_audio" || type == "file";
  return is_read ? &kPart : nullptr;
}

constexpr std::array kCalledMembers = {Member{"name"}, Member{"arguments"}, Member{"input"}};
constexpr BodyShape kCalled{.members = kCalledMembers};
constexpr std::array kCallMembers = {Member{"id"}, Member{"type"}, Member{"index"},
                                     Member{"function", &shape_of<kCalled>},
                                     Member{"custom", &shape_of<kCalled>}};
constexpr BodyShape kCall{.members = kCallMembers};
constexpr std::array kThinkingMembers = {Member{"type"}, Member{"thinking"}, Member{"signature"},
                                         Member{"data"}};
constexpr BodyShape kThinking{.members = kThinkingMembers};
constexpr std::array kMessageMembers = {Member{"role"},
                                        Member{"content", &shape_of_part},
                                        Member{"name"},
                                        Member{"refusal"},
                                        Member{"tool_calls", &shape_of<kCall>},
                                        Member{"tool_call_id"},
                                        Member{"function_call", &shape_of<kCalled>},
                                        Member{"reasoning_content"},
                                        Member{"reasoning"},
                                        Member{"thinking_blocks", &shape_of<kThinking>},
                                        Member{"reasoning_details"},
                                        Member{"annotations"},
                                        Member{"provider_metadata"}};
constexpr BodyShape kMessage{.members = kMessageMembers};

constexpr std::array kFunctionMembers = {Member{"name"}, Member{"description"}, Member{"parameters"},
                                         Member{"strict"}};
constexpr BodyShape kFunction{.members = kFunctionMembers};
constexpr std::array kGrammarMembers = {Member{"syntax"}, Member{"definition"}};
constexpr BodyShape kGrammar{.members = kGrammarMembers};
constexpr std::array kCustomFormatMembers = {Member{"type"}, Member{"grammar", &shape_of<kGrammar>}};
constexpr BodyShape kCustomFormat{.members = kCustomFormatMembers};
constexpr std::array kCustomMembers = {Member{"name"}, Member{"description"},
                                       Member{"format", &shape_of<kCustomFormat>}};
constexpr BodyShape kCustom{.members = kCustomMembers};
constexpr std::array kToolMembers = {Member{"type"}, Member{"function", &shape_of<kFunction>},
                                     Member{"custom", &shape_of<kCustom>},
                                     Member{"cache_control", &shape_of<kMarker>}};
constexpr BodyShape kTool{.members = kToolMembers};

const BodyShape* shape_of_tool(JsonValue tool) {
  const std::string_view type = tool["type"].string_or("function");
  return type == "function" || type == "custom" ? &kTool : nullptr;
}

constexpr std::array kSchemaMembers = {Member{"name"}, Member{"description"}, Member{"schema"},
                                       Member{"strict"}};
constexpr BodyShape kSchema{.members = kSchemaMembers};
constexpr std::array kFormatMembers = {Member{"type"}, Member{"json_schema", &shape_of<kSchema>}};
constexpr BodyShape kFormat{.members = kFormatMembers};

constexpr std::array kAllowedMembers = {Member{"mode"}, Member{"tools"}};
constexpr BodyShape kAllowed{.members = kAllowedMembers};
constexpr std::array kChosenMembers = {Member{"name"}};
constexpr BodyShape kChosen{.members = kChosenMembers};
constexpr std::array kChoiceMembers = {Member{"type"}, Member{"function", &shape_of<kChosen>},
                                       Member{"custom", &shape_of<kChosen>},
                                       Member{"allowed_tools", &shape_of<kAllowed>}};
constexpr BodyShape kChoice{.members = kChoiceMembers};

// Padding that hides the lengths of pieces: Weir adds none.
constexpr std::array kStreamMembers = {Member{"include_usage"}, Member{"include_obfuscation"}};
constexpr BodyShape kStream{.members = kStreamMembers};

constexpr std::array kBodyMembers = {
    Member{"messages", &shape_of<kMessage>},       Member{"tools", &shape_of_tool},
    Member{"functions", &shape_of<kFunction>},     Member{"tool_choice", &shape_of<kChoice>},
    Member{"response_format", &shape_of<kFormat>}, Member{"stream_options", &shape_of<kStream>}};

}  // namespace

constinit const BodyShape kOpenAiChatShape{
    .members = kBodyMembers, .is_open = true, .dialect = Dialect::openai_chat};

}  // namespace weir
