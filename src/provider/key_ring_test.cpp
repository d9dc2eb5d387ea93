#include "provider/key_ring.h"

#include <gtest/gtest.h>
#include <map>

namespace weir {
namespace {

using std::chrono::seconds;

ProviderKey key(std::string name, double weight = 1) {
  return {.name = name,
          .secret = std::make_shared<const Secret>(Secret::copy_of("secret of " + name)),
          .weight = weight};
}

MonoTime at(int second) {
  return MonoTime(seconds(1000 + second));
}

TEST(KeyRing, PicksByWeightWithinOnePercent) {
  KeyRing ring({key("a", 1), key("b", 2), key("c", 7)});
  Rng rng(7);
  std::map<std::string, int> picks;
  constexpr int kPicks = 100'000;
  for (int i = 0; i < kPicks; ++i) ++picks[std::string(ring.pick(at(0), rng, "m")->name)];
  EXPECT_NEAR(picks["a"], 0.1 * kPicks, 0.01 * kPicks);
  EXPECT_NEAR(picks["b"], 0.2 * kPicks, 0.01 * kPicks);
  EXPECT_NEAR(picks["c"], 0.7 * kPicks, 0.01 * kPicks);
}

TEST(KeyRing, ARateLimitedKeyComesBackAfterItsTime) {
  KeyRing ring({key("a"), key("b")});
  Rng rng(1);
  Error limited = make_error(ErrorKind::upstream_rate_limited, "");
  limited.retry_after_ms = 5000;
  ring.report(0, at(0), "m", &limited);
  for (int i = 0; i < 100; ++i) EXPECT_EQ(ring.pick(at(4), rng, "m")->index, 1u);
  bool came_back = false;
  for (int i = 0; i < 100; ++i) came_back |= ring.pick(at(5), rng, "m")->index == 0;
  EXPECT_TRUE(came_back);
}

TEST(KeyRing, WhenAllCoolDownTheErrorSaysWhenTheFirstComesBack) {
  KeyRing ring({key("a"), key("b")});
  Rng rng(1);
  Error limited = make_error(ErrorKind::upstream_rate_limited, "");
  limited.retry_after_ms = 5000;
  ring.report(0, at(0), "m", &limited);
  limited.retry_after_ms = 3000;
  ring.report(1, at(0), "m", &limited);
  const auto none = ring.pick(at(1), rng, "m");
  ASSERT_FALSE(none);
  EXPECT_EQ(none.error().kind, ErrorKind::upstream_rate_limited);
  EXPECT_EQ(none.error().retry_after_ms, 2000);
}

TEST(KeyRing, KnowsWhenTheFirstKeyIsReadyAgain) {
  KeyRing ring({key("a"), key("b")});
  Error limited = make_error(ErrorKind::upstream_rate_limited, "");
  limited.retry_after_ms = 30'000;
  ring.report(0, at(0), "m", &limited);
  EXPECT_EQ(ring.ready_at(at(1), "m"), at(1));
  limited.retry_after_ms = 20'000;
  ring.report(1, at(0), "m", &limited);
  EXPECT_EQ(ring.ready_at(at(1), "m"), at(20));
  EXPECT_EQ(ring.ready_at(at(1), "n"), at(1)) << "a rate is one model's";
  EXPECT_EQ(ring.ready_at(at(21), "m"), at(21));
  const Error refused = make_error(ErrorKind::upstream_auth, "");
  ring.report(0, at(2), "m", &refused);
  EXPECT_EQ(ring.ready_at(at(3), "m"), at(12)) << "a disabled key is tried before the other is cool";
  EXPECT_EQ(KeyRing({}).ready_at(at(1), "m"), at(1));
}

TEST(KeyRing, ARefusedKeyIsPutAside) {
  KeyRing ring({key("a"), key("b")});
  Rng rng(1);
  const Error refused = make_error(ErrorKind::upstream_auth, "");
  ring.report(0, at(0), "m", &refused);
  for (int i = 0; i < 100; ++i) EXPECT_EQ(ring.pick(at(9), rng, "m")->index, 1u);
  ring.report(1, at(0), "m", &refused);
  EXPECT_EQ(ring.pick(at(1), rng, "m").error().kind, ErrorKind::upstream_auth);
  EXPECT_EQ(ring.status(at(1))[0].state, KeyState::disabled);
  ring.forgive();
  EXPECT_TRUE(ring.pick(at(2), rng, "m")) << "a reload tries them again";
}

// Seconds after `from` at which the ring's only key is given out, and that it is given to one call only.
int seconds_until_tried(KeyRing& ring, int from) {
  Rng rng(1);
  for (int second = from; second < from + 2000; ++second) {
    if (!ring.pick(at(second), rng, "m")) continue;
    EXPECT_FALSE(ring.pick(at(second), rng, "m")) << "one call tries it";
    return second - from;
  }
  return -1;
}

TEST(KeyRing, OneCallTriesARefusedKeyAgainAfterAPauseThatGrows) {
  KeyRing ring({key("a")});
  Rng rng(1);
  const Error refused = make_error(ErrorKind::upstream_auth, "");
  int now = 0;
  ring.report(0, at(now), "m", &refused);
  ring.report(0, at(now), "m", &refused);  // a call that was under way
  std::vector<int> pauses;
  for (int i = 0; i < 9; ++i) {
    pauses.push_back(seconds_until_tried(ring, now));
    now += pauses.back();
    EXPECT_EQ(ring.status(at(now))[0].state, KeyState::disabled);
    ring.report(0, at(now), "m", &refused);
  }
  EXPECT_EQ(pauses, (std::vector<int>{10, 20, 40, 80, 160, 320, 640, 900, 900}));
  now += seconds_until_tried(ring, now);
  ring.report(0, at(now), "m", nullptr);
  EXPECT_EQ(ring.status(at(now))[0].state, KeyState::ready);
  EXPECT_TRUE(ring.pick(at(now), rng, "m"));
  EXPECT_TRUE(ring.pick(at(now), rng, "m")) << "it serves all again";
  ring.report(0, at(now), "m", &refused);
  EXPECT_EQ(seconds_until_tried(ring, now), 10) << "the pauses begin anew";
}

TEST(KeyRing, ATrialThatTheProviderJudgedOtherwiseShowsAGoodKey) {
  KeyRing ring({key("a")});
  const Error gone = make_error(ErrorKind::upstream_quota, "");
  ring.report(0, at(0), "m", &gone);
  Error broken = make_error(ErrorKind::upstream_error, "");
  broken.upstream_status = 500;
  ASSERT_EQ(seconds_until_tried(ring, 0), 10);
  ring.report(0, at(10), "m", &broken);
  EXPECT_EQ(ring.status(at(10))[0].state, KeyState::disabled) << "nothing is known of the key";
  ASSERT_EQ(seconds_until_tried(ring, 10), 10);
  Error bad = make_error(ErrorKind::bad_request, "");
  bad.upstream_status = 400;
  ring.report(0, at(20), "m", &bad);
  EXPECT_EQ(ring.status(at(20))[0].state, KeyState::ready);
}

TEST(KeyRing, ARateLimitIsOfOneModel) {
  KeyRing ring({key("a")});
  Rng rng(1);
  Error limited = make_error(ErrorKind::upstream_rate_limited, "");
  limited.retry_after_ms = 5'000;
  EXPECT_FALSE(ring.report(0, at(0), "large", &limited));
  EXPECT_EQ(ring.pick(at(1), rng, "large").error().kind, ErrorKind::upstream_rate_limited);
  EXPECT_FALSE(ring.has_other(at(1), "large", {}));
  EXPECT_TRUE(ring.pick(at(1), rng, "small"));
  EXPECT_EQ(ring.status(at(1))[0].state, KeyState::cooling);
  EXPECT_TRUE(ring.pick(at(5), rng, "large"));
  EXPECT_EQ(ring.status(at(5))[0].state, KeyState::ready);
}

TEST(KeyRing, CoolsForABoundedNumberOfModels) {
  KeyRing ring({key("a")});
  Error limited = make_error(ErrorKind::upstream_rate_limited, "");
  const auto name = [](size_t i) { return "made up " + std::to_string(i); };
  for (size_t i = 0; i < KeyRing::kCoolingModelsMax + 10; ++i) {
    limited.retry_after_ms = 3'600'000 + static_cast<int64_t>(i);
    ring.report(0, at(0), name(i), &limited);
  }
  for (size_t i = 0; i < KeyRing::kCoolingModelsMax + 10; ++i)
    EXPECT_EQ(ring.has_ready(at(1), name(i)), i < 10) << i;
}

TEST(KeyRing, WithoutQuotaTheReasonStaysTheQuota) {
  KeyRing ring({key("a"), key("b")});
  Rng rng(1);
  const Error gone = make_error(ErrorKind::upstream_quota, "");
  EXPECT_TRUE(ring.report(0, at(0), "m", &gone)) << "that is news";
  EXPECT_FALSE(ring.report(0, at(0), "m", &gone)) << "and this none";
  const Error refused = make_error(ErrorKind::upstream_auth, "");
  EXPECT_TRUE(ring.report(1, at(0), "m", &refused));
  EXPECT_EQ(ring.pick(at(1), rng, "m").error().kind, ErrorKind::upstream_quota);
  EXPECT_TRUE(ring.pick(at(10), rng, "m")) << "somebody finds out";
}

TEST(KeyRing, ARightThatIsMissingLeavesTheKeyAlone) {
  KeyRing ring({key("a")});
  Error error = make_error(ErrorKind::forbidden, "");
  error.upstream_status = 403;
  ring.report(0, at(0), "m", &error);
  EXPECT_EQ(ring.status(at(0))[0].state, KeyState::ready);
}

TEST(KeyRing, SkipsWhatWasTriedAndOtherErrorsChangeNothing) {
  KeyRing ring({key("a"), key("b")});
  Rng rng(1);
  const Error broken = make_error(ErrorKind::upstream_error, "");
  ring.report(0, at(0), "m", &broken);
  for (int i = 0; i < 100; ++i) EXPECT_EQ(ring.pick(at(0), rng, "m", {1})->index, 0u);
  EXPECT_TRUE(ring.has_other(at(0), "m", {1}));
  EXPECT_FALSE(ring.has_other(at(0), "m", {0, 1}));
}

TEST(KeyRing, AnEmptyRingSaysWhatToSet) {
  KeyRing ring({});
  Rng rng(1);
  const auto none = ring.pick(at(0), rng, "m");
  ASSERT_FALSE(none);
  EXPECT_NE(none.error().message.find("environment variable"), std::string::npos);
}

TEST(KeyRing, KnowsItsOwnKeysAgain) {
  KeyRing ring({key("a"), key("b")});
  EXPECT_TRUE(ring.has_same_keys({key("a"), key("b")}));
  EXPECT_FALSE(ring.has_same_keys({key("a")}));
  EXPECT_FALSE(ring.has_same_keys({key("a"), key("b", 2)}));
}

}  // namespace
}  // namespace weir
