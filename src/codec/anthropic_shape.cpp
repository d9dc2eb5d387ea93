// What the decoder of Anthropic's requests reads.
#include <array>

#include "codec/body_shape.h"

namespace weir {
namespace {

using Member = BodyMember;

constexpr std::array kMarkerMembers = {Member{"type"}, Member{"ttl"}};
constexpr BodyShape kMarker{.members = kMarkerMembers};
constexpr Member kCache{"cache_control", &shape_of<kMarker>};

const BodyShape* shape_of_block(JsonValue block);

constexpr std::array kTextMembers = {Member{"type"}, Member{"text"}, Member{"citations"}, kCache};
constexpr BodyShape kText{.members = kTextMembers};
constexpr std::array kSourceMembers = {Member{"type"}, Member{"media_type"}, Member{"data"},
                                       Member{"url"},  Member{"file_id"},    Member{"content"}};
constexpr BodyShape kSource{.members = kSourceMembers};
constexpr std::array kWishMembers = {Member{"enabled"}};
constexpr BodyShape kWish{.members = kWishMembers};
constexpr std::array kMediaMembers = {
    Member{"type"},    Member{"source", &shape_of<kSource>},  Member{"title"},
    Member{"context"}, Member{"citations", &shape_of<kWish>}, kCache};
constexpr BodyShape kMedia{.members = kMediaMembers};
// That the model called directly says nothing; every other caller has an id.
constexpr std::array kCallerMembers = {Member{"type"}};
constexpr BodyShape kCaller{.members = kCallerMembers};
constexpr std::array kCallMembers = {
    Member{"type"}, Member{"id"}, Member{"name"}, Member{"input"}, Member{"caller", &shape_of<kCaller>},
    kCache};
constexpr BodyShape kCall{.members = kCallMembers};
constexpr std::array kResultMembers = {Member{"type"}, Member{"tool_use_id"}, Member{"is_error"},
                                       Member{"content", &shape_of_block}, kCache};
constexpr BodyShape kResult{.members = kResultMembers};
constexpr std::array kThinkingMembers = {Member{"type"}, Member{"thinking"}, Member{"signature"},
                                         Member{"data"}};
constexpr BodyShape kThinking{.members = kThinkingMembers};

const BodyShape* shape_of_block(JsonValue block) {
  const std::string_view type = block["type"].string_or("");
  if (type == "text") return &kText;
  if (type == "image" || type == "document") return &kMedia;
  if (type == "tool_use") return &kCall;
  if (type == "tool_result") return &kResult;
  return type == "thinking" || type == "redacted_thinking" ? &kThinking : nullptr;
}

constexpr std::array kMessageMembers = {Member{"role"}, Member{"content", &shape_of_block}};
constexpr BodyShape kMessage{.members = kMessageMembers};

constexpr std::array kToolMembers = {Member{"type"},         Member{"name"},   Member{"description"},
                                     Member{"input_schema"}, Member{"strict"}, kCache};
constexpr BodyShape kTool{.members = kToolMembers};

const BodyShape* shape_of_tool(JsonValue tool) {
  return tool["type"].string_or("custom") == "custom" ? &kTool : nullptr;
}

constexpr std::array kChoiceMembers = {Member{"type"}, Member{"name"}, Member{"disable_parallel_tool_use"}};
constexpr BodyShape kChoice{.members = kChoiceMembers};
constexpr std::array kReasoningMembers = {Member{"type"}, Member{"budget_tokens"}, Member{"display"}};
constexpr BodyShape kReasoning{.members = kReasoningMembers};
constexpr std::array kFormatMembers = {Member{"type"}, Member{"schema"}};
constexpr BodyShape kFormat{.members = kFormatMembers};
constexpr std::array kOutputMembers = {Member{"format", &shape_of<kFormat>}};
constexpr BodyShape kOutput{.members = kOutputMembers, .is_open = true};

constexpr std::array kBodyMembers = {Member{"system", &shape_of_block},
                                     Member{"messages", &shape_of<kMessage>},
                                     Member{.key = "tools", .inside = &shape_of_tool, .is_kept = true},
                                     Member{"tool_choice", &shape_of<kChoice>},
                                     Member{"thinking", &shape_of<kReasoning>},
                                     Member{"output_config", &shape_of<kOutput>},
                                     Member{"output_format", &shape_of<kFormat>}};

}  // namespace

constinit const BodyShape kAnthropicShape{
    .members = kBodyMembers, .is_open = true, .dialect = Dialect::anthropic_messages};

}  // namespace weir
