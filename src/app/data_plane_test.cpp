// The data plane of a whole Weir in this process, asked over a socket: what callers are told who ask for what
// there is not, or in a way that cannot be read.
#include <arpa/inet.h>
#include <filesystem>
#include <fstream>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <netinet/in.h>
#include <sstream>
#include <sys/socket.h>
#include <unistd.h>

#include "app/server.h"
#include "base/json.h"

namespace weir {
namespace {

using ::testing::AllOf;
using ::testing::HasSubstr;
using ::testing::Not;
using ::testing::StartsWith;

constexpr std::string_view kQuestion =
    R"("messages":[{"role":"user","content":"Who built it? Ann built it."}])";

class DataPlaneTest : public testing::Test {
 protected:
  void SetUp() override { start_with(""); }
  // With these lines of configuration more.
  void start_with(std::string_view yaml) {
    std::ofstream(path_) << fmt::format(
        "server: {{listen: \"127.0.0.1:0\", admin_listen: \"127.0.0.1:0\", threads: 1, access_log: "
        "\"{}\", data_dir: \"{}\"}}\n{}",
        log_, data_, yaml);
    server_ = std::make_unique<Server>(load_config(path_).value(), path_);
    const Result<void> started = server_->start();
    ASSERT_TRUE(started) << started.error().message;
  }
  void TearDown() override {
    server_->stop();
    unlink(path_.c_str());
    unlink(log_.c_str());
    std::filesystem::remove_all(data_);
  }

  enum class After : uint8_t { listens, half_closes };
  // Everything that the server says to these bytes until it closes.
  std::string say(std::string_view bytes, After after = After::listens) const {
    return say_to(server_->url(), bytes, after);
  }
  static std::string say_to(const std::string& url, std::string_view bytes, After after = After::listens) {
    const int port = parse_url(url)->origin.port;
    const int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    sockaddr_in address{};
    address.sin_family = AF_INET;
    address.sin_port = htons(static_cast<uint16_t>(port));
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    EXPECT_EQ(connect(fd, reinterpret_cast<const sockaddr*>(&address), sizeof address), 0);
    EXPECT_EQ(send(fd, bytes.data(), bytes.size(), MSG_NOSIGNAL), static_cast<ssize_t>(bytes.size()));
    if (after == After::half_closes) shutdown(fd, SHUT_WR);
    std::string answer;
    char buffer[4096];
    for (ssize_t count = 0; (count = recv(fd, buffer, sizeof buffer, 0)) > 0;)
      answer.append(buffer, static_cast<size_t>(count));
    close(fd);
    return answer;
  }
  std::string get(std::string_view path, std::string_view headers = "") const {
    return say(
        fmt::format("GET {} HTTP/1.1\r\nhost: localhost\r\nconnection: close\r\n{}\r\n", path, headers));
  }
  std::string get_of_admin(std::string_view path) const {
    return say_to(server_->admin_url(),
                  fmt::format("GET {} HTTP/1.1\r\nhost: localhost\r\nconnection: close\r\n\r\n", path));
  }
  std::string post(std::string_view path, std::string_view body, std::string_view headers = "") const {
    return say(
        fmt::format("POST {} HTTP/1.1\r\nhost: localhost\r\nconnection: close\r\n"
                    "content-type: application/json\r\ncontent-length: {}\r\n{}\r\n{}",
                    path, body.size(), headers, body));
  }
  std::string chat(std::string_view members, std::string_view headers = "") const {
    return post("/v1/chat/completions", fmt::format(R"({{"model":"weir/extract",{}{}}})", members, kQuestion),
                headers);
  }
  // Stops the server, which writes out what is logged.
  std::string log() {
    server_->stop();
    std::ifstream in(log_);
    return {std::istreambuf_iterator<char>(in), std::istreambuf_iterator<char>()};
  }

