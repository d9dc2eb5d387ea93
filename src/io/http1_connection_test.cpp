#include "io/http1_connection.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "io/memory_stream.h"
#include "io/test_core.h"
#include "io/test_handler.h"

namespace weir {
namespace {

using std::chrono::milliseconds;
using std::chrono::seconds;
using testing::AllOf;
using testing::ElementsAre;
using testing::EndsWith;
using testing::HasSubstr;
using testing::IsEmpty;
using testing::Not;
using testing::StartsWith;

// A client over a memory stream.
struct Client {
  explicit Client(TestCore& its_test, HttpService& service, size_t capacity = 64 * 1024) : test(its_test) {
    MemoryStream::Pair ends = MemoryStream::pair(test.core, capacity);
    stream = std::move(ends.first);
    service.serve(std::move(ends.second));
  }

  void send(std::string_view bytes) {
    const std::array<std::string_view, 1> pieces = {bytes};
    EXPECT_EQ(stream->try_write(pieces).bytes, bytes.size());
    test.settle();
  }
  // Everything that has arrived.
  std::string receive() {
    test.settle();
    std::string all;
    std::array<char, 4096> buffer;
    for (;;) {
      const IoResult read = stream->try_read(buffer);
      is_ended = read.state == IoState::end;
      is_broken = read.state == IoState::broken;
      if (read.state != IoState::done) return all;
      all.append(buffer.data(), read.bytes);
      test.settle();
    }
  }
  std::string ask(std::string_view bytes) {
    send(bytes);
    return receive();
  }
  bool is_closed() {
    receive();
    return is_ended || is_broken;
  }

  TestCore& test;
  std::unique_ptr<MemoryStream> stream;
  bool is_ended = false;
  bool is_broken = false;
};

struct Http1ConnectionTest : testing::Test {
  ~Http1ConnectionTest() override { stop(seconds(0)); }

  void stop(Duration patience) {
    if (is_stopped) return;
    service.stop(patience, [this] { is_stopped = true; });
    for (int i = 0; i < 100 && !is_stopped; ++i) test.pass(seconds(1));
    EXPECT_TRUE(is_stopped);
  }

