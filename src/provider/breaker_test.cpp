#include <gtest/gtest.h>
#include <thread>

#include "provider/target_state.h"

namespace weir {
namespace {

using std::chrono::seconds;

constexpr BreakerSettings kSettings{.failures_to_open = 3,
                                    .failure_share = 0.5,
                                    .window = 10,
                                    .open_for = seconds(10),
                                    .open_for_max = seconds(30)};

MonoTime at(int second) {
  return MonoTime(seconds(1000 + second));
}

void fail_until_open(Breaker& breaker, int second) {
  for (int i = 0; i < 3; ++i) breaker.report(at(second), breaker.try_pass(at(second)), false);
}

TEST(Breaker, OpensAfterFailuresInARow) {
  Breaker breaker(kSettings);
  breaker.report(at(0), breaker.try_pass(at(0)), false);
  breaker.report(at(0), breaker.try_pass(at(0)), false);
  EXPECT_EQ(breaker.state(at(0)), BreakerState::closed);
  breaker.report(at(0), breaker.try_pass(at(0)), false);
  EXPECT_EQ(breaker.state(at(0)), BreakerState::open);
  EXPECT_EQ(breaker.try_pass(at(9)), BreakerPass::refused);
}

TEST(Breaker, OpensWhenTheShareOfFailuresInTheWindowIsBad) {
  Breaker breaker(kSettings);
  for (int i = 0; i < 9; ++i) breaker.report(at(0), breaker.try_pass(at(0)), i % 2 == 0);
  EXPECT_EQ(breaker.state(at(0)), BreakerState::closed) << "the window is not full";
  breaker.report(at(0), breaker.try_pass(at(0)), false);
  EXPECT_EQ(breaker.state(at(0)), BreakerState::open);
}

// Of a target that has long been well another success changes nothing, and is not counted.
TEST(Breaker, CountsFailuresAfterAnyNumberOfSuccesses) {
  Breaker breaker(kSettings);
  for (int i = 0; i < 100; ++i) breaker.report(at(0), breaker.try_pass(at(0)), true);
  for (int i = 0; i < 4; ++i) {
    breaker.report(at(0), breaker.try_pass(at(0)), false);
    breaker.report(at(0), breaker.try_pass(at(0)), true);
  }
  EXPECT_EQ(breaker.state(at(0)), BreakerState::closed) << "four of ten";
  breaker.report(at(0), breaker.try_pass(at(0)), false);
  EXPECT_EQ(breaker.state(at(0)), BreakerState::open) << "five of ten";
}

TEST(Breaker, FillsAWindowThatAReloadHasWidened) {
  Breaker breaker(kSettings);
  for (int i = 0; i < 100; ++i) breaker.report(at(0), breaker.try_pass(at(0)), true);
  BreakerSettings wider = kSettings;
  wider.window = 20;
  breaker.set(wider);
  for (int i = 0; i < 10; ++i) breaker.report(at(0), breaker.try_pass(at(0)), true);
  for (int i = 0; i < 9; ++i) {
    breaker.report(at(0), breaker.try_pass(at(0)), false);
    breaker.report(at(0), breaker.try_pass(at(0)), true);
  }
  EXPECT_EQ(breaker.state(at(0)), BreakerState::closed) << "nine of twenty";
  breaker.report(at(0), breaker.try_pass(at(0)), false);
  EXPECT_EQ(breaker.state(at(0)), BreakerState::open) << "ten of twenty";
}

TEST(Breaker, HalfOpenLetsExactlyOneProbeThroughAndItsSuccessCloses) {
  Breaker breaker(kSettings);
  fail_until_open(breaker, 0);
  EXPECT_EQ(breaker.state(at(10)), BreakerState::half_open);
  EXPECT_EQ(breaker.try_pass(at(10)), BreakerPass::probe);
  EXPECT_EQ(breaker.try_pass(at(10)), BreakerPass::refused);
  EXPECT_FALSE(breaker.would_pass(at(10)));
  breaker.report(at(11), BreakerPass::probe, true);
  EXPECT_EQ(breaker.state(at(11)), BreakerState::closed);
  EXPECT_EQ(breaker.try_pass(at(11)), BreakerPass::usual);
}

TEST(Breaker, AFailedProbeDoublesTheWaitUpToItsBound) {
  Breaker breaker(kSettings);
  fail_until_open(breaker, 0);
  breaker.report(at(10), breaker.try_pass(at(10)), false);
  EXPECT_EQ(breaker.try_pass(at(29)), BreakerPass::refused);
  EXPECT_EQ(breaker.try_pass(at(30)), BreakerPass::probe);
  breaker.report(at(30), BreakerPass::probe, false);
  EXPECT_EQ(breaker.try_pass(at(59)), BreakerPass::refused);
  EXPECT_EQ(breaker.try_pass(at(60)), BreakerPass::probe);
}

TEST(Breaker, AnAbandonedProbeIsGivenBackByItsHolderOnly) {
  Breaker breaker(kSettings);
  const BreakerPass early = breaker.try_pass(at(0));  // a call from before the breaker opened
  fail_until_open(breaker, 0);
  ASSERT_EQ(breaker.try_pass(at(10)), BreakerPass::probe);
  breaker.abandon(early);
  breaker.report(at(10), early, true);
  EXPECT_EQ(breaker.try_pass(at(10)), BreakerPass::refused);
  breaker.abandon(BreakerPass::probe);
  EXPECT_EQ(breaker.try_pass(at(10)), BreakerPass::probe);
}

TEST(Breaker, OneProbeOverManyThreads) {
  for (int round = 0; round < 50; ++round) {
    Breaker breaker(kSettings);
    fail_until_open(breaker, 0);
    std::atomic<int> probes = 0;
    std::vector<std::thread> threads;
    for (int i = 0; i < 4; ++i) {
      threads.emplace_back([&] {
        if (breaker.try_pass(at(10)) == BreakerPass::probe) ++probes;
      });
    }
    for (std::thread& thread : threads) thread.join();
    EXPECT_EQ(probes, 1);
  }
}

TEST(Breaker, TakesNewSettingsWhileItWorks) {
  Breaker breaker(kSettings);
  breaker.report(at(0), breaker.try_pass(at(0)), false);
  BreakerSettings strict = kSettings;
  strict.failures_to_open = 2;
  strict.window = 1;
  strict.open_for = seconds(20);
  breaker.set(strict);
  breaker.report(at(0), breaker.try_pass(at(0)), false);
  EXPECT_EQ(breaker.state(at(19)), BreakerState::open);
  EXPECT_EQ(breaker.state(at(20)), BreakerState::half_open);
}

}  // namespace
}  // namespace weir
