#include "io/scope.h"

#include <gtest/gtest.h>

#include "io/test_core.h"

namespace weir {
namespace {

using std::chrono::milliseconds;
using std::chrono::seconds;

struct ScopeTest : testing::Test {
  TestCore test;
  Core& core = test.core;
};

Task<void> store(Task<void> task, std::optional<Result<void>>& result) {
  result = co_await std::move(task);
  co_return {};
}

Task<void> do_nothing() {
  co_return {};
}
Task<void> fail_with(ErrorKind kind) {
  co_return fail(kind, "as asked");
}
Task<void> sleep(Scope& scope, Duration time) {
  co_return co_await scope.sleep(time);
}

TEST_F(ScopeTest, SleepsAsLongAsAsked) {
  Scope scope(core);
  std::optional<Result<void>> result;
  scope.spawn(store(sleep(scope, seconds(20)), result));
  test.pass(milliseconds(19'990));
  EXPECT_FALSE(result);
  test.pass(milliseconds(20));
  ASSERT_TRUE(result);
  EXPECT_TRUE(*result);
}

TEST_F(ScopeTest, OutlastsAHangUpForItsGrace) {
  Scope parent(core);
  Scope lasting(parent);
  lasting.outlast_hangup(seconds(2));
  Scope below(lasting);
  std::optional<Result<void>> result;
  below.spawn(store(sleep(below, seconds(60)), result));
  parent.cancel(make_error(ErrorKind::cancelled, "the client hung up"));
  parent.cancel(make_error(ErrorKind::cancelled, "it could not be written to"));
  test.pass(milliseconds(1'900));
  parent.cancel(make_error(ErrorKind::cancelled, "the request ended"));
  EXPECT_FALSE(lasting.is_cancelled());
  EXPECT_FALSE(result);
  test.pass(milliseconds(120));
  ASSERT_TRUE(result && !*result) << "saying it again gives no more time";
  EXPECT_EQ(result->error().kind, ErrorKind::cancelled);
}

TEST_F(ScopeTest, ShuttingDownEndsWhatOutlastedAHangUp) {
  Scope root(core);
  Scope parent(root);
  Scope lasting(parent);
  lasting.outlast_hangup(seconds(20));
  std::optional<Result<void>> result;
  lasting.spawn(store(sleep(lasting, seconds(60)), result));
  parent.cancel(make_error(ErrorKind::cancelled, "the client hung up"));
  test.pass(seconds(1));
  EXPECT_FALSE(result);
  root.cancel(make_error(ErrorKind::shutting_down, "the server shuts down"));
  test.settle();
  ASSERT_TRUE(result && !*result);
  EXPECT_EQ(result->error().kind, ErrorKind::shutting_down);
}

TEST_F(ScopeTest, OutlastsNothingButAHangUpAndNoDeadline) {
  Scope late(core);
  Scope lasting(late);
  lasting.outlast_hangup(seconds(20));
  late.cancel(make_error(ErrorKind::timeout, "too late"));
  EXPECT_TRUE(lasting.is_cancelled());

  Scope parent(core);
  Scope bound(parent);
  bound.outlast_hangup(seconds(20));
  parent.set_deadline(core.now() + seconds(3));
  parent.cancel(make_error(ErrorKind::cancelled, "the client hung up"));
  test.pass(milliseconds(2'900));
  EXPECT_FALSE(bound.is_cancelled());
  test.pass(milliseconds(120));
  EXPECT_TRUE(bound.is_cancelled());
}

TEST_F(ScopeTest, CancellingEndsEveryWaitBelowWithTheFirstReason) {
  Scope parent(core);
  Scope child(parent);
  Scope grandchild(child);
  std::optional<Result<void>> above;
  std::optional<Result<void>> below;
  parent.spawn(store(sleep(parent, seconds(5)), above));
  grandchild.spawn(store(sleep(grandchild, seconds(5)), below));
  child.cancel(make_error(ErrorKind::cancelled, "first"));
  child.cancel(make_error(ErrorKind::timeout, "second"));
  test.settle();
  EXPECT_FALSE(above);
  ASSERT_TRUE(below && !*below);
  EXPECT_EQ(below->error().message, "first");
  EXPECT_TRUE(grandchild.is_cancelled());
  EXPECT_FALSE(parent.is_cancelled());
  parent.cancel(make_error(ErrorKind::shutting_down, "third"));
  test.settle();
  ASSERT_TRUE(above && !*above);
  EXPECT_EQ(above->error().kind, ErrorKind::shutting_down);
}

TEST_F(ScopeTest, AWaitInACancelledScopeDoesNotSuspend) {
  Scope scope(core);
  scope.cancel(make_error(ErrorKind::cancelled, "gone"));
  Scope born_late(scope);
  EXPECT_TRUE(born_late.is_cancelled());
  std::optional<Result<void>> result;
  born_late.spawn(store(sleep(born_late, seconds(5)), result));
  ASSERT_TRUE(result && !*result);
  EXPECT_EQ(result->error().message, "gone");
  EXPECT_TRUE(core.timers().empty());
}

TEST_F(ScopeTest, AWaitThatWasCompletedBeforeTheCancellationSucceeds) {
  Scope scope(core);
  Signal signal;
  std::optional<Result<void>> result;
  scope.spawn(store(signal.wait(scope), result));
  signal.set();
  scope.cancel(make_error(ErrorKind::cancelled, "too late"));
  test.settle();
  ASSERT_TRUE(result);
  EXPECT_TRUE(*result);
}

TEST_F(ScopeTest, ExpiryCancelsWithItsKindAndMovingTheDeadlineMovesIt) {
  Scope scope(core);
  std::optional<Result<void>> result;
  scope.spawn(store(sleep(scope, seconds(100)), result));
  scope.set_deadline(scope.now() + seconds(1), ErrorKind::upstream_timeout, "no answer");
  test.pass(milliseconds(900));
  scope.set_deadline(scope.now() + seconds(30), ErrorKind::upstream_timeout, "still no answer");
  test.pass(milliseconds(29'900));
  EXPECT_FALSE(result);
  EXPECT_EQ(scope.remaining(seconds(7)), milliseconds(100));
  test.pass(milliseconds(120));
  ASSERT_TRUE(result && !*result);
  EXPECT_EQ(result->error().kind, ErrorKind::upstream_timeout);
  EXPECT_EQ(result->error().message, "still no answer");
}

TEST_F(ScopeTest, KnowsTheEarliestDeadlineAboveIt) {
  Scope parent(core);
  Scope child(parent);
  EXPECT_EQ(child.deadline(), std::nullopt);
  EXPECT_EQ(child.remaining(seconds(7)), seconds(7));
  const MonoTime soon = core.now() + seconds(1);
  parent.set_deadline(soon);
  child.set_deadline(core.now() + seconds(9));
  EXPECT_EQ(child.deadline(), soon);
  parent.clear_deadline();
  EXPECT_EQ(child.deadline(), core.now() + seconds(9));
}

TEST_F(ScopeTest, JoinsAllAndGivesTheFirstErrorOfAChild) {
  Scope scope(core);
  scope.spawn(do_nothing());
  scope.spawn(sleep(scope, seconds(3)));
  scope.spawn(fail_with(ErrorKind::not_found));
  scope.spawn(fail_with(ErrorKind::forbidden));
  EXPECT_EQ(scope.running(), 1u);
  const Result<void> joined = test.run(scope.join_all());
  ASSERT_FALSE(joined);
  EXPECT_EQ(joined.error().kind, ErrorKind::not_found);
  EXPECT_EQ(scope.running(), 0u);
  EXPECT_TRUE(test.run(scope.join_all()));
}

Task<void> throw_one() {
  throw std::runtime_error("a bug");
  co_return {};
}

TEST_F(ScopeTest, AnExceptionOfAChildBecomesAnInternalError) {
  Scope scope(core);
  scope.spawn(throw_one());
  const Result<void> joined = test.run(scope.join_all());
  ASSERT_FALSE(joined);
  EXPECT_EQ(joined.error().kind, ErrorKind::internal);
}

TEST_F(ScopeTest, FirstOfGivesTheFirstToEndAndCancelsTheOthers) {
  Scope scope(core);
  std::optional<Result<void>> slow;
  Task<size_t> race = first_of(scope, {[&slow](Scope& in) { return store(sleep(in, seconds(60)), slow); },
                                       [](Scope& in) { return sleep(in, seconds(2)); }});
  const MonoTime before = core.now();
  const Result<size_t> winner = test.run(std::move(race));
  ASSERT_TRUE(winner);
  EXPECT_EQ(*winner, 1u);
  EXPECT_LT(core.now() - before, seconds(3));
  ASSERT_TRUE(slow && !*slow);
  EXPECT_FALSE(scope.is_cancelled());
}

TEST_F(ScopeTest, FirstOfPassesOnTheErrorOfTheFirst) {
  Scope scope(core);
  Task<size_t> race = first_of(scope, {[](Scope&) { return fail_with(ErrorKind::rate_limited); },
                                       [](Scope& in) { return sleep(in, seconds(2)); }});
  const Result<size_t> winner = test.run(std::move(race));
  ASSERT_FALSE(winner);
  EXPECT_EQ(winner.error().kind, ErrorKind::rate_limited);
}

TEST_F(ScopeTest, ASignalWakesAllAndStaysSetUntilReset) {
  Scope scope(core);
  Signal signal;
  std::array<std::optional<Result<void>>, 3> results;
  for (auto& result : results) scope.spawn(store(signal.wait(scope), result));
  test.settle();
  EXPECT_FALSE(results[0]);
  signal.set();
  test.settle();
  for (const auto& result : results) EXPECT_TRUE(result && *result);
  EXPECT_TRUE(test.run(signal.wait(scope)));
  signal.reset();
  EXPECT_FALSE(signal.is_set());
}

TEST_F(ScopeTest, ASignalForgetsAWaiterThatWasCancelled) {
  Scope scope(core);
  Signal signal;
  {
    Scope child(scope);
    std::optional<Result<void>> result;
    child.spawn(store(signal.wait(child), result));
    child.cancel(make_error(ErrorKind::cancelled, "gone"));
    test.settle();
    EXPECT_TRUE(result && !*result);
  }
  signal.set();
  test.settle();
}

}  // namespace
}  // namespace weir
