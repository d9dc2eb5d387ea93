#include "io/tcp.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <unistd.h>

#include "io/test_core.h"

namespace weir {
namespace {

// Two ends of a real connection on one core. The kernel needs a moment, so waits are loops until something
// is seen; time itself stands still.
struct TcpTest : testing::Test {
  ~TcpTest() override {
    scope.cancel(make_error(ErrorKind::cancelled, "the test ended"));
    until([this] { return scope.running() == 0; });
  }

  template <class Condition>
  void until(Condition condition) {
    while (!condition()) test.settle();
  }

  static Task<void> connect(Scope& scope, std::string address, uint16_t port,
                            std::optional<Result<std::unique_ptr<ByteStream>>>& out) {
    out = co_await connect_tcp(scope, scope.core(), address, port);
    co_return {};
  }

  void listen(const std::string& host) {
    auto made = TcpListener::listen(test.core, host, 0, true);
    ASSERT_TRUE(made) << made.error().message;
    listener = std::move(*made);
    scope.spawn(listener->run(
        scope, [this](std::unique_ptr<ByteStream> stream) { accepted.push_back(std::move(stream)); }));
  }
  void join(const std::string& address) {
    std::optional<Result<std::unique_ptr<ByteStream>>> connected;
    scope.spawn(connect(scope, address, listener->port(), connected));
    until([&] { return connected && !accepted.empty(); });
    ASSERT_TRUE(*connected) << connected->error().detail;
    client = std::move(**connected);
    server = std::move(accepted.back());
    accepted.pop_back();
  }
  Result<void> wait(Task<void> task) {
    std::optional<Result<void>> result;
    scope.spawn(keep(std::move(task), result));
    until([&] { return result.has_value(); });
    return *result;
  }
  static Task<void> keep(Task<void> task, std::optional<Result<void>>& result) {
    result = co_await std::move(task);
    co_return {};
  }

