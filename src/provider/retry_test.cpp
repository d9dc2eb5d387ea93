#include "provider/retry.h"

#include <gtest/gtest.h>

namespace weir {
namespace {

using std::chrono::milliseconds;
using std::chrono::seconds;

TEST(RetryPause, IsARandomPartOfADoublingCeiling) {
  const RetryPolicy policy{.backoff_base = milliseconds(100), .backoff_max = milliseconds(350)};
  const Error error = make_error(ErrorKind::upstream_error, "");
  Rng rng(3);
  const std::array<Duration, 4> ceilings = {milliseconds(100), milliseconds(200), milliseconds(350),
                                            milliseconds(350)};
  for (int attempt = 1; attempt <= 4; ++attempt) {
    Duration longest{};
    Duration sum{};
    for (int i = 0; i < 2000; ++i) {
      const Duration pause = *retry_pause(policy, error, attempt, rng);
      longest = std::max(longest, pause);
      sum += pause;
    }
    const Duration ceiling = ceilings[static_cast<size_t>(attempt - 1)];
    EXPECT_LE(longest, ceiling);
    EXPECT_NEAR(static_cast<double>((sum / 2000).count()), static_cast<double>(ceiling.count()) / 2,
                0.05 * static_cast<double>(ceiling.count()));
  }
}

TEST(RetryPause, HonoursRetryAfterUpToItsBound) {
  const RetryPolicy policy{.retry_after_max = seconds(10)};
  Error error = make_error(ErrorKind::upstream_rate_limited, "");
  Rng rng(3);
  error.retry_after_ms = 2000;
  const auto pause = retry_pause(policy, error, 1, rng);
  ASSERT_TRUE(pause);
  EXPECT_GE(*pause, seconds(2));
  EXPECT_LE(*pause, milliseconds(2200));
  error.retry_after_ms = 10'001;
  EXPECT_FALSE(retry_pause(policy, error, 1, rng));
}

TEST(RetryBudget, GrantsTheBurstAndThenTheShareOfCalls) {
  RetryBudget budget(0.2, 10);
  int granted = 0;
  while (budget.try_spend()) ++granted;
  EXPECT_EQ(granted, 10);
  granted = 0;
  for (int call = 0; call < 1000; ++call) {
    budget.on_call();
    if (budget.try_spend()) ++granted;
  }
  EXPECT_NEAR(granted, 200, 1);
}

}  // namespace
}  // namespace weir
