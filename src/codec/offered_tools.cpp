#include "codec/offered_tools.h"

#include <algorithm>
#include <fmt/core.h>

#include "base/json.h"
#include "codec/tool_names.h"

namespace weir {
namespace {

constexpr std::string_view kUsualRoot = R"({"type":"object")";

// Whether an object is among what the root's type allows; one that says none allows all.
bool may_be_object(std::string_view schema) {
  if (schema.starts_with(kUsualRoot)) return true;
  const Result<JsonDoc> parsed = JsonDoc::parse(std::string(schema));
  if (!parsed || !parsed->root().is_object()) return false;
  const JsonValue type = parsed->root()["type"];
  if (!type.is_array()) return type.string_or("object") == "object";
  for (const JsonValue one : type) {
    if (one.string_or("") == "object") return true;
  }
  return false;
}

}  // namespace

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

Result<void> check_arguments(const Chat& chat, Dialect target) {
  for (const Tool& tool : chat.tools) {
    if (tool.kind != ToolKind::function || !tool.schema || (tool.dialect == target && tool.raw)) continue;
    if (may_be_object(tool.schema.text)) continue;
    return fail(
        ErrorKind::bad_request,
        fmt::format("the arguments of the tool {} are no object, as its schema has them: put the value "
                    "into a property of an object",
                    tool.name),
        fmt::format("tools[{}].parameters", &tool - chat.tools.data()));
  }
  return {};
}

std::string function_schema(const Tool& tool) {
  if (tool.kind == ToolKind::custom) return std::string(kCustomToolSchema);
  return object_schema(tool.schema ? tool.schema.text : kNoArgumentsSchema);
}

std::string object_schema(std::string_view schema) {
  if (schema.starts_with(kUsualRoot)) return std::string(schema);
  const Result<JsonDoc> parsed = JsonDoc::parse(std::string(schema));
  if (!parsed || !parsed->root().is_object() || parsed->root()["type"]) return std::string(schema);
  const JsonValue root = parsed->root();
  std::string made(kUsualRoot);
  if (!root["properties"]) made += R"(,"properties":{})";
  if (root.size() > 0) made += ',';
  return made.append(schema, root.offset() + 1);
}

void report_wrapped_tool(const Tool& tool, Fidelity& fidelity) {
  fidelity.add(Severity::info, LossReason::emulated, "/tools", "custom tool", "a tool with one string");
  if (!tool.grammar.empty()) fidelity.add(Severity::warning, LossReason::dropped, "/tools", "grammar");
}

bool has_functions_in_the_way(const Chat& chat, const Capabilities& capabilities) {
  return capabilities.own_tools_with_functions == false &&
         std::ranges::any_of(chat.tools, [](const Tool& tool) { return tool.kind != ToolKind::server; });
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