  TestCore test;
  Scope scope{test.core};
  std::unique_ptr<TcpListener> listener;
  std::vector<std::unique_ptr<ByteStream>> accepted;
  std::unique_ptr<ByteStream> client;
  std::unique_ptr<ByteStream> server;
};

TEST_F(TcpTest, MovesBytesAndSeesTheEnd) {
  listen("127.0.0.1");
  join("127.0.0.1");
  EXPECT_EQ(client->peer(), fmt::format("127.0.0.1:{}", listener->port()));
  EXPECT_THAT(server->peer(), testing::StartsWith("127.0.0.1:"));
  std::array<char, 64> buffer;
  EXPECT_EQ(server->try_read(buffer).state, IoState::would_block);
  const std::array<std::string_view, 3> pieces = {"one ", "", "two"};
  EXPECT_EQ(client->try_write(pieces).bytes, 7u);
  EXPECT_TRUE(wait(server->readable(scope)));
  const IoResult read = server->try_read(buffer);
  EXPECT_EQ(std::string_view(buffer.data(), read.bytes), "one two");
  client->end_sending();
  EXPECT_TRUE(wait(server->readable(scope)));
  EXPECT_EQ(server->try_read(buffer).state, IoState::end);
  EXPECT_EQ(server->try_write(pieces).bytes, 7u);
  EXPECT_TRUE(wait(client->readable(scope)));
  EXPECT_EQ(client->try_read(buffer).bytes, 7u);
}

TEST_F(TcpTest, ConnectsOverIpv6) {
  listen("[::1]");
  join("::1");
  EXPECT_EQ(client->peer(), fmt::format("[::1]:{}", listener->port()));
}

TEST_F(TcpTest, SaysWhyItCannotConnect) {
  listen("127.0.0.1");
  const uint16_t port = listener->port();
  listener->close();
  std::optional<Result<std::unique_ptr<ByteStream>>> refused;
  std::optional<Result<std::unique_ptr<ByteStream>>> nonsense;
  scope.spawn(connect(scope, "127.0.0.1", port, refused));
  scope.spawn(connect(scope, "example.com", port, nonsense));
  until([&] { return refused && nonsense; });
  ASSERT_FALSE(*refused);
  EXPECT_EQ(refused->error().kind, ErrorKind::upstream_unreachable);
  EXPECT_THAT(refused->error().detail, testing::HasSubstr("refused"));
  EXPECT_FALSE(*nonsense);
}

TEST_F(TcpTest, AWaitEndsWithItsScopeAndTheStreamStaysUsable) {
  listen("127.0.0.1");
  join("127.0.0.1");
  {
    Scope child(scope);
    std::optional<Result<void>> result;
    child.spawn(keep(server->readable(child), result));
    child.cancel(make_error(ErrorKind::timeout, "enough"));
    test.settle();
    ASSERT_TRUE(result && !*result);
  }
  const std::array<std::string_view, 1> pieces = {"x"};
  client->try_write(pieces);
  EXPECT_TRUE(wait(server->readable(scope)));
}

TEST_F(TcpTest, ClosingEndsWaitsAndIsSafeWhileARegistrationIsArmed) {
  listen("127.0.0.1");
  join("127.0.0.1");
  std::optional<Result<void>> result;
  scope.spawn(keep(server->readable(scope), result));
  EXPECT_FALSE(result);
  server->close();
  server->close();
  test.settle();
  ASSERT_TRUE(result);
  std::array<char, 1> byte;
  EXPECT_EQ(server->try_read(byte).state, IoState::broken);
  EXPECT_FALSE(server->is_open());
  client->watch_hangup([] {});
  client.reset();
  test.settle();
}

TEST_F(TcpTest, WritesPauseUntilThePeerReads) {
  listen("127.0.0.1");
  join("127.0.0.1");
  const std::string bytes(1'000'000, 'x');
  const std::array<std::string_view, 1> pieces = {bytes};
  size_t sent = 0;
  for (;;) {
    const IoResult written = client->try_write(pieces);
    if (written.state == IoState::would_block) break;
    ASSERT_EQ(written.state, IoState::done);
    sent += written.bytes;
  }
  std::optional<Result<void>> room;
  scope.spawn(keep(client->writable(scope), room));
  test.settle();
  EXPECT_FALSE(room);
  std::string buffer(1'000'000, '\0');
  size_t received = 0;
  until([&] {
    received += server->try_read(buffer).bytes;
    return room.has_value();
  });
  EXPECT_GT(received, 0u);
  EXPECT_LE(received, sent);
}

TEST_F(TcpTest, TheWatchSeesAHangUpBehindNothingButNotBytes) {
  listen("127.0.0.1");
  join("127.0.0.1");
  int hung_up = 0;
  server->watch_hangup([&hung_up] { ++hung_up; });
  const std::array<std::string_view, 1> pieces = {"next request"};
  client->try_write(pieces);
  // The bytes are there for certain when a reader sees them; the watch has looked by then.
  EXPECT_TRUE(wait(server->readable(scope)));
  EXPECT_EQ(hung_up, 0);
  std::array<char, 64> buffer;
  EXPECT_EQ(server->try_read(buffer).bytes, 12u);
  server->watch_hangup([&hung_up] { ++hung_up; });
  client->close();
  until([&] { return hung_up > 0; });
  EXPECT_EQ(hung_up, 1);
}

TEST_F(TcpTest, TheWatchSeesAHangUpBehindBytesThatNobodyReads) {
  listen("127.0.0.1");
  join("127.0.0.1");
  int hung_up = 0;
  server->watch_hangup([&hung_up] { ++hung_up; });
  const std::array<std::string_view, 1> pieces = {"next request"};
  client->try_write(pieces);
  client->end_sending();
  until([&] { return hung_up > 0; });
  // A watch that comes late is told at once.
  server->watch_hangup([&hung_up] { ++hung_up; });
  EXPECT_EQ(hung_up, 2);
  std::array<char, 64> buffer;
  EXPECT_EQ(server->try_read(buffer).bytes, 12u);
  EXPECT_TRUE(wait(server->readable(scope)));
  EXPECT_EQ(server->try_read(buffer).state, IoState::end);
}

TEST_F(TcpTest, TheWatchSeesAHangUpWhileAWriterWaitsForRoom) {
  listen("127.0.0.1");
  join("127.0.0.1");
  const std::string bytes(1'000'000, 'x');
  const std::array<std::string_view, 1> pieces = {bytes};
  while (server->try_write(pieces).state == IoState::done) {
  }
  int hung_up = 0;
  server->watch_hangup([&hung_up] { ++hung_up; });
  std::optional<Result<void>> room;
  scope.spawn(keep(server->writable(scope), room));
  client.reset();  // with bytes that it never read: a reset, which ends the wait as well
  until([&] { return hung_up > 0 && room.has_value(); });
  EXPECT_EQ(hung_up, 1);
}

TEST_F(TcpTest, TheWatchOfInputIsNotFooledByAReadThatTookExactlyAll) {
  listen("127.0.0.1");
  join("127.0.0.1");
  const std::array<std::string_view, 1> pieces = {"four"};
  client->try_write(pieces);
  EXPECT_TRUE(wait(server->readable(scope)));
  std::array<char, 4> buffer;
  EXPECT_EQ(server->try_read(buffer).bytes, 4u);
  int seen = 0;
  server->watch_input([&seen] { ++seen; });
  test.settle();
  EXPECT_EQ(seen, 0);
  client->try_write(pieces);
  until([&] { return seen > 0; });
}

TEST_F(TcpTest, AConnectionThatWokeUpTogetherWithTheOneThatClosesItIsLeftAlone) {
  listen("127.0.0.1");
  join("127.0.0.1");
  std::unique_ptr<ByteStream> first = std::move(server);
  std::unique_ptr<ByteStream> first_client = std::move(client);
  join("127.0.0.1");
  int seen = 0;
  // Both have bytes before the loop looks; whichever comes first takes the other one away.
  first->watch_input([&] {
    ++seen;
    server.reset();
  });
  server->watch_input([&] {
    ++seen;
    first.reset();
  });
  const std::array<std::string_view, 1> pieces = {"x"};
  client->try_write(pieces);
  first_client->try_write(pieces);
  until([&] { return seen > 0; });
  test.settle();
  EXPECT_EQ(seen, 1);
}

// A peer that always has more to read must not keep the loop for itself.
TEST_F(TcpTest, WhoReadsOnAndOnLetsOthersGoFirst) {
  listen("127.0.0.1");
  join("127.0.0.1");
  struct Readers {
    static Task<void> read_on(Scope& scope, ByteStream& stream, int& rounds) {
      for (; rounds < 100; ++rounds) CO_TRY(co_await stream.readable(scope));
      co_return {};
    }
    static Task<void> note(int& rounds, std::optional<int>& seen) {
      seen = rounds;
      co_return {};
    }
  };
  const std::array<std::string_view, 1> bytes = {"there is always something to read"};
  ASSERT_EQ(client->try_write(bytes).state, IoState::done);
  ASSERT_TRUE(wait(server->readable(scope)));
  int rounds = 0;
  std::optional<int> seen;
  scope.spawn(Readers::read_on(scope, *server, rounds));
  scope.spawn(Readers::note(rounds, seen));
  EXPECT_LT(seen.value_or(100), 100);
  until([&] { return rounds == 100; });
}

TEST_F(TcpTest, ListenersShareAPortWithinTheProcessOnly) {
  listen("127.0.0.1");
  EXPECT_TRUE(TcpListener::listen(test.core, "127.0.0.1", listener->port(), false));
  const auto other = TcpListener::listen(test.core, "127.0.0.1", listener->port(), true);
  ASSERT_FALSE(other);
  EXPECT_THAT(other.error().message, testing::HasSubstr("in use"));
  EXPECT_FALSE(TcpListener::listen(test.core, "nowhere", 0, true));
}

TEST_F(TcpTest, AcceptsAgainAfterThePoolOfDescriptorsWasEmpty) {
  listen("127.0.0.1");
  std::optional<Result<std::unique_ptr<ByteStream>>> connected;
  scope.spawn(connect(scope, "127.0.0.1", listener->port(), connected));
  // The connection is in the backlog already; no descriptor is left for accepting it.
  rlimit before{};
  getrlimit(RLIMIT_NOFILE, &before);
  rlimit none = before;
  none.rlim_cur = 3;
  setrlimit(RLIMIT_NOFILE, &none);
  while (test.core.timers().empty()) test.settle();
  setrlimit(RLIMIT_NOFILE, &before);
  EXPECT_TRUE(accepted.empty());
  test.pass(std::chrono::milliseconds(110));
  until([&] { return !accepted.empty(); });
}

}  // namespace
}  // namespace weir
