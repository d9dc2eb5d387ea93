// Calls whose bodies pass as bytes, over connections in memory: what goes out, what comes back, and time
// limits.
#include <gtest/gtest.h>

#include "base/limits.h"
#include "codec/codecs.h"
#include "io/pool.h"
#include "io/test_client.h"
#include "provider/upstream.h"

namespace weir {
namespace {

using test::ClientTest;

// A form of which the test says when its pieces come.
class ScriptedForm final : public ClientForm {
 public:
  std::string_view model() const override { return "said"; }
  void set_model(std::string_view model) override { wire_model = model; }
  std::string_view content_type() const override { return "multipart/form-data; boundary=b"; }
  std::optional<uint64_t> size() const override { return std::nullopt; }
  bool is_whole() const override { return false; }
  bool can_restart() const override { return given == 0; }
  void restart() override {}
  Task<std::string_view> read(Scope& scope) override {
    if (given > 0 && pause > Duration::zero()) CO_TRY(co_await scope.sleep(pause));
    co_return given == pieces.size() ? std::string_view() : std::string_view(pieces[given++]);
  }
  std::string wire_model;
  std::vector<std::string> pieces;
  size_t given = 0;
  Duration pause{};
};

class OpaqueCallTest : public ClientTest {
 protected:
  OpaqueCallTest() {
    provider_.name = "p";
    provider_.base_path = "/v1";
    provider_.origin = {.host = "api.test", .port = 80, .is_tls = false};
    provider_.codec = &provider_codec(Dialect::openai_chat);
    provider_.kind.auth = AuthScheme::none;
    provider_.kind.served.set();
    Opaque opaque;
    opaque.task = OpaqueTask::transcription;
    opaque.model = "said";
    request_ = opaque;
    client_call_.form = &form_;
    form_.pieces = {"form"};
    call_ = {.provider = &provider_,
             .model = "whisper-1",
             .capabilities = &capabilities_,
             .request = &request_,
             .raw = &client_call_,
             .credential = nullptr,
             .traceparent = {},
             .request_id = "req_1",
             .first_event = std::chrono::seconds(5),
             .answer = std::chrono::minutes(6),
             .idle = std::chrono::seconds(10)};
  }

  void start_call() {
    encoded_ = std::move(*encode_call(call_).value());
    scope_.spawn(keep_call(*this));
    test_.settle();
  }
  static Task<void> keep_call(OpaqueCallTest& test) {
    test.answer_ = co_await call_upstream(test.scope_, *test.client_, test.pool_, test.call_, test.encoded_);
    co_return {};
  }
  // The next batch, with time passing until it is there.
  Result<const EventBatch*> next() { return test_.run((*answer_)->source->next(scope_)); }
  // Pulls it, as long as that takes while the provider says more.
  void start_next() {
    given_.reset();
    scope_.spawn(keep_next(*this));
    test_.settle();
  }
  static Task<void> keep_next(OpaqueCallTest& test) {
    test.given_ = co_await (*test.answer_)->source->next(test.scope_);
    co_return {};
  }
  void hang_up() {
    connector_->servers.at(0)->close();
    test_.settle();
  }
  static bool is_over(const EventBatch& batch) {
    return !batch.events.empty() && std::holds_alternative<End>(batch.events.back());
  }

