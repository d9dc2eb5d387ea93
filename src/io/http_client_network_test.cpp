// The client over real sockets on the loopback interface.
#include <arpa/inet.h>
#include <atomic>
#include <fmt/format.h>
#include <gtest/gtest.h>
#include <sys/socket.h>
#include <thread>
#include <unistd.h>

#include "io/http_client.h"
#include "io/tcp.h"
#include "io/test_certificate.h"

namespace weir {
namespace {

constexpr std::string_view kOk = "HTTP/1.1 200 OK\r\ncontent-length: 2\r\n\r\nok";

// A server of plain POSIX sockets in a thread of its own, one connection after the other. `serve` gets the
// number of the connection and its socket, and returns to close it.
class ThreadServer {
 public:
  using Serve = std::function<void(int connection, int fd)>;
  explicit ThreadServer(Serve serve, int family = AF_INET)
      : fd_(socket(family, SOCK_STREAM | SOCK_CLOEXEC, 0)) {
    sockaddr_in6 address{};
    socklen_t size = sizeof(address);
    if (family == AF_INET) {
      auto& v4 = reinterpret_cast<sockaddr_in&>(address);
      v4.sin_family = AF_INET;
      v4.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
      size = sizeof(sockaddr_in);
    } else {
      address.sin6_family = AF_INET6;
      address.sin6_addr = in6addr_loopback;
    }
    is_bound = bind(fd_, reinterpret_cast<sockaddr*>(&address), size) == 0 && listen(fd_, 16) == 0;
    getsockname(fd_, reinterpret_cast<sockaddr*>(&address), &size);
    port = ntohs(address.sin6_port);  // at the same place in both families
    thread_ = std::thread([this, serve = std::move(serve)] {
      for (int fd = accept(fd_, nullptr, nullptr); fd >= 0; fd = accept(fd_, nullptr, nullptr)) {
        serve(connections++, fd);
        ::close(fd);
      }
    });
  }
  ~ThreadServer() {
    shutdown(fd_, SHUT_RDWR);
    thread_.join();
    ::close(fd_);
  }

  bool is_bound = false;
  uint16_t port = 0;
  std::atomic<int> connections = 0;

 private:
  int fd_;
  std::thread thread_;
};

// One read of a request; empty at the end of the connection.
std::string receive(int fd) {
  std::string text(64 * 1024, '\0');
  const ssize_t size = recv(fd, text.data(), text.size(), 0);
  text.resize(size > 0 ? static_cast<size_t>(size) : 0);
  return text;
}
void say(int fd, std::string_view text) {
  send(fd, text.data(), text.size(), MSG_NOSIGNAL);
}

class NetworkClientTest : public ::testing::Test {
 protected:
  using Answer = std::unique_ptr<ClientResponse>;

  void make_client(NetworkConnectorOptions options = {}) {
    client_ = std::make_unique<PooledHttpClient>(
        core_, std::make_unique<NetworkConnector>(core_, std::move(options)));
  }
  // Runs the loop until the task has ended; ten seconds are a failure.
  template <class T>
  Result<T> run(Task<T> task) {
    std::optional<Result<T>> result;
    scope_.set_deadline(core_.now() + std::chrono::seconds(10), ErrorKind::internal, "the test hangs");
    scope_.spawn(keep(std::move(task), result));
    while (!result) core_.poll();
    return std::move(*result);
  }
  template <class T>
  static Task<void> keep(Task<T> task, std::optional<Result<T>>& result) {
    result = co_await std::move(task);
    co_return {};
  }
  Result<Answer> send(std::string host, uint16_t port, bool is_tls = false) {
    const ClientRequest request = {.origin = {.host = std::move(host), .port = port, .is_tls = is_tls},
                                   .method = "POST",
                                   .target = "/v1",
                                   .headers = &headers_,
                                   .body = "{}"};
    return run(client_->send(scope_, request));
  }
  Result<std::string> fetch(std::string host, uint16_t port, bool is_tls = false) {
    Result<Answer> answer = send(std::move(host), port, is_tls);
    if (!answer) return fail(answer.error());
    return run(read_all(scope_, **answer, 1 * kMiB));
  }

