#include "io/http_server.h"

#include <arpa/inet.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <netinet/in.h>
#include <sys/socket.h>
#include <unistd.h>

#include "io/test_handler.h"

namespace weir {
namespace {

using std::chrono::seconds;
using testing::EndsWith;
using testing::HasSubstr;

// A client that blocks, as clients in other processes do.
class BlockingClient {
 public:
  explicit BlockingClient(uint16_t port) : fd_(socket(AF_INET, SOCK_STREAM, 0)) {
    sockaddr_in address{};
    address.sin_family = AF_INET;
    address.sin_port = htons(port);
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    is_connected_ = connect(fd_, reinterpret_cast<const sockaddr*>(&address), sizeof(address)) == 0;
  }
  ~BlockingClient() { ::close(fd_); }
  BlockingClient(const BlockingClient&) = delete;
  BlockingClient& operator=(const BlockingClient&) = delete;

  bool is_connected() const { return is_connected_; }
  void send(std::string_view bytes) const {
    ASSERT_EQ(::send(fd_, bytes.data(), bytes.size(), MSG_NOSIGNAL), static_cast<ssize_t>(bytes.size()));
  }
  void end_sending() const { shutdown(fd_, SHUT_WR); }
  // Reads until `last` was received, or the end.
  std::string receive_until(std::string_view last) const {
    std::string all;
    std::array<char, 4096> buffer;
    while (!all.ends_with(last) || last.empty()) {
      const ssize_t received = recv(fd_, buffer.data(), buffer.size(), 0);
      if (received <= 0) break;
      all.append(buffer.data(), static_cast<size_t>(received));
    }
    return all;
  }

 private:
  int fd_;
  bool is_connected_ = false;
};

struct HttpServerTest : testing::Test {
  HttpServerTest() {
    cores.start();
    const Result<void> started = server.start();
    EXPECT_TRUE(started) << started.error().message;
  }
  ~HttpServerTest() override {
    server.stop(seconds(0));
    cores.stop();
  }

  std::array<TestHandler, 2> handlers;
  HttpResources resources;
  Cores cores{2, SystemClock::instance(), 1};
  HttpServer server{
      cores, {}, resources, [this](Core& core) -> HttpHandler& { return handlers[core.index()]; }};
};

constexpr std::string_view kHello = "GET /hello HTTP/1.1\r\nhost: a\r\n\r\n";

TEST_F(HttpServerTest, AnswersOnEveryCore) {
  EXPECT_NE(server.port(), 0);
  EXPECT_EQ(server.address(), fmt::format("127.0.0.1:{}", server.port()));
  // The kernel spreads connections by their ports: with 64 of them, both cores get some.
  std::vector<std::unique_ptr<BlockingClient>> clients;
  for (int i = 0; i < 64; ++i) {
    clients.push_back(std::make_unique<BlockingClient>(server.port()));
    clients.back()->send(kHello);
    EXPECT_THAT(clients.back()->receive_until("hello\n"), EndsWith("hello\n"));
    clients.back()->send(kHello);
    EXPECT_THAT(clients.back()->receive_until("hello\n"), EndsWith("hello\n"));
  }
  const HttpServerStats stats = server.stats();
  EXPECT_EQ(stats.connections_accepted, 64);
  EXPECT_EQ(stats.connections_open, 64);
  EXPECT_EQ(stats.requests, 128);
  EXPECT_GT(server.counters(0).requests.get(), 0);
  EXPECT_GT(server.counters(1).requests.get(), 0);
}

TEST_F(HttpServerTest, CarriesLargeBodiesBothWays) {
  const BlockingClient client(server.port());
  for (TestHandler& handler : handlers) handler.body_bytes_max = 10'000'000;
  const std::string body(5'000'000, 'b');
  std::thread sender([&] {
    client.send("POST /echo HTTP/1.1\r\nhost: a\r\nconnection: close\r\ncontent-length: 5000000\r\n\r\n");
    client.send(body);
  });
  const std::string answer = client.receive_until("");
  sender.join();
  EXPECT_THAT(answer.substr(0, 300), HasSubstr("HTTP/1.1 200 OK"));
  EXPECT_TRUE(answer.ends_with("\r\n\r\n" + body));
}

TEST_F(HttpServerTest, StoppingEndsRequestsInFlightAndRefusesNewConnections) {
  const BlockingClient client(server.port());
  client.send("GET /late HTTP/1.1\r\nhost: a\r\n\r\n");
  while (server.stats().requests_active == 0) std::this_thread::yield();
  const uint16_t port = server.port();
  server.stop(seconds(10));
  EXPECT_THAT(client.receive_until(""), HasSubstr("connection: close"));
  EXPECT_FALSE(BlockingClient(port).is_connected());
  server.stop(seconds(10));
}

TEST_F(HttpServerTest, WhoAsksAgainIsNotKeptWaitingForRequestsInFlight) {
  const BlockingClient client(server.port());
  client.send("GET /slow HTTP/1.1\r\nhost: a\r\n\r\n");
  while (server.stats().requests_active == 0) std::this_thread::yield();
  std::stop_source hurry;
  std::thread second([&hurry] { hurry.request_stop(); });
  server.stop(seconds(3600), hurry.get_token());
  second.join();
  const auto reasons = handlers[0].cancelled.size() + handlers[1].cancelled.size();
  EXPECT_EQ(reasons, 1U) << "it was not waited for";
}

TEST_F(HttpServerTest, TellsThatAPortIsTaken) {
  HttpServerSettings settings;
  settings.port = server.port();
  HttpServer other(cores, settings, resources,
                   [this](Core& core) -> HttpHandler& { return handlers[core.index()]; });
  const Result<void> started = other.start();
  ASSERT_FALSE(started);
  EXPECT_THAT(started.error().message, HasSubstr("in use"));
}

// Over TCP it looks as if the client had hung up.
TEST_F(HttpServerTest, AHalfClosedClientGetsWhatIsReadyAtOnce) {
  const auto half_closed = [this](std::string_view path) {
    const BlockingClient client(server.port());
    // The end comes with the rest of a request whose beginning is there.
    client.send(kHello.substr(0, 5));
    client.send(fmt::format("{}GET {} HTTP/1.1\r\nhost: a\r\n\r\n", kHello.substr(5), path));
    client.end_sending();
    return client.receive_until("");
  };
  for (int i = 0; i < 20; ++i) {
    EXPECT_THAT(half_closed("/hello"), EndsWith("hello\n"));
    EXPECT_THAT(half_closed("/fail"), HasSubstr("HTTP/1.1 404 "));
    EXPECT_THAT(half_closed("/slow"), EndsWith("hello\n")) << "only what was asked before";
  }
}

TEST_F(HttpServerTest, NoticesAHangUpDuringARequest) {
  {
    const BlockingClient client(server.port());
    client.send("GET /slow HTTP/1.1\r\nhost: a\r\n\r\n");
    while (server.stats().requests_active == 0) std::this_thread::yield();
  }
  while (server.stats().requests_active > 0) std::this_thread::yield();
  server.stop(seconds(0));
  std::vector<std::string> reasons = handlers[0].cancelled;
  reasons.insert(reasons.end(), handlers[1].cancelled.begin(), handlers[1].cancelled.end());
  EXPECT_THAT(reasons, testing::ElementsAre("the client hung up"));
}

}  // namespace
}  // namespace weir