  Provider provider_;
  Capabilities capabilities_;
  Request request_;
  ScriptedForm form_;
  ClientCall client_call_;
  UpstreamCall call_;
  EncodedCall encoded_;
  Pool pool_{"test", 1, 16};
  std::optional<Result<UpstreamAnswer>> answer_;
  std::optional<Result<const EventBatch*>> given_;
};

TEST_F(OpaqueCallTest, SendsTheFormUnderTheNameThatTheProviderHasForTheModel) {
  start_call();
  const std::string sent = heard(0);
  EXPECT_TRUE(sent.starts_with("POST /v1/audio/transcriptions HTTP/1.1\r\n")) << sent;
  EXPECT_NE(sent.find("content-type: multipart/form-data; boundary=b\r\n"), std::string::npos);
  EXPECT_NE(sent.find("x-request-id: req_1\r\n"), std::string::npos);
  EXPECT_TRUE(sent.ends_with("\r\n\r\n4\r\nform\r\n0\r\n\r\n")) << sent;
  EXPECT_EQ(form_.wire_model, "whisper-1");
  say(0, "HTTP/1.1 200 OK\r\ncontent-type: text/plain\r\ncontent-length: 2\r\n\r\nhi");
  ASSERT_TRUE(answer_ && *answer_);
  EXPECT_EQ((*answer_)->source->head().content_type, "text/plain");
  const EventBatch& batch = **next();
  EXPECT_EQ(batch.raw, "hi");
  EXPECT_TRUE(batch.is_raw && is_over(batch)) << "a small answer is one batch";
}

TEST_F(OpaqueCallTest, PassesTheAnswerAsItComesAndReportsItsUsage) {
  start_call();
  heard(0);
  say(0,
      "HTTP/1.1 200 OK\r\ncontent-type: text/event-stream\r\nset-cookie: a\r\nopenai-version: 1\r\n"
      "x-request-id: theirs\r\ntransfer-encoding: chunked\r\n\r\n9\r\ndata: {}\n\r\n");
  ASSERT_TRUE(answer_ && *answer_);
  const Headers& seen = (*answer_)->source->head().headers;
  EXPECT_EQ(seen.size(), 2U) << "what is the client's to see";
  EXPECT_EQ(seen.get_or("x-upstream-request-id", ""), "theirs");
  EXPECT_EQ((*next())->raw, "");
  const std::string_view event = "\ndata: {\"usage\":{\"output_tokens\":7}}\n";
  say(0, fmt::format("{:x}\r\n{}\r\n0\r\n\r\n", event.size(), event));
  const EventBatch& last = **next();
  ASSERT_TRUE(is_over(last));
  ASSERT_EQ(last.events.size(), 2U);
  EXPECT_EQ(std::get<UsageReport>(last.events[0]).usage.out_text, 7);
}

constexpr std::string_view kStreamHead =
    "HTTP/1.1 200 OK\r\ncontent-type: text/event-stream\r\ntransfer-encoding: chunked\r\n\r\n";

std::string chunk(std::string_view bytes) {
  return fmt::format("{:x}\r\n{}\r\n", bytes.size(), bytes);
}

TEST_F(OpaqueCallTest, OfAnEventThatIsCutNothingPasses) {
  start_call();
  heard(0);
  say(0, std::string(kStreamHead) + chunk("data: {\"a\":1}\n\ndata: {\"b64"));
  ASSERT_TRUE(answer_ && *answer_);
  EXPECT_EQ((*next())->raw, "data: {\"a\":1}\n\n");
  say(0, chunk("_json\":\"QUJD"));
  hang_up();
  const Result<const EventBatch*> cut = next();
  ASSERT_FALSE(cut);
  EXPECT_EQ(cut.error().kind, ErrorKind::upstream_truncated);
}

TEST_F(OpaqueCallTest, AnEventThatCameInPiecesPassesWhole) {
  start_call();
  heard(0);
  say(0, std::string(kStreamHead) + chunk("data: {\"a\""));
  ASSERT_TRUE(answer_ && *answer_);
  EXPECT_EQ((*next())->raw, "") << "that it has begun is told";
  say(0, chunk(":1}\n"));
  say(0, chunk("\ndata: last"));
  EXPECT_EQ((*next())->raw, "data: {\"a\":1}\n\n");
  say(0, "0\r\n\r\n");
  const EventBatch& last = **next();
  EXPECT_EQ(last.raw, "data: last") << "the provider has ended it so";
  EXPECT_TRUE(is_over(last));
}

TEST_F(OpaqueCallTest, AnEventTooLargeToBeHeldIsEndedWhereItIsCut) {
  start_call();
  heard(0);
  say(0, std::string(kStreamHead) + chunk("data: " + std::string(1000, 'Q')));
  ASSERT_TRUE(answer_ && *answer_);
  ASSERT_TRUE(next());
  start_next();
  const std::string piece = chunk(std::string(32 * kKiB, 'Q'));
  for (size_t sent = 0; !given_ && sent < 2 * kSseEventBytesMax; sent += piece.size()) say(0, piece);
  ASSERT_TRUE(given_ && *given_);
  EXPECT_GT((**given_)->raw.size(), kSseEventBytesMax);
  hang_up();
  Result<const EventBatch*> end = next();
  while (end && (*end)->raw.starts_with('Q')) end = next();  // what was on its way
  ASSERT_TRUE(end) << end.error().message;
  EXPECT_EQ((*end)->raw, "\n\n") << "what is told next stands on a line of its own";
  EXPECT_FALSE(next());
}

TEST_F(OpaqueCallTest, ReadsAnErrorAsTheDialectWritesIt) {
  start_call();
  heard(0);
  say(0,
      "HTTP/1.1 429 Too Many Requests\r\ncontent-type: application/json\r\nretry-after: 3\r\n"
      "content-length: 29\r\n\r\n{\"error\":{\"message\":\"slower\"}}");
  ASSERT_TRUE(answer_ && !*answer_);
  EXPECT_EQ(answer_->error().kind, ErrorKind::upstream_rate_limited);
  EXPECT_EQ(answer_->error().retry_after_ms, 3000);
}

TEST_F(OpaqueCallTest, AnErrorThatRepeatsTheKeyIsToldWithoutIt) {
  call_.credential = std::make_shared<const Credential>(Credential{.secret = Secret::copy_of("zqKEY0123")});
  start_call();
  heard(0);
  const std::string_view body = R"({"error":{"message":"you sent zqKEY0123","type":"x"}})";
  say(0, fmt::format("HTTP/1.1 400 No\r\ncontent-length: {}\r\n\r\n{}", body.size(), body));
  ASSERT_TRUE(answer_ && !*answer_);
  EXPECT_EQ(answer_->error().message, "you sent …");
}

TEST_F(OpaqueCallTest, BoundsTheSilenceOfAnAnswerThatHasBegun) {
  start_call();
  heard(0);
  say(0, "HTTP/1.1 200 OK\r\ncontent-type: audio/mpeg\r\ntransfer-encoding: chunked\r\n\r\n1\r\na\r\n");
  ASSERT_TRUE(answer_ && *answer_);
  ASSERT_TRUE(next());
  test_.pass(std::chrono::minutes(1));  // the client is slow, and nobody reads
  const MonoTime asked = test_.clock.now();
  const Result<const EventBatch*> silent = next();
  ASSERT_FALSE(silent);
  EXPECT_EQ(silent.error().kind, ErrorKind::upstream_timeout);
  EXPECT_GE(test_.clock.now() - asked, call_.idle);
  EXPECT_LE(test_.clock.now() - asked, call_.idle + std::chrono::seconds(1));
}

TEST_F(OpaqueCallTest, WaitsLongForAnAnswerThatHasNotBegun) {
  start_call();
  heard(0);
  test_.pass(std::chrono::minutes(5));  // an image takes its time
  EXPECT_FALSE(answer_);
  say(0, "HTTP/1.1 200 OK\r\ncontent-length: 2\r\n\r\nok");
  ASSERT_TRUE(answer_ && *answer_);
  EXPECT_EQ((*next())->raw, "ok");
}

TEST_F(OpaqueCallTest, EndsWhereTheAnswerDoesNotBegin) {
  form_.pieces = {"a", "b"};
  form_.pause = std::chrono::minutes(4);  // the client's, which is not the provider's
  const MonoTime began = test_.clock.now();
  start_call();
  for (int i = 0; i < 20 && !answer_; ++i) test_.pass(std::chrono::minutes(1));
  ASSERT_TRUE(answer_ && !*answer_);
  EXPECT_EQ(answer_->error().kind, ErrorKind::upstream_timeout);
  const Duration waited = test_.clock.now() - began - 2 * form_.pause;
  EXPECT_GE(waited, call_.answer);
  EXPECT_LE(waited, call_.answer + std::chrono::minutes(1));
}

TEST_F(OpaqueCallTest, DoesNotBlameTheProviderForASlowClient) {
  form_.pieces = {"a", "b"};
  form_.pause = std::chrono::seconds(25);
  start_call();
  test_.pass(std::chrono::minutes(2));
  EXPECT_TRUE(heard(0).ends_with("1\r\na\r\n1\r\nb\r\n0\r\n\r\n"));
  say(0, "HTTP/1.1 200 OK\r\ncontent-length: 2\r\n\r\nok");
  ASSERT_TRUE(answer_ && *answer_);
}

TEST_F(OpaqueCallTest, EndsWithAProviderThatTakesNothing) {
  form_.pieces.assign(10, std::string(50 * 1024, 'x'));  // more than the connection holds
  const MonoTime began = test_.clock.now();
  start_call();
  for (int i = 0; i < 30 && !answer_; ++i) test_.pass(std::chrono::seconds(1));
  ASSERT_TRUE(answer_ && !*answer_);
  EXPECT_EQ(answer_->error().kind, ErrorKind::upstream_timeout);
  EXPECT_LE(test_.clock.now() - began, call_.idle + std::chrono::seconds(2));
}

}  // namespace
}  // namespace weir
