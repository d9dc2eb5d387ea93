#include "codec/bedrock_converse_tools.h"

#include <algorithm>
#include <fmt/core.h>

#include "codec/offered_tools.h"
#include "codec/tool_names.h"
#include "codec/turn_settings.h"

namespace weir {
namespace {

constexpr Dialect kDialect = Dialect::bedrock_converse;

void write_spec(JsonWriter& json, std::string_view name, std::string_view description,
                std::string_view schema) {
  json.begin_object().key("toolSpec").begin_object().key("name").value(name);
  if (!description.empty()) json.key("description").value(description);
  json.key("inputSchema").begin_object().key("json").raw(schema).end_object().end_object().end_object();
}

bool is_none(const Chat& chat) {
  return chat.tool_choice && chat.tool_choice->mode == ToolChoiceMode::none;
}

}  // namespace

bool ConverseToolsWriter::forbids_by_words(const Conversation& conversation) const {
  return has_tool_history(conversation) && (is_none(chat_) || chat_.tools.empty());
}

bool ConverseToolsWriter::is_offered(const Tool& tool) const {
  if (!chat_.tool_choice) return true;
  const ToolChoice& choice = *chat_.tool_choice;
  if (choice.mode == ToolChoiceMode::named && !takes_names() && forces_) return tool.name == choice.name;
  return allowed_.allows(tool.name);
}

Result<void> ConverseToolsWriter::write(JsonWriter& json, ConverseMessagesWriter& messages,
                                        const Conversation& conversation, const ConverseJsonTool* json_tool) {
  const bool has_history = has_tool_history(conversation);
  const bool offers = !chat_.tools.empty() && (!is_none(chat_) || has_history);
  // There is no mode "none": without calls in the history the tools are simply not offered.
  if (!chat_.tools.empty() && is_none(chat_)) {
    lose(Severity::info, LossReason::emulated, "tool_choice", "none",
         has_history ? "an instruction" : "no tools");
  }
  if (!offers && !has_history && !json_tool) return {};
  json.key("toolConfig").begin_object().key("tools").begin_array();
  if (offers) {
    for (const Tool& tool : chat_.tools) {
      if (!is_offered(tool)) continue;
      TRY(write_tool(json, tool));
      messages.write_cache_point(tool.cache);
    }
  } else if (has_history && !json_tool) {
    write_stubs(json, conversation);
  }
  if (json_tool) write_spec(json, call_.notes.json_tool, json_tool->description, json_tool->schema);
  json.end_array();
  if (allowed_.has_limit())
    lose(Severity::info, LossReason::emulated, "tool_choice", "allowed_tools", "fewer tools");
  write_choice(json, json_tool != nullptr);
  json.end_object();
  if (offers && chat_.parallel_tools == false)
    lose(Severity::warning, LossReason::dropped, "parallel_tool_calls", "false");
  return {};
}

Result<void> ConverseToolsWriter::write_tool(JsonWriter& json, const Tool& tool) {
  if (tool.kind == ToolKind::server) {
    if (tool.dialect != kDialect) {
      return fail(ErrorKind::unsupported,
                  fmt::format("the tool {} is run by another vendor; this model cannot call it", tool.type),
                  "tools");
    }
    json.raw(tool.raw.text);
    return {};
  }
  const std::string_view wire = call_.notes.tool_names.wire(tool.name);
  if (tool.dialect == kDialect && tool.raw && wire == tool.name) {
    json.raw(tool.raw.text);
    return {};
  }
  if (tool.kind == ToolKind::custom) report_wrapped_tool(tool, call_.notes.fidelity);
  // The service's own field is not taken by every model that calls tools.
  if (tool.strict.value_or(false)) lose(Severity::info, LossReason::dropped, "tools", "strict");
  write_spec(json, wire, tool.description, function_schema(tool));
  return {};
}

// A history with calls but no tools is refused: what it names is declared, not to be called.
void ConverseToolsWriter::write_stubs(JsonWriter& json, const Conversation& conversation) {
  const std::vector<std::string> names = called_tool_names(conversation, kOpenAiToolNameMax);
  lose(Severity::info, LossReason::synthesised, "tools", "", fmt::format("{} of the history", names.size()));
  for (const std::string& name : names) write_spec(json, name, {}, kNoArgumentsSchema);
}

void ConverseToolsWriter::write_choice(JsonWriter& json, bool has_json_tool) {
  const ToolChoice choice = choice_with_json_tool(chat_, call_.notes.json_tool);
  const bool is_forced = choice.mode == ToolChoiceMode::required || choice.mode == ToolChoiceMode::named;
  if (!is_forced) return;  // auto is what happens unsaid
  if (!forces_) {
    lose(Severity::warning, LossReason::dropped, "tool_choice", "a forced tool", "auto");
    return;
  }
  json.key("toolChoice").begin_object();
  if (choice.mode == ToolChoiceMode::named && takes_names()) {
    json.key("tool").begin_object().key("name").value(call_.notes.tool_names.wire(choice.name)).end_object();
  } else {
    json.key("any").begin_object().end_object();
    if (choice.mode == ToolChoiceMode::named && !has_json_tool)
      lose(Severity::info, LossReason::emulated, "tool_choice", std::string(choice.name), "the only tool");
  }
  json.end_object();
}

}  // namespace weir
