#include "gateway/answer_writer.h"

#include <array>
#include <fmt/core.h>
#include <gtest/gtest.h>

#include "codec/codecs.h"
#include "codec/openai.h"
#include "gateway/test_scripted_target.h"
#include "llm/prompt_tokens.h"

namespace weir {
namespace {

using std::chrono::seconds;

// A provider that is silent but for a ping each ten seconds.
class Pinging final : public EventSource {
 public:
  explicit Pinging(int pings) : pings_(pings) {}
  const AnswerHead& head() const override { return head_; }
  Result<const EventBatch*> take(Scope& scope) override {
    batch_.clear();
    if (!has_started_) {
      has_started_ = true;
      batch_.events = {Start{.id = "a"}, BlockStart{}, Delta{.text = "Hello"}};
      return &batch_;
    }
    TRY(scope.check());
    if (!std::exchange(has_waited_, false)) return nullptr;
    if (pings_-- > 0) {
      batch_.events = {Ping{}};
    } else {
      batch_.events = {BlockEnd{}, Finish{}, End{}};
    }
    return &batch_;
  }
  Task<void> wait(Scope& scope) override {
    has_waited_ = true;
    return scope.sleep(seconds(10));
  }

 private:
  AnswerHead head_;
  EventBatch batch_;
  bool has_started_ = false;
  bool has_waited_ = false;
  int pings_;
};

// A client that notes when it reads a ping.
class Read final : public ResponseWriter {
 public:
  explicit Read(const Clock& clock) : clock_(clock) {}
  Task<void> send(Scope&, int, const Headers&, std::string_view) override { co_return {}; }
  Task<void> start(Scope&, int, const Headers&) override { co_return is_started_ = true, Result<void>{}; }
  Task<void> write(Scope&, std::string_view bytes) override { co_return note(bytes), Result<void>{}; }
  Task<void> finish(Scope&, std::string_view bytes) override { co_return note(bytes), Result<void>{}; }
  bool is_started() const override { return is_started_; }
  uint64_t bytes_taken() const override { return 0; }

  std::vector<int64_t> pinged_at_s;

 private:
  void note(std::string_view bytes) {
    if (bytes.find("ping") == std::string_view::npos) return;
    pinged_at_s.push_back(std::chrono::duration_cast<seconds>(clock_.now() - start_).count());
  }

  const Clock& clock_;
  const MonoTime start_ = clock_.now();
  bool is_started_ = false;
};

// The seconds at which a client of the dialect reads a ping or keep-alive, of a provider that pings four
// times.
std::vector<int64_t> pinged_at_s(Dialect dialect) {
  TestGateway gateway(std::make_unique<ScriptedCall>());
  Chat chat;
  chat.is_streamed = true;
  const std::unique_ptr<Exchange> exchange = gateway.exchange(chat);
  exchange->call.dialect = dialect;
  exchange->client_codec = &chat_client_codec(dialect, true);
  Read read(gateway.test.clock);
  const Headers none;
  AnswerWriter writer(*exchange, read, none);
  writer.watch_silence();
  Pinging source(4);
  EXPECT_TRUE(gateway.test.run(writer.write(source)));
  return read.pinged_at_s;
}

TEST(AnswerWriter, KeepsAliveWhereTheProvidersPingsWriteNothing) {
  using Seconds = std::vector<int64_t>;
  EXPECT_EQ(pinged_at_s(Dialect::bedrock_converse), (Seconds{15, 30, 45}));
  // Anthropic's clients get the pings themselves, and nothing of Weir's.
  EXPECT_EQ(pinged_at_s(Dialect::anthropic_messages), (Seconds{10, 20, 30, 40}));
}

// Keeps what was written.
class KeptResponse final : public ResponseWriter {
 public:
  Task<void> send(Scope&, int status, const Headers& its_headers, std::string_view bytes) override {
    EXPECT_EQ(status, 200);
    headers = its_headers;
    body = bytes;
    co_return {};
  }
  Task<void> start(Scope&, int status, const Headers& its_headers) override {
    EXPECT_EQ(status, 200);
    headers = its_headers;
    has_started_ = true;
    co_return {};
  }
  Task<void> write(Scope&, std::string_view bytes) override {
    body += bytes;
    co_return {};
  }
  Task<void> finish(Scope&, std::string_view bytes) override {
    body += bytes;
    co_return {};
  }
  bool is_started() const override { return has_started_; }
  uint64_t bytes_taken() const override { return body.size(); }

