#include "io/http2_connection.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <nghttp2/nghttp2.h>

#include "io/http2_test_client.h"
#include "io/test_handler.h"

namespace weir {
namespace {

using std::chrono::milliseconds;
using std::chrono::seconds;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::StartsWith;

using Client = Http2TestClient;

struct Http2ConnectionTest : testing::Test {
  ~Http2ConnectionTest() override { stop(seconds(0)); }
  void stop(Duration patience) {
    if (is_stopped) return;
    service.stop(patience, [this] { is_stopped = true; });
    for (int i = 0; i < 100 && !is_stopped; ++i) test.pass(seconds(1));
    EXPECT_TRUE(is_stopped);
    EXPECT_EQ(resources.bodies.used(), 0u);
  }

  TestCore test;
  TestHandler handler;
  HttpServerSettings settings;
  HttpResources resources;
  HttpService service{test.core, settings, resources, handler};
  bool is_stopped = false;
};

TEST_F(Http2ConnectionTest, AnswersWithPriorKnowledge) {
  Client client(test, service);
  const int32_t id = client.submit("GET", "/hello?x=1", {{"x-mine", "yours"}});
  client.exchange();
  const Client::Answer& answer = client.answers[id];
  EXPECT_EQ(answer.status, 200);
  EXPECT_EQ(answer.body, "hello\n");
  EXPECT_EQ(answer.headers.at("x-test"), "yes");
  EXPECT_EQ(answer.headers.at("content-length"), "6");
  EXPECT_EQ(answer.headers.at("date"), "Thu, 01 Jan 2026 00:00:01 GMT");
  EXPECT_TRUE(answer.is_closed);
  EXPECT_EQ(answer.error, 0u);
  EXPECT_EQ(handler.last.version, HttpVersion::http_2);
  EXPECT_EQ(handler.last.method, "GET");
  EXPECT_EQ(handler.last.target, "/hello?x=1");
  EXPECT_EQ(handler.last.authority, "weir");
  EXPECT_EQ(handler.last.headers.get("x-mine"), "yours");
  EXPECT_TRUE(handler.last.peer_is_loopback);
  EXPECT_EQ(client.ask("GET", "/hello").body, "hello\n");
  EXPECT_EQ(service.counters().requests.get(), 2);
  EXPECT_EQ(service.counters().connections_accepted.get(), 1);
}

// Who verifies a signature needs these as they were sent.
TEST_F(Http2ConnectionTest, LeavesTheTargetAndTheAuthorityAsTheyWereSent) {
  Client client(test, service);
  const std::string target =
      "/model/arn%3Aaws%3Abedrock%3Aus-east-1%3A%3Ainference-profile%2Fus.x:0/converse?a=b%20c&d=";
  client.ask("GET", target);
  EXPECT_EQ(handler.last.target, target);
  EXPECT_EQ(handler.last.path(), target.substr(0, target.find('?')));
  EXPECT_EQ(handler.last.query(), "a=b%20c&d=");
  EXPECT_EQ(handler.last.authority, "weir");
  EXPECT_FALSE(handler.last.headers.contains("host")) << "it stands in authority alone";
}

TEST_F(Http2ConnectionTest, AnswersWhateverTheCut) {
  Client client(test, service);
  client.stream->dribble(1);
  EXPECT_EQ(client.ask("POST", "/echo", std::string(3000, 'b')).body, std::string(3000, 'b'));
}

TEST_F(Http2ConnectionTest, CarriesLargeBodiesWithinTheWindows) {
  handler.body_bytes_max = 10'000'000;
  Client client(test, service, 20'000);
  std::string body(3'000'000, '\0');
  for (size_t i = 0; i < body.size(); ++i) body[i] = static_cast<char>(i * 7);
  EXPECT_TRUE(client.ask("POST", "/echo", body).body == body);
  EXPECT_EQ(client.ask("POST", "/pieces", "a body in pieces of seven").body, "a body in pieces of seven");
  EXPECT_EQ(client.ask("POST", "/echo", "").body, "");
}

TEST_F(Http2ConnectionTest, ServesManyStreamsAtOnce) {
  Client client(test, service);
  std::vector<int32_t> slow;
  for (int i = 0; i < 50; ++i) slow.push_back(client.submit("GET", "/slow"));
  client.exchange();
  EXPECT_EQ(handler.active, 50);
  EXPECT_EQ(client.ask("GET", "/hello").body, "hello\n");
  EXPECT_EQ(client.answers[slow[0]].status, 0);
  test.pass(milliseconds(5010));
  client.exchange();
  for (const int32_t id : slow) EXPECT_EQ(client.answers[id].body, "hello\n");
}

TEST_F(Http2ConnectionTest, StreamsAndAnswersHead) {
  Client client(test, service);
  EXPECT_EQ(client.ask("GET", "/stream").body, "one two four");
  EXPECT_EQ(client.ask("GET", "/last").body, "one two fourlast");
  const Client::Answer& sized = client.ask("GET", "/sized");
  EXPECT_EQ(sized.headers.at("content-length"), "12");
  EXPECT_EQ(sized.body, "one two four");
  for (const char* path : {"/hello", "/stream"}) {
    const Client::Answer& head = client.ask("HEAD", path);
    EXPECT_EQ(head.status, 200);
    EXPECT_EQ(head.body, "");
    EXPECT_EQ(head.error, 0u);
  }
  EXPECT_EQ(client.ask("GET", "/empty").status, 204);
  EXPECT_EQ(client.ask("OPTIONS", "*").status, 200);
  EXPECT_EQ(handler.last.target, "*");
  EXPECT_THAT(handler.errors, testing::IsEmpty());
  EXPECT_THAT(handler.cancelled, testing::IsEmpty());
}

TEST_F(Http2ConnectionTest, ErrorsAndBugsOfHandlersAreAnswered) {
  Client client(test, service);
  EXPECT_EQ(client.ask("GET", "/fail").status, 404);
  EXPECT_EQ(client.ask("GET", "/busy").headers.at("retry-after"), "2");
  EXPECT_EQ(client.ask("GET", "/throw").status, 500);
  EXPECT_EQ(client.ask("GET", "/silent").status, 500);
  const Client::Answer& half = client.ask("GET", "/half");
  EXPECT_EQ(half.body, "half");
  EXPECT_EQ(half.error, static_cast<uint32_t>(NGHTTP2_INTERNAL_ERROR));
  const int32_t late = client.submit("GET", "/late");
  client.exchange();
  test.pass(milliseconds(1100));
  client.exchange();
  EXPECT_EQ(client.answers[late].status, 504);
  EXPECT_EQ(client.ask("GET", "/hello").status, 200);
}

TEST_F(Http2ConnectionTest, RefusesHeadsThatHttp1WouldRefuse) {
  Client client(test, service);
  const auto status_of = [&client](std::vector<std::pair<std::string, std::string>> fields,
                                   std::string path) {
    const int32_t id = client.submit("GET", std::move(path), std::move(fields));
    client.exchange();
    return client.answers[id].status;
  };
  EXPECT_EQ(status_of({{"x-large", std::string(60'000, 'a')}, {"x-more", std::string(6'000, 'a')}}, "/hello"),
            431);
  std::vector<std::pair<std::string, std::string>> many(101, {"a", "b"});
  EXPECT_EQ(status_of(many, "/hello"), 431);
  EXPECT_EQ(status_of({}, "/" + std::string(16 * kKiB, 'a')), 414);
  EXPECT_EQ(status_of({{"x-large", std::string(60'000, 'a')}}, "/" + std::string(16 * kKiB, 'a')), 414);
  EXPECT_EQ(status_of({}, "/hello?" + std::string(16'000, 'a')), 200);
  EXPECT_EQ(std::exchange(handler.calls, 0), 1);
  EXPECT_EQ(status_of({{"expect", "miracles"}}, "/hello"), 417);
  EXPECT_EQ(status_of({}, "/\xc3\xa9"), 400);
  EXPECT_EQ(handler.calls, 0);
  EXPECT_EQ(status_of({}, "/hello"), 200);
}

TEST_F(Http2ConnectionTest, RefusesBodiesOverTheLimitAndTheBudget) {
  handler.body_bytes_max = 1000;
  Client client(test, service);
  EXPECT_EQ(client.ask("POST", "/echo", std::string(1001, 'a')).status, 413);
  const int32_t announced = client.submit("POST", "/echo", {{"content-length", "1001"}}, "", false);
  client.exchange();
  EXPECT_EQ(client.answers[announced].status, 413);
  handler.body_bytes_max = 1'000'000;
  {
    ByteBudget::Share others(resources.bodies);
    ASSERT_TRUE(others.grow_to(kBodyBudgetBytes - 1000));
    EXPECT_EQ(client.ask("POST", "/echo", std::string(2000, 'a')).status, 503);
    EXPECT_EQ(client.ask("POST", "/echo", std::string(500, 'a')).status, 200);
  }
  EXPECT_EQ(client.ask("POST", "/echo", std::string(900'000, 'a')).body.size(), 900'000u);
}

TEST_F(Http2ConnectionTest, AContentLengthThatLiesResetsTheStream) {
  Client client(test, service);
  const int32_t id = client.submit("POST", "/echo", {{"content-length", "3"}}, "four");
  client.exchange();
  EXPECT_EQ(client.answers[id].status, 0);
  EXPECT_EQ(client.answers[id].error, static_cast<uint32_t>(NGHTTP2_PROTOCOL_ERROR));
  EXPECT_EQ(client.ask("GET", "/hello").status, 200);
}

TEST_F(Http2ConnectionTest, AsksForAnAnnouncedBody) {
  Client client(test, service);
  const int32_t id = client.submit("POST", "/echo", {{"expect", "100-continue"}}, "", false);
  client.exchange();
  EXPECT_EQ(client.answers[id].status, 100);
  client.upload(id, "body", true);
  EXPECT_EQ(client.answers[id].body, "body");
  EXPECT_THAT(client.answers[id].interim, ElementsAre(100));
}

TEST_F(Http2ConnectionTest, ABodyThatIsNotReadStaysWithinItsWindow) {
  Client client(test, service, 10'000'000);
  const int32_t id = client.submit("POST", "/slow", {}, std::string(2'000'000, 'a'));
  client.exchange();
  EXPECT_LE(resources.bodies.used(), kStreamWindowBytes);
  EXPECT_EQ(client.ask("POST", "/echo", "another stream").body, "another stream");
  test.pass(milliseconds(5010));
  client.exchange();
  EXPECT_EQ(client.answers[id].body, "hello\n");
  // The rest is not wanted, which the client is told a moment later.
  EXPECT_FALSE(client.answers[id].is_closed);
  test.pass(seconds(3));
  client.exchange();
  // What had arrived no longer takes room in the connection's window.
  EXPECT_TRUE(client.answers[id].is_closed);
  for (int i = 0; i < 8; ++i) {
    EXPECT_EQ(client.ask("POST", "/hello", std::string(200'000, 'a')).status, 200) << i;
  }
  EXPECT_EQ(client.ask("POST", "/echo", std::string(900'000, 'a')).body.size(), 900'000u);
}

TEST_F(Http2ConnectionTest, GivesUpOnABodyThatDoesNotArrive) {
  Client client(test, service);
  const int32_t id = client.submit("POST", "/echo", {}, "bo", false);
  client.exchange();
  test.pass(seconds(31));
  client.exchange();
  EXPECT_EQ(client.answers[id].status, 408);
  EXPECT_THAT(handler.errors, ElementsAre(ErrorKind::request_timeout));
}

TEST_F(Http2ConnectionTest, AResetCancelsItsStreamAndAHangUpAll) {
  Client client(test, service);
  const int32_t first = client.submit("GET", "/slow");
  client.submit("GET", "/slow");
  client.exchange();
  nghttp2_submit_rst_stream(client.session, NGHTTP2_FLAG_NONE, first, NGHTTP2_CANCEL);
  client.exchange();
  EXPECT_EQ(handler.active, 1);
  EXPECT_THAT(handler.cancelled, ElementsAre("the client hung up"));
  client.stream->close();
  test.settle();
  EXPECT_EQ(handler.active, 0);
  EXPECT_EQ(service.counters().connections_open.get(), 0);
}

// HEADERS, END_HEADERS and END_STREAM, of a GET.
std::string late_head(int32_t id) {
  const std::string block = "\x82\x86\x84\x01\x04weir";
  std::string frame("\0\0\0\x01\x05\0\0\0\0", 9);
  frame[2] = static_cast<char>(block.size());
  frame[8] = static_cast<char>(id);
  return frame + block;
}

TEST_F(Http2ConnectionTest, AHeadForAStreamThatTheClientHadEndedEndsTheConnection) {
  for (const bool resets : {false, true}) {
    Client client(test, service);
    const int32_t id = client.submit("GET", resets ? "/slow" : "/hello");
    client.exchange();
    if (resets) nghttp2_submit_rst_stream(client.session, NGHTTP2_FLAG_NONE, id, NGHTTP2_CANCEL);
    client.exchange();
    client.send_raw(late_head(id));
    EXPECT_EQ(client.goaway, static_cast<uint32_t>(NGHTTP2_STREAM_CLOSED)) << resets;
    EXPECT_TRUE(client.is_ended);
  }
  EXPECT_EQ(handler.calls, 2);
}

TEST_F(Http2ConnectionTest, AHeadForAStreamThatWeirResetMayHaveBeenOnItsWay) {
  Client client(test, service);
  const int32_t id = client.submit("POST", "/hello", {}, "bo", false);
  client.exchange();
  test.pass(seconds(5));
  client.exchange();
  ASSERT_TRUE(client.answers[id].is_closed) << "it was answered, and the rest is not wanted";
  client.send_raw(late_head(id));
  EXPECT_EQ(client.ask("GET", "/hello").status, 200);
}

TEST_F(Http2ConnectionTest, AnUploadEndsWithItsConnectionAlsoWhereItsReaderOutlastsTheClient) {
  Client client(test, service);
  client.submit("POST", "/outlasting", {}, "bo", false);
  client.submit("POST", "/outlasting", {}, "bo", false);
  client.exchange();
  EXPECT_EQ(handler.active, 2);
  client.stream->close();
  test.settle();
  EXPECT_EQ(handler.active, 0) << "at once";
  EXPECT_THAT(handler.errors, ElementsAre(ErrorKind::cancelled, ErrorKind::cancelled));
  EXPECT_EQ(service.counters().connections_open.get(), 0);
}

TEST_F(Http2ConnectionTest, ASlowReaderIsToldOfTheDeadlineToTheEnd) {
  Client client(test, service, 10'000'000, false);
  const int32_t id = client.submit("GET", "/told?100000");
  client.exchange();
  test.pass(milliseconds(1100));
  client.exchange();
  EXPECT_EQ(client.answers[id].body.size(), 65'535u);
  nghttp2_session_consume(client.session, id, 60'000);
  client.exchange();
  EXPECT_EQ(client.answers[id].status, 504);
  EXPECT_EQ(client.answers[id].body.size(), 100'000u);
  EXPECT_TRUE(client.answers[id].is_closed);
}

TEST_F(Http2ConnectionTest, ASlowReaderSlowsItsHandlerOnlyAndIsGivenUpOn) {
  Client client(test, service, 10'000'000, false);
  const int32_t id = client.submit("GET", "/endless");
  client.exchange();
  // 64 KB less one byte is the window of a client that says nothing.
  EXPECT_EQ(client.answers[id].body.size(), 65'535u);
  EXPECT_LE(handler.endless_bytes, 65'535u);
  nghttp2_session_consume_stream(client.session, id, 60'000);
  client.exchange();
  EXPECT_EQ(client.answers[id].body.size(), 65'535u) << "the connection's window is closed, too";
  nghttp2_session_consume_connection(client.session, 60'000);
  client.exchange();
  EXPECT_GT(client.answers[id].body.size(), 100'000u);
  test.pass(seconds(29));
  EXPECT_EQ(handler.active, 1);
  test.pass(seconds(2));
  client.exchange();
  EXPECT_EQ(handler.active, 0);
  EXPECT_EQ(client.answers[id].error, static_cast<uint32_t>(NGHTTP2_INTERNAL_ERROR));
  EXPECT_THAT(handler.cancelled, ElementsAre("the client stopped reading"));
  EXPECT_THAT(handler.taken, ElementsAre(client.answers[id].body.size()));
}

TEST_F(Http2ConnectionTest, ASocketThatIsNotReadEndsTheConnection) {
  Client client(test, service, 5000);
  client.submit("GET", "/big?500000");
  const uint8_t* bytes = nullptr;
  while (const ssize_t count = nghttp2_session_mem_send(client.session, &bytes)) {
    const std::array<std::string_view, 1> pieces = {
        std::string_view(reinterpret_cast<const char*>(bytes), static_cast<size_t>(count))};
    client.stream->try_write(pieces);
  }
  test.pass(seconds(29));
  EXPECT_EQ(handler.active, 1);
  test.pass(seconds(2));
  EXPECT_EQ(handler.active, 0);
  EXPECT_EQ(service.counters().connections_open.get(), 0);
}

TEST_F(Http2ConnectionTest, TrailersAreIgnored) {
  Client client(test, service);
  const int32_t id = client.submit("POST", "/echo", {}, "body", false);
  client.exchange();
  std::string name = "x-trailer";
  std::string value = "ignored";
  const nghttp2_nv trailer = {reinterpret_cast<uint8_t*>(name.data()),
                              reinterpret_cast<uint8_t*>(value.data()), name.size(), value.size(),
                              NGHTTP2_NV_FLAG_NONE};
  nghttp2_submit_headers(client.session, NGHTTP2_FLAG_END_STREAM, id, nullptr, &trailer, 1, nullptr);
  client.exchange();
  EXPECT_EQ(client.answers[id].body, "body");
  EXPECT_FALSE(handler.last.headers.contains("x-trailer"));
}

// Frames that nghttp2's client would not send that often.
std::string frame(uint8_t type, uint8_t flags, uint32_t stream, std::string_view payload) {
  std::string bytes;
  for (const size_t value : {payload.size() >> 16, payload.size() >> 8, payload.size()})
    bytes.push_back(static_cast<char>(value & 0xff));
  bytes.push_back(static_cast<char>(type));
  bytes.push_back(static_cast<char>(flags));
  for (const int shift : {24, 16, 8, 0}) bytes.push_back(static_cast<char>(stream >> shift & 0xff));
  bytes.append(payload);
  return bytes;
}

struct Http2FloodTest : Http2ConnectionTest {
  // Sends frames until the server ends the connection; gives how many.
  size_t flood(const std::function<std::string(size_t)>& nth) {
    MemoryStream::Pair ends = MemoryStream::pair(test.core, 1'000'000);
    service.serve(std::move(ends.second));
    std::string received;
    size_t count = 0;
    std::string bytes = "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n" + frame(4, 0, 0, "");
    for (IoState state = IoState::would_block; state == IoState::would_block && count < 20'000;) {
      const std::array<std::string_view, 1> pieces = {bytes};
      ends.first->try_write(pieces);
      test.settle();
      std::array<char, 4096> buffer;
      IoResult read;
      while ((read = ends.first->try_read(buffer)).state == IoState::done)
        received.append(buffer.data(), read.bytes);
      state = read.state;
      bytes = nth(count++);
    }
    // The last frame: GOAWAY without data, its code in the last four bytes.
    EXPECT_GE(received.size(), 17u);
    const std::string last = received.substr(received.size() - std::min<size_t>(received.size(), 17));
    EXPECT_EQ(last.substr(0, 4), std::string("\0\0\x08\x07", 4));
    EXPECT_EQ(last.substr(13), std::string("\0\0\0\x0b", 4));
    EXPECT_EQ(service.counters().connections_open.get(), 0);
    EXPECT_EQ(handler.active, 0);
    return count;
  }
};

TEST_F(Http2FloodTest, PingsAreBounded) {
  EXPECT_LE(flood([](size_t) { return frame(6, 0, 0, "12345678"); }), kHttp2PingsPerWindowMax + 2);
}

TEST_F(Http2FloodTest, PingsThatComeAtOnceAreBounded) {
  std::string pings;
  for (uint32_t i = 0; i < 3 * kHttp2PingsPerWindowMax; ++i) pings += frame(6, 0, 0, "12345678");
  EXPECT_LE(flood([&](size_t) { return pings; }), 2u);
}

TEST_F(Http2FloodTest, SettingsAreBounded) {
  EXPECT_LE(flood([](size_t) { return frame(4, 0, 0, ""); }), kHttp2SettingsPerWindowMax + 2);
}

TEST_F(Http2FloodTest, PrioritiesAreBounded) {
  EXPECT_LE(flood([](size_t) { return frame(2, 0, 1, std::string_view("\0\0\0\0\1", 5)); }),
            kHttp2ResetsPerWindowMax + 2);
}

// :method GET, :scheme http, :path /slow, :authority a (RFC 7541: two indexed fields and two literals).
const std::string kSlowHead = std::string("\x82\x86\x04\x05/slow\x01\x01") + "a";
constexpr std::string_view kCancel("\0\0\0\x08", 4);
constexpr std::string_view kNoError("\0\0\0\0", 4);

TEST_F(Http2FloodTest, RapidResetsAreBounded) {
  const auto reset_at_once = [](size_t i) {
    const auto id = static_cast<uint32_t>(2 * i + 1);
    return frame(1, 5, id, kSlowHead) + frame(3, 0, id, kCancel);
  };
  EXPECT_LE(flood(reset_at_once), kHttp2ResetsPerWindowMax + 2);
  EXPECT_EQ(handler.calls, 0);
  const auto reset_without_error = [](size_t i) {
    const auto id = static_cast<uint32_t>(2 * i + 1);
    return frame(1, 5, id, kSlowHead) + frame(3, 0, id, kNoError);
  };
  EXPECT_LE(flood(reset_without_error), kHttp2ResetsPerWindowMax + 2);
  EXPECT_EQ(handler.calls, 0);
  const auto reset_later = [](size_t i) {
    const auto id = static_cast<uint32_t>(i / 2 * 2 + 1);
    return i % 2 == 0 ? frame(1, 5, id, kSlowHead) : frame(3, 0, id, kCancel);
  };
  EXPECT_LE(flood(reset_later), 2 * (kHttp2ResetsPerWindowMax + 2));
  EXPECT_EQ(handler.calls, static_cast<int>(kHttp2ResetsPerWindowMax + 1));
}

TEST_F(Http2FloodTest, EmptyDataIsBounded) {
  const auto data = [](size_t i) { return i == 0 ? frame(1, 4, 1, kSlowHead) : frame(0, 0, 1, ""); };
  EXPECT_LE(flood(data), kHttp2PingsPerWindowMax + 3);
}

TEST_F(Http2FloodTest, AHeadThatIsRefusedHalfwayMakesRoomForTheNext) {
  Client client(test, service);
  client.exchange();
  // A path with a control character: nghttp2 resets the stream without having reported a whole head.
  client.send_raw(frame(1, 5, 1,
                        std::string("\x82\x86\x04\x05/ha\x01"
                                    "f\x01\x01") +
                            "a") +
                  frame(1, 5, 3, kSlowHead));
  EXPECT_EQ(handler.calls, 1);
  EXPECT_EQ(handler.active, 1);
}

TEST_F(Http2FloodTest, ContinuationsAreBounded) {
  Client client(test, service, 10'000'000);
  client.exchange();
  client.send_raw(frame(1, 0, 1, "\x82"));
  for (int i = 0; i < 10 && !client.is_ended; ++i) client.send_raw(frame(9, 0, 1, ""));
  EXPECT_TRUE(client.is_ended);
  EXPECT_EQ(client.goaway, static_cast<uint32_t>(NGHTTP2_ENHANCE_YOUR_CALM));
  EXPECT_EQ(handler.calls, 0);
}

TEST_F(Http2FloodTest, AHeadThatNeverEndsIsGivenUpOn) {
  Client client(test, service);
  client.exchange();
  client.send_raw(frame(1, 0, 1, "\x82"));
  test.pass(seconds(11));
  client.exchange();
  EXPECT_TRUE(client.is_ended);
}

TEST_F(Http2FloodTest, MoreStreamsThanAllowedEndTheConnection) {
  Client client(test, service);
  client.exchange();
  for (uint32_t i = 0; i < kHttp2StreamsMax; ++i) client.send_raw(frame(1, 5, 2 * i + 1, kSlowHead));
  EXPECT_EQ(handler.active, static_cast<int>(kHttp2StreamsMax));
  client.send_raw(frame(1, 5, 2 * kHttp2StreamsMax + 1, kSlowHead));
  EXPECT_EQ(handler.calls, static_cast<int>(kHttp2StreamsMax));
  EXPECT_EQ(client.goaway, static_cast<uint32_t>(NGHTTP2_PROTOCOL_ERROR));
  EXPECT_TRUE(client.is_ended);
}

TEST_F(Http2ConnectionTest, ClosesWhenNoRequestComesAtAll) {
  Client client(test, service);
  client.exchange();
  test.pass(seconds(9));
  client.exchange();
  EXPECT_FALSE(client.is_ended);
  test.pass(seconds(2));
  client.exchange();
  EXPECT_TRUE(client.is_ended);
}

TEST_F(Http2ConnectionTest, ClosesWhenIdle) {
  Client client(test, service);
  EXPECT_EQ(client.ask("GET", "/hello").status, 200);
  test.pass(seconds(74));
  client.exchange();
  EXPECT_FALSE(client.is_ended);
  test.pass(seconds(2));
  client.exchange();
  EXPECT_TRUE(client.is_ended);
  EXPECT_EQ(client.goaway, 0u);
}

TEST_F(Http2ConnectionTest, DrainingFinishesStreamsAndSaysGoodbye) {
  Client idle(test, service);
  idle.ask("GET", "/hello");
  Client busy(test, service);
  const int32_t slow = busy.submit("GET", "/slow");
  busy.exchange();
  service.stop(seconds(10), [this] { is_stopped = true; });
  idle.exchange();
  EXPECT_TRUE(idle.is_ended);
  EXPECT_EQ(idle.goaway, 0u);
  busy.exchange();
  EXPECT_EQ(busy.goaway, 0u);
  EXPECT_FALSE(busy.is_ended);
  test.pass(milliseconds(5010));
  busy.exchange();
  EXPECT_EQ(busy.answers[slow].body, "hello\n");
  EXPECT_TRUE(busy.is_ended);
  EXPECT_TRUE(is_stopped);
}

TEST_F(Http2ConnectionTest, DrainingLosesPatience) {
  Client busy(test, service);
  const int32_t slow = busy.submit("GET", "/slow");
  busy.exchange();
  service.stop(seconds(2), [this] { is_stopped = true; });
  test.pass(milliseconds(2010));
  busy.exchange();
  EXPECT_EQ(busy.answers[slow].status, 503);
  EXPECT_TRUE(busy.is_ended);
  EXPECT_TRUE(is_stopped);
}

TEST_F(Http2ConnectionTest, NonsenseBehindThePrefaceEndsTheConnection) {
  MemoryStream::Pair ends = MemoryStream::pair(test.core);
  service.serve(std::move(ends.second));
  const std::array<std::string_view, 2> pieces = {"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n", "this is no frame"};
  ends.first->try_write(pieces);
  test.settle();
  EXPECT_EQ(service.counters().connections_open.get(), 0);
  EXPECT_EQ(handler.calls, 0);
}

TEST_F(Http2ConnectionTest, IsNotSpokenWhereItIsSwitchedOff) {
  settings.serves_http2 = false;
  MemoryStream::Pair ends = MemoryStream::pair(test.core);
  service.serve(std::move(ends.second));
  const std::array<std::string_view, 1> pieces = {"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n"};
  ends.first->try_write(pieces);
  test.settle();
  std::array<char, 100> buffer;
  const IoResult read = ends.first->try_read(buffer);
  EXPECT_THAT(std::string(buffer.data(), read.bytes), StartsWith("HTTP/1.1 505 "));
}

}  // namespace
}  // namespace weir