  Core core_{0, SystemClock::instance(), 1};
  Headers headers_;
  std::unique_ptr<PooledHttpClient> client_;
  Scope scope_{core_};
};

TEST_F(NetworkClientTest, KeepsAConnectionForSeveralRequests) {
  std::atomic<int> requests = 0;
  ThreadServer server([&](int, int fd) {
    while (!receive(fd).empty()) {
      ++requests;
      say(fd, kOk);
    }
  });
  make_client();
  for (int i = 0; i < 5; ++i) EXPECT_EQ(fetch("127.0.0.1", server.port), "ok");
  EXPECT_EQ(server.connections, 1);
  EXPECT_EQ(requests, 5);
  client_.reset();
}

TEST_F(NetworkClientTest, RepeatsARequestThatADyingConnectionSwallowed) {
  ThreadServer server([&](int connection, int fd) {
    receive(fd);
    say(fd, kOk);
    if (connection == 0) receive(fd);  // the second request, which it takes along
  });
  make_client();
  EXPECT_EQ(fetch("127.0.0.1", server.port), "ok");
  EXPECT_EQ(fetch("127.0.0.1", server.port), "ok");
  EXPECT_EQ(server.connections, 2);
}

TEST_F(NetworkClientTest, DropsAnIdleConnectionThatTheServerCloses) {
  ThreadServer server([&](int, int fd) {
    receive(fd);
    say(fd, kOk);
  });
  make_client();
  EXPECT_EQ(fetch("127.0.0.1", server.port), "ok");
  const MonoTime until = core_.now() + std::chrono::seconds(10);
  while (client_->stats().open > 0 && core_.now() < until) core_.poll();
  EXPECT_EQ(client_->stats().open, 0U);
}

TEST_F(NetworkClientTest, ReadsAnAnswerInManyPieces) {
  std::string body(500'000, 'x');
  ThreadServer server([&](int, int fd) {
    receive(fd);
    say(fd, fmt::format("HTTP/1.1 200 OK\r\ncontent-length: {}\r\n\r\n", body.size()));
    say(fd, body);
  });
  make_client();
  EXPECT_EQ(fetch("127.0.0.1", server.port), body);
}

TEST_F(NetworkClientTest, CancellingHangsUpOnTheServer) {
  std::atomic<bool> saw_end = false;
  ThreadServer server([&](int, int fd) {
    receive(fd);
    say(fd, "HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n3\r\nabc\r\n");
    saw_end = receive(fd).empty();
  });
  make_client();
  Result<Answer> answer = send("127.0.0.1", server.port);
  ASSERT_TRUE(answer);
  EXPECT_EQ(*run((*answer)->read(scope_)), "abc");
  scope_.cancel(make_error(ErrorKind::cancelled, "the client hung up"));
  EXPECT_EQ(run((*answer)->read(scope_)).error().kind, ErrorKind::cancelled);
  const MonoTime until = core_.now() + std::chrono::seconds(10);
  while (!saw_end && core_.now() < until) core_.poll();
  EXPECT_TRUE(saw_end);
}

TEST_F(NetworkClientTest, TriesTheNextAddress) {
  // "localhost" is 127.0.0.1, then ::1; only the second one listens.
  ThreadServer server(
      [&](int, int fd) {
        receive(fd);
        say(fd, kOk);
      },
      AF_INET6);
  if (!server.is_bound) GTEST_SKIP() << "there is no IPv6 here";
  make_client();
  EXPECT_EQ(fetch("localhost", server.port), "ok");
}

TEST_F(NetworkClientTest, TellsThatNobodyListens) {
  uint16_t port = 0;
  {
    const ThreadServer server([](int, int) {});
    port = server.port;
  }
  make_client();
  const auto answer = fetch("127.0.0.1", port);
  ASSERT_FALSE(answer);
  EXPECT_EQ(answer.error().kind, ErrorKind::upstream_unreachable);
  EXPECT_EQ(client_->stats().open, 0U);
}

TEST_F(NetworkClientTest, TheGuardedClientConnectsToPublicAddressesOnly) {
  ThreadServer server([](int, int) {});
  make_client({.refuses_private_addresses = true});
  for (const char* host :
       {"127.0.0.1", "localhost", "::1", "::ffff:127.0.0.1", "64:ff9b::7f00:1", "169.254.169.254"}) {
    const auto answer = fetch(host, server.port);
    ASSERT_FALSE(answer) << host;
    EXPECT_EQ(answer.error().kind, ErrorKind::forbidden) << host;
  }
  EXPECT_EQ(server.connections, 0);
}

// The other side of TLS, on the same core.
Task<void> serve_tls(Scope& scope, std::unique_ptr<ByteStream> socket, const TlsServerContext& context) {
  std::unique_ptr<ByteStream> stream = CO_TRY(co_await tls_accept(scope, std::move(socket), context));
  std::string text(4096, '\0');
  for (;;) {
    CO_TRY(co_await stream->readable(scope));
    const IoResult received = stream->try_read(text);
    if (received.state == IoState::would_block) continue;
    if (received.state != IoState::done) co_return {};
    const std::string_view pieces[] = {kOk};
    CO_TRY(co_await write_all(scope, *stream, pieces));
  }
}

TEST_F(NetworkClientTest, SpeaksTlsToServersThatItsAuthorityVouchesFor) {
  const TestCertificate certificate(temporary_name("client"));
  const auto server_context = *TlsServerContext::load(certificate.files());
  auto listener = *TcpListener::listen(core_, "127.0.0.1", 0, true);
  Scope server(core_);
  int accepted = 0;
  server.spawn(listener->run(server, [&](std::unique_ptr<ByteStream> socket) {
    ++accepted;
    server.spawn(serve_tls(server, std::move(socket), *server_context));
  }));
  make_client({.tls = *TlsClientContext::make(certificate.files().certificate)});
  for (int i = 0; i < 3; ++i) EXPECT_EQ(fetch("127.0.0.1", listener->port(), true), "ok");
  EXPECT_EQ(accepted, 1);
  // The certificate is for weir.test and 127.0.0.1.
  EXPECT_EQ(fetch("localhost", listener->port(), true).error().kind, ErrorKind::upstream_unreachable);
  // The system's authorities do not know it.
  make_client({.tls = *TlsClientContext::make()});
  EXPECT_EQ(fetch("127.0.0.1", listener->port(), true).error().kind, ErrorKind::upstream_unreachable);
  make_client();
  EXPECT_EQ(fetch("127.0.0.1", listener->port(), true).error().kind, ErrorKind::upstream_unreachable);
  server.cancel(make_error(ErrorKind::shutting_down, "the test ends"));
  while (server.running() > 0) core_.poll();
}

}  // namespace
}  // namespace weir
