#include "codec/offered_tools.h"

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

std::string_view function_schema(const Tool& tool) {
  if (tool.kind == ToolKind::custom) return kCustomToolSchema;
  return tool.schema ? tool.schema.text : kNoArgumentsSchema;
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
