#include "gateway/meter_stage.h"

#include <gtest/gtest.h>

#include "gateway/test_scripted_target.h"
#include "llm/prompt_tokens.h"

namespace weir {
namespace {

using std::chrono::milliseconds;

struct Piece {
  Duration after{};
  EventBatch batch;
};

// An answer whose batches come some time after one another.
class PacedCall final : public Stage {
 public:
  PacedCall(ManualClock& clock, std::vector<Piece> pieces) : clock_(clock), pieces_(std::move(pieces)) {}
  std::string_view name() const override { return "call"; }
  Task<std::unique_ptr<EventSource>> handle(Exchange&, Next) override {
    co_return std::make_unique<Source>(clock_, pieces_);
  }

 private:
  class Source final : public EventSource {
   public:
    Source(ManualClock& clock, const std::vector<Piece>& pieces) : clock_(clock), pieces_(pieces) {}
    const AnswerHead& head() const override { return head_; }
    Result<const EventBatch*> take(Scope&) override {
      if (!std::exchange(has_come_, false)) return nullptr;
      return &pieces_.at(at_++).batch;
    }
    Task<void> wait(Scope& scope) override {
      clock_.advance(pieces_.at(at_).after);
      has_come_ = true;
      co_return scope.check();
    }

   private:
    ManualClock& clock_;
    const std::vector<Piece>& pieces_;
    AnswerHead head_;
    size_t at_ = 0;
    bool has_come_ = false;
  };

  ManualClock& clock_;
  const std::vector<Piece> pieces_;
};

EventBatch events(std::vector<Event> list) {
  EventBatch batch;
  batch.events = std::move(list);
  return batch;
}

EventBatch raw(std::string_view bytes) {
  EventBatch batch;
  batch.raw = bytes;
  batch.is_raw = true;
  return batch;
}

struct MeterStageTest : testing::Test {
  // All of the answer, for a client that takes that long to take each batch.
  static Task<void> read(const Pipeline& pipeline, Exchange& exchange, Duration takes) {
    const std::unique_ptr<EventSource> source = CO_TRY(co_await pipeline.run(exchange));
    for (;;) {
      const EventBatch* batch = CO_TRY(co_await source->next(*exchange.scope));
      const bool is_over = !batch->events.empty() && std::holds_alternative<End>(batch->events.back());
      if (is_over) co_return {};
      if (takes > Duration::zero()) CO_TRY(co_await exchange.scope->sleep(takes));
    }
  }

  std::unique_ptr<Exchange> metered(std::vector<Piece> pieces, bool is_streamed = true, Duration takes = {}) {
    Chat chat;
    chat.is_streamed = is_streamed;
    return metered(Request(std::move(chat)), std::move(pieces), takes);
  }

