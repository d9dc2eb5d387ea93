#include "codec/bedrock_claude_tools.h"

#include <algorithm>
#include <array>
#include <span>
#include <string>

namespace weir {
namespace {

constexpr std::array<std::string_view, 1> kScreen1 = {"computer-use-2024-10-22"};
constexpr std::array<std::string_view, 1> kScreen2 = {"computer-use-2025-01-24"};
constexpr std::array<std::string_view, 1> kScreen3 = {"computer-use-2025-11-24"};
constexpr std::array<std::string_view, 2> kEither = {"computer-use-2025-01-24", "computer-use-2025-11-24"};
constexpr std::array<std::string_view, 1> kMemory = {"context-management-2025-06-27"};

struct Row {
  std::string_view type;
  std::span<const std::string_view> betas{};  // one of them is needed, if there are any
};
// User guide of Bedrock, "Anthropic Claude tool use": "Anthropic defined tools", "Memory tool", and for the
// newest editor the example of "Automatic tool call clearing".
constexpr std::array kRows = {
    Row{.type = "computer_20241022", .betas = kScreen1},
    Row{.type = "computer_20250124", .betas = kScreen2},
    Row{.type = "computer_20251124", .betas = kScreen3},
    Row{.type = "bash_20241022", .betas = kScreen1},
    Row{.type = "bash_20250124", .betas = kEither},
    Row{.type = "text_editor_20241022", .betas = kScreen1},
    Row{.type = "text_editor_20250124", .betas = kEither},
    Row{.type = "text_editor_20250429"},
    Row{.type = "text_editor_20250728"},
    Row{.type = "memory_20250818", .betas = kMemory},
};

// Run by the servers of Anthropic's own API.
constexpr std::array<std::string_view, 4> kHosted = {"web_search_", "web_fetch_", "code_execution_",
                                                     "mcp_toolset"};

const Row* row_of(std::string_view type) {
  const auto found = std::ranges::find(kRows, type, &Row::type);
  return found == kRows.end() ? nullptr : &*found;
}

}  // namespace

bool is_bedrock_claude_tool(std::string_view type) {
  return row_of(type) != nullptr;
}

bool is_invoke_claude_tool(std::string_view type) {
  return std::ranges::none_of(kHosted, [type](std::string_view hosted) { return type.starts_with(hosted); });
}

bool bedrock_takes_tool(const Tool& tool, Dialect dialect, ModelFamily family) {
  if (tool.kind != ToolKind::server || tool.dialect == dialect) return true;
  if (tool.dialect != Dialect::anthropic_messages || family != ModelFamily::anthropic) return false;
  return dialect == Dialect::bedrock_invoke ? is_invoke_claude_tool(tool.type)
                                            : is_bedrock_claude_tool(tool.type);
}

void add_betas_of_tools(const std::vector<Tool>& tools, std::vector<std::string_view>& names,
                        Fidelity& fidelity) {
  const auto add = [&](const Tool& tool, bool has_choice) {
    const Row* row = tool.kind == ToolKind::server ? row_of(tool.type) : nullptr;
    if (!row || row->betas.empty() || (row->betas.size() > 1) != has_choice) return;
    if (std::ranges::find_first_of(row->betas, names) != row->betas.end()) return;
    names.push_back(row->betas.front());
    fidelity.add(Severity::info, LossReason::synthesised, "/anthropic-beta", std::string(tool.type),
                 std::string(row->betas.front()));
  };
  // A tool that can do with either beta takes the one that another needs.
  for (const Tool& tool : tools) add(tool, false);
  for (const Tool& tool : tools) add(tool, true);
}

}  // namespace weir
