#include "io/http_client.h"

#include <gtest/gtest.h>
#include <zlib.h>

#include "io/test_client.h"

namespace weir {
namespace {

using test::ClientTest;

constexpr std::string_view kOk = "HTTP/1.1 200 OK\r\ncontent-length: 2\r\n\r\nok";
constexpr std::string_view kChunked = "HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n";

std::string gzip(std::string_view text) {
  z_stream stream{};
  EXPECT_EQ(deflateInit2(&stream, 9, Z_DEFLATED, 31, 8, Z_DEFAULT_STRATEGY), Z_OK);
  std::string out(deflateBound(&stream, text.size()) + 64, '\0');
  stream.next_in = reinterpret_cast<Bytef*>(const_cast<char*>(text.data()));
  stream.avail_in = static_cast<uInt>(text.size());
  stream.next_out = reinterpret_cast<Bytef*>(out.data());
  stream.avail_out = static_cast<uInt>(out.size());
  EXPECT_EQ(deflate(&stream, Z_FINISH), Z_STREAM_END);
  out.resize(out.size() - stream.avail_out);
  deflateEnd(&stream);
  return out;
}

std::string gzip_answer(std::string_view coded) {
  return fmt::format("HTTP/1.1 200 OK\r\ncontent-encoding: gzip\r\ncontent-length: {}\r\n\r\n{}",
                     coded.size(), coded);
}

TEST_F(ClientTest, WritesTheRequestAndReadsTheAnswerInOneCallEach) {
  std::optional<Answer> answer;
  start(answer, "{\"a\":1}");
  EXPECT_EQ(heard(0),
            "POST /v1 HTTP/1.1\r\nhost: api.test\r\ncontent-type: application/json\r\n"
            "content-length: 7\r\n\r\n{\"a\":1}");
  test_.clock.advance(std::chrono::milliseconds(5));
  say(0, kOk);
  ASSERT_TRUE(answer && *answer);
  EXPECT_EQ((**answer)->status, 200);
  EXPECT_EQ((**answer)->first_byte_at, test_.clock.now());
  EXPECT_FALSE((**answer)->is_complete());
  EXPECT_EQ(body_of(*answer), "ok");
  EXPECT_TRUE((**answer)->is_complete());
  EXPECT_EQ(connector_->counts.writes, 1);
  EXPECT_EQ(connector_->counts.reads, 1);
  EXPECT_EQ(exchange(0, kOk)->get()->status, 200);
  EXPECT_EQ(connector_->counts.writes, 2);
  EXPECT_EQ(connector_->counts.reads, 2);
}

TEST_F(ClientTest, KeepsConnectionsAliveAndTakesTheLastUsedFirst) {
  {
    std::optional<Answer> first;
    std::optional<Answer> second;
    start(first);
    start(second);
    say(0, kOk);
    say(1, kOk);
    EXPECT_EQ(body_of(*first), "ok");
    EXPECT_EQ(body_of(*second), "ok");
  }
  EXPECT_EQ(client_->stats().idle, 2U);
  heard(1);
  for (int i = 0; i < 3; ++i) EXPECT_EQ(body_of(exchange(1, kOk)), "ok");
  EXPECT_EQ(client_->stats().connects, 2U);
  EXPECT_EQ(client_->stats().reuses, 3U);
}

TEST_F(ClientTest, AnswersWithoutABodyFreeTheConnectionAtOnce) {
  const auto head = exchange(0, "HTTP/1.1 200 OK\r\ncontent-length: 100\r\n\r\n", "HEAD");
  EXPECT_TRUE((*head)->is_complete());
  const auto none = exchange(0, "HTTP/1.1 204 No Content\r\n\r\n");
  EXPECT_EQ(body_of(none), "");
  const auto empty = exchange(0, "HTTP/1.1 200 OK\r\ncontent-length: 0\r\n\r\n");
  EXPECT_EQ(body_of(empty), "");
  EXPECT_EQ(client_->stats().connects, 1U);
  EXPECT_EQ(client_->stats().idle, 1U);
}

TEST_F(ClientTest, RetriesOnceOnAPooledConnectionThatDiedWithoutAByte) {
  EXPECT_EQ(body_of(exchange(0, kOk)), "ok");
  std::optional<Answer> answer;
  start(answer);
  EXPECT_NE(heard(0), "");
  connector_->servers[0]->close();  // while the request was on its way
  test_.settle();
  ASSERT_EQ(connector_->servers.size(), 2U);
  EXPECT_NE(heard(1), "");
  say(1, kOk);
  EXPECT_EQ(body_of(*answer), "ok");
}

TEST_F(ClientTest, ARequestThatADeadConnectionTookCountsAsNotSentUntilItIsRepeated) {
  EXPECT_EQ(body_of(exchange(0, kOk)), "ok");
  std::vector<std::string> told;
  const ClientRequest request{.origin = {.host = "api.test", .port = 80, .is_tls = false},
                              .method = "POST",
                              .target = "/v1",
                              .headers = &headers_,
                              .body = "{}",
                              .on_sent = [&told] { told.emplace_back("sent"); },
                              .on_lost = [&told] { told.emplace_back("lost"); }};
  std::optional<Answer> answer;
  scope_.spawn(keep(*client_, scope_, request, answer));
  test_.settle();
  EXPECT_EQ(told, std::vector<std::string>{"sent"});
  connector_->servers[0]->close();
  test_.settle();
  EXPECT_EQ(told, (std::vector<std::string>{"sent", "lost", "sent"}));
  connector_->servers[1]->close();
  test_.settle();
  ASSERT_TRUE(answer && !*answer);
  EXPECT_EQ(told.size(), 3U) << "a fresh connection had a request to read";
}

TEST_F(ClientTest, NothingIsRepeatedInAScopeThatEndsWithTheDeadConnection) {
  EXPECT_EQ(body_of(exchange(0, kOk)), "ok");
  Scope scope(scope_);
  const ClientRequest request{
      .origin = {.host = "api.test", .port = 80, .is_tls = false},
      .method = "POST",
      .target = "/v1",
      .headers = &headers_,
      .body = "{}",
      .on_lost = [&scope] { scope.cancel(make_error(ErrorKind::cancelled, "nobody waits")); }};
  std::optional<Answer> answer;
  scope_.spawn(keep(*client_, scope, request, answer));
  test_.settle();
  connector_->servers[0]->close();
  test_.settle();
  ASSERT_TRUE(answer && !*answer);
  EXPECT_EQ(answer->error().kind, ErrorKind::cancelled);
  EXPECT_EQ(connector_->servers.size(), 1U);
}

TEST_F(ClientTest, DoesNotRetryAFreshConnectionOrAfterAByte) {
  std::optional<Answer> fresh;
  start(fresh);
  connector_->servers[0]->close();
  test_.settle();
  ASSERT_TRUE(fresh && !*fresh);
  EXPECT_EQ(fresh->error().kind, ErrorKind::upstream_unreachable);
  EXPECT_EQ(connector_->servers.size(), 1U);

  EXPECT_EQ(body_of(exchange(1, kOk)), "ok");
  std::optional<Answer> begun;
  start(begun);
  say(1, "HTTP/1.1 2");
  connector_->servers[1]->close();
  test_.settle();
  ASSERT_TRUE(begun && !*begun);
  EXPECT_EQ(begun->error().kind, ErrorKind::upstream_unreachable);
  EXPECT_EQ(connector_->servers.size(), 2U);
}

TEST_F(ClientTest, DropsAnIdleConnectionThatClosesSpeaksOrGrowsOld) {
  EXPECT_EQ(body_of(exchange(0, kOk)), "ok");
  connector_->servers[0]->close();
  test_.settle();
  EXPECT_EQ(client_->stats().open, 0U);

  EXPECT_EQ(body_of(exchange(1, kOk)), "ok");
  say(1, "HTTP/1.1 408 Request Timeout\r\n\r\n");
  EXPECT_EQ(client_->stats().open, 0U);

  EXPECT_EQ(body_of(exchange(2, kOk)), "ok");
  test_.pass(std::chrono::seconds(54));
  EXPECT_EQ(client_->stats().idle, 1U);
  test_.pass(std::chrono::seconds(2));
  EXPECT_EQ(client_->stats().open, 0U);
}

TEST_F(ClientTest, NeverReusesAConnectionWithBytesBehindTheAnswer) {
  EXPECT_EQ(body_of(exchange(0, std::string(kOk) + "HTTP/1.1 200 OK\r\n")), "ok");
  EXPECT_EQ(client_->stats().open, 0U);
}

TEST_F(ClientTest, ClosesWhenTheAnswerSaysSo) {
  EXPECT_EQ(body_of(exchange(0, "HTTP/1.1 200 OK\r\nconnection: close\r\ncontent-length: 2\r\n\r\nok")),
            "ok");
  EXPECT_EQ(client_->stats().open, 0U);
}

TEST_F(ClientTest, ReadsABodyThatEndsWithTheConnection) {
  auto answer = exchange(0, "HTTP/1.0 200 OK\r\n\r\nabc");
  connector_->servers[0]->close();
  EXPECT_EQ(body_of(answer), "abc");
  EXPECT_EQ(client_->stats().open, 0U);
}

TEST_F(ClientTest, ReadsChunksThatArriveTogetherAsOnePiece) {
  auto answer = exchange(0, std::string(kChunked) + "3\r\nabc\r\n2;x=y\r\nde\r\n");
  ASSERT_TRUE(answer);
  std::optional<Result<std::string>> piece;
  scope_.spawn(keep_piece(**answer, scope_, piece));
  test_.settle();
  EXPECT_EQ(*piece, "abcde");
  say(0, "1\r\nf\r\n0\r\nx-trailer: 1\r\n\r\n");
  EXPECT_EQ(body_of(answer), "f");
  EXPECT_EQ(client_->stats().idle, 1U);
}

TEST_F(ClientTest, ReadsAnAnswerThatDribbles) {
  std::optional<Answer> answer;
  start(answer);
  connector_->servers[0]->dribble(1);
  say(0, std::string(kChunked) + "3\r\nabc\r\n2\r\nde\r\n0\r\n\r\n");
  ASSERT_TRUE(answer && *answer);
  EXPECT_EQ(body_of(*answer), "abcde");
}

TEST_F(ClientTest, TellsThatABodyWasCut) {
  for (const std::string_view cut :
       {"HTTP/1.1 200 OK\r\ncontent-length: 10\r\n\r\nabc",
        "HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n",
        "HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n5\r\nab",
        "HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n2\r\nab\r\n0\r\n"}) {
    const size_t server = connector_->servers.size();
    auto answer = exchange(server, cut);
    connector_->servers[server]->close();
    const auto body = body_of(answer);
    ASSERT_FALSE(body) << cut;
    EXPECT_EQ(body.error().kind, ErrorKind::upstream_truncated) << cut;
  }
  // A reset is no end, not even of a body that ends with the connection.
  auto answer = exchange(connector_->servers.size(), "HTTP/1.1 200 OK\r\n\r\nabc");
  connector_->servers.back()->reset();
  EXPECT_EQ(body_of(answer).error().kind, ErrorKind::upstream_truncated);
  EXPECT_EQ(client_->stats().open, 0U);
}

TEST_F(ClientTest, TellsThatAnAnswerIsMalformed) {
  EXPECT_EQ(exchange(0, "HTTP/1.1 200 OK\r\nx : y\r\n\r\n").error().kind, ErrorKind::upstream_malformed);
  EXPECT_EQ(exchange(1, "<html>not HTTP\r\n\r\n").error().kind, ErrorKind::upstream_malformed);
  EXPECT_EQ(body_of(exchange(2, std::string(kChunked) + "zz\r\n")).error().kind,
            ErrorKind::upstream_malformed);
  EXPECT_EQ(exchange(3, "HTTP/1.1 200 " + std::string(17'000, 'y')).error().kind,
            ErrorKind::upstream_malformed);
  EXPECT_EQ(client_->stats().open, 0U);
}

TEST_F(ClientTest, SkipsInterimAnswersButNotWithoutEnd) {
  const std::string interim = "HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 103 Early Hints\r\nlink: x\r\n\r\n";
  EXPECT_EQ(body_of(exchange(0, interim + std::string(kOk))), "ok");
  std::string many;
  for (int i = 0; i < 17; ++i) many += "HTTP/1.1 102 Processing\r\n\r\n";
  EXPECT_EQ(exchange(0, many).error().kind, ErrorKind::upstream_malformed);
  EXPECT_EQ(exchange(1, "HTTP/1.1 101 Switching Protocols\r\n\r\n").error().kind,
            ErrorKind::upstream_malformed);
}

TEST_F(ClientTest, CancellingClosesTheConnectionAtOnce) {
  auto answer = exchange(0, std::string(kChunked) + "3\r\nabc\r\n");
  ASSERT_TRUE(answer);
  std::optional<Result<std::string>> piece;
  scope_.spawn(keep_piece(**answer, scope_, piece));
  test_.settle();
  piece.reset();
  scope_.spawn(keep_piece(**answer, scope_, piece));
  test_.settle();
  EXPECT_FALSE(piece);
  scope_.cancel(make_error(ErrorKind::cancelled, "the client hung up"));
  test_.settle();
  ASSERT_TRUE(piece);
  EXPECT_EQ(piece->error().kind, ErrorKind::cancelled);
  EXPECT_EQ(client_->stats().open, 0U);
  std::array<char, 1> byte;
  heard(0);
  EXPECT_NE(connector_->servers[0]->try_read(byte).state, IoState::would_block);
}

TEST_F(ClientTest, TheScopesDeadlineEndsTheWait) {
  Scope request(scope_);
  request.set_deadline(test_.clock.now() + std::chrono::seconds(1), ErrorKind::upstream_timeout);
  std::optional<Answer> answer;
  const ClientRequest head = {
      .origin = {.host = "a", .port = 80, .is_tls = false}, .target = "/", .headers = &headers_, .body = {}};
  request.spawn(keep(*client_, request, head, answer));
  test_.pass(std::chrono::milliseconds(900));
  EXPECT_FALSE(answer);
  test_.pass(std::chrono::milliseconds(200));
  ASSERT_TRUE(answer && !*answer);
  EXPECT_EQ(answer->error().kind, ErrorKind::upstream_timeout);
  EXPECT_EQ(client_->stats().open, 0U);
}

TEST_F(ClientTest, DestroyingAnAnswerBeforeItsEndClosesTheConnection) {
  {
    const auto answer = exchange(0, "HTTP/1.1 200 OK\r\ncontent-length: 10\r\n\r\nabc");
  }
  EXPECT_EQ(client_->stats().open, 0U);
}

TEST_F(ClientTest, TakesContentCodingsOff) {
  const std::string text(5'000, 'a');
  const auto answer = exchange(0, gzip_answer(gzip(text)));
  ASSERT_TRUE(answer);
  EXPECT_FALSE((*answer)->headers.contains("content-encoding"));
  EXPECT_FALSE((*answer)->headers.contains("content-length"));
  EXPECT_EQ(body_of(answer), text);
  EXPECT_EQ(client_->stats().idle, 1U);
  EXPECT_EQ(exchange(0, "HTTP/1.1 200 OK\r\ncontent-encoding: br\r\ncontent-length: 1\r\n\r\nx").error().kind,
            ErrorKind::upstream_malformed);
}

TEST_F(ClientTest, StopsAtBombsAndAtCutCompression) {
  const std::string bomb = gzip_answer(gzip(std::string(8 * kMiB, '\0')));
  EXPECT_EQ(body_of(exchange(0, bomb)).error().kind, ErrorKind::upstream_malformed);
  const std::string whole = gzip("some text that is long enough");
  EXPECT_EQ(body_of(exchange(0, gzip_answer(whole.substr(0, whole.size() - 9)))).error().kind,
            ErrorKind::upstream_truncated);
}

TEST_F(ClientTest, ReadAllStopsAtItsLimit) {
  const auto answer = exchange(0, kOk);
  EXPECT_EQ(test_.run(read_all(scope_, **answer, 1)).error().kind, ErrorKind::upstream_malformed);
}

TEST_F(ClientTest, WritesABodyThatIsLargerThanTheSocketTakes) {
  const std::string body(300'000, 'b');
  std::optional<Answer> answer;
  start(answer, body);
  std::string sent;
  while (!sent.ends_with("bbb") || sent.size() < body.size()) {
    const std::string more = heard(0);
    ASSERT_NE(more, "");
    sent += more;
    test_.settle();
  }
  EXPECT_EQ(sent.substr(sent.find("\r\n\r\n") + 4), body);
  say(0, kOk);
  EXPECT_EQ(body_of(*answer), "ok");
}

TEST_F(ClientTest, TellsWhenAllOfTheRequestIsOnItsWay) {
  const std::string body(300'000, 'b');
  int sent = 0;
  const ClientRequest request{.origin = {.host = "api.test", .port = 80, .is_tls = false},
                              .method = "POST",
                              .target = "/v1",
                              .headers = &headers_,
                              .body = body,
                              .on_sent = [&sent] { ++sent; }};
  std::optional<Answer> answer;
  scope_.spawn(keep(*client_, scope_, request, answer));
  test_.settle();
  EXPECT_EQ(sent, 0) << "the socket has not taken it all";
  for (size_t taken = 0; taken < body.size(); test_.settle()) {
    const size_t more = heard(0).size();
    ASSERT_GT(more, 0U);
    taken += more;
  }
  EXPECT_EQ(sent, 1);
  EXPECT_FALSE(answer) << "before there is an answer";
  say(0, kOk);
  EXPECT_EQ(body_of(*answer), "ok");
  EXPECT_EQ(sent, 1);
}

TEST_F(ClientTest, ReadsAnAnswerThatComesBeforeTheBodyWasTaken) {
  const std::string body(300'000, 'b');
  std::optional<Answer> answer;
  start(answer, body);
  say(0, "HTTP/1.1 413 Content Too Large\r\ncontent-length: 3\r\n\r\nbig");
  ASSERT_TRUE(answer && *answer);
  EXPECT_EQ((**answer)->status, 413);
  EXPECT_EQ(body_of(*answer), "big");
  // The rest of the body was never sent, so the connection is good for nothing.
  EXPECT_EQ(client_->stats().open, 0U);
}

TEST_F(ClientTest, RefusesToWriteWhatWouldInjectALine) {
  headers_.add("x", "a\r\nhost: evil");
  std::optional<Answer> answer;
  start(answer);
  ASSERT_TRUE(answer && !*answer);
  EXPECT_EQ(answer->error().kind, ErrorKind::bad_request);
  EXPECT_TRUE(connector_->servers.empty());
}

class SmallPoolTest : public ClientTest {
 protected:
  SmallPoolTest() : ClientTest({.pool = {.idle_per_origin_max = 1, .total_per_origin_max = 2}}) {}
};

TEST_F(SmallPoolTest, BoundsConnectionsByOrigin) {
  std::optional<Answer> answers[4];
  for (auto& answer : answers) start(answer);
  ASSERT_TRUE(answers[2] && answers[3]);
  EXPECT_EQ(answers[2]->error().kind, ErrorKind::overloaded);
  std::optional<Answer> elsewhere;
  start(elsewhere, "", "GET", "other.test");
  EXPECT_FALSE(elsewhere);
  say(0, kOk);
  say(1, kOk);
  EXPECT_EQ(body_of(*answers[0]), "ok");
  EXPECT_EQ(body_of(*answers[1]), "ok");
  answers[0].reset();
  answers[1].reset();
  EXPECT_EQ(client_->stats().idle, 1U);
  say(2, kOk);
  EXPECT_EQ(body_of(*elsewhere), "ok");
  std::optional<Answer> refused;
  start(refused, "", "GET", "refused");
  EXPECT_EQ(refused->error().kind, ErrorKind::upstream_unreachable);
  client_->close_idle();
  EXPECT_EQ(client_->stats().open, 0U);
}

}  // namespace
}  // namespace weir