  const std::string path_ = testing::TempDir() + "data_plane_test." + std::to_string(getpid()) + ".yaml";
  const std::string log_ = path_ + ".log";
  const std::string data_ = path_ + ".data";
  std::unique_ptr<Server> server_;
};

TEST_F(DataPlaneTest, WishesThatCannotBeReadAreRefused) {
  for (const char* header : {"x-weir-strict: maybe", "x-weir-timeout-ms: abc", "x-weir-timeout-ms: 0",
                             "x-weir-choices: foo", "x-weir-priority: high"}) {
    const std::string name(header, std::string_view(header).find(':'));
    EXPECT_THAT(chat("", fmt::format("{}\r\n", header)),
                AllOf(StartsWith("HTTP/1.1 400 "), HasSubstr(name + " is")))
        << header;
  }
  for (const char* header : {"x-weir-strict: 0", "X-Weir-Strict: false", "x-weir-timeout-ms: 20000",
                             "x-weir-choices: fanout", "x-stainless-timeout: NOT_GIVEN"}) {
    EXPECT_THAT(chat("", fmt::format("{}\r\n", header)), StartsWith("HTTP/1.1 200 ")) << header;
  }
}

TEST_F(DataPlaneTest, StrictIsSaidInMoreThanOneWay) {
  for (const char* yes : {"1", "true", "Yes"}) {
    EXPECT_THAT(chat(R"("logit_bias":{"1":1},)", fmt::format("x-weir-strict: {}\r\n", yes)),
                AllOf(StartsWith("HTTP/1.1 400 "), HasSubstr("/logit_bias")))
        << yes;
  }
}

TEST_F(DataPlaneTest, WhatTheBuiltInModelDoesNotLookAtIsReported) {
  EXPECT_THAT(chat(R"("temperature":0.5,"seed":1,)"),
              AllOf(StartsWith("HTTP/1.1 200 "), HasSubstr("x-weir-fidelity: "), HasSubstr("/temperature"),
                    HasSubstr("/seed"), HasSubstr("x-weir-attempts: 0")));
  EXPECT_THAT(chat(R"("n":2,)"), AllOf(StartsWith("HTTP/1.1 400 "), HasSubstr("n must be 1")));
  EXPECT_THAT(chat(""), AllOf(StartsWith("HTTP/1.1 200 "), Not(HasSubstr("x-weir-fidelity"))));
}

TEST_F(DataPlaneTest, EveryAnswerHasAnId) {
  for (const char* path : {"/v1/models", "/v1/models/weir%2Fextract", "/v1/capabilities", "/v1/nothing"})
    EXPECT_THAT(get(path), HasSubstr("x-request-id: req_")) << path;
  EXPECT_THAT(get("/v1/models", "anthropic-version: 2023-06-01\r\n"), HasSubstr("\r\nrequest-id: req_"));
}

TEST_F(DataPlaneTest, WhatIsNoModelCallIsLoggedAndCounted) {
  get("/v1/nothing?secret=1");
  get("/v1/chat/completions");
  get("/v1/models");
  get("/healthz");
  const std::string metrics = server_->metrics().prometheus_text();
  EXPECT_THAT(metrics,
              HasSubstr(R"({route="none",status_class="4xx",error_type="not_found",blame="caller"} 1)"));
  EXPECT_THAT(
      metrics,
      HasSubstr(R"({route="none",status_class="4xx",error_type="method_not_allowed",blame="caller"} 1)"));
  EXPECT_THAT(metrics, HasSubstr(R"({route="none",status_class="2xx",error_type="none",blame="none"} 1)"));
  EXPECT_THAT(log(), AllOf(HasSubstr(R"("path":"/v1/nothing")"), HasSubstr(R"("path":"/v1/models")"),
                           Not(HasSubstr("secret")), Not(HasSubstr("healthz"))));
}

TEST_F(DataPlaneTest, ARequestWhoseBodyIsCutIsLoggedCountedAndAnsweredOnce) {
  const std::string answer =
      say("POST /v1/chat/completions HTTP/1.1\r\nhost: localhost\r\ncontent-type: application/json\r\n"
          "content-length: 500\r\n\r\n{",
          After::half_closes);
  EXPECT_THAT(answer, AllOf(StartsWith("HTTP/1.1 499 "), HasSubstr("x-weir-attempts: 0")));
  const std::string metrics = server_->metrics().prometheus_text();
  EXPECT_THAT(metrics,
              HasSubstr(R"({route="none",status_class="4xx",error_type="cancelled",blame="caller"} 1)"));
  EXPECT_THAT(metrics, HasSubstr("weir_client_abort_total 1\n"));
  const std::string lines = log();
  EXPECT_EQ(std::ranges::count(lines, '\n'), 1) << lines;
  const size_t id_at = answer.find("x-request-id: ") + 14;
  const std::string id = answer.substr(id_at, answer.find("\r\n", id_at) - id_at);
  EXPECT_THAT(lines, AllOf(HasSubstr(fmt::format(R"("request_id":"{}")", id)), HasSubstr(R"("status":499)"),
                           HasSubstr(R"("end_reason":"client_gone")")));
}

TEST_F(DataPlaneTest, TheAdminPlaneTellsOfAStoreThatCannotBeRead) {
  EXPECT_THAT(get_of_admin("/readyz"), HasSubstr(R"({"status":"ready","store":"ok"})"));
  EXPECT_THAT(get_of_admin("/admin/v1/status"), HasSubstr(R"("store":{"state":"ok"})"));
  server_->stop();
  std::filesystem::create_directories(data_);
  std::ofstream(data_ + "/weir.db") << std::string(10'000, '?');
  start_with("");
  EXPECT_THAT(get_of_admin("/readyz"),
              AllOf(StartsWith("HTTP/1.1 200 "), HasSubstr(R"({"status":"ready","store":"failing"})")));
  EXPECT_THAT(
      get_of_admin("/admin/v1/status"),
      AllOf(HasSubstr(R"("store":{"state":"failing","last_failure":")"), HasSubstr("not a database")));
}

TEST_F(DataPlaneTest, ConnectionsAreCountedByWhereTheyCameIn) {
  for (int i = 0; i < 2; ++i) get("/healthz");
  const std::string metrics = server_->metrics().prometheus_text();
  EXPECT_THAT(metrics, AllOf(HasSubstr("weir_connections_total{listener=\"data\",outcome=\"accepted\"} 2\n"),
                             HasSubstr("weir_connections_total{listener=\"data\",outcome=\"refused\"} 0\n"),
                             HasSubstr("weir_connections_total{listener=\"admin\",outcome=\"accepted\"} 0\n"),
                             HasSubstr("weir_connections_open{listener=\"data\"} "),
                             HasSubstr("weir_connections_open{listener=\"admin\"} 0\n")));
}

TEST_F(DataPlaneTest, WhatIsRefusedToAKnownCallerIsLoggedWithTheNameOfItsKey) {
  server_->stop();
  start_with(fmt::format("keys:\n  - {{name: team-a, hash: \"{}\"}}\n",
                         to_string(hash_api_key("wk_data_plane_test"))));
  const std::string_view authorization = "authorization: Bearer wk_data_plane_test\r\n";
  EXPECT_THAT(get("/v1/models/zzz", authorization), StartsWith("HTTP/1.1 404 "));
  EXPECT_THAT(get("/v1/responses/resp_zzz", authorization), StartsWith("HTTP/1.1 404 "));
  EXPECT_THAT(get("/v1/models"), StartsWith("HTTP/1.1 401 "));
  std::istringstream lines(log());
  std::string line;
  for (int i = 0; i < 2; ++i) {
    std::getline(lines, line);
    EXPECT_THAT(line, AllOf(HasSubstr(R"("key":"team-a")"), HasSubstr(R"("status":404)")));
  }
  std::getline(lines, line);
  EXPECT_THAT(line, AllOf(HasSubstr(R"("status":401)"), Not(HasSubstr(R"("key":)"))));
}

TEST_F(DataPlaneTest, WhatIsNoNameOfAModelIsRefusedAndNotRepeated) {
  const std::string endless(100'000, 'x');
  const std::string lengthy(1000, 'x');
  const auto refused = AllOf(StartsWith("HTTP/1.1 400 "), HasSubstr("model is a name of at most 256 bytes"),
                             Not(HasSubstr("x-weir-model")), Not(HasSubstr(std::string(100, 'x'))));
  for (const std::string& name : {endless, std::string(R"(weir/extract\n)"), std::string(R"(a\u0000b)")}) {
    const std::string body =
        fmt::format(R"({{"model":"{}","max_tokens":9,"input":"a",{}}})", name, kQuestion);
    for (const char* path : {"/v1/chat/completions", "/v1/messages", "/v1/embeddings"})
      EXPECT_THAT(post(path, body), refused) << path;
    EXPECT_THAT(post("/v1/responses", fmt::format(R"({{"model":"{}","input":"a"}})", name)), refused);
    EXPECT_THAT(post("/v1/moderations", fmt::format(R"({{"model":"{}","input":"a"}})", name)), refused);
  }
  const std::string turn = R"([{"role":"user","content":[{"text":"a"}]}])";
  const std::string contents = R"({"contents":[{"role":"user","parts":[{"text":"a"}]}]})";
  for (const std::string& name : {lengthy, std::string("a%0Ab"), std::string("a%FFb")}) {
    EXPECT_THAT(post(fmt::format("/model/{}/converse", name), fmt::format(R"({{"messages":{}}})", turn)),
                refused);
    EXPECT_THAT(post(fmt::format("/v1beta/models/{}:generateContent", name), contents), refused);
    EXPECT_THAT(get(fmt::format("/v1/models/{}", name)), refused);
    EXPECT_THAT(get(fmt::format("/v1/capabilities?model={}", name)), refused);
  }
  const std::string lines = log();
  EXPECT_EQ(std::ranges::count(lines, '\n'), 27);
  EXPECT_THAT(lines, AllOf(Not(HasSubstr(std::string(300, 'x'))), HasSubstr(R"("model":"")")));
}

TEST_F(DataPlaneTest, RefusedHeadsAreAnsweredInTheDialectOfTheirPath) {
  const std::string many = "GET /v1/messages HTTP/1.1\r\nhost: a\r\nx: " + std::string(70'000, 'a');
  EXPECT_THAT(say(many), AllOf(StartsWith("HTTP/1.1 431 "), HasSubstr(R"({"type":"error","error":{)"),
                               HasSubstr("x-request-id: req_"), HasSubstr("application/json")));
  const std::string lengthy = "POST /model/" + std::string(20'000, 'a') + "/converse HTTP/1.1\r\n";
  EXPECT_THAT(say(lengthy), AllOf(StartsWith("HTTP/1.1 414 "), HasSubstr("x-amzn-errortype"),
                                  HasSubstr("x-request-id: req_")));
}

TEST_F(DataPlaneTest, BedrocksClientsGetTheStatusThatFits) {
  EXPECT_THAT(get("/model/m/converse"),
              AllOf(StartsWith("HTTP/1.1 405 "), HasSubstr("allow: POST, OPTIONS")));
  EXPECT_THAT(post("/model/m/converse", "{}", "content-encoding: gzip\r\n"), StartsWith("HTTP/1.1 415 "));
  EXPECT_THAT(get("/v1beta/models/x:generateContent"),
              AllOf(StartsWith("HTTP/1.1 405 "), HasSubstr(R"("status":"INVALID_ARGUMENT")")));
}

}  // namespace
}  // namespace weir