  TestCore test;
  TestHandler handler;
  HttpServerSettings settings;
  HttpResources resources;
  HttpService service{test.core, settings, resources, handler};
  bool is_stopped = false;
};

std::string get(std::string_view path, std::string_view fields = "") {
  return fmt::format("GET {} HTTP/1.1\r\nhost: weir\r\n{}\r\n", path, fields);
}
std::string post(std::string_view path, std::string_view body, std::string_view fields = "") {
  return fmt::format("POST {} HTTP/1.1\r\nhost: weir\r\n{}content-length: {}\r\n\r\n{}", path, fields,
                     body.size(), body);
}

TEST_F(Http1ConnectionTest, AnswersAndKeepsTheConnection) {
  Client client(test, service);
  const std::string answer = client.ask(get("/hello?x=1", "x-mine: yours\r\n"));
  EXPECT_EQ(answer,
            "HTTP/1.1 200 OK\r\nx-test: yes\r\ndate: Thu, 01 Jan 2026 00:00:01 GMT\r\n"
            "content-length: 6\r\n\r\nhello\n");
  EXPECT_EQ(handler.last.method, "GET");
  EXPECT_EQ(handler.last.target, "/hello?x=1");
  EXPECT_EQ(handler.last.authority, "weir");
  EXPECT_EQ(handler.last.headers.get("X-Mine"), "yours");
  EXPECT_TRUE(handler.last.peer_is_loopback);
  EXPECT_FALSE(handler.last.is_tls);
  EXPECT_THAT(client.ask(get("/hello")), EndsWith("hello\n"));
  EXPECT_EQ(service.counters().connections_accepted.get(), 1);
  EXPECT_EQ(service.counters().requests.get(), 2);
  EXPECT_EQ(service.counters().requests_active.get(), 0);
}

TEST_F(Http1ConnectionTest, TellsHowMuchOfABodyWasTaken) {
  Client client(test, service);
  for (const char* path : {"/hello", "/stream", "/last", "/sized", "/half"}) client.ask(get(path));
  EXPECT_THAT(handler.taken, ElementsAre(6, 12, 16, 12, 4)) << "without heads and the frames of chunks";
  Client leaving(test, service, 1000);
  leaving.send(get("/big?100000"));
  std::array<char, 700> some;
  EXPECT_EQ(leaving.stream->try_read(some).bytes, some.size());
  test.settle();
  leaving.stream->reset();
  test.settle();
  EXPECT_EQ(handler.active, 0);
  EXPECT_GT(handler.taken.back(), 700u);
  EXPECT_LT(handler.taken.back(), 1700u);
}

TEST_F(Http1ConnectionTest, AnswersRequestsThatArriveInSingleBytes) {
  Client client(test, service);
  client.stream->dribble(1);
  client.send(post("/echo", "body") + get("/hello"));
  EXPECT_THAT(client.receive(), AllOf(HasSubstr("\r\n\r\nbodyHTTP/1.1 200 OK"), EndsWith("hello\n")));
}

TEST_F(Http1ConnectionTest, AnswersPipelinedRequestsInOrder) {
  Client client(test, service);
  client.send(get("/slow") + post("/echo", "second") + get("/fail") + get("/hello"));
  EXPECT_THAT(client.receive(), IsEmpty());
  EXPECT_EQ(handler.active, 1);
  test.pass(milliseconds(5010));
  EXPECT_THAT(client.receive(),
              testing::MatchesRegex("HTTP/1.1 200(.|\n)*hello\n.*HTTP/1.1 200(.|\n)*second"
                                    "HTTP/1.1 404(.|\n)*nothing here\n.*HTTP/1.1 200(.|\n)*hello\n"));
  EXPECT_EQ(handler.calls, 4);
}

TEST_F(Http1ConnectionTest, ReadsBodiesOfEveryFraming) {
  Client client(test, service);
  EXPECT_THAT(client.ask(post("/echo", std::string(40'000, 'a'))),
              EndsWith("\r\n\r\n" + std::string(40'000, 'a')));
  const std::string chunked =
      "POST {} HTTP/1.1\r\nhost: weir\r\ntransfer-encoding: chunked\r\n\r\n"
      "5\r\nhello\r\n6;a=b\r\n world\r\n0\r\nx-sum: x\r\n\r\n";
  EXPECT_THAT(client.ask(fmt::format(fmt::runtime(chunked), "/echo")), EndsWith("\r\n\r\nhello world"));
  EXPECT_THAT(client.ask(fmt::format(fmt::runtime(chunked), "/pieces")), EndsWith("\r\n\r\nhello world"));
  EXPECT_THAT(client.ask(post("/pieces", "a body of some length")),
              EndsWith("\r\n\r\na body of some length"));
  EXPECT_THAT(client.ask(post("/echo", "")), HasSubstr("content-length: 0\r\n"));
}

TEST_F(Http1ConnectionTest, LeavesRoomForThePaddingOfTheJsonParser) {
  class Probe final : public HttpHandler {
   public:
    Task<void> handle(Scope& scope, HttpRequest&, BodyReader& body, ResponseWriter& response) override {
      const std::string text = CO_TRY(co_await body.read_all(scope, 1'000'000));
      slack.push_back(text.capacity() - text.size());
      co_return co_await response.send(scope, 200, {}, "");
    }
    std::vector<size_t> slack;
  } probe;
  HttpService other(test.core, settings, resources, probe);
  Client client(test, other, 1'000'000);
  client.ask(post("/", "x"));
  client.ask(post("/", std::string(300'000, 'x')));
  client.ask("POST / HTTP/1.1\r\nhost: a\r\ntransfer-encoding: chunked\r\n\r\n40\r\n" + std::string(64, 'x') +
             "\r\n0\r\n\r\n");
  ASSERT_EQ(probe.slack.size(), 3u);
  for (const size_t slack : probe.slack) EXPECT_GE(slack, 64u);
  bool stopped = false;
  other.stop(seconds(0), [&stopped] { stopped = true; });
  test.pass(seconds(1));
  EXPECT_TRUE(stopped);
}

TEST_F(Http1ConnectionTest, StreamsInChunksAndTheHeadLeavesWithTheFirst) {
  Client client(test, service);
  EXPECT_THAT(client.ask(get("/stream")),
              AllOf(HasSubstr("transfer-encoding: chunked\r\n"),
                    EndsWith("\r\n\r\n4\r\none \r\n4\r\ntwo \r\n4\r\nfour\r\n0\r\n\r\n")));
  EXPECT_THAT(client.ask(get("/sized")),
              AllOf(HasSubstr("content-length: 12\r\n"), EndsWith("\r\n\r\none two four")));
  EXPECT_THAT(client.ask(get("/hello")), EndsWith("hello\n"));
}

TEST_F(Http1ConnectionTest, TheLastBytesLeaveTogetherWithTheEnd) {
  Client client(test, service);
  EXPECT_THAT(client.ask(get("/last")), EndsWith("4\r\nfour\r\n4\r\nlast\r\n0\r\n\r\n"));
  EXPECT_THAT(client.ask(get("/sized-last")), EndsWith("\r\n\r\none two fourlast"));
  EXPECT_THAT(client.ask("HEAD /last HTTP/1.1\r\nhost: a\r\n\r\n"), EndsWith("\r\n\r\n"));
}

TEST_F(Http1ConnectionTest, BreaksOffWhatDoesNotKeepItsContentLength) {
  Client client(test, service);
  EXPECT_THAT(client.ask(get("/oversized")), EndsWith("one "));
  EXPECT_TRUE(client.is_closed());
  EXPECT_THAT(handler.errors, ElementsAre(ErrorKind::internal));
}

TEST_F(Http1ConnectionTest, AnswersHeadWithoutABody) {
  Client client(test, service);
  EXPECT_THAT(client.ask("HEAD /hello HTTP/1.1\r\nhost: a\r\n\r\n"),
              AllOf(HasSubstr("content-length: 6\r\n"), EndsWith("\r\n\r\n")));
  EXPECT_THAT(
      client.ask("HEAD /stream HTTP/1.1\r\nhost: a\r\n\r\n"),
      AllOf(HasSubstr("transfer-encoding: chunked\r\n"), EndsWith("\r\n\r\n"), Not(HasSubstr("one"))));
  EXPECT_THAT(client.ask(get("/empty")), AllOf(StartsWith("HTTP/1.1 204 No Content\r\n"),
                                               Not(HasSubstr("content-length")), EndsWith("\r\n\r\n")));
  EXPECT_THAT(client.ask("OPTIONS * HTTP/1.1\r\nhost: a\r\n\r\n"), EndsWith("hello\n"));
  EXPECT_EQ(handler.last.target, "*");
}

TEST_F(Http1ConnectionTest, FollowsTheRulesOfKeepAlive) {
  Client closing(test, service);
  EXPECT_THAT(closing.ask(get("/hello", "connection: close\r\n")), HasSubstr("connection: close\r\n"));
  EXPECT_TRUE(closing.is_closed());
  Client old(test, service);
  EXPECT_THAT(old.ask("GET /hello HTTP/1.0\r\n\r\n"), HasSubstr("connection: close\r\n"));
  EXPECT_TRUE(old.is_closed());
  Client old_alive(test, service);
  EXPECT_THAT(old_alive.ask("GET /hello HTTP/1.0\r\nconnection: keep-alive\r\n\r\n"),
              HasSubstr("connection: keep-alive\r\n"));
  EXPECT_THAT(
      old_alive.ask("GET /stream HTTP/1.0\r\nconnection: keep-alive\r\n\r\n"),
      AllOf(Not(HasSubstr("chunked")), HasSubstr("connection: close"), EndsWith("\r\n\r\none two four")));
  EXPECT_TRUE(old_alive.is_closed());
}

TEST_F(Http1ConnectionTest, AsksForAnAnnouncedBodyOnlyWhenItIsRead) {
  Client client(test, service);
  const std::string head =
      "POST /echo HTTP/1.1\r\nhost: a\r\nexpect: 100-continue\r\ncontent-length: 4\r\n\r\n";
  EXPECT_EQ(client.ask(head), "HTTP/1.1 100 Continue\r\n\r\n");
  EXPECT_THAT(client.ask("body"), AllOf(StartsWith("HTTP/1.1 200 OK"), EndsWith("body")));
  EXPECT_THAT(client.ask(head + "body"), AllOf(StartsWith("HTTP/1.1 200 OK"), EndsWith("body")));
  const std::string unread =
      client.ask("POST /hello HTTP/1.1\r\nhost: a\r\nexpect: 100-continue\r\ncontent-length: 4\r\n\r\n");
  EXPECT_THAT(unread, AllOf(StartsWith("HTTP/1.1 200 OK"), HasSubstr("connection: close\r\n")));
  Client wrong(test, service);
  EXPECT_THAT(wrong.ask(get("/hello", "expect: miracles\r\n")), StartsWith("HTTP/1.1 417"));
}

TEST_F(Http1ConnectionTest, DrainsASmallUnreadBodyAndClosesBehindALargeOne) {
  Client client(test, service, 1'000'000);
  EXPECT_THAT(client.ask(post("/hello", std::string(60'000, 'a')) + get("/fail")),
              AllOf(HasSubstr("hello\n"), EndsWith("nothing here\n")));
  const std::string answer = client.ask("POST /hello HTTP/1.1\r\nhost: a\r\ncontent-length: 70000\r\n\r\n");
  EXPECT_THAT(answer, AllOf(HasSubstr("connection: close\r\n"), EndsWith("hello\n")));
  // What the client still sends is taken, so that no reset destroys the answer; then the connection ends.
  EXPECT_TRUE(client.is_ended);
  client.send(std::string(70'000, 'a'));
  EXPECT_EQ(client.stream->unread_by_peer(), 0u);
  test.pass(seconds(3));
  EXPECT_EQ(service.counters().connections_open.get(), 0);
}

TEST_F(Http1ConnectionTest, RefusesABodyOverTheLimitBeforeItArrives) {
  handler.body_bytes_max = 100'000;
  Client client(test, service);
  EXPECT_THAT(client.ask("POST /echo HTTP/1.1\r\nhost: a\r\ncontent-length: 100001\r\n\r\n"),
              AllOf(StartsWith("HTTP/1.1 413 "), HasSubstr("100000 bytes"), HasSubstr("connection: close")));
  handler.body_bytes_max = 8;
  Client chunked(test, service);
  EXPECT_THAT(
      chunked.ask("POST /echo HTTP/1.1\r\nhost: a\r\ntransfer-encoding: chunked\r\n\r\n9\r\n123456789\r\n"),
      StartsWith("HTTP/1.1 413 "));
}

TEST_F(Http1ConnectionTest, RefusesABodyThatTheBudgetHasNoRoomFor) {
  ByteBudget::Share others(resources.bodies);
  ASSERT_TRUE(others.grow_to(kBodyBudgetBytes - 1000));
  Client client(test, service);
  EXPECT_THAT(client.ask(post("/echo", std::string(2000, 'a'))),
              AllOf(StartsWith("HTTP/1.1 503 "), HasSubstr("retry-after: 1\r\n")));
  EXPECT_THAT(client.ask(post("/echo", std::string(500, 'a'))), StartsWith("HTTP/1.1 200 "));
  EXPECT_EQ(resources.bodies.used(), kBodyBudgetBytes - 1000);
}

TEST_F(Http1ConnectionTest, AnswersWhatTheCodecRefusesAndCloses) {
  const std::vector<std::pair<std::string, std::string>> cases = {
      {"GET / HTTP/1.1\r\n\r\n", "400"},
      {"GET / HTTP/1.1\r\nhost: a\r\ncontent-length: 3\r\ntransfer-encoding: chunked\r\n\r\n", "400"},
      {"GET / HTTP/3.0\r\nhost: a\r\n\r\n", "505"},
      {"CONNECT a:1 HTTP/1.1\r\nhost: a\r\n\r\n", "501"},
      {"GET /" + std::string(20'000, 'a') + " HTTP/1.1\r\n", "414"},
      {"GET / HTTP/1.1\r\nhost: a\r\nx: " + std::string(70'000, 'a'), "431"},
      {"\x16\x03\x01", "400"},
  };
  for (const auto& [request, status] : cases) {
    Client client(test, service, 1'000'000);
    const std::string answer = client.ask(request);
    EXPECT_THAT(answer, AllOf(StartsWith("HTTP/1.1 " + status), HasSubstr("connection: close\r\n"),
                              HasSubstr("content-type: text/plain"), EndsWith("\n")))
        << request.substr(0, 60);
    EXPECT_TRUE(client.is_ended);
    client.stream->close();
    test.settle();
    EXPECT_EQ(service.counters().connections_open.get(), 0);
  }
  EXPECT_EQ(handler.calls, 0);
  EXPECT_THAT(handler.refused,
              testing::ElementsAre("GET /", "GET /", "GET /", " ", "GET /aaaaaaaaa", "GET /", " "))
      << "the handler says what the refused are told";
}

TEST_F(Http1ConnectionTest, BrokenChunksAreABadRequest) {
  Client client(test, service);
  EXPECT_THAT(client.ask("POST /echo HTTP/1.1\r\nhost: a\r\ntransfer-encoding: chunked\r\n\r\nzz\r\n"),
              AllOf(StartsWith("HTTP/1.1 400 "), HasSubstr("connection: close")));
  EXPECT_TRUE(client.is_ended);
}

TEST_F(Http1ConnectionTest, ClosesIdleConnectionsAndAnswersSlowHeads) {
  Client silent(test, service);
  Client slow(test, service);
  Client idle(test, service);
  slow.send("GET /hello HT");
  EXPECT_THAT(idle.ask(get("/hello")), EndsWith("hello\n"));
  test.pass(milliseconds(9'900));
  EXPECT_FALSE(silent.is_closed());
  test.pass(milliseconds(200));
  EXPECT_TRUE(silent.is_closed());
  EXPECT_THAT(slow.receive(), AllOf(StartsWith("HTTP/1.1 408 "), HasSubstr("connection: close")));
  EXPECT_FALSE(idle.is_closed());
  test.pass(milliseconds(64'800));
  EXPECT_FALSE(idle.is_closed());
  test.pass(milliseconds(200));
  EXPECT_TRUE(idle.is_closed());
  EXPECT_EQ(handler.calls, 1);
}

TEST_F(Http1ConnectionTest, GivesUpOnABodyThatDoesNotArrive) {
  Client client(test, service);
  client.send("POST /echo HTTP/1.1\r\nhost: a\r\ncontent-length: 4\r\n\r\nbo");
  test.pass(seconds(29));
  client.send("d");
  test.pass(seconds(29));
  EXPECT_THAT(client.receive(), IsEmpty());
  test.pass(seconds(2));
  EXPECT_THAT(client.receive(), AllOf(StartsWith("HTTP/1.1 408 "), HasSubstr("connection: close")));
  EXPECT_THAT(handler.errors, ElementsAre(ErrorKind::request_timeout));
}

TEST_F(Http1ConnectionTest, AHangUpCancelsTheRequest) {
  Client after_head(test, service);
  after_head.send(get("/slow"));
  Client after_body(test, service);
  after_body.send(post("/slow", "body"));
  EXPECT_EQ(handler.active, 2);
  after_head.stream->close();
  after_body.stream->reset();
  test.settle();
  EXPECT_EQ(handler.active, 0);
  EXPECT_THAT(handler.cancelled, ElementsAre("the client hung up", "the client hung up"));
  EXPECT_EQ(service.counters().connections_open.get(), 0);
}

TEST_F(Http1ConnectionTest, AHangUpWithinTheBodyIsSeenByItsReader) {
  Client client(test, service);
  client.send("POST /echo HTTP/1.1\r\nhost: a\r\ncontent-length: 40\r\n\r\nbody");
  client.stream->close();
  test.settle();
  EXPECT_THAT(handler.errors, ElementsAre(ErrorKind::cancelled));
  EXPECT_EQ(service.counters().connections_open.get(), 0);
}

TEST_F(Http1ConnectionTest, ErrorsAndBugsOfHandlersAreAnsweredOnce) {
  Client client(test, service);
  EXPECT_THAT(client.ask(get("/fail")), AllOf(StartsWith("HTTP/1.1 404 "), EndsWith("nothing here\n")));
  EXPECT_THAT(client.ask(get("/busy")), AllOf(StartsWith("HTTP/1.1 503 "), HasSubstr("retry-after: 2\r\n")));
  EXPECT_THAT(client.ask(get("/throw")), AllOf(StartsWith("HTTP/1.1 500 "), Not(HasSubstr("bug"))));
  EXPECT_THAT(client.ask(get("/silent")), StartsWith("HTTP/1.1 500 "));
  EXPECT_FALSE(client.is_closed());
}

TEST_F(Http1ConnectionTest, AnErrorAfterTheStartBreaksTheResponseOff) {
  Client client(test, service);
  EXPECT_THAT(client.ask(get("/half")), EndsWith("4\r\nhalf\r\n"));
  EXPECT_TRUE(client.is_ended);
}

TEST_F(Http1ConnectionTest, ADeadlineOfTheExchangeIsAnswered) {
  Client client(test, service);
  client.send(get("/late"));
  test.pass(milliseconds(1100));
  EXPECT_THAT(client.receive(), StartsWith("HTTP/1.1 504 "));
  EXPECT_THAT(client.ask(get("/hello")), EndsWith("hello\n"));
}

TEST_F(Http1ConnectionTest, ASlowReaderIsToldOfTheDeadlineToTheEnd) {
  Client client(test, service, 1000);
  client.send(get("/told?100000"));
  test.pass(milliseconds(1100));
  EXPECT_THAT(client.receive(),
              AllOf(StartsWith("HTTP/1.1 504 "), EndsWith("\r\n\r\n" + std::string(100'000, 'x'))));
  EXPECT_THAT(client.ask(get("/hello")), EndsWith("hello\n"));
}

TEST_F(Http1ConnectionTest, WhoDoesNotReadWhatIsToldOfTheDeadlineIsGivenUpOn) {
  Client client(test, service, 1000);
  client.send(get("/told?100000"));
  test.pass(milliseconds(1100));
  EXPECT_EQ(handler.active, 1);
  test.pass(seconds(30));
  EXPECT_EQ(handler.active, 0);
  EXPECT_EQ(service.counters().connections_open.get(), 0);
}

TEST_F(Http1ConnectionTest, ASlowReaderSlowsTheHandlerAndIsGivenUpOn) {
  Client client(test, service, 10'000);
  client.send(get("/endless"));
  const size_t held = handler.endless_bytes;
  EXPECT_LE(held, 10'000u);
  test.pass(seconds(29));
  EXPECT_EQ(handler.endless_bytes, held);
  std::array<char, 5000> buffer;
  EXPECT_EQ(client.stream->try_read(buffer).bytes, buffer.size());
  test.settle();
  EXPECT_GT(handler.endless_bytes, held);
}

TEST_F(Http1ConnectionTest, AClientThatStopsReadingIsCutOff) {
  Client client(test, service, 10'000);
  client.send(get("/endless"));
  test.pass(seconds(31));
  EXPECT_EQ(handler.active, 0);
  EXPECT_THAT(handler.cancelled, ElementsAre("the client stopped reading"));
  EXPECT_EQ(service.counters().connections_open.get(), 0);
}

TEST_F(Http1ConnectionTest, SendsALargeAnswerThroughASmallPipe) {
  Client client(test, service, 1000);
  EXPECT_THAT(client.ask(get("/big?100000")), EndsWith("\r\n\r\n" + std::string(100'000, 'x')));
}

TEST_F(Http1ConnectionTest, DrainingClosesIdleConnectionsAndFinishesRequests) {
  Client idle(test, service);
  Client fresh(test, service);
  Client busy(test, service);
  idle.ask(get("/hello"));
  busy.send(get("/slow"));
  service.stop(seconds(10), [this] { is_stopped = true; });
  EXPECT_TRUE(idle.is_closed());
  EXPECT_TRUE(fresh.is_closed());
  EXPECT_FALSE(busy.is_closed());
  Client late(test, service);
  EXPECT_TRUE(late.is_closed());
  test.pass(milliseconds(5010));
  EXPECT_THAT(busy.receive(), AllOf(HasSubstr("connection: close\r\n"), EndsWith("hello\n")));
  EXPECT_TRUE(is_stopped);
}

TEST_F(Http1ConnectionTest, DrainingLosesPatience) {
  Client busy(test, service);
  busy.send(get("/slow"));
  service.stop(seconds(2), [this] { is_stopped = true; });
  test.pass(milliseconds(2010));
  EXPECT_TRUE(is_stopped);
  EXPECT_THAT(busy.receive(), AllOf(StartsWith("HTTP/1.1 503 "), HasSubstr("connection: close\r\n")));
  EXPECT_TRUE(busy.is_closed());
  EXPECT_THAT(handler.cancelled, ElementsAre("the server shuts down"));
}

TEST_F(Http1ConnectionTest, RefusesConnectionsOverTheLimit) {
  resources.connections_max = 1;
  Client first(test, service);
  Client second(test, service);
  EXPECT_THAT(second.receive(), AllOf(StartsWith("HTTP/1.1 503 "), HasSubstr("retry-after: 1\r\n"),
                                      HasSubstr("content-length: 37\r\n"), EndsWith("connections\r\n")));
  EXPECT_TRUE(second.is_ended);
  EXPECT_THAT(first.ask(get("/hello")), EndsWith("hello\n"));
  first.stream->close();
  test.settle();
  Client third(test, service);
  EXPECT_THAT(third.ask(get("/hello")), EndsWith("hello\n"));
  EXPECT_EQ(service.counters().connections_refused.get(), 1);
}

}  // namespace
}  // namespace weir
