#include "io/tls.h"

#include <fstream>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <openssl/evp.h>
#include <openssl/pem.h>
#include <openssl/ssl.h>
#include <openssl/x509v3.h>
#include <unistd.h>

#include "io/http_service.h"
#include "io/memory_stream.h"
#include "io/test_certificate.h"
#include "io/test_core.h"
#include "io/test_handler.h"

namespace weir {
namespace {

using std::chrono::seconds;
using testing::HasSubstr;

using Secured = std::optional<Result<std::unique_ptr<ByteStream>>>;

Task<void> keep(Task<std::unique_ptr<ByteStream>> task, Secured& out) {
  out = co_await std::move(task);
  co_return {};
}

struct TlsTest : testing::Test {
  ~TlsTest() override {
    scope.cancel(make_error(ErrorKind::cancelled, "the test ended"));
    test.settle();
  }

  void start(const std::string& server_name = "weir.test", size_t capacity = 64 * 1024) {
    MemoryStream::Pair ends = MemoryStream::pair(test.core, capacity);
    below_client = ends.first.get();
    below_server = ends.second.get();
    server.reset();
    client.reset();
    scope.spawn(keep(tls_accept(scope, std::move(ends.second), *server_context), server));
    scope.spawn(keep(tls_connect(scope, std::move(ends.first), *client_context, server_name), client));
  }
  void connect(size_t capacity = 64 * 1024) {
    start("weir.test", capacity);
    test.settle();
    ASSERT_TRUE(server && *server) << (server ? server->error().detail : "waits");
    ASSERT_TRUE(client && *client) << (client ? client->error().detail : "waits");
  }
  ByteStream& server_end() { return ***server; }
  ByteStream& client_end() { return ***client; }

  // Reads what there is, following readable().
  std::string receive(ByteStream& stream, size_t wanted) {
    std::string all;
    std::array<char, 4096> buffer;
    while (all.size() < wanted) {
      EXPECT_TRUE(test.run(stream.readable(scope)));
      const IoResult read = stream.try_read(buffer);
      state = read.state;
      all.append(buffer.data(), read.bytes);
      if (state == IoState::end || state == IoState::broken) break;
    }
    return all;
  }

