#include "codec/bedrock_converse_tools.h"

#include <algorithm>
#include <fmt/core.h>

#include "codec/bedrock_claude_tools.h"
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

void ConverseToolsWriter::sort_tools() {
  for (const Tool& tool : chat_.tools) {
    if (!is_offered(tool)) continue;
    const bool is_models = tool.dialect != kDialect && tool.kind == ToolKind::server &&
                           bedrock_takes_tool(tool, kDialect, family_);
    (is_models ? model_tools_ : specs_).push_back(&tool);
  }
  if (is_none(chat_)) model_tools_.clear();
}

bool ConverseToolsWriter::is_model_tool(std::string_view name) const {
  return std::ranges::find(model_tools_, name, &Tool::name) != model_tools_.end();
}

Result<void> ConverseToolsWriter::write(JsonWriter& json, ConverseMessagesWriter& messages,
                                        const Conversation& conversation, const ConverseJsonTool* json_tool) {
  sort_tools();
  const bool has_history = has_tool_history(conversation);
  const bool offers = !specs_.empty() && (!is_none(chat_) || has_history);
  const bool has_config = offers || has_history || json_tool;
  // There is no mode "none": without calls in the history the tools are simply not offered.
  if (!chat_.tools.empty() && is_none(chat_)) {
    lose(Severity::info, LossReason::emulated, "tool_choice", "none",
         has_history ? "an instruction" : "no tools");
  }
  if (!has_config && model_tools_.empty()) return {};
  if (has_config) json.key("toolConfig").begin_object().key("tools").begin_array();
  if (offers) {
    for (const Tool* tool : specs_) {
      TRY(write_tool(json, *tool));
      messages.write_cache_point(tool->cache);
    }
  } else if (has_history && !json_tool) {
    write_stubs(json, conversation);
  }
  if (json_tool) write_spec(json, call_.notes.json_tool, json_tool->description, json_tool->schema);
  if (has_config) json.end_array();
  if (allowed_.has_limit())
    lose(Severity::info, LossReason::emulated, "tool_choice", "allowed_tools", "fewer tools");
  write_choice(json, json_tool != nullptr, has_config);
  if (has_config) json.end_object();
  if ((offers || !model_tools_.empty()) && chat_.parallel_tools == false)
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

// A history with calls but no toolConfig is refused: what it names is declared, not to be called. The model's
// own tools may not be declared a second time, so that another name stands in for them.
void ConverseToolsWriter::write_stubs(JsonWriter& json, const Conversation& conversation) {
  std::vector<std::string> names = called_tool_names(conversation, kOpenAiToolNameMax);
  std::erase_if(names, [this](const std::string& name) { return is_model_tool(name); });
  if (names.empty()) {
    lose(Severity::info, LossReason::synthesised, "tools", "", "a placeholder");
    return write_spec(json, "placeholder", "Stands for nothing. Never call it.", kNoArgumentsSchema);
  }
  lose(Severity::info, LossReason::synthesised, "tools", "", fmt::format("{} of the history", names.size()));
  for (const std::string& name : names) write_spec(json, name, {}, kNoArgumentsSchema);
}

std::vector<std::string_view> ConverseToolsWriter::write_model_fields(JsonWriter& fields) {
  std::vector<std::string_view> keys;
  if (!model_tools_.empty()) {
    keys.emplace_back("tools");
    fields.key("tools").begin_array();
    for (const Tool* tool : model_tools_) write_model_tool(fields, *tool);
    fields.end_array();
  }
  if (model_choice_) {
    keys.emplace_back("tool_choice");
    const bool is_named = model_choice_->mode == ToolChoiceMode::named;
    fields.key("tool_choice").begin_object().key("type").value(is_named ? "tool" : "any");
    if (is_named) fields.key("name").value(model_choice_->name);
    fields.end_object();
  }
  return keys;
}

// As it came, but for a marker: the service's own cache points know no place among these fields.
void ConverseToolsWriter::write_model_tool(JsonWriter& fields, const Tool& tool) {
  if (!tool.cache) {
    fields.raw(tool.raw.text);
    return;
  }
  lose(Severity::info, LossReason::cache_dropped, "tools", "cache_control");
  const Result<JsonDoc> parsed = JsonDoc::parse(std::string(tool.raw.text));
  fields.begin_object();
  if (parsed) {
    for (const JsonValue member : parsed->root()) {
      if (member.key() != "cache_control") fields.key(member.key()).raw(member.raw());
    }
  }
  fields.end_object();
}

void ConverseToolsWriter::write_choice(JsonWriter& json, bool has_json_tool, bool has_config) {
  const ToolChoice choice = choice_with_json_tool(chat_, call_.notes.json_tool);
  const bool is_forced = choice.mode == ToolChoiceMode::required || choice.mode == ToolChoiceMode::named;
  if (!is_forced) return;  // auto is what happens unsaid
  if (!forces_) {
    lose(Severity::warning, LossReason::dropped, "tool_choice", "a forced tool", "auto");
    return;
  }
  // A choice in toolConfig is among the tools there.
  if (!has_config || (choice.mode == ToolChoiceMode::named && is_model_tool(choice.name))) {
    model_choice_ = choice;
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
