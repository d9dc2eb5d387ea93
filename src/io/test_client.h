// For tests of HTTP clients: connections in memory whose other end the test plays, or any client on a core of
// simulated time.
#pragma once

#include <gtest/gtest.h>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "io/http_client.h"
#include "io/memory_stream.h"
#include "io/test_core.h"

namespace weir::test {

// Counts what would be system calls.
class CountingStream final : public ByteStream {
 public:
  struct Counts {
    int reads = 0;
    int writes = 0;
  };
  CountingStream(std::unique_ptr<ByteStream> below, Counts& counts)
      : below_(std::move(below)), counts_(counts) {}
  IoResult try_read(std::span<char> buffer) override {
    ++counts_.reads;
    return below_->try_read(buffer);
  }
  IoResult try_write(std::span<const std::string_view> pieces) override {
    ++counts_.writes;
    return below_->try_write(pieces);
  }
  Task<void> readable(Scope& scope) override { return below_->readable(scope); }
  Task<void> writable(Scope& scope) override { return below_->writable(scope); }
  void watch_hangup(std::function<void()> on_hangup) override { below_->watch_hangup(std::move(on_hangup)); }
  void watch_input(std::function<void()> on_input) override { below_->watch_input(std::move(on_input)); }
  void end_sending() override { below_->end_sending(); }
  void close() override { below_->close(); }
  bool is_open() const override { return below_->is_open(); }
  const std::string& peer() const override { return below_->peer(); }

 private:
  std::unique_ptr<ByteStream> below_;
  Counts& counts_;
};

// Every connect makes a pair; the test is the server.
class MemoryConnector final : public Connector {
 public:
  explicit MemoryConnector(Core& core) : core_(core) {}
  Task<std::unique_ptr<ByteStream>> connect(Scope&, Origin origin) override {
    if (origin.host == "refused") co_return fail(ErrorKind::upstream_unreachable, "refused");
    MemoryStream::Pair pair = MemoryStream::pair(core_);
    servers.push_back(std::move(pair.second));
    co_return std::make_unique<CountingStream>(std::move(pair.first), counts);
  }
  std::vector<std::unique_ptr<MemoryStream>> servers;
  CountingStream::Counts counts;

 private:
  Core& core_;
};

class ClientTest : public ::testing::Test {
 protected:
  using Answer = Result<std::unique_ptr<ClientResponse>>;

  explicit ClientTest(HttpClientOptions options = {}) {
    auto connector = std::make_unique<MemoryConnector>(test_.core);
    connector_ = connector.get();
    client_ = std::make_unique<PooledHttpClient>(test_.core, std::move(connector), options);
  }

  // Starts a request; its answer lands in `answer`.
  void start(std::optional<Answer>& answer, std::string_view body = "{}", std::string_view method = "POST",
             std::string host = "api.test") {
    requests_.push_back(std::make_unique<ClientRequest>(
        ClientRequest{.origin = {.host = std::move(host), .port = 80, .is_tls = false},
                      .method = method,
                      .target = "/v1",
                      .headers = &headers_,
                      .body = body}));
    scope_.spawn(keep(*client_, scope_, *requests_.back(), answer));
    test_.settle();
  }
  // Plays the server of a connection.
  void say(size_t server, std::string_view text) {
    const std::string_view pieces[] = {text};
    EXPECT_EQ(connector_->servers.at(server)->try_write(pieces).bytes, text.size());
    test_.settle();
  }
  std::string heard(size_t server) {
    std::string text(64 * 1024, '\0');
    const IoResult received = connector_->servers.at(server)->try_read(text);
    text.resize(received.bytes);
    return text;
  }
  // One whole exchange on the connection that the client chooses.
  Answer exchange(size_t server, std::string_view reply, std::string_view method = "POST") {
    std::optional<Answer> answer;
    start(answer, "{}", method);
    EXPECT_NE(heard(server), "");
    say(server, reply);
    EXPECT_TRUE(answer);
    return answer ? std::move(*answer) : Answer(nullptr);
  }
  Result<std::string> body_of(ClientResponse& response) {
    return test_.run(read_all(scope_, response, 100 * kMiB));
  }
  Result<std::string> body_of(const Answer& answer) {
    if (!answer) return fail(answer.error());
    return body_of(**answer);
  }

  static Task<void> keep(HttpClient& client, Scope& scope, const ClientRequest& request,
                         std::optional<Answer>& answer) {
    answer = co_await client.send(scope, request);
    co_return {};
  }
  static Task<void> keep_piece(ClientResponse& response, Scope& scope,
                               std::optional<Result<std::string>>& result) {
    const Result<std::string_view> piece = co_await response.read(scope);
    result = piece ? Result<std::string>(std::string(*piece)) : fail(piece.error());
    co_return {};
  }

  TestCore test_;
  MemoryConnector* connector_ = nullptr;
  std::unique_ptr<PooledHttpClient> client_;
  Headers headers_ = {{"content-type", "application/json"}};
  std::vector<std::unique_ptr<ClientRequest>> requests_;
  Scope scope_{test_.core};
};

}  // namespace weir::test
