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
  for (int i = 0; i < kPicks; ++i) ++picks[std::string(ring.pick(at(0), rng)->name)];
  EXPECT_NEAR(picks["a"], 0.1 * kPicks, 0.01 * kPicks);
  EXPECT_NEAR(picks["b"], 0.2 * kPicks, 0.01 * kPicks);
  EXPECT_NEAR(picks["c"], 0.7 * kPicks, 0.01 * kPicks);
}

TEST(KeyRing, ARateLimitedKeyComesBackAfterItsTime) {
  KeyRing ring({key("a"), key("b")});
  Rng rng(1);
  Error limited = make_error(ErrorKind::upstream_rate_limited, "");
  limited.retry_after_ms = 5000;
  ring.report(0, at(0), &limited);
  for (int i = 0; i < 100; ++i) EXPECT_EQ(ring.pick(at(4), rng)->index, 1u);
  bool came_back = false;
  for (int i = 0; i < 100; ++i) came_back |= ring.pick(at(5), rng)->index == 0;
  EXPECT_TRUE(came_back);
}

TEST(KeyRing, WhenAllCoolDownTheErrorSaysWhenTheFirstComesBack) {
  KeyRing ring({key("a"), key("b")});
  Rng rng(1);
  Error limited = make_error(ErrorKind::upstream_rate_limited, "");
  limited.retry_after_ms = 5000;
  ring.report(0, at(0), &limited);
  limited.retry_after_ms = 3000;
  ring.report(1, at(0), &limited);
  const auto none = ring.pick(at(1), rng);
  ASSERT_FALSE(none);
  EXPECT_EQ(none.error().kind, ErrorKind::upstream_rate_limited);
  EXPECT_EQ(none.error().retry_after_ms, 2000);
}

TEST(KeyRing, ARefusedKeyIsPutAsideForGood) {
  KeyRing ring({key("a"), key("b")});
  Rng rng(1);
  const Error refused = make_error(ErrorKind::upstream_auth, "");
  ring.report(0, at(0), &refused);
  for (int i = 0; i < 100; ++i) EXPECT_EQ(ring.pick(at(100'000), rng)->index, 1u);
  ring.report(1, at(0), &refused);
  EXPECT_EQ(ring.pick(at(1), rng).error().kind, ErrorKind::upstream_auth);
  EXPECT_EQ(ring.status(at(1))[0].state, KeyState::disabled);
  ring.forgive();
  EXPECT_TRUE(ring.pick(at(2), rng)) << "a reload tries them again";
}

TEST(KeyRing, SkipsWhatWasTriedAndOtherErrorsChangeNothing) {
  KeyRing ring({key("a"), key("b")});
  Rng rng(1);
  const Error broken = make_error(ErrorKind::upstream_error, "");
  ring.report(0, at(0), &broken);
  for (int i = 0; i < 100; ++i) EXPECT_EQ(ring.pick(at(0), rng, {1})->index, 0u);
  EXPECT_TRUE(ring.has_other(at(0), {1}));
  EXPECT_FALSE(ring.has_other(at(0), {0, 1}));
}

TEST(KeyRing, AnEmptyRingSaysWhatToSet) {
  KeyRing ring({});
  Rng rng(1);
  const auto none = ring.pick(at(0), rng);
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
