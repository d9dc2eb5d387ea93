#include "codec/logprobs_wish.h"

#include <algorithm>
#include <fmt/core.h>

namespace weir {
namespace {

// No vendor gives more.
constexpr int64_t kTopMax = 20;

}  // namespace

std::optional<LogprobsWish> logprobs_wish(const Chat& chat, const Capabilities& capabilities,
                                          Fidelity& fidelity) {
  const int64_t top = chat.top_logprobs.value_or(0);
  if (!chat.logprobs.value_or(false)) {
    if (top > 0)
      fidelity.add(Severity::warning, LossReason::dropped, "/top_logprobs", fmt::format("{}", top));
    return std::nullopt;
  }
  if (capabilities.logprobs_max == 0) {
    fidelity.add(Severity::warning, LossReason::dropped, "/logprobs");
    return std::nullopt;
  }
  if (!chat.top_logprobs) return LogprobsWish{};
  const int64_t sent = std::min(top, capabilities.logprobs_max.value_or(kTopMax));
  if (sent != top) {
    fidelity.add(Severity::warning, LossReason::clamped, "/top_logprobs", fmt::format("{}", top),
                 fmt::format("{}", sent));
  }
  return LogprobsWish{.top = sent};
}

}  // namespace weir
