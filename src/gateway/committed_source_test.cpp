#include "gateway/committed_source.h"

#include <gtest/gtest.h>

#include "base/limits.h"
#include "io/test_core.h"

namespace weir {
namespace {

// The same batch so many times, then content; what it wrote is gone when the next one is pulled.
class Repeats final : public EventSource {
 public:
  Repeats(EventBatch batch, std::string raw, size_t times) : given_(std::move(batch)), raw_(std::move(raw)) {
    given_.raw = raw_;
    given_.is_raw = !raw_.empty();
    left_ = times;
  }
  const AnswerHead& head() const override { return head_; }
  Result<const EventBatch*> take(Scope& scope) override {
    TRY(scope.check());
    if (left_ > 0) {
      --left_;
      return &given_;
    }
    content_.events = {Delta{.text = "hello"}};
    content_.raw = given_.is_raw ? "data: hello\n\n" : "";
    content_.is_raw = given_.is_raw;
    return &content_;
  }

 private:
  AnswerHead head_;
  EventBatch given_;
  EventBatch content_;
  const std::string raw_;
  size_t left_ = 0;
};

class CommittedSourceTest : public testing::Test {
 protected:
  static std::unique_ptr<CommittedSource> committed(std::vector<Event> events, std::string raw,
                                                    size_t times) {
    const auto state = std::make_shared<TargetState>("p/m", BreakerSettings{}, 0, 0);
    auto permit = Permits::try_acquire(state->permits());
    return std::make_unique<CommittedSource>(
        std::make_unique<Repeats>(EventBatch{.events = std::move(events), .raw = {}}, std::move(raw), times),
        CallPlace(state, *std::move(permit)));
  }

  TestCore test_;
  Scope scope_{test_.core};
};

TEST_F(CommittedSourceTest, CommentsBeforeTheAnswerAreNotKept) {
  const auto source = committed({Ping{}}, ": still here\r\n\r\n:\n", 10);
  ASSERT_TRUE(test_.run(source->commit(scope_)));
  const Result<const EventBatch*> batch = test_.run(source->next(scope_));
  ASSERT_TRUE(batch);
  EXPECT_EQ((*batch)->raw, "data: hello\n\n");
  EXPECT_EQ((*batch)->events.size(), 1U) << "nor what they came to";
}

TEST_F(CommittedSourceTest, WhatIsNoCommentStaysInItsPlace) {
  const auto source = committed({}, "event: made.up\ndata: {}\n\n", 2);
  ASSERT_TRUE(test_.run(source->commit(scope_)));
  const Result<const EventBatch*> batch = test_.run(source->next(scope_));
  ASSERT_TRUE(batch);
  EXPECT_EQ((*batch)->raw, "event: made.up\ndata: {}\n\nevent: made.up\ndata: {}\n\ndata: hello\n\n");
}

TEST_F(CommittedSourceTest, AnAnswerThatNeverBeginsIsHeldToABound) {
  const std::string event = "data: " + std::string(kMiB, 'x') + "\n\n";
  const std::vector<Event> blocks(100, BlockStart{});
  for (const auto& source : {committed({}, event, 100), committed(blocks, "", 100'000)}) {
    const Result<void> began = test_.run(source->commit(scope_));
    ASSERT_FALSE(began);
    EXPECT_EQ(began.error().kind, ErrorKind::upstream_malformed);
  }
}

TEST_F(CommittedSourceTest, AnUpstreamThatOnlyCommentsKeepsNobodyElseWaiting) {
  const auto source = committed({Ping{}}, ":\n\n", 1'000'000);
  Scope call(test_.core);
  scope_.spawn(source->commit(call));
  test_.core.poll();
  call.cancel(make_error(ErrorKind::cancelled, "the client hung up"));
  test_.settle();
  EXPECT_EQ(scope_.running(), 0U);
  EXPECT_EQ(test_.run(scope_.join_all()).error().kind, ErrorKind::cancelled) << "it got the word in between";
}

TEST_F(CommittedSourceTest, AnAnswerThatHasEndedNeedsNoPlace) {
  const auto state = std::make_shared<TargetState>("p/m", BreakerSettings{}, 1, 0);
  for (const bool has_ended : {false, true}) {
    std::vector<Event> events = {Delta{.text = "hello"}};
    if (has_ended) events.emplace_back(End{});
    CommittedSource source(std::make_unique<StoredSource>(std::move(events)),
                           CallPlace(state, *Permits::try_acquire(state->permits())));
    ASSERT_TRUE(test_.run(source.commit(scope_)));
    EXPECT_EQ(state->permits()->in_use(), has_ended ? 0U : 1U) << "however long its client reads";
    EXPECT_EQ(state->in_flight(), has_ended ? 0 : 1);
  }
  EXPECT_EQ(state->in_flight(), 0);
}

}  // namespace
}  // namespace weir