  Headers headers;
  std::string body;

 private:
  bool has_started_ = false;
};

// What a provider says of itself beside its answer.
Headers providers_headers() {
  return {{"x-upstream-request-id", "theirs"}, {"openai-version", "1"}};
}

std::vector<Event> cited_answer() {
  const Dialect dialect = Dialect::anthropic_messages;
  constexpr std::string_view kDocument =
      R"({"type":"char_location","cited_text":"q","document_index":0,"document_title":"d","file_id":null,)"
      R"("start_char_index":0,"end_char_index":1})";
  const Delta cited{
      .kind = DeltaKind::citation, .text = std::string(kDocument), .dialect = Dialect::anthropic_messages};
  return {Start{.id = "msg_1", .model = "m"},
          BlockStart{.dialect = dialect},
          Delta{.text = "hi"},
          cited,
          cited,
          BlockEnd{},
          Finish{},
          End{}};
}

class AnswerWriterTest : public ::testing::Test {
 protected:
  // What a client of Responses gets, and what the exchange knows afterwards.
  void write(bool is_streamed) {
    Chat chat;
    chat.model = "m";
    chat.is_streamed = is_streamed;
    exchange_ = gateway_.exchange(chat);
    exchange_->call.dialect = Dialect::openai_responses;
    exchange_->client_codec = &chat_client_codec(Dialect::openai_responses, is_streamed);
    AnswerWriter writer(*exchange_, response_, none_);
    DrippingSource source(cited_answer(), providers_headers());
    EXPECT_TRUE(gateway_.test.run(writer.write(source)));
  }

  TestGateway gateway_{std::make_unique<ScriptedCall>()};
  Headers none_;
  KeptResponse response_;
  std::unique_ptr<Exchange> exchange_;
};

// A hundred bytes of an answer in each batch.
class Long final : public EventSource {
 public:
  explicit Long(bool is_raw) {
    batch_.is_raw = is_raw;
    if (is_raw) {
      batch_.raw = text_;
    } else {
      batch_.events = {Delta{.text = text_}};
    }
  }
  const AnswerHead& head() const override { return head_; }
  Result<const EventBatch*> take(Scope&) override {
    if (++pulls == 100) return fail(ErrorKind::upstream_malformed, "it broke off");
    return &batch_;
  }

  int pulls = 0;

