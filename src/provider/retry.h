// When to try again, and how much trying again a provider can take.
#pragma once

#include <atomic>
#include <cstdint>
#include <mutex>
#include <optional>

#include "base/clock.h"
#include "base/error.h"
#include "base/random.h"

namespace weir {

struct RetryPolicy {
  int attempts_max = 3;  // over all targets, the first one included
  int attempts_per_target_max = 2;
  Duration backoff_base = std::chrono::milliseconds(200);
  Duration backoff_max = std::chrono::seconds(5);
  Duration retry_after_max =
      std::chrono::seconds(10);  // a longer Retry-After is not waited for: the next target, or the error
};

// The pause before attempt number `attempt` (1: the first retry) at the same target: full jitter over an
// exponential, uniform in [0, min(max, base * 2^(attempt-1))] (the published "full jitter" scheme), or the
// provider's own Retry-After with up to 10 % on top. nullopt: not worth waiting for.
std::optional<Duration> retry_pause(const RetryPolicy& policy, const Error& error, int attempt, Rng& rng);

// Retries are at most a share of the calls, so that a provider that is down is not buried: each call adds
// `share` tokens, each retry takes one, and the bucket holds at most `burst`. Thread-safe.
class RetryBudget {
 public:
  explicit RetryBudget(double share = 0.2, double burst = 20)
      : share_(share), burst_(burst), tokens_(burst) {}
  void on_call();
  bool try_spend();

 private:
  const double share_;
  const double burst_;
  std::mutex mutex_;
  std::atomic<double> tokens_;  // written under the lock; a full budget is found full without it
};

}  // namespace weir
