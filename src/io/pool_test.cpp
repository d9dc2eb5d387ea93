#include "io/pool.h"

#include <gtest/gtest.h>
#include <latch>

#include "io/cores.h"
#include "io/test_core.h"

namespace weir {
namespace {

Task<void> store(Task<int> task, std::optional<Result<int>>& result) {
  result = co_await std::move(task);
  co_return {};
}

struct PoolTest : testing::Test {
  // Jobs come back from other threads, so this test waits for real.
  void settle_until(const std::optional<Result<int>>& result) {
    while (!result) {
      test.settle();
      std::this_thread::yield();
    }
  }
  TestCore test;
};

TEST_F(PoolTest, RunsTheJobElsewhereAndComesBackToTheCore) {
  Pool pool("test", 2, 8);
  Scope scope(test.core);
  std::optional<Result<int>> result;
  const std::thread::id core_thread = std::this_thread::get_id();
  scope.spawn(store(
      pool.run(scope,
               [core_thread]() -> Result<int> { return std::this_thread::get_id() == core_thread ? 1 : 42; }),
      result));
  settle_until(result);
  ASSERT_TRUE(*result);
  EXPECT_EQ(**result, 42);
}

TEST_F(PoolTest, PassesOnErrorsAndTurnsExceptionsIntoThem) {
  Pool pool("test", 1, 8);
  Scope scope(test.core);
  std::optional<Result<int>> failed;
  std::optional<Result<int>> thrown;
  scope.spawn(
      store(pool.run(scope, []() -> Result<int> { return fail(ErrorKind::not_found, "no"); }), failed));
  scope.spawn(store(pool.run(scope, []() -> Result<int> { throw std::runtime_error("bug"); }), thrown));
  settle_until(failed);
  settle_until(thrown);
  EXPECT_EQ(failed->error().kind, ErrorKind::not_found);
  EXPECT_EQ(thrown->error().kind, ErrorKind::internal);
}

TEST_F(PoolTest, RefusesWhenItsQueueIsFull) {
  std::latch release(1);
  std::latch started(1);
  std::optional<Result<int>> first;
  std::optional<Result<int>> queued;
  std::optional<Result<int>> refused;
  Scope scope(test.core);
  Pool pool("test", 1, 1);
  const auto block = [&started, &release]() -> Result<int> {
    started.count_down();
    release.wait();
    return 1;
  };
  const auto quick = []() -> Result<int> { return 2; };
  scope.spawn(store(pool.run(scope, block), first));
  started.wait();
  scope.spawn(store(pool.run(scope, quick), queued));
  EXPECT_EQ(pool.queued(), 1u);
  scope.spawn(store(pool.run(scope, quick), refused));
  ASSERT_TRUE(refused && !*refused);
  EXPECT_EQ(refused->error().kind, ErrorKind::overloaded);
  release.count_down();
  settle_until(queued);
  EXPECT_EQ(**queued, 2);
}

TEST_F(PoolTest, ACancelledCallerReturnsAtOnceAndTheJobEndsByItself) {
  std::latch release(1);
  std::atomic<bool> ended = false;
  std::optional<Result<int>> result;
  {
    Pool pool("test", 1, 1);
    Scope scope(test.core);
    scope.spawn(store(pool.run(scope,
                               [&release, &ended]() -> Result<int> {
                                 release.wait();
                                 ended = true;
                                 return 1;
                               }),
                      result));
    scope.cancel(make_error(ErrorKind::cancelled, "gone"));
    test.settle();
    ASSERT_TRUE(result && !*result);
    EXPECT_EQ(result->error().message, "gone");
    release.count_down();
  }
  EXPECT_TRUE(ended);
  test.settle();
}

TEST_F(PoolTest, WhatRunsToItsEndIsNotCancelled) {
  std::latch release(1);
  Pool pool("test", 1, 8);
  Scope scope(test.core);
  std::optional<Result<int>> result;
  int seen = 0;  // of the caller, used by the job
  scope.spawn(store(pool.run_to_end(test.core,
                                    [&]() -> Result<int> {
                                      release.wait();
                                      return seen = 7;
                                    }),
                    result));
  scope.cancel(make_error(ErrorKind::cancelled, "gone"));
  test.settle();
  EXPECT_FALSE(result);
  release.count_down();
  settle_until(result);
  EXPECT_EQ(**result, 7);
  EXPECT_EQ(seen, 7);
}

TEST_F(PoolTest, FinishesWhatItHasWhenItStopsAndTakesNoMore) {
  Pool pool("test", 1, 8);
  Scope scope(test.core);
  std::optional<Result<int>> accepted;
  std::optional<Result<int>> late;
  scope.spawn(store(pool.run(scope, []() -> Result<int> { return 1; }), accepted));
  pool.stop();
  pool.stop();
  scope.spawn(store(pool.run(scope, []() -> Result<int> { return 2; }), late));
  settle_until(accepted);
  settle_until(late);
  EXPECT_EQ(**accepted, 1);
  EXPECT_EQ(late->error().kind, ErrorKind::overloaded);
}

}  // namespace
}  // namespace weir
