#include "codec/offered_tools.h"

#include "base/json.h"
#include "codec/tool_names.h"

namespace weir {

void note_tool_names(const Chat& chat, std::string (*legal)(std::string_view name), CustomTools custom,
                     CallNotes& notes) {
  for (const Tool& tool : chat.tools) {
    if (tool.kind == ToolKind::server) continue;
    if (tool.kind == ToolKind::custom && custom == CustomTools::wrapped)
      notes.custom_tools.make().emplace(tool.name);
    std::string wire = legal(tool.name);
    if (wire == tool.name) continue;
    notes.fidelity.add(Severity::info, LossReason::renamed, "/tools", std::string(tool.name), wire);
    notes.tool_names.add(std::move(wire), std::string(tool.name));
  }
}

std::string legal_openai_tool_name(std::string_view name) {
  return legal_tool_name(name, kOpenAiToolNameMax);
}

std::string function_schema(const Tool& tool) {
  if (tool.kind == ToolKind::custom) return std::string(kCustomToolSchema);
  return object_schema(tool.schema ? tool.schema.text : kNoArgumentsSchema);
}

std::string object_schema(std::string_view schema) {
  constexpr std::string_view kUsual = R"({"type":"object")";
  if (schema.starts_with(kUsual)) return std::string(schema);
  const Result<JsonDoc> parsed = JsonDoc::parse(std::string(schema));
  if (!parsed || !parsed->root().is_object() || parsed->root()["type"]) return std::string(schema);
  const JsonValue root = parsed->root();
  std::string made(kUsual);
  if (!root["properties"]) made += R"(,"properties":{})";
  if (root.size() > 0) made += ',';
  return made.append(schema, root.offset() + 1);
}

void report_wrapped_tool(const Tool& tool, Fidelity& fidelity) {
  fidelity.add(Severity::info, LossReason::emulated, "/tools", "custom tool", "a tool with one string");
  if (!tool.grammar.empty()) fidelity.add(Severity::warning, LossReason::dropped, "/tools", "grammar");
}

AllowedTools::AllowedTools(const Chat& chat) {
  if (chat.tool_choice) names_.insert(chat.tool_choice->allowed.begin(), chat.tool_choice->allowed.end());
}

ToolKinds::ToolKinds(const Chat& chat) {
  for (const Tool& tool : chat.tools) kinds_.try_emplace(tool.name, tool.kind);
}

ToolKind ToolKinds::of(std::string_view name) const {
  const auto found = kinds_.find(name);
  return found == kinds_.end() ? ToolKind::function : found->second;
}

}  // namespace weir
