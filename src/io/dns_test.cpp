#include "io/dns.h"

#include <arpa/inet.h>
#include <fmt/format.h>
#include <gtest/gtest.h>
#include <map>
#include <sys/socket.h>
#include <unistd.h>

#include "io/connector.h"
#include "io/test_core.h"

namespace weir {
namespace {

struct Answer {
  uint8_t code = 3;          // NXDOMAIN
  std::string address = {};  // of A; AAAA has no data
  uint32_t ttl = 30;
};

// A name server on a loopback socket, asked to answer by the test itself between two turns of the loop.
class NameServer {
 public:
  NameServer() : fd_(socket(AF_INET, SOCK_DGRAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0)) {
    sockaddr_in address{};
    address.sin_family = AF_INET;
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    EXPECT_EQ(bind(fd_, reinterpret_cast<sockaddr*>(&address), sizeof(address)), 0);
    socklen_t size = sizeof(address);
    getsockname(fd_, reinterpret_cast<sockaddr*>(&address), &size);
    port = ntohs(address.sin_port);
  }
  ~NameServer() { ::close(fd_); }

  void serve() {
    std::array<char, 512> buffer;
    sockaddr_in from{};
    socklen_t size = sizeof(from);
    ssize_t received = 0;
    while ((received = recvfrom(fd_, buffer.data(), buffer.size(), 0, reinterpret_cast<sockaddr*>(&from),
                                &size)) > 12) {
      const std::string reply = answer(std::string(buffer.data(), static_cast<size_t>(received)));
      sendto(fd_, reply.data(), reply.size(), 0, reinterpret_cast<sockaddr*>(&from), size);
    }
  }

  uint16_t port = 0;
  std::map<std::string, Answer> names;
  std::map<std::string, int> asked;  // A queries by name

 private:
  std::string answer(std::string query) {
    std::string name;
    size_t at = 12;
    while (query[at] != '\0') {
      const auto length = static_cast<size_t>(query[at]);
      if (!name.empty()) name += '.';
      name += query.substr(at + 1, length);
      at += 1 + length;
    }
    const bool is_a = query[at + 2] == 1;
    if (is_a) ++asked[name];
    const Answer known = names.contains(name) ? names[name] : Answer{};
    const bool has_data = is_a && known.code == 0;
    std::string reply = query.substr(0, at + 5);  // header and question
    reply[2] = static_cast<char>(0x81);           // a reply, recursion desired
    reply[3] = static_cast<char>(0x80 | known.code);
    reply[7] = has_data ? 1 : 0;
    reply[11] = 0;  // no additional record
    if (has_data) {
      const std::string ttl = {static_cast<char>(known.ttl >> 24), static_cast<char>(known.ttl >> 16),
                               static_cast<char>(known.ttl >> 8), static_cast<char>(known.ttl)};
      in_addr address{};
      inet_pton(AF_INET, known.address.c_str(), &address);
      reply += std::string("\xC0\x0C\0\1\0\1", 6) + ttl + std::string("\0\4", 2);
      reply.append(reinterpret_cast<const char*>(&address), 4);
    }
    return reply;
  }

  int fd_;
};

class DnsTest : public ::testing::Test {
 protected:
  using Addresses = Result<std::vector<std::string>>;

  static Task<void> keep(Resolver& resolver, Scope& scope, std::string host,
                         std::optional<Addresses>& result) {
    result = co_await resolver.resolve(scope, std::move(host));
    co_return {};
  }

  void ask(const std::string& host, std::optional<Addresses>& result) {
    scope_.spawn(keep(resolver_, scope_, host, result));
  }
  void run_until(const std::optional<Addresses>& result) {
    while (!result) {
      test_.core.poll();
      server_.serve();
    }
  }
  Addresses resolve(const std::string& host) {
    std::optional<Addresses> result;
    ask(host, result);
    run_until(result);
    return *result;
  }

