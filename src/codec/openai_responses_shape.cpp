// What the decoder of Responses requests reads.
#include <array>

#include "codec/body_shape.h"

namespace weir {
namespace {

using Member = BodyMember;

constexpr std::array kAudioMembers = {Member{"data"}, Member{"format"}};
constexpr BodyShape kAudio{.members = kAudioMembers};
constexpr std::array kPartMembers = {
    Member{"type"},    Member{"text"},      Member{"annotations"}, Member{"logprobs"},
    Member{"refusal"}, Member{"image_url"}, Member{"detail"},      Member{"file_data"},
    Member{"file_id"}, Member{"file_url"},  Member{"filename"},    Member{"input_audio", &shape_of<kAudio>}};
constexpr BodyShape kPart{.members = kPartMembers};

const BodyShape* shape_of_part(JsonValue part) {
  const std::string_view type = part["type"].string_or("");
  const bool is_read = type == "input_text" || type == "output_text" || type == "text" ||
                       type == "input_image" || type == "input_file" || type == "input_audio" ||
                       type == "refusal";
  return is_read ? &kPart : nullptr;
}

// An item's id and status say nothing to whoever reads the whole history.
constexpr std::array kMessageMembers = {Member{"type"}, Member{"role"}, Member{"content", &shape_of_part},
                                        Member{"id"}, Member{"status"}};
constexpr BodyShape kMessage{.members = kMessageMembers};
constexpr std::array kThoughtMembers = {Member{"type"}, Member{"text"}};
constexpr BodyShape kThought{.members = kThoughtMembers};
constexpr std::array kReasoningItemMembers = {Member{"type"},
                                              Member{"id"},
                                              Member{"status"},
                                              Member{"encrypted_content"},
                                              Member{"summary", &shape_of<kThought>},
                                              Member{"content", &shape_of<kThought>}};
constexpr BodyShape kReasoningItem{.members = kReasoningItemMembers};
constexpr std::array kCallMembers = {Member{"type"}, Member{"id"},        Member{"status"}, Member{"call_id"},
                                     Member{"name"}, Member{"arguments"}, Member{"input"}};
constexpr BodyShape kCall{.members = kCallMembers};
constexpr std::array kOutputMembers = {Member{"type"},    Member{"id"},   Member{"status"},
                                       Member{"call_id"}, Member{"name"}, Member{"output", &shape_of_part}};
constexpr BodyShape kOutput{.members = kOutputMembers};

const BodyShape* shape_of_item(JsonValue item) {
  const std::string_view type = item["type"].string_or(item["role"] ? "message" : "");
  if (type == "message") return &kMessage;
  if (type == "reasoning") return &kReasoningItem;
  if (type == "function_call" || type == "custom_tool_call") return &kCall;
  if (type == "function_call_output" || type == "custom_tool_call_output") return &kOutput;
  return nullptr;
}

constexpr std::array kGrammarMembers = {Member{"type"}, Member{"syntax"}, Member{"definition"}};
constexpr BodyShape kGrammar{.members = kGrammarMembers};
constexpr std::array kFunctionMembers = {Member{"type"}, Member{"name"}, Member{"description"},
                                         Member{"parameters"}, Member{"strict"}};
constexpr BodyShape kFunction{.members = kFunctionMembers};
constexpr std::array kCustomMembers = {Member{"type"}, Member{"name"}, Member{"description"},
                                       Member{"format", &shape_of<kGrammar>}};
constexpr BodyShape kCustom{.members = kCustomMembers};

const BodyShape* shape_of_tool(JsonValue tool) {
  const std::string_view type = tool["type"].string_or("");
  if (type == "function") return &kFunction;
  return type == "custom" ? &kCustom : nullptr;
}

constexpr std::array kChoiceMembers = {Member{"type"}, Member{"name"}, Member{"mode"}, Member{"tools"}};
constexpr BodyShape kChoice{.members = kChoiceMembers};
constexpr std::array kFormatMembers = {Member{"type"}, Member{"name"}, Member{"description"},
                                       Member{"schema"}, Member{"strict"}};
constexpr BodyShape kFormat{.members = kFormatMembers};
constexpr std::array kTextMembers = {Member{"verbosity"}, Member{"format", &shape_of<kFormat>}};
constexpr BodyShape kText{.members = kTextMembers};
constexpr std::array kReasoningMembers = {Member{"effort"}, Member{"summary"}, Member{"generate_summary"}};
constexpr BodyShape kReasoning{.members = kReasoningMembers};
constexpr std::array kStreamMembers = {Member{"include_obfuscation"}};
constexpr BodyShape kStream{.members = kStreamMembers};

constexpr std::array kBodyMembers = {Member{"input", &shape_of_item},
                                     Member{.key = "tools", .inside = &shape_of_tool, .is_kept = true},
                                     Member{"tool_choice", &shape_of<kChoice>},
                                     Member{"text", &shape_of<kText>},
                                     Member{"reasoning", &shape_of<kReasoning>},
                                     Member{"stream_options", &shape_of<kStream>}};

}  // namespace

constinit const BodyShape kResponsesShape{
    .members = kBodyMembers, .is_open = true, .dialect = Dialect::openai_responses};

}  // namespace weir