 private:
  const std::string text_ = std::string(100, 'a');
  AnswerHead head_;
  EventBatch batch_;
};

TEST_F(AnswerWriterTest, ReadsOnForAClientThatIsGoneAsFarAsTheSettingSays) {
  gateway_.snapshot->settings.client_gone_bytes_max = 1000;
  exchange_ = gateway_.exchange(Chat{});
  for (const bool is_raw : {false, true}) {
    AnswerWriter writer(*exchange_, response_, none_);
    Long source(is_raw);
    EXPECT_TRUE(gateway_.test.run(writer.drain(source)));
    EXPECT_EQ(source.pulls, 11) << "ten batches are within the limit, and the next one tells that it is over";
  }
}

TEST_F(AnswerWriterTest, ReadsNothingOnBehindTheEnd) {
  exchange_ = gateway_.exchange(Chat{});
  AnswerWriter writer(*exchange_, response_, none_);
  Long source(false);
  EXPECT_TRUE(gateway_.test.run(writer.drain(source)));
  EXPECT_EQ(source.pulls, 100) << "until the error";
  EXPECT_TRUE(gateway_.test.run(writer.drain(source)));
  EXPECT_EQ(source.pulls, 100);
}

constexpr std::string_view kLost = "dropped;answer/citations;document>";

TEST_F(AnswerWriterTest, SaysInTheHeadOfAWholeAnswerWhatItLost) {
  write(false);
  EXPECT_EQ(response_.headers.get_or("x-weir-fidelity", ""), kLost) << "once";
  EXPECT_EQ(response_.headers.get_or("x-weir-fidelity-severity", ""), "warning");
  EXPECT_EQ(exchange_->fidelity.records().size(), 1U);
}

TEST_F(AnswerWriterTest, SaysWhenACountOfTokensIsWeirsOwn) {
  const auto source = [&](Request request, UsageSource from) {
    const auto exchange = gateway_.exchange(std::move(request));
    exchange->usage.source = from;
    Headers headers;
    add_exchange_headers(*exchange, headers);
    return std::string(headers.get_or("x-weir-usage-source", ""));
  };
  EXPECT_EQ(source(CountTokens{}, UsageSource::estimated), "estimated");
  EXPECT_EQ(source(CountTokens{}, UsageSource::provider), "");
  EXPECT_EQ(source(Chat{}, UsageSource::estimated), "");
}

TEST_F(AnswerWriterTest, KeepsWhatAStreamLostBehindItsHeadForTheLog) {
  write(true);
  EXPECT_FALSE(response_.headers.contains("x-weir-fidelity"));
  EXPECT_EQ(exchange_->fidelity.header_value(), kLost);
  EXPECT_NE(response_.body.find("response.completed"), std::string::npos);
}

TEST_F(AnswerWriterTest, EstimatesTheInputOfAWholeAnswerAsOfAStreamWhereTheProviderStatesNone) {
  for (const bool is_streamed : {false, true}) {
    Chat chat;
    chat.is_streamed = is_streamed;
    Message message;
    message.content.push_back({.body = TextBlock{"How many words are these?"}, .cache = {}, .pointer = {}});
    chat.messages.push_back(message);
    exchange_ = gateway_.exchange(chat);
    exchange_->call.dialect = Dialect::anthropic_messages;
    exchange_->client_codec = &chat_client_codec(Dialect::anthropic_messages, is_streamed);
    const int64_t estimate = estimate_prompt_tokens(chat, TokenizerKind::estimate);
    ASSERT_GT(estimate, 0);
    response_ = {};
    AnswerWriter writer(*exchange_, response_, none_);
    DrippingSource source(cited_answer(), providers_headers());
    EXPECT_TRUE(gateway_.test.run(writer.write(source)));
    EXPECT_NE(response_.body.find(fmt::format(R"("usage":{{"input_tokens":{},)", estimate)),
              std::string::npos)
        << response_.body;
  }
}

TEST_F(AnswerWriterTest, TellsWeirsEstimateOfTextsToEmbed) {
  exchange_ = gateway_.exchange(Embed{});
  exchange_->call.dialect = Dialect::openai_chat;
  exchange_->client_codec = &openai_embeddings_client();
  exchange_->usage.in_uncached = 7;
  exchange_->usage.source = UsageSource::estimated;
  AnswerWriter writer(*exchange_, response_, none_);
  StoredSource source({Payload{.body = EmbedAnswer{.vectors = {{1.0F}}}}, End{}});
  EXPECT_TRUE(gateway_.test.run(writer.write(source)));
  EXPECT_NE(response_.body.find(R"("prompt_tokens":7)"), std::string::npos) << response_.body;
}

TEST_F(AnswerWriterTest, TellsWeirsEstimateWhereTheProviderStatesNoUsage) {
  struct Case {
    Dialect dialect;
    std::string_view output;
  };
  constexpr std::array kCases = {Case{Dialect::openai_chat, R"("completion_tokens":3)"},
                                 Case{Dialect::openai_responses, R"("output_tokens":3)"},
                                 Case{Dialect::anthropic_messages, R"("output_tokens":3)"}};
  for (const auto& [dialect, output] : kCases) {
    for (const bool is_streamed : {false, true}) {
      Chat chat;
      chat.is_streamed = is_streamed;
      exchange_ = gateway_.exchange(chat);
      exchange_->call.dialect = dialect;
      exchange_->client_codec = &chat_client_codec(dialect, is_streamed);
      exchange_->usage.in_uncached = 7;
      exchange_->usage.out_text = 3;
      exchange_->usage.source = UsageSource::estimated;
      response_ = {};
      AnswerWriter writer(*exchange_, response_, none_);
      DrippingSource source(cited_answer(), providers_headers());
      EXPECT_TRUE(gateway_.test.run(writer.write(source)));
      EXPECT_NE(response_.body.find(output), std::string::npos) << response_.body;
    }
  }
}

TEST_F(AnswerWriterTest, TellsTheProvidersIdOfTheCallAndNoOtherHeaderOfIt) {
  for (const bool is_streamed : {false, true}) {
    write(is_streamed);
    EXPECT_EQ(response_.headers.get_or("x-upstream-request-id", ""), "theirs");
    EXPECT_FALSE(response_.headers.contains("openai-version"));
  }
}

// Goes when a part of what is sent has reached it.
class LeavingResponse final : public ResponseWriter {
 public:
  static constexpr uint64_t kTaken = 10;
  Task<void> send(Scope&, int, const Headers&, std::string_view) override {
    co_return fail(ErrorKind::cancelled, "the client is gone");
  }
  Task<void> start(Scope&, int, const Headers&) override { co_return {}; }
  Task<void> write(Scope&, std::string_view) override { co_return {}; }
  Task<void> finish(Scope&, std::string_view) override { co_return {}; }
  bool is_started() const override { return false; }
  uint64_t bytes_taken() const override { return kTaken; }
};

TEST(AnswerWriter, TellsTheStatusOfAFailureThatWasReadInPart) {
  TestGateway gateway(std::make_unique<ScriptedCall>());
  const std::unique_ptr<Exchange> exchange = gateway.exchange(Chat{});
  exchange->client_codec = &chat_client_codec(Dialect::openai_chat, false);
  LeavingResponse response;
  const Headers none;
  AnswerWriter writer(*exchange, response, none);
  const Result<void> written =
      gateway.test.run(writer.fail_with(make_error(ErrorKind::timeout, "the deadline passed")));
  EXPECT_FALSE(written);
  EXPECT_EQ(writer.outcome(written).status, 504);
  EXPECT_EQ(writer.outcome(written).bytes_out, LeavingResponse::kTaken);
}

TEST_F(AnswerWriterTest, TellsOfAnAnswerThatWasLeftWhatTheClientTook) {
  for (const bool is_streamed : {false, true}) {
    Chat chat;
    chat.is_streamed = is_streamed;
    exchange_ = gateway_.exchange(chat);
    exchange_->client_codec = &chat_client_codec(Dialect::openai_chat, is_streamed);
    LeavingResponse response;
    AnswerWriter writer(*exchange_, response, none_);
    DrippingSource source(cited_answer());
    const Result<void> written = gateway_.test.run(writer.write(source));
    EXPECT_EQ(writer.outcome(written).bytes_out, LeavingResponse::kTaken);
  }
}

// Keeps the head of an error.
class KeptError final : public ResponseWriter {
 public:
  Task<void> send(Scope&, int, const Headers& its_headers, std::string_view) override {
    headers = its_headers;
    co_return {};
  }
  Task<void> start(Scope&, int, const Headers&) override { co_return {}; }
  Task<void> write(Scope&, std::string_view) override { co_return {}; }
  Task<void> finish(Scope&, std::string_view) override { co_return {}; }
  bool is_started() const override { return false; }
  uint64_t bytes_taken() const override { return 0; }

