// Requests whose body comes while it is sent.
#include <deque>
#include <gtest/gtest.h>

#include "io/test_client.h"

namespace weir {
namespace {

using test::ClientTest;

constexpr std::string_view kOk = "HTTP/1.1 200 OK\r\ncontent-length: 2\r\n\r\nok";

// Gives pieces as the test puts them there, and waits when there is none.
class ScriptedBody final : public RequestBody {
 public:
  std::optional<uint64_t> size() const override { return length; }
  bool is_whole() const override { return whole; }
  bool can_restart() const override { return whole || given == 0; }
  void restart() override { given = 0; }
  Task<std::string_view> read(Scope& scope) override {
    while (given == pieces.size() && !has_ended) CO_TRY(co_await scope.sleep(std::chrono::milliseconds(1)));
    if (failure && given == pieces.size()) co_return fail(*failure);
    co_return given == pieces.size() ? std::string_view() : std::string_view(pieces[given++]);
  }
  std::deque<std::string> pieces;
  std::optional<uint64_t> length;
  std::optional<Error> failure;
  size_t given = 0;
  bool has_ended = false;
  bool whole = false;
};

class ClientStreamTest : public ClientTest {
 protected:
  void start_stream(std::optional<Answer>& answer) {
    requests_.push_back(std::make_unique<ClientRequest>(
        ClientRequest{.origin = {.host = "api.test", .port = 80, .is_tls = false},
                      .method = "POST",
                      .target = "/v1",
                      .headers = &headers_,
                      .body = {},
                      .stream = &body_}));
    scope_.spawn(keep(*client_, scope_, *requests_.back(), answer));
    test_.settle();
  }
  void pass() { test_.pass(std::chrono::seconds(1)); }

  ScriptedBody body_;
};

TEST_F(ClientStreamTest, SendsEachPieceAsItComesInChunksWhereTheLengthIsNotKnown) {
  std::optional<Answer> answer;
  body_.pieces = {"first"};
  start_stream(answer);
  EXPECT_EQ(heard(0),
            "POST /v1 HTTP/1.1\r\nhost: api.test\r\ncontent-type: application/json\r\n"
            "transfer-encoding: chunked\r\n\r\n5\r\nfirst\r\n");
  body_.pieces.emplace_back("second piece");
  pass();
  EXPECT_EQ(heard(0), "c\r\nsecond piece\r\n");
  body_.has_ended = true;
  pass();
  EXPECT_EQ(heard(0), "0\r\n\r\n");
  say(0, kOk);
  EXPECT_EQ(body_of(*answer), "ok");
  EXPECT_EQ(client_->stats().idle, 1U) << "the connection is as good as any";
}

TEST_F(ClientStreamTest, SendsAKnownLengthWithoutChunks) {
  std::optional<Answer> answer;
  body_.pieces = {"abc", "de"};
  body_.length = 5;
  body_.has_ended = true;
  start_stream(answer);
  EXPECT_EQ(heard(0),
            "POST /v1 HTTP/1.1\r\nhost: api.test\r\ncontent-type: application/json\r\ncontent-length: "
            "5\r\n\r\nabcde");
  say(0, kOk);
  EXPECT_EQ(body_of(*answer), "ok");
}

TEST_F(ClientStreamTest, WaitsForASlowServerWithoutReadingOn) {
  std::optional<Answer> answer;
  for (int i = 0; i < 10; ++i) body_.pieces.emplace_back(std::string(40 * 1024, 'x'));
  body_.length = 400 * 1024;
  body_.has_ended = true;
  start_stream(answer);
  pass();
  EXPECT_LE(body_.given, 3U) << "what a connection holds, and the piece that waits";
  size_t received = 0;
  while (const size_t size = heard(0).size()) {
    received += size;
    test_.settle();
  }
  EXPECT_GT(received, 400U * 1024);
  say(0, kOk);
  EXPECT_EQ(body_of(*answer), "ok");
}

TEST_F(ClientStreamTest, StopsSendingWhenTheServerAnswersEarly) {
  std::optional<Answer> answer;
  body_.pieces = {"first"};
  start_stream(answer);
  heard(0);
  say(0, "HTTP/1.1 413 Content Too Large\r\ncontent-length: 3\r\n\r\nbig");
  body_.pieces.emplace_back("second");
  pass();
  EXPECT_EQ(heard(0), "");
  ASSERT_TRUE(answer && *answer);
  EXPECT_EQ((**answer)->status, 413);
  EXPECT_EQ(body_of(*answer), "big");
  EXPECT_EQ(client_->stats().open, 0U) << "the rest of the request would follow on it";
}

// The next request on a pooled connection may find it dead, and what has passed by is gone then.
TEST_F(ClientStreamTest, TakesAPooledConnectionOnlyForABodyThatCanBeSentAgain) {
  EXPECT_EQ(body_of(exchange(0, kOk)), "ok");
  body_.pieces = {"x"};
  body_.has_ended = true;
  {
    std::optional<Answer> answer;
    start_stream(answer);
    EXPECT_NE(heard(1), "");
    say(1, kOk);
    EXPECT_EQ(body_of(*answer), "ok");
  }
  body_.whole = true;
  std::optional<Answer> answer;
  start_stream(answer);
  EXPECT_EQ(client_->stats().connects, 2U);
  EXPECT_NE(heard(1), "");
  connector_->servers[1]->close();
  test_.settle();
  ASSERT_EQ(connector_->servers.size(), 3U);
  EXPECT_TRUE(heard(2).ends_with("1\r\nx\r\n0\r\n\r\n")) << "it is sent again, from its start";
  say(2, kOk);
  EXPECT_EQ(body_of(*answer), "ok");
}

TEST_F(ClientStreamTest, BreaksTheRequestOffWithTheErrorOfItsBody) {
  std::optional<Answer> answer;
  body_.pieces = {"x"};
  body_.failure = make_error(ErrorKind::request_timeout, "the client fell silent");
  start_stream(answer);
  body_.has_ended = true;
  pass();
  ASSERT_TRUE(answer && !*answer);
  EXPECT_EQ(answer->error().kind, ErrorKind::request_timeout);
  EXPECT_EQ(client_->stats().open, 0U);
}

}  // namespace
}  // namespace weir
