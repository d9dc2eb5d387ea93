#include "codec/openai_responses_tools.h"

#include "codec/offered_tools.h"

namespace weir {
namespace {

void write_reference(JsonWriter& json, ToolKind kind, std::string_view name, const ToolNames& names) {
  json.begin_object().key("type");
  if (kind == ToolKind::server) {
    json.value(name);
  } else {
    json.value(kind == ToolKind::custom ? "custom" : "function").key("name").value(names.wire(name));
  }
  json.end_object();
}

}  // namespace

void write_responses_tool_choice(JsonWriter& json, const ToolChoice& choice, const Chat& chat,
                                 const ToolNames& names) {
  if (!choice.allowed.empty()) {
    const ToolKinds kinds(chat);
    json.begin_object().key("type").value("allowed_tools").key("mode");
    json.value(choice.mode == ToolChoiceMode::required ? "required" : "auto").key("tools").begin_array();
    for (const std::string_view name : choice.allowed) write_reference(json, kinds.of(name), name, names);
    json.end_array().end_object();
    return;
  }
  switch (choice.mode) {
    case ToolChoiceMode::automatic:
      json.value("auto");
      break;
    case ToolChoiceMode::required:
      json.value("required");
      break;
    case ToolChoiceMode::none:
      json.value("none");
      break;
    case ToolChoiceMode::named:
      write_reference(json, ToolKinds(chat).of(choice.name), choice.name, names);
      break;
  }
}

}  // namespace weir