  Headers headers;
};

TEST(AnswerWriter, TellsTheProvidersIdOfACallThatFailed) {
  TestGateway gateway(std::make_unique<ScriptedCall>());
  for (const std::string id : {"theirs", ""}) {
    const std::unique_ptr<Exchange> exchange = gateway.exchange(Chat{});
    exchange->client_codec = &chat_client_codec(Dialect::openai_chat, false);
    exchange->attempts.emplace_back().upstream_id = "of an attempt before";
    exchange->attempts.emplace_back().upstream_id = id;
    KeptError response;
    const Headers none;
    AnswerWriter writer(*exchange, response, none);
    EXPECT_TRUE(gateway.test.run(writer.fail_with(make_error(ErrorKind::upstream_error, "it failed"))));
    EXPECT_EQ(response.headers.get_or("x-upstream-request-id", ""), id);
    EXPECT_EQ(response.headers.get_or("x-request-id", ""), "req_1");
  }
}

TEST_F(AnswerWriterTest, AnAnswerThatNobodyWaitedForWasSeenByNobody) {
  for (const bool is_streamed : {false, true}) {
    Scope client(gateway_.test.core);
    Chat chat;
    chat.is_streamed = is_streamed;
    exchange_ = gateway_.exchange(chat);
    exchange_->client_codec = &chat_client_codec(Dialect::openai_chat, is_streamed);
    exchange_->scope = &client;
    client.cancel(make_error(ErrorKind::cancelled, "the client hung up"));
    AnswerWriter writer(*exchange_, response_, none_);
    DrippingSource source(cited_answer(), providers_headers());
    const Result<void> written = gateway_.test.run(writer.write(source));
    const ExchangeOutcome& outcome = writer.outcome(written);
    EXPECT_EQ(outcome.status, 0);
    EXPECT_EQ(outcome.bytes_out, 0U);
    ASSERT_TRUE(outcome.error);
    EXPECT_EQ(outcome.error->kind, ErrorKind::cancelled);
    EXPECT_EQ(response_.body, "");
  }
}

}  // namespace
}  // namespace weir