  TestCore test;
  TestCertificate certificate{temporary_name("one")};
  std::shared_ptr<TlsServerContext> server_context = *TlsServerContext::load(certificate.files());
  std::shared_ptr<TlsClientContext> client_context = *TlsClientContext::make(certificate.files().certificate);
  Scope scope{test.core};
  Secured server;
  Secured client;
  MemoryStream* below_client = nullptr;
  MemoryStream* below_server = nullptr;
  IoState state = IoState::done;
};

TEST_F(TlsTest, CarriesBytesBothWays) {
  connect();
  EXPECT_EQ(server_end().alpn(), "http/1.1");
  EXPECT_EQ(client_end().alpn(), "http/1.1");
  EXPECT_EQ(server_end().peer(), "127.0.0.1:1");
  const std::array<std::string_view, 4> pieces = {"one ", "", "two ", "three"};
  EXPECT_EQ(client_end().try_write(pieces).bytes, 13u);
  EXPECT_EQ(receive(server_end(), 13), "one two three");
  const std::array<std::string_view, 1> answer = {"answer"};
  EXPECT_EQ(server_end().try_write(answer).bytes, 6u);
  EXPECT_EQ(receive(client_end(), 6), "answer");
}

TEST_F(TlsTest, SendsPiecesInOneRecord) {
  connect();
  receive(server_end(), 0);
  const size_t before = below_client->unread_by_peer();
  const std::array<std::string_view, 4> pieces = {"one", "two", "three", "four"};
  client_end().try_write(pieces);
  // TLS 1.3: five bytes of header, one of type and 16 of tag around the 15 bytes.
  EXPECT_EQ(below_client->unread_by_peer() - before, 37u);
}

Task<void> send_all(Scope& scope, ByteStream& stream, std::string bytes) {
  const std::array<std::string_view, 3> pieces = {"head", bytes, "tail"};
  co_return co_await write_all(scope, stream, pieces);
}

TEST_F(TlsTest, CarriesMuchThroughASmallPipeInAnyCut) {
  connect(700);
  below_client->dribble(3);
  std::string bytes(200'000, '\0');
  for (size_t i = 0; i < bytes.size(); ++i) bytes[i] = static_cast<char>(i * 31);
  scope.spawn(send_all(scope, client_end(), bytes));
  EXPECT_EQ(receive(server_end(), bytes.size() + 8), "head" + bytes + "tail");
}

TEST_F(TlsTest, TellsAnOrderlyEndFromACut) {
  connect();
  client_end().close();
  receive(server_end(), 1);
  EXPECT_EQ(state, IoState::end);
  connect();
  below_client->cut_after(0);
  receive(server_end(), 1);
  EXPECT_EQ(state, IoState::broken);
}

TEST_F(TlsTest, OneSideMayEndWhileTheOtherGoesOn) {
  connect();
  client_end().end_sending();
  receive(server_end(), 1);
  EXPECT_EQ(state, IoState::end);
  const std::array<std::string_view, 1> answer = {"late answer"};
  EXPECT_EQ(server_end().try_write(answer).bytes, 11u);
  EXPECT_EQ(receive(client_end(), 11), "late answer");
  EXPECT_EQ(client_end().try_write(answer).state, IoState::broken);
}

TEST_F(TlsTest, TheWatchSeesAGoodbyeInsideTheEncryption) {
  connect();
  int hung_up = 0;
  server_end().watch_hangup([&hung_up] { ++hung_up; });
  test.settle();
  EXPECT_EQ(hung_up, 0);
  client_end().end_sending();
  test.settle();
  EXPECT_EQ(hung_up, 1);
}

TEST_F(TlsTest, TheWatchLeavesBytesToTheReader) {
  connect();
  int hung_up = 0;
  server_end().watch_hangup([&hung_up] { ++hung_up; });
  const std::array<std::string_view, 1> next = {"next request"};
  client_end().try_write(next);
  test.settle();
  EXPECT_EQ(hung_up, 0);
  EXPECT_EQ(receive(server_end(), 12), "next request");
}

TEST_F(TlsTest, TheWatchSeesAHangUpBehindBytes) {
  connect();
  int hung_up = 0;
  server_end().watch_hangup([&hung_up] { ++hung_up; });
  const std::array<std::string_view, 1> next = {"n"};
  client_end().try_write(next);
  test.settle();
  EXPECT_EQ(hung_up, 0);
  client_end().close();
  test.settle();
  EXPECT_EQ(hung_up, 1);
}

TEST_F(TlsTest, VerifiesTheChainAndTheName) {
  start("other.test");
  test.settle();
  ASSERT_TRUE(client && !*client);
  EXPECT_EQ(client->error().kind, ErrorKind::upstream_unreachable);
  EXPECT_THAT(client->error().detail, HasSubstr("hostname mismatch"));
  ASSERT_TRUE(server && !*server);
  EXPECT_EQ(server->error().kind, ErrorKind::bad_request);
  start("127.0.0.1");
  test.settle();
  EXPECT_TRUE(client && *client);
  start("127.0.0.2");
  test.settle();
  EXPECT_TRUE(client && !*client);
  const TestCertificate stranger(temporary_name("stranger"));
  client_context = *TlsClientContext::make(stranger.files().certificate);
  start();
  test.settle();
  ASSERT_TRUE(client && !*client);
  EXPECT_THAT(client->error().detail, HasSubstr("certificate"));
}

TEST_F(TlsTest, ReloadsItsCertificateWhileConnectionsGoOn) {
  connect();
  Secured old_server = std::move(server);
  Secured old_client = std::move(client);
  certificate.make();
  ASSERT_TRUE(server_context->reload());
  start();
  test.settle();
  EXPECT_TRUE(client && !*client) << "the old root does not know the new certificate";
  client_context = *TlsClientContext::make(certificate.files().certificate);
  connect();
  server = std::move(old_server);
  client = std::move(old_client);
  const std::array<std::string_view, 1> bytes = {"still here"};
  client_end().try_write(bytes);
  EXPECT_EQ(receive(server_end(), 10), "still here");
}

TEST_F(TlsTest, KeepsItsCertificateWhenTheFilesAreBad) {
  std::ofstream(certificate.files().key) << "nonsense";
  const Result<void> reloaded = server_context->reload();
  ASSERT_FALSE(reloaded);
  EXPECT_EQ(reloaded.error().kind, ErrorKind::bad_request);
  EXPECT_THAT(reloaded.error().message, HasSubstr(certificate.files().key));
  connect();
  const TestCertificate other(temporary_name("other"));
  EXPECT_FALSE(TlsServerContext::load({other.files().certificate, "/nonexistent"}));
  EXPECT_FALSE(TlsServerContext::load({"/nonexistent", other.files().key}));
  EXPECT_FALSE(TlsClientContext::make("/nonexistent"));
  EXPECT_TRUE(TlsClientContext::make());
}

TEST_F(TlsTest, AHandshakeEndsWithItsScopeAndWithThePeer) {
  MemoryStream::Pair ends = MemoryStream::pair(test.core);
  {
    Scope child(scope);
    child.set_deadline(child.now() + seconds(10));
    child.spawn(keep(tls_accept(child, std::move(ends.second), *server_context), server));
    test.pass(seconds(9));
    EXPECT_FALSE(server);
    test.pass(seconds(2));
    ASSERT_TRUE(server && !*server);
    EXPECT_EQ(server->error().kind, ErrorKind::timeout);
  }
  start();
  below_client->reset();
  test.settle();
  EXPECT_TRUE(server && !*server);
  EXPECT_TRUE(client && !*client);
}

TEST_F(TlsTest, RefusesWhatIsNoTls) {
  MemoryStream::Pair ends = MemoryStream::pair(test.core);
  const std::array<std::string_view, 1> request = {"GET / HTTP/1.1\r\n\r\n"};
  ends.first->try_write(request);
  scope.spawn(keep(tls_accept(scope, std::move(ends.second), *server_context), server));
  test.settle();
  ASSERT_TRUE(server && !*server);
  EXPECT_THAT(server->error().detail, HasSubstr("http request"));
}

// A raw OpenSSL client with settings of its own, over two memory BIOs; gives whether the handshake succeeds.
struct RawClient {
  explicit RawClient(int max_version, std::string_view alpn) : context(SSL_CTX_new(TLS_client_method())) {
    SSL_CTX_set_max_proto_version(context, max_version);
    SSL_CTX_set_security_level(context, 0);
    ssl = SSL_new(context);
    if (!alpn.empty())
      SSL_set_alpn_protos(ssl, reinterpret_cast<const unsigned char*>(alpn.data()),
                          static_cast<unsigned>(alpn.size()));
    SSL_set_bio(ssl, BIO_new(BIO_s_mem()), BIO_new(BIO_s_mem()));
    SSL_set_connect_state(ssl);
  }
  ~RawClient() {
    SSL_free(ssl);
    SSL_CTX_free(context);
  }

  bool shake(TestCore& test, MemoryStream& stream) const {
    for (int round = 0; round < 10; ++round) {
      if (SSL_do_handshake(ssl) == 1) return true;
      std::array<char, 16384> buffer;
      const int out = BIO_read(SSL_get_wbio(ssl), buffer.data(), static_cast<int>(buffer.size()));
      const std::array<std::string_view, 1> pieces = {
          std::string_view(buffer.data(), static_cast<size_t>(std::max(out, 0)))};
      stream.try_write(pieces);
      test.settle();
      const IoResult in = stream.try_read(buffer);
      if (in.bytes > 0) BIO_write(SSL_get_rbio(ssl), buffer.data(), static_cast<int>(in.bytes));
    }
    return false;
  }
  std::string alpn() const {
    const unsigned char* name = nullptr;
    unsigned size = 0;
    SSL_get0_alpn_selected(ssl, &name, &size);
    return {reinterpret_cast<const char*>(name), size};
  }

  SSL_CTX* context;
  SSL* ssl = nullptr;
};

struct TlsNegotiationTest : TlsTest {
  bool shake(const RawClient& raw, const TlsServerContext& context) {
    MemoryStream::Pair ends = MemoryStream::pair(test.core);
    server.reset();
    scope.spawn(keep(tls_accept(scope, std::move(ends.second), context), server));
    const bool is_done = raw.shake(test, *ends.first);
    ends.first->close();
    test.settle();
    return is_done;
  }
};

TEST_F(TlsNegotiationTest, SpeaksTls12AndNothingOlder) {
  EXPECT_TRUE(shake(RawClient(TLS1_3_VERSION, ""), *server_context));
  EXPECT_TRUE(shake(RawClient(TLS1_2_VERSION, ""), *server_context));
  EXPECT_FALSE(shake(RawClient(TLS1_1_VERSION, ""), *server_context));
}

TEST_F(TlsNegotiationTest, PrefersHttp2WhereItIsOffered) {
  const auto without = *TlsServerContext::load(certificate.files(), false);
  const RawClient both(TLS1_3_VERSION, "\x08http/1.1\x02h2");
  EXPECT_TRUE(shake(both, *server_context));
  EXPECT_EQ(both.alpn(), "h2");
  const RawClient again(TLS1_3_VERSION, "\x08http/1.1\x02h2");
  EXPECT_TRUE(shake(again, *without));
  EXPECT_EQ(again.alpn(), "http/1.1");
  EXPECT_FALSE(shake(RawClient(TLS1_3_VERSION, "\x04smtp"), *server_context));
}

struct TlsServiceTest : TlsTest {
  TlsServiceTest() { settings.tls = server_context; }
  ~TlsServiceTest() override {
    bool is_stopped = false;
    service.stop(seconds(0), [&is_stopped] { is_stopped = true; });
    test.pass(seconds(1));
    EXPECT_TRUE(is_stopped);
  }
  void join() {
    MemoryStream::Pair ends = MemoryStream::pair(test.core);
    below_client = ends.first.get();
    service.serve(std::move(ends.second));
    scope.spawn(keep(tls_connect(scope, std::move(ends.first), *client_context, "weir.test"), client));
    test.settle();
    ASSERT_TRUE(client && *client);
  }
  void ask(std::string_view path) {
    const std::array<std::string_view, 3> pieces = {"GET ", path, " HTTP/1.1\r\nhost: weir.test\r\n\r\n"};
    client_end().try_write(pieces);
    test.settle();
  }

  TestHandler handler;
  HttpServerSettings settings;
  HttpResources resources;
  HttpService service{test.core, settings, resources, handler};
};

TEST_F(TlsServiceTest, ServesRequestsAndKeepsTheConnection) {
  join();
  for (int i = 0; i < 2; ++i) {
    ask("/hello");
    EXPECT_THAT(receive(client_end(), 90), testing::EndsWith("\r\n\r\nhello\n"));
    EXPECT_TRUE(handler.last.is_tls);
  }
  EXPECT_EQ(service.counters().connections_accepted.get(), 1);
}

TEST_F(TlsServiceTest, AGoodbyeDuringARequestCancelsIt) {
  join();
  ask("/slow");
  EXPECT_EQ(handler.active, 1);
  client_end().end_sending();
  test.settle();
  EXPECT_EQ(handler.active, 0);
  EXPECT_THAT(handler.cancelled, testing::ElementsAre("the client hung up"));
}

TEST_F(TlsServiceTest, AHandshakeThatFailsOrStallsEndsTheConnection) {
  MemoryStream::Pair plain = MemoryStream::pair(test.core);
  MemoryStream::Pair silent = MemoryStream::pair(test.core);
  service.serve(std::move(plain.second));
  service.serve(std::move(silent.second));
  const std::array<std::string_view, 1> request = {"GET / HTTP/1.1\r\nhost: a\r\n\r\n"};
  plain.first->try_write(request);
  test.settle();
  EXPECT_EQ(service.counters().connections_open.get(), 1);
  EXPECT_EQ(service.counters().handshakes_failed.get(), 1);
  test.pass(seconds(11));
  EXPECT_EQ(service.counters().connections_open.get(), 0);
  EXPECT_EQ(service.counters().handshakes_failed.get(), 2);
  EXPECT_EQ(handler.calls, 0);
}

}  // namespace
}  // namespace weir