  TestCore test_;
  NameServer server_;
  Resolver resolver_{test_.core, {.servers = fmt::format("127.0.0.1:{}", server_.port)}};
  Scope scope_{test_.core};
};

TEST_F(DnsTest, KnowsLiteralsAndLocalhostWithoutAsking) {
  EXPECT_EQ(*resolve("127.0.0.9"), std::vector<std::string>{"127.0.0.9"});
  EXPECT_EQ(*resolve("::1"), std::vector<std::string>{"::1"});
  EXPECT_EQ(*resolve("localhost"), (std::vector<std::string>{"127.0.0.1", "::1"}));
  EXPECT_EQ(*resolve("a.localhost"), (std::vector<std::string>{"127.0.0.1", "::1"}));
  EXPECT_EQ(resolver_.cached(), 0U);
}

TEST_F(DnsTest, KeepsAnswersForTheirTtlWithinBounds) {
  server_.names["one.test"] = {0, "10.0.0.1", 30};
  server_.names["never.test"] = {0, "10.0.0.2", 0};
  server_.names["always.test"] = {0, "10.0.0.3", 1'000'000};
  const auto asked_after = [&](const std::string& host, Duration pause) {
    EXPECT_TRUE(resolve(host));
    test_.clock.advance(pause);
    EXPECT_TRUE(resolve(host));
    return server_.asked[host];
  };
  EXPECT_EQ(*resolve("one.test"), std::vector<std::string>{"10.0.0.1"});
  EXPECT_EQ(asked_after("one.test", std::chrono::seconds(29)), 1);
  EXPECT_EQ(asked_after("one.test", std::chrono::seconds(2)), 2);
  EXPECT_EQ(asked_after("never.test", std::chrono::milliseconds(900)), 1);
  EXPECT_EQ(asked_after("always.test", std::chrono::seconds(61)), 2);
}

TEST_F(DnsTest, KeepsFailuresForASecond) {
  const auto missing = resolve("missing.test");
  ASSERT_FALSE(missing);
  EXPECT_EQ(missing.error().kind, ErrorKind::upstream_unreachable);
  EXPECT_NE(missing.error().detail.find("missing.test"), std::string::npos);
  EXPECT_FALSE(resolve("missing.test"));
  EXPECT_EQ(server_.asked["missing.test"], 1);
  test_.clock.advance(std::chrono::milliseconds(1100));
  server_.names["missing.test"] = {0, "10.0.0.4", 30};
  EXPECT_EQ(*resolve("missing.test"), std::vector<std::string>{"10.0.0.4"});
}

TEST_F(DnsTest, SharesOneQueryAmongThoseWhoAskAtTheSameTime) {
  server_.names["shared.test"] = {0, "10.0.0.5", 30};
  std::optional<Addresses> first;
  std::optional<Addresses> second;
  ask("shared.test", first);
  ask("shared.test", second);
  run_until(first);
  run_until(second);
  EXPECT_TRUE(*first && *second);
  EXPECT_EQ(server_.asked["shared.test"], 1);
}

TEST_F(DnsTest, AWaiterThatIsCancelledLeavesTheQueryToOthers) {
  std::optional<Addresses> result;
  ask("slow.test", result);
  test_.settle();
  scope_.cancel(make_error(ErrorKind::cancelled, "the client hung up"));
  test_.settle();
  ASSERT_TRUE(result);
  EXPECT_EQ(result->error().kind, ErrorKind::cancelled);
}

Task<void> connect_guarded(NetworkConnector& connector, Scope& scope, std::string host, uint16_t port,
                           std::optional<ErrorKind>& failure, bool& is_over) {
  const auto stream =
      co_await connector.connect(scope, {.host = std::move(host), .port = port, .is_tls = false});
  if (!stream) failure = stream.error().kind;
  is_over = true;
  co_return {};
}

TEST_F(DnsTest, TheGuardedConnectorJudgesWhatANameLeadsTo) {
  server_.names["inside.test"] = {0, "127.0.0.1", 30};
  server_.names["meta.test"] = {0, "169.254.169.254", 30};
  server_.names["ours.test"] = {0, "127.0.0.1", 30};
  NetworkConnector connector(test_.core,
                             {.refuses_private_addresses = true,
                              .allows_private = [](std::string_view host) { return host == "ours.test"; },
                              .dns = {.servers = fmt::format("127.0.0.1:{}", server_.port)}});
  const auto failure_at = [&](std::string host) {
    std::optional<ErrorKind> failure;
    bool is_over = false;
    // Port 1 of this machine: whoever gets through is refused by it.
    scope_.spawn(connect_guarded(connector, scope_, std::move(host), 1, failure, is_over));
    while (!is_over) {
      test_.core.poll();
      server_.serve();
    }
    return failure;
  };
  EXPECT_EQ(failure_at("inside.test"), ErrorKind::forbidden);
  EXPECT_EQ(failure_at("meta.test"), ErrorKind::forbidden);
  EXPECT_EQ(failure_at("ours.test"), ErrorKind::upstream_unreachable);
}

}  // namespace
}  // namespace weir
