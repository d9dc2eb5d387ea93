// A handler with one path per behaviour, shared by the tests and fuzzers of the two protocols.
#pragma once

#include <charconv>
#include <stdexcept>
#include <string>
#include <vector>

#include "io/http.h"
#include "io/scope.h"

namespace weir {

class TestHandler final : public HttpHandler {
 public:
  Task<void> handle(Scope& scope, HttpRequest& request, BodyReader& body, ResponseWriter& response) override {
    ++calls;
    const Running running(active);
    last = request;
    Result<void> result = co_await route(scope, request, body, response);
    if (scope.is_cancelled()) cancelled.push_back(scope.reason().message);
    if (!result) errors.push_back(result.error().kind);
    taken.push_back(response.bytes_taken());
    co_return result;
  }

  ErrorAnswer refuse(const Error& error, const HttpRequest& request) override {
    refused.push_back(request.method + " " + request.target.substr(0, 10));
    return plain_error_answer(error);
  }

  int calls = 0;
  int active = 0;
  HttpRequest last;
  std::vector<std::string> cancelled;  // why the scopes of requests were cancelled
  std::vector<ErrorKind> errors;       // what handlers returned
  std::vector<uint64_t> taken;         // bytes of the bodies of answers
  std::vector<std::string> refused;    // methods and the first ten characters of targets
  size_t body_bytes_max = 1'000'000;

 private:
  // Counts down also when a path throws.
  struct Running {
    explicit Running(int& its_count) : count(its_count) { ++count; }
    ~Running() { --count; }
    int& count;
  };

  Task<void> route(Scope& scope, HttpRequest& request, BodyReader& body, ResponseWriter& response) {
    const std::string_view path = request.path();
    if (path == "/echo") co_return co_await echo(scope, body, response);
    if (path == "/outlasting") co_return co_await outlast(scope, body, response);
    if (path == "/pieces") co_return co_await pieces(scope, body, response);
    if (path == "/stream") co_return co_await stream(scope, response, {});
    if (path == "/sized") co_return co_await stream(scope, response, {{"content-length", "12"}});
    if (path == "/last") co_return co_await stream(scope, response, {}, "last");
    if (path == "/sized-last") co_return co_await stream(scope, response, {{"content-length", "16"}}, "last");
    if (path == "/oversized") co_return co_await stream(scope, response, {{"content-length", "5"}});
    if (path == "/big") co_return co_await big(scope, request, response);
    if (path == "/told") co_return co_await tell_of_deadline(scope, request, response);
    if (path == "/endless") co_return co_await endless(scope, response);
    if (path == "/fail") co_return fail(ErrorKind::not_found, "nothing here");
    if (path == "/busy") co_return busy();
    if (path == "/throw") throw std::runtime_error("a bug");
    if (path == "/silent") co_return {};
    if (path == "/empty") co_return co_await response.send(scope, 204, {}, "");
    if (path == "/slow") {
      CO_TRY(co_await scope.sleep(std::chrono::seconds(5)));
    } else if (path == "/half") {
      CO_TRY(co_await response.start(scope, 200, {}));
      CO_TRY(co_await response.write(scope, "half"));
      co_return fail(ErrorKind::upstream_truncated, "cut");
    } else if (path == "/late") {
      scope.set_deadline(scope.now() + std::chrono::seconds(1));
      CO_TRY(co_await scope.sleep(std::chrono::seconds(5)));
    }
    co_return co_await response.send(scope, 200, {{"x-test", "yes"}}, "hello\n");
  }

  Task<void> echo(Scope& scope, BodyReader& body, ResponseWriter& response) {
    const std::string bytes = CO_TRY(co_await body.read_all(scope, body_bytes_max));
    co_return co_await response.send(scope, 200, {}, bytes);
  }

  // Reads in a scope that goes on when the client is gone.
  static Task<void> outlast(Scope& scope, BodyReader& body, ResponseWriter& response) {
    Scope inner(scope);
    inner.outlast_hangup(std::chrono::hours(1));
    co_return co_await pieces(inner, body, response);
  }

  static Task<void> pieces(Scope& scope, BodyReader& body, ResponseWriter& response) {
    std::string text;
    std::array<char, 7> buffer;
    while (const size_t count = CO_TRY(co_await body.read_some(scope, buffer))) {
      text.append(buffer.data(), count);
    }
    co_return co_await response.send(scope, 200, {}, text);
  }

  static Task<void> stream(Scope& scope, ResponseWriter& response, Headers headers,
                           std::string_view last = {}) {
    CO_TRY(co_await response.start(scope, 200, headers));
    for (const std::string_view word : {"one ", "two ", "four"}) CO_TRY(co_await response.write(scope, word));
    co_return co_await response.finish(scope, last);
  }

  // Its deadline passes, and it says so at length.
  static Task<void> tell_of_deadline(Scope& scope, const HttpRequest& request, ResponseWriter& response) {
    scope.set_deadline(scope.now() + std::chrono::seconds(1));
    (void)co_await scope.sleep(std::chrono::seconds(5));
    co_return co_await big(scope, request, response, 504);
  }

  static Task<void> big(Scope& scope, const HttpRequest& request, ResponseWriter& response,
                        int status = 200) {
    size_t size = 0;
    const std::string_view query = request.query();
    std::from_chars(query.data(), query.data() + query.size(), size);
    const std::string bytes(std::min<size_t>(size, 64 * 1024 * 1024), 'x');
    co_return co_await response.send(scope, status, {}, bytes);
  }

  Task<void> endless(Scope& scope, ResponseWriter& response) {
    const std::string bytes(1000, 'y');
    CO_TRY(co_await response.start(scope, 200, {}));
    for (;;) {
      CO_TRY(co_await response.write(scope, bytes));
      endless_bytes += bytes.size();
    }
  }

  static Result<void> busy() {
    Error error = make_error(ErrorKind::overloaded, "come back later");
    error.retry_after_ms = 1500;
    return fail(std::move(error));
  }

 public:
  size_t endless_bytes = 0;
};

}  // namespace weir