  std::unique_ptr<Exchange> metered(Request request, std::vector<Piece> pieces, Duration takes = {}) {
    std::vector<std::unique_ptr<Stage>> stages;
    stages.push_back(std::make_unique<MeterStage>());
    stages.push_back(std::make_unique<PacedCall>(gateway.test.clock, std::move(pieces)));
    const Pipeline pipeline(std::move(stages));
    std::unique_ptr<Exchange> exchange = gateway.exchange(std::move(request));
    gateway.candidate.row = &row;
    EXPECT_TRUE(gateway.test.run(read(pipeline, *exchange, takes)));
    return exchange;
  }
  ModelRow row{};  // of the target
  TestGateway gateway{std::make_unique<MeterStage>()};
};

TEST_F(MeterStageTest, NotesTheTimeBetweenChunksThatSaySomething) {
  const auto exchange = metered({{.after = milliseconds(900), .batch = events({Start{}, Delta{.text = "a"}})},
                                 {.after = milliseconds(15), .batch = events({Delta{.text = "b"}})},
                                 {.after = milliseconds(30), .batch = events({Ping{}})},
                                 {.after = milliseconds(40), .batch = events({Delta{.text = "c"}})},
                                 {.after = milliseconds(500), .batch = events({Finish{}, End{}})}});
  EXPECT_EQ(exchange->chunks.sum(), milliseconds(15 + 30 + 40));
  EXPECT_EQ(exchange->chunks.counts()[1], 1U) << "15 ms";
  EXPECT_EQ(exchange->chunks.counts()[3], 1U) << "70 ms";
}

TEST_F(MeterStageTest, ASlowClientIsNotTakenForASlowProvider) {
  const auto exchange = metered({{.after = milliseconds(900), .batch = events({Start{}, Delta{.text = "a"}})},
                                 {.after = milliseconds(30), .batch = events({Ping{}})},
                                 {.after = milliseconds(40), .batch = events({Delta{.text = "b"}})},
                                 {.after = milliseconds(500), .batch = events({Finish{}, End{}})}},
                                true, milliseconds(200));
  EXPECT_EQ(exchange->chunks.sum(), milliseconds(30 + 40));
}

TEST_F(MeterStageTest, NotesChunksThatPassRaw) {
  EventBatch last = raw("data: [DONE]\n\n");
  last.events.emplace_back(End{});
  const auto exchange = metered({{.after = milliseconds(10), .batch = raw("data: {}\n\n")},
                                 {.after = milliseconds(20), .batch = raw("data: {}\n\n")},
                                 {.after = milliseconds(20), .batch = std::move(last)}});
  EXPECT_EQ(exchange->chunks.sum(), milliseconds(40));
}

TEST_F(MeterStageTest, AWholeAnswerHasNoChunks) {
  const auto exchange = metered({{.after = milliseconds(10), .batch = events({Delta{.text = "a"}})},
                                 {.after = milliseconds(20), .batch = events({Delta{.text = "b"}, End{}})}},
                                false);
  EXPECT_TRUE(exchange->chunks.empty());
}

TEST_F(MeterStageTest, CountingTokensCostsNothing) {
  row.price.input = row.price.output = 1'000'000;
  Usage usage;
  usage.in_uncached = 1000;
  const auto answer = [&] { return std::vector<Piece>{{.batch = events({UsageReport{usage}, End{}})}}; };
  EXPECT_EQ(metered(Request(CountTokens{}), answer())->cost_nano_usd, 0);
  usage.out_text = 0;
  EXPECT_GT(metered(Request(Chat{}), answer())->cost_nano_usd.value_or(0), 0)
      << "the prompt of a chat is paid";
}

// How a call ends that is over before an answer has begun.
struct LeftTest : MeterStageTest {
  std::unique_ptr<Exchange> ended(Request request, ErrorKind kind) {
    row.price.input = row.price.output = 1'000'000;
    std::unique_ptr<Exchange> exchange = gateway.exchange(std::move(request));
    gateway.candidate.row = &row;
    gateway.call->answers.clear();
    gateway.call->answers.emplace_back(fail(kind, "it is over"));
    EXPECT_FALSE(gateway.events(*exchange));
    return exchange;
  }
  static Chat chat() {
    Chat chat;
    Message message;
    message.content.push_back(
        {.body = TextBlock{"Who built the bridge over the weir?"}, .cache = {}, .pointer = {}});
    chat.messages.push_back(message);
    return chat;
  }
};

TEST_F(LeftTest, WhatWasAskedIsEstimatedWhereNobodyWaitedForTheAnswer) {
  for (const ErrorKind kind :
       {ErrorKind::cancelled, ErrorKind::timeout, ErrorKind::upstream_timeout, ErrorKind::shutting_down}) {
    const auto exchange = ended(Request(chat()), kind);
    EXPECT_EQ(exchange->usage.in_uncached, estimate_prompt_tokens(chat(), TokenizerKind::estimate));
    EXPECT_EQ(exchange->usage.out_text, 0);
    EXPECT_EQ(exchange->usage.source, UsageSource::estimated);
    EXPECT_EQ(exchange->cost_nano_usd, exchange->price(exchange->usage));
    EXPECT_GT(exchange->cost_nano_usd.value_or(0), 0) << to_string(kind);
  }
}

TEST_F(LeftTest, AFailureOfTheProviderUsesNothing) {
  for (const ErrorKind kind : {ErrorKind::upstream_error, ErrorKind::upstream_rate_limited}) {
    const auto exchange = ended(Request(chat()), kind);
    EXPECT_TRUE(exchange->usage.empty()) << to_string(kind);
    EXPECT_FALSE(exchange->cost_nano_usd);
  }
}

// A call that waits for its place.
class Waiting final : public Stage {
 public:
  std::string_view name() const override { return "call"; }
  Task<std::unique_ptr<EventSource>> handle(Exchange&, Next) override {
    co_return fail(ErrorKind::cancelled, "the client hung up");
  }
};

TEST_F(LeftTest, WhatWasNotSentUsesNothing) {
  std::vector<std::unique_ptr<Stage>> stages;
  stages.push_back(std::make_unique<MeterStage>());
  stages.push_back(std::make_unique<Waiting>());
  const Pipeline pipeline(std::move(stages));
  const std::unique_ptr<Exchange> exchange = gateway.exchange(Request(chat()));
  EXPECT_FALSE(gateway.test.run(read(pipeline, *exchange, {})));
  EXPECT_TRUE(exchange->usage.empty());
  exchange->attempts.emplace_back();  // its keys were cooling
  EXPECT_FALSE(gateway.test.run(read(pipeline, *exchange, {})));
  EXPECT_TRUE(exchange->usage.empty());
  exchange->attempts.back().was_sent = true;
  exchange->attempts.back().failure = ErrorKind::upstream_overloaded;
  EXPECT_FALSE(gateway.test.run(read(pipeline, *exchange, {})));
  EXPECT_TRUE(exchange->usage.empty()) << "the client left in the pause behind it";
}

}  // namespace
}  // namespace weir
