#include "codec/bedrock_betas.h"

#include <algorithm>
#include <array>
#include <string>

#include "base/text.h"
#include "codec/anthropic_encode.h"
#include "codec/bedrock_claude_tools.h"

namespace weir {
namespace {

// User guide of Bedrock, "Anthropic Claude Messages API: request and response", anthropic_beta, and the pages
// on tools and on extended thinking that it leads to.
constexpr std::array<std::string_view, 13> kKnown = {"computer-use-2024-10-22",
                                                     "computer-use-2025-01-24",
                                                     "computer-use-2025-11-24",
                                                     "token-efficient-tools-2025-02-19",
                                                     "output-128k-2025-02-19",
                                                     "interleaved-thinking-2025-05-14",
                                                     "dev-full-thinking-2025-05-14",
                                                     "fine-grained-tool-streaming-2025-05-14",
                                                     "context-1m-2025-08-07",
                                                     "context-management-2025-06-27",
                                                     "effort-2025-11-24",
                                                     "tool-search-tool-2025-10-19",
                                                     "tool-examples-2025-10-29"};
constexpr std::string_view kPointer = "/anthropic-beta";
// The fields of those betas, and Bedrock's own. The hosted tools of Anthropic's own API (containers, MCP
// servers) and its ways of service (speed, geography) are not there.
constexpr std::array<std::string_view, 2> kFields = {"context_management", "amazon-bedrock-guardrailConfig"};

}  // namespace

std::vector<std::string_view> bedrock_betas(std::string_view raw, Fidelity& fidelity) {
  const bool is_list = raw.size() >= 2 && raw.front() == '"' && raw.find('\\') == std::string_view::npos;
  if (!is_list) {
    fidelity.add(Severity::warning, LossReason::dropped, std::string(kPointer));
    return {};
  }
  std::vector<std::string_view> names;
  for (const std::string_view piece : split(raw.substr(1, raw.size() - 2), ',')) {
    const std::string_view name = trim(piece);
    if (std::ranges::find(kKnown, name) != kKnown.end()) {
      names.push_back(name);
    } else if (!name.empty()) {
      fidelity.add(Severity::warning, LossReason::dropped, std::string(kPointer), std::string(name));
    }
  }
  return names;
}

std::vector<std::string_view> bedrock_betas_of(const Chat& chat, Fidelity& fidelity) {
  std::vector<std::string_view> names;
  for (const ExtraField& extra : chat.extras) {
    if (extra.key != kAnthropicBeta) continue;
    const std::vector<std::string_view> known = bedrock_betas(extra.raw.text, fidelity);
    names.insert(names.end(), known.begin(), known.end());
  }
  add_betas_of_tools(chat.tools, names, fidelity);
  return names;
}

bool bedrock_takes_field(std::string_view key) {
  return std::ranges::find(kFields, key) != kFields.end();
}

}  // namespace weir
