#include "provider/retry.h"

#include <algorithm>

namespace weir {

std::optional<Duration> retry_pause(const RetryPolicy& policy, const Error& error, int attempt, Rng& rng) {
  if (error.retry_after_ms) {
    const Duration wait = std::chrono::milliseconds(*error.retry_after_ms);
    if (wait > policy.retry_after_max) return std::nullopt;
    return wait + Duration(static_cast<int64_t>(rng.unit() * 0.1 * static_cast<double>(wait.count())));
  }
  const int doublings = std::clamp(attempt - 1, 0, 30);
  const Duration ceiling = std::min(policy.backoff_max, policy.backoff_base * (int64_t{1} << doublings));
  return Duration(static_cast<int64_t>(rng.unit() * static_cast<double>(ceiling.count())));
}

void RetryBudget::on_call() {
  if (tokens_.load(std::memory_order_relaxed) >= burst_) return;
  const std::lock_guard lock(mutex_);
  tokens_ = std::min(burst_, tokens_ + share_);
}

bool RetryBudget::try_spend() {
  const std::lock_guard lock(mutex_);
  if (tokens_ < 1) return false;
  tokens_ = tokens_ - 1;
  return true;
}

}  // namespace weir
