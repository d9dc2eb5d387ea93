// A whole Weir between an SDK that signs its requests and a provider that wants fetched tokens.
#include <filesystem>
#include <fstream>
#include <gtest/gtest.h>
#include <latch>
#include <unistd.h>

#include "app/loadgen.h"
#include "app/server.h"
#include "base/crypto.h"
#include "base/json.h"
#include "base/sigv4.h"
#include "security/authenticate.h"

namespace weir {
namespace {

constexpr std::string_view kAnswer =
    R"({"id":"c1","object":"chat.completion","created":1,"model":"m","choices":[{"index":0,"finish_reason":"stop",)"
    R"("message":{"role":"assistant","content":"hello"}}],)"
    R"("usage":{"prompt_tokens":1,"completion_tokens":1,"total_tokens":2}})";

constexpr std::string_view kVertexPath =
    "/v1/projects/p/locations/l/publishers/anthropic/models/claude-opus@1:rawPredict";
constexpr std::string_view kVertexBody =
    R"({"anthropic_version":"vertex-2023-10-16","max_tokens":9,"messages":[{"role":"user","content":"hi"}]})";
constexpr std::string_view kVertexAnswer =
    R"({"id":"msg_1","type":"message","role":"assistant","model":"claude-opus","content":[{"type":"text",)"
    R"("text":"hello"}],"stop_reason":"end_turn","stop_sequence":null,"usage":{"input_tokens":1,"output_tokens":1}})";

// A token endpoint and a provider that takes its newest token alone.
class FakeCloud final : public HttpHandler {
 public:
  Task<void> handle(Scope& scope, HttpRequest& request, BodyReader& body, ResponseWriter& response) override {
    const std::string text = CO_TRY(co_await body.read_all(scope, 2 * kAnonymousBodyBytesMax));
    if (request.path() == "/token") {
      const std::string token =
          fmt::format(R"({{"access_token":"token-{}","expires_in":3600}})", tokens.fetch_add(1) + 1);
      co_return co_await response.send(scope, 200, {{"content-type", "application/json"}}, token);
    }
    const bool is_welcome =
        request.headers.get_or("authorization", "") == fmt::format("Bearer token-{}", tokens.load());
    if (is_welcome) calls.fetch_add(1);
    const bool is_vertex = request.path() == kVertexPath && text == kVertexBody;
    const std::string_view answer = is_vertex ? kVertexAnswer : kAnswer;
    co_return co_await response.send(scope, is_welcome ? 200 : 401, {{"content-type", "application/json"}},
                                     is_welcome ? answer : R"({"error":{"message":"who are you"}})");
  }

  std::atomic<int> tokens = 0;
  std::atomic<int> calls = 0;
};

class ServerCredentials : public testing::Test {
 protected:
  static constexpr std::string_view kId = "WKIATESTTESTTESTTEST";
  static constexpr std::string_view kSecret = "the secret of the pair";

  void SetUp() override {
    cores_.start();
    ASSERT_TRUE(cloud_server_.start());
    const std::string cloud = "http://" + cloud_server_.address();
    write("google.json", fmt::format(R"({{"type":"authorized_user","client_id":"c","client_secret":"s",)"
                                     R"("refresh_token":"r","token_uri":"{}/token"}})",
                                     cloud));
    write("secret", kSecret);
    write("weir.yaml",
          fmt::format(
              "server: {{listen: \"127.0.0.1:0\", admin_listen: \"127.0.0.1:0\", threads: 2, "
              "access_log: \"off\", data_dir: \"{}\"}}\n"
              "keys: [{{name: sdk, access_key_id: {}, file: \"{}\"}}]\n"
              "providers:\n"
              "  - {{name: cloud, kind: custom, base_url: \"{}/v1\", auth: google, "
              "credentials: {{file: \"{}\"}}}}\n"
              "  - {{name: vertex, kind: vertex_anthropic, base_url: \"{}/v1/projects/p/locations/l\", "
              "credentials: {{file: \"{}\"}}}}\n",
              path("data"), kId, path("secret"), cloud, path("google.json"), cloud, path("google.json")));
    server_ = std::make_unique<Server>(load_config(path("weir.yaml")).value(), path("weir.yaml"));
    const Result<void> started = server_->start();
    ASSERT_TRUE(started) << started.error().message;
  }
  void TearDown() override {
    server_->stop();
    cloud_server_.stop(std::chrono::seconds(0));
    for (const char* name : {"google.json", "secret", "weir.yaml"}) unlink(path(name).c_str());
    std::filesystem::remove_all(path("data"));
  }

