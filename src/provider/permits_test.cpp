#include <gtest/gtest.h>

#include "io/cores.h"
#include "io/test_core.h"
#include "provider/target_state.h"

namespace weir {
namespace {

using std::chrono::seconds;

// Takes a permit, notes whose turn it was, holds it for a second and gives it back.
Task<void> hold(Scope& scope, std::shared_ptr<Permits> permits, Priority priority, std::string key,
                std::vector<std::string>& served) {
  const Permits::Permit permit = CO_TRY(co_await Permits::acquire(scope, permits, priority, key));
  served.push_back(key);
  co_return co_await scope.sleep(seconds(1));
}

TEST(Permits, CapsTheCallsAndServesInteractiveBeforeNormalBeforeBatch) {
  TestCore test;
  const auto permits = std::make_shared<Permits>(1, 100);
  std::vector<std::string> served;
  Scope scope(test.core);
  scope.spawn(hold(scope, permits, Priority::normal, "first", served));
  scope.spawn(hold(scope, permits, Priority::batch, "batch", served));
  scope.spawn(hold(scope, permits, Priority::normal, "normal", served));
  scope.spawn(hold(scope, permits, Priority::interactive, "interactive", served));
  EXPECT_EQ(permits->in_use(), 1u);
  EXPECT_EQ(permits->waiting(), 3u);
  test.pass(seconds(10));
  EXPECT_EQ(served, (std::vector<std::string>{"first", "interactive", "normal", "batch"}));
  EXPECT_EQ(permits->in_use(), 0u);
}

TEST(Permits, KeysTakeTurnsHoweverManyCallsOneOfThemMakes) {
  TestCore test;
  const auto permits = std::make_shared<Permits>(1, 1000);
  std::vector<std::string> served;
  Scope scope(test.core);
  for (int i = 0; i < 50; ++i) scope.spawn(hold(scope, permits, Priority::normal, "flood", served));
  scope.spawn(hold(scope, permits, Priority::normal, "quiet", served));
  test.pass(seconds(100));
  const auto quiet = std::find(served.begin(), served.end(), "quiet") - served.begin();
  EXPECT_LE(quiet, 2) << "the flood's call under way and at most one turn of its";
  EXPECT_EQ(served.size(), 51u);
}

TEST(Permits, AFullQueueIsOverloadedAtOnce) {
  TestCore test;
  const auto permits = std::make_shared<Permits>(1, 1);
  std::vector<std::string> served;
  Scope scope(test.core);
  scope.spawn(hold(scope, permits, Priority::normal, "a", served));
  scope.spawn(hold(scope, permits, Priority::normal, "b", served));
  const auto refused = test.run([](Scope& own, std::shared_ptr<Permits> of) -> Task<void> {
    CO_TRY(co_await Permits::acquire(own, of, Priority::normal, "c"));
    co_return {};
  }(scope, permits));
  ASSERT_FALSE(refused);
  EXPECT_EQ(refused.error().kind, ErrorKind::overloaded);
  EXPECT_TRUE(refused.error().retry_after_ms);
  test.pass(seconds(10));
}

TEST(Permits, ACancelledWaiterLosesNoPermit) {
  TestCore test;
  const auto permits = std::make_shared<Permits>(1, 10);
  std::vector<std::string> served;
  Scope scope(test.core);
  Scope given_up(test.core);
  scope.spawn(hold(scope, permits, Priority::normal, "a", served));
  given_up.spawn(hold(given_up, permits, Priority::normal, "b", served));
  scope.spawn(hold(scope, permits, Priority::normal, "c", served));
  given_up.cancel(make_error(ErrorKind::cancelled, "gone"));
  test.pass(seconds(10));
  EXPECT_EQ(served, (std::vector<std::string>{"a", "c"}));
  EXPECT_EQ(permits->in_use(), 0u);
  EXPECT_EQ(permits->waiting(), 0u);
}

TEST(Permits, ACapCountsTheCallsThatBeganWithoutOne) {
  TestCore test;
  const auto permits = std::make_shared<Permits>(0, 100);
  std::vector<std::string> served;
  Scope scope(test.core);
  auto first = Permits::try_acquire(permits);
  auto second = Permits::try_acquire(permits);
  EXPECT_EQ(permits->in_use(), 2u);
  permits->set_concurrency(2);
  EXPECT_FALSE(Permits::try_acquire(permits));
  scope.spawn(hold(scope, permits, Priority::normal, "waits", served));
  test.pass(seconds(1));
  EXPECT_TRUE(served.empty());
  first.reset();
  test.pass(seconds(1));
  EXPECT_EQ(served, std::vector<std::string>{"waits"});
  second.reset();
  test.pass(seconds(10));
  EXPECT_EQ(permits->in_use(), 0u);
}

TEST(Permits, ARaisedCapServesThoseWhoWait) {
  TestCore test;
  const auto permits = std::make_shared<Permits>(1, 10);
  std::vector<std::string> served;
  Scope scope(test.core);
  for (const char* key : {"a", "b", "c"}) scope.spawn(hold(scope, permits, Priority::normal, key, served));
  permits->set_concurrency(3);
  test.settle();
  EXPECT_EQ(served.size(), 3u);
  test.pass(seconds(5));
}

Task<void> use_often(Scope& scope, std::shared_ptr<Permits> permits, std::string key,
                     std::atomic<int>& inside, std::atomic<int>& worst, std::atomic<int>& served) {
  for (int i = 0; i < 300; ++i) {
    const Permits::Permit permit = CO_TRY(co_await Permits::acquire(scope, permits, Priority::normal, key));
    const int now = ++inside;
    int seen = worst.load();
    while (now > seen && !worst.compare_exchange_weak(seen, now)) {
    }
    CO_TRY(co_await scope.sleep(Duration(0)));
    --inside;
    ++served;
  }
  co_return {};
}

// Real cores: grants cross threads.
TEST(Permits, NeverMoreThanTheCapOverSeveralCores) {
  Cores cores(2, SystemClock::instance(), 5);
  const auto permits = std::make_shared<Permits>(3, 1000);
  std::atomic<int> inside = 0;
  std::atomic<int> worst = 0;
  std::atomic<int> served = 0;
  std::vector<std::unique_ptr<Scope>> scopes(cores.size());
  cores.start();
  cores.for_each([&](Core& core) {
    scopes[core.index()] = std::make_unique<Scope>(core);
    Scope& scope = *scopes[core.index()];
    for (int i = 0; i < 4; ++i)
      scope.spawn(use_often(scope, permits, fmt::format("key{}", i), inside, worst, served));
  });
  const int expected = static_cast<int>(cores.size()) * 4 * 300;
  for (int turn = 0; turn < 2'000'000 && served < expected; ++turn) std::this_thread::yield();
  for (size_t running = 1; running > 0;) {
    running = 0;
    std::mutex mutex;
    cores.for_each([&](Core& core) {
      const std::lock_guard lock(mutex);
      running += scopes[core.index()]->running();
    });
  }
  cores.for_each([&](Core& core) { scopes[core.index()].reset(); });
  cores.stop();
  EXPECT_EQ(served, expected);
  EXPECT_LE(worst, 3);
  EXPECT_EQ(permits->in_use(), 0u);
}

}  // namespace
}  // namespace weir
