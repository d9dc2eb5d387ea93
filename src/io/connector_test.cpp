#include "io/connector.h"

#include <gtest/gtest.h>
#include <netinet/in.h>
#include <sys/socket.h>
#include <unistd.h>

#include "io/test_core.h"

namespace weir {
namespace {

using std::chrono::milliseconds;

// A port of this machine that takes a connection or two and never says a word; more are left waiting.
class SilentPort {
 public:
  SilentPort() {
    bind(listener_, reinterpret_cast<sockaddr*>(&address_), sizeof(address_));
    listen(listener_, 0);
    socklen_t size = sizeof(address_);
    getsockname(listener_, reinterpret_cast<sockaddr*>(&address_), &size);
  }
  ~SilentPort() {
    for (const int fd : fillers_) close(fd);
    close(listener_);
  }
  SilentPort(const SilentPort&) = delete;
  SilentPort& operator=(const SilentPort&) = delete;

  // From now on nobody gets a connection.
  void fill() {
    for (int i = 0; i < 4; ++i) {
      fillers_.push_back(socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0));
      (void)connect(fillers_.back(), reinterpret_cast<const sockaddr*>(&address_), sizeof(address_));
    }
  }
  uint16_t port() const { return ntohs(address_.sin_port); }

 private:
  const int listener_ = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
  sockaddr_in address_{
      .sin_family = AF_INET, .sin_port = 0, .sin_addr = {.s_addr = htonl(INADDR_LOOPBACK)}, .sin_zero = {}};
  std::vector<int> fillers_;
};

class ConnectorTest : public testing::Test {
 protected:
  // How long connecting took until it was given up, at an origin that has `limit` if it says so itself.
  Duration gives_up_after(bool is_tls, std::optional<Duration> limit) {
    const SilentPort* port = &port_;
    const NetworkConnectorOptions options{.tls = TlsClientContext::make().value(),
                                          .connect_timeout_of = [=](const Origin& origin) {
                                            return origin.port == port->port() ? limit : std::nullopt;
                                          }};
    NetworkConnector connector(test_.core, options);
    const MonoTime began = test_.clock.now();
    const auto stream =
        test_.run(connector.connect(scope_, {.host = "127.0.0.1", .port = port_.port(), .is_tls = is_tls}));
    EXPECT_FALSE(stream);
    if (!stream) EXPECT_EQ(stream.error().kind, ErrorKind::upstream_unreachable);
    return test_.clock.now() - began;
  }

  SilentPort port_;
  TestCore test_;
  Scope scope_{test_.core};
};

TEST_F(ConnectorTest, AnOriginSaysHowLongConnectingMayTake) {
  port_.fill();
  EXPECT_EQ(gives_up_after(false, milliseconds(300)), milliseconds(300));
  EXPECT_EQ(gives_up_after(false, {}), NetworkConnectorOptions().connect_timeout);
}

TEST_F(ConnectorTest, AHandshakeMayTakeTwiceAsLong) {
  EXPECT_EQ(gives_up_after(true, milliseconds(300)), milliseconds(600));
}

}  // namespace
}  // namespace weir
