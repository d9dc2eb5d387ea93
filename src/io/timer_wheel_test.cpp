#include "io/timer_wheel.h"

#include <gtest/gtest.h>

#include "base/random.h"

namespace weir {
namespace {

using std::chrono::hours;
using std::chrono::milliseconds;
using std::chrono::seconds;

struct Probe final : Timer {
  void fire() override {
    ++fired;
    if (on_fire) on_fire();
  }
  int fired = 0;
  std::function<void()> on_fire;
};

struct TimerWheelTest : testing::Test {
  size_t pass(Duration time) {
    clock.advance(time);
    return wheel.advance(clock.now());
  }
  MonoTime in(Duration time) const { return clock.now() + time; }

  ManualClock clock;
  TimerWheel wheel{clock};
};

TEST_F(TimerWheelTest, FiresNeverEarlyAndAtMostOneTickLate) {
  Probe probe;
  wheel.arm(probe, in(milliseconds(25)));
  EXPECT_EQ(pass(milliseconds(24)), 0u);
  EXPECT_EQ(pass(milliseconds(11)), 1u);
  EXPECT_FALSE(probe.is_armed());
  EXPECT_TRUE(wheel.empty());
  EXPECT_EQ(pass(hours(1)), 0u);
}

TEST_F(TimerWheelTest, FiresTimersBeyondOneRoundInTheRightRound) {
  Probe probe;
  wheel.arm(probe, in(seconds(75)));
  for (int i = 0; i < 74; ++i) EXPECT_EQ(pass(seconds(1)), 0u);
  EXPECT_EQ(pass(milliseconds(1010)), 1u);
}

TEST_F(TimerWheelTest, FindsEveryDueTimerAfterALongSleep) {
  std::array<Probe, 300> probes;
  for (size_t i = 0; i < probes.size(); ++i) wheel.arm(probes[i], in(milliseconds(37) * (i + 1)));
  EXPECT_EQ(pass(hours(5)), probes.size());
  EXPECT_TRUE(wheel.empty());
}

TEST_F(TimerWheelTest, MovesATimerLaterAndEarlier) {
  Probe probe;
  wheel.arm(probe, in(milliseconds(50)));
  wheel.arm(probe, in(seconds(20)));
  EXPECT_EQ(pass(seconds(19)), 0u);
  wheel.arm(probe, in(milliseconds(10)));
  EXPECT_EQ(pass(milliseconds(20)), 1u);
  EXPECT_EQ(pass(seconds(20)), 0u);
}

TEST_F(TimerWheelTest, ForgetsDisarmedAndDestroyedTimers) {
  Probe kept;
  wheel.arm(kept, in(milliseconds(30)));
  {
    Probe gone;
    wheel.arm(gone, in(milliseconds(30)));
  }
  kept.disarm();
  EXPECT_TRUE(wheel.empty());
  EXPECT_EQ(wheel.next_due(), std::nullopt);
  EXPECT_EQ(pass(seconds(1)), 0u);
}

TEST_F(TimerWheelTest, LetsAFiringTimerDestroyOthersOfItsSlot) {
  auto victim = std::make_unique<Probe>();
  Probe first;
  Probe second;
  const auto kill = [&victim] { victim.reset(); };
  first.on_fire = kill;
  second.on_fire = kill;
  wheel.arm(first, in(milliseconds(30)));
  wheel.arm(*victim, in(milliseconds(30)));
  wheel.arm(second, in(milliseconds(30)));
  pass(seconds(1));
  EXPECT_EQ(first.fired, 1);
  EXPECT_EQ(second.fired, 1);
  EXPECT_TRUE(wheel.empty());
}

TEST_F(TimerWheelTest, LetsATimerArmItselfAgainWithoutLooping) {
  Probe probe;
  probe.on_fire = [this, &probe] { wheel.arm(probe, clock.now()); };
  wheel.arm(probe, in(milliseconds(10)));
  EXPECT_EQ(pass(milliseconds(10)), 1u);
  EXPECT_EQ(pass(milliseconds(10)), 1u);
  EXPECT_TRUE(probe.is_armed());
}

TEST_F(TimerWheelTest, ATimerAtRestFiresNotAndGivesUpItsPlaceWhenItComesUp) {
  Probe probe;
  wheel.arm(probe, in(milliseconds(30)));
  probe.rest();
  EXPECT_FALSE(probe.is_armed());
  wheel.arm(probe, in(milliseconds(50)));
  EXPECT_TRUE(probe.is_armed());
  EXPECT_EQ(pass(milliseconds(40)), 0u);
  EXPECT_EQ(pass(milliseconds(20)), 1u);
  wheel.arm(probe, in(milliseconds(30)));
  probe.rest();
  EXPECT_EQ(pass(seconds(60)), 0u);
  EXPECT_TRUE(wheel.empty());
}

TEST_F(TimerWheelTest, AgreesWithASortedListWhateverIsArmedMovedAndDisarmed) {
  Rng rng(7);
  std::array<Probe, 64> probes;
  std::array<std::optional<MonoTime>, 64> expected;
  for (int step = 0; step < 20'000; ++step) {
    const size_t i = rng.below(probes.size());
    switch (rng.below(5)) {
      case 0:
      case 1: {
        const MonoTime due = in(milliseconds(rng.below(30'000)));
        wheel.arm(probes[i], due);
        expected[i] = due;
        break;
      }
      case 2:
        probes[i].disarm();
        expected[i].reset();
        break;
      case 3:
        probes[i].rest();
        EXPECT_FALSE(probes[i].is_armed());
        expected[i].reset();
        break;
      default:
        pass(milliseconds(rng.below(200)));
        for (size_t k = 0; k < probes.size(); ++k) {
          if (!expected[k]) continue;
          if (!probes[k].is_armed()) {
            EXPECT_LE(*expected[k], clock.now()) << "fired early at step " << step;
            expected[k].reset();
          } else {
            EXPECT_GT(*expected[k] + 2 * TimerWheel::kTick, clock.now()) << "late at step " << step;
          }
        }
    }
  }
}

}  // namespace
}  // namespace weir