  static std::string path(std::string_view name) {
    return fmt::format("{}credentials_test.{}.{}", testing::TempDir(), getpid(), name);
  }
  static void write(std::string_view name, std::string_view text) { std::ofstream(path(name)) << text; }

  static std::string signed_request(std::string_view secret, bool sends_hash, size_t padding = 0) {
    return signed_request(
        "/v1/chat/completions",
        R"({"model":"cloud/m","messages":[{"role":"user","content":"hi"}]})" + std::string(padding, ' '),
        secret, sends_hash);
  }
  // Signed as an SDK does it, over this body.
  static std::string signed_request(std::string_view target, const std::string& body, std::string_view secret,
                                    bool sends_hash) {
    const std::string hash = sha256_hex(body);
    const SigV4Request wire{.method = "POST",
                            .path = target,
                            .query = "",
                            .headers = {{"host", "localhost"}, {"content-type", "application/json"}},
                            .body_hash = hash};
    const SigV4Signed made =
        sigv4_sign_headers(wire,
                           {.access_key_id = std::string(kId),
                            .secret_access_key = Secret::copy_of(secret),
                            .session_token = {}},
                           {.region = "us-east-1",
                            .service = "bedrock",
                            .unix_seconds = SystemClock::instance().wall_ns() / 1'000'000'000,
                            .adds_body_hash = sends_hash});
    std::string text =
        fmt::format("POST {} HTTP/1.1\r\nhost: localhost\r\ncontent-type: application/json\r\n", target);
    for (const SigV4Addition& header : made.headers)
      text += fmt::format("{}: {}\r\n", header.name, header.value);
    return text + fmt::format("content-length: {}\r\n\r\n{}", body.size(), body);
  }
  LoadReport run(std::string request, uint64_t count) const {
    LoadPlan plan;
    plan.address = resolve_load_address(parse_url(server_->url())->origin).value();
    plan.request = std::move(request);
    plan.connections_max = 4;
    plan.requests_max = count;
    return run_load(plan).value();
  }

  FakeCloud cloud_;
  Cores cores_{1, SystemClock::instance(), 1};
  HttpResources resources_;
  HttpServer cloud_server_{cores_, HttpServerSettings{}, resources_,
                           [this](Core&) -> HttpHandler& { return cloud_; }};
  std::unique_ptr<Server> server_;
};

TEST_F(ServerCredentials, ManySignedCallsOnTwoCoresFetchOneToken) {
  for (const bool sends_hash : {true, false}) {
    const LoadReport report = run(signed_request(kSecret, sends_hash), 40);
    EXPECT_TRUE(report.errors.empty()) << report.errors.begin()->first;
  }
  EXPECT_EQ(cloud_.calls, 80);
  EXPECT_EQ(cloud_.tokens, 1);
  EXPECT_NE(server_->metrics().prometheus_text().find("weir_credential_fetches_total{outcome=\"fetched\"} 1"),
            std::string::npos);
}

TEST_F(ServerCredentials, ALargeBodyNeedsItsHashInTheHead) {
  const LoadReport known = run(signed_request(kSecret, true, kAnonymousBodyBytesMax), 1);
  EXPECT_TRUE(known.errors.empty()) << known.errors.begin()->first;
  const LoadReport unknown = run(signed_request(kSecret, false, kAnonymousBodyBytesMax), 1);
  EXPECT_EQ(unknown.errors.count("status_413"), 1u);
  EXPECT_EQ(cloud_.calls, 1);
}

// The fake answers as Anthropic only where path and body are Vertex AI's.
TEST_F(ServerCredentials, ClaudeOnVertexIsCalledByItsPathWithAToken) {
  const std::string body =
      R"({"model":"vertex/claude-opus@1","max_tokens":9,"messages":[{"role":"user","content":"hi"}]})";
  const LoadReport report = run(signed_request("/v1/messages", body, kSecret, true), 1);
  EXPECT_TRUE(report.errors.empty()) << report.errors.begin()->first;
  EXPECT_EQ(report.body_bytes, kVertexAnswer.size()) << "by the raw way";
  EXPECT_EQ(cloud_.calls, 1);
}

TEST_F(ServerCredentials, AWrongSignatureReachesNobody) {
  for (const bool sends_hash : {true, false}) {
    EXPECT_FALSE(run(signed_request("another secret", sends_hash), 1).errors.empty());
  }
  EXPECT_EQ(cloud_.calls, 0);
  EXPECT_EQ(cloud_.tokens, 0);
}

}  // namespace
}  // namespace weir
