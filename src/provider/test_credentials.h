// For tests of credentials: a server in place of STS, metadata servers and token endpoints, and a core on
// simulated time.
#pragma once

#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <functional>
#include <gtest/gtest.h>
#include <thread>
#include <unistd.h>

#include "io/http.h"
#include "io/pool.h"
#include "io/test_core.h"
#include "provider/credential.h"
#include "provider/credentials.h"

namespace weir::test {

struct SeenRequest {
  std::string method;
  std::string url;
  std::string body;
  Headers headers;
};
struct FakeReply {
  int status = 200;  // 0: the server cannot be reached
  std::string body = {};
  Headers headers = {};  // beside those of each answer
  Duration takes = {};   // beside that of each answer
};

class FakeServer final : public HttpClient {
 public:
  std::function<FakeReply(const SeenRequest&)> answer;
  Duration connects{};       // before each request is sent
  Duration takes{};          // each answer
  Duration stalls{};         // each body, between its first byte and the rest
  bool loses_first = false;  // the first request, to a pooled connection that ends after `takes`
  Headers reply_headers;     // of each answer
  std::vector<SeenRequest> seen;

  Task<std::unique_ptr<ClientResponse>> send(Scope& scope, const ClientRequest& request) override {
    if (connects > Duration::zero()) CO_TRY(co_await scope.sleep(connects));
    seen.push_back({.method = std::string(request.method),
                    .url = to_string(request.origin) + std::string(request.target),
                    .body = std::string(request.body),
                    .headers = *request.headers});
    if (std::exchange(loses_first, false)) {
      if (request.on_sent) request.on_sent();
      CO_TRY(co_await scope.sleep(takes));
      if (request.on_lost) request.on_lost();
      CO_TRY(co_await scope.sleep(connects));
    }
    if (request.on_sent) request.on_sent();
    if (takes > Duration::zero()) CO_TRY(co_await scope.sleep(takes));
    FakeReply reply = answer(seen.back());
    if (reply.takes > Duration::zero()) CO_TRY(co_await scope.sleep(reply.takes));
    if (reply.status == 0) co_return fail(ErrorKind::upstream_unreachable, "connection refused");
    auto response = std::make_unique<Response>(std::move(reply.body), stalls);
    response->status = reply.status;
    response->headers = reply_headers;
    for (const HeaderField field : reply.headers) response->headers.add(field.name, field.value);
    co_return std::unique_ptr<ClientResponse>(std::move(response));
  }

 private:
  class Response final : public ClientResponse {
   public:
    Response(std::string body, Duration stalls) : body_(std::move(body)), stalls_(stalls) {}
    Result<std::optional<std::string_view>> take() override {
      if (at_ == 1 && !has_stalled_) return std::nullopt;
      const size_t from = std::exchange(at_, stalls_ > Duration::zero() && at_ == 0 ? 1 : body_.size());
      return std::string_view(body_).substr(from, at_ - from);
    }
    Task<void> wait(Scope& scope) override {
      has_stalled_ = true;
      return scope.sleep(stalls_);
    }
    bool is_complete() const override { return at_ == body_.size(); }

   private:
    const std::string body_;
    const Duration stalls_;
    size_t at_ = 0;
    bool has_stalled_ = false;
  };
};

// Files of a test, in a directory of its own.
class TestFiles {
 public:
  TestFiles() {
    std::string name = (std::filesystem::temp_directory_path() / "weir-credentials-XXXXXX").string();
    directory_ = mkdtemp(name.data());
  }
  ~TestFiles() { std::filesystem::remove_all(directory_); }
  TestFiles(const TestFiles&) = delete;
  TestFiles& operator=(const TestFiles&) = delete;

  std::string write(const std::string& name, std::string_view text) const {
    const std::filesystem::path path = std::filesystem::path(directory_) / name;
    std::filesystem::create_directories(path.parent_path());
    std::ofstream(path) << text;
    return path.string();
  }
  const std::string& directory() const { return directory_; }

 private:
  std::string directory_;
};

class CredentialTest : public testing::Test {
 protected:
  using Environment = std::map<std::string, std::string>;

  template <class T>
  static Task<void> keep(Task<T> task, std::optional<Result<T>>& result) {
    result = co_await std::move(task);
    co_return {};
  }

  // Jobs of the pool come back from another thread, so this waits for real; time stands still.
  template <class T>
  Result<T> run(Task<T> task) {
    std::optional<Result<T>> result;
    Scope scope(core_.core);
    scope.spawn(keep(std::move(task), result));
    while (!result) {
      core_.settle();
      std::this_thread::yield();
    }
    return std::move(*result);
  }

  Result<Credential> fetch(const ChosenSource& chosen) {
    Scope scope(core_.core);
    return run(
        chosen.source->fetch(scope, {.client = server_, .files = files_pool_, .clock = core_.core.clock()}));
  }
  int64_t now_s() const { return core_.clock.wall_ns() / 1'000'000'000; }

  TestCore core_;
  FakeServer server_;
  Pool files_pool_{"files", 1, 8};
  TestFiles files_;
};

}  // namespace weir::test
