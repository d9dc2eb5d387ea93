#include "io/http_service.h"

#include <ctime>
#include <fmt/format.h>

#include "base/assert.h"
#include "base/log.h"
#include "io/http1_connection.h"
#include "io/http2_connection.h"
#include "io/succeeds.h"
#include "io/tls.h"

namespace weir {
namespace {

// IMF-fixdate (RFC 9110 section 5.6.7).
std::string http_date(int64_t second) {
  static constexpr std::array<const char*, 7> kDays = {"Sun", "Mon", "Tue", "Wed", "Thu", "Fri", "Sat"};
  static constexpr std::array<const char*, 12> kMonths = {"Jan", "Feb", "Mar", "Apr", "May", "Jun",
                                                          "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"};
  const auto time = static_cast<std::time_t>(second);
  std::tm utc{};
  gmtime_r(&time, &utc);
  return fmt::format("{}, {:02} {} {} {:02}:{:02}:{:02} GMT", kDays[static_cast<size_t>(utc.tm_wday)],
                     utc.tm_mday, kMonths[static_cast<size_t>(utc.tm_mon)], utc.tm_year + 1900, utc.tm_hour,
                     utc.tm_min, utc.tm_sec);
}

constexpr std::string_view kFullResponse =
    "HTTP/1.1 503 Service Unavailable\r\ncontent-type: text/plain; charset=utf-8\r\nretry-after: 1\r\n"
    "content-length: 37\r\nconnection: close\r\n\r\nthe server has too many connections\r\n";

}  // namespace

HttpService::HttpService(Core& core, const HttpServerSettings& settings, HttpResources& resources,
                         HttpHandler& handler)
    : core_(core),
      settings_(settings),
      resources_(resources),
      handler_(handler),
      root_(core),
      closing_(core) {}

HttpService::~HttpService() {
  WEIR_ASSERT(root_.running() == 0, "a service is stopped before it is destroyed");
}

void HttpService::serve(std::unique_ptr<ByteStream> stream) {
  if (is_draining_) return;
  if (resources_.connections.fetch_add(1, std::memory_order_relaxed) >= resources_.connections_max) {
    resources_.connections.fetch_sub(1, std::memory_order_relaxed);
    counters_.connections_refused.add(1);
    const std::array<std::string_view, 1> pieces = {kFullResponse};
    if (!settings_.tls) stream->try_write(pieces);
    return;
  }
  counters_.connections_accepted.add(1);
  counters_.connections_open.add(1);
  root_.spawn(run_connection(std::move(stream)));
}

Task<void> HttpService::run_connection(std::unique_ptr<ByteStream> stream) {
  // The scope ends before the stream: a watch of the stream may hold on to it.
  {
    Scope scope(root_);
    if (settings_.tls) (void)co_await Succeeds(secure(scope, stream));
    bool is_http2 = stream && stream->alpn() == "h2";
    std::string received;
    if (stream && !is_http2) {
      const auto connection =
          std::make_unique<Http1Connection>(*this, scope, *stream, settings_.tls != nullptr);
      (void)co_await Succeeds(connection->run());
      is_http2 = connection->is_http2();
      if (is_http2) received = connection->input().view();
    }
    if (is_http2) (void)co_await Succeeds(speak_http2(scope, *stream, std::move(received)));
    if (stream) stream->close();
  }
  resources_.connections.fetch_sub(1, std::memory_order_relaxed);
  counters_.connections_open.add(-1);
  // How a connection ends is no error of the service.
  co_return {};
}

Task<void> HttpService::secure(Scope& scope, std::unique_ptr<ByteStream>& stream) {
  Scope handshake(scope);
  handshake.set_deadline(core_.now() + settings_.head_timeout);
  Result<std::unique_ptr<ByteStream>> secured =
      co_await tls_accept(handshake, std::move(stream), *settings_.tls);
  // Left empty when the handshake fails.
  if (secured) {
    stream = *std::move(secured);
  } else if (!scope.is_cancelled()) {
    note_failed_handshake(secured.error());
  }
  co_return {};
}

void HttpService::note_failed_handshake(const Error& error) {
  counters_.handshakes_failed.add(1);
  // Scanners fail by the thousand: the log has the first of each ten seconds.
  if (core_.now() < next_handshake_note_) return;
  next_handshake_note_ = core_.now() + std::chrono::seconds(10);
  log_info("a connection was closed", {{"error", error.message}, {"detail", error.detail}});
}

Task<void> HttpService::speak_http2(Scope& scope, ByteStream& stream, std::string received) {
  Http2Connection connection(*this, scope, stream, settings_.tls != nullptr);
  co_return co_await connection.run(std::move(received));
}

void HttpService::delist(HttpConnection& connection) {
  // Connections that come and go fast are near the end.
  const auto found = std::ranges::find(connections_.rbegin(), connections_.rend(), &connection);
  WEIR_ASSERT(found != connections_.rend(), "a connection is enlisted while it exists");
  std::swap(*found, connections_.back());
  connections_.pop_back();
}

void HttpService::stop(Duration patience, std::function<void()> on_stopped) {
  is_draining_ = true;
  // A copy: what drains may leave the list at once.
  const std::vector<HttpConnection*> connections = connections_;
  for (HttpConnection* connection : connections) connection->drain();
  core_.timers().arm(impatience_, core_.now() + patience);
  closing_.spawn(report_stopped(std::move(on_stopped)));
}

void HttpService::hurry() {
  impatience_.disarm();
  root_.cancel(make_error(ErrorKind::shutting_down, "the server shuts down"));
}

Task<void> HttpService::report_stopped(std::function<void()> on_stopped) {
  (void)co_await root_.join_all();
  impatience_.disarm();
  // From the loop: whoever is told may destroy the service, and this coroutine is part of it.
  core_.post_remote(std::move(on_stopped));
  co_return {};
}

void HttpService::Impatience::fire() {
  service_.hurry();
}

std::string_view HttpService::date() {
  constexpr int64_t kSecond = 1'000'000'000;
  const MonoTime now = core_.turn_began();
  if (now >= date_until_) {
    const int64_t wall_ns = core_.clock().wall_ns();
    date_until_ = now + Duration(kSecond - wall_ns % kSecond);
    date_ = http_date(wall_ns / kSecond);
  }
  return date_;
}

bool may_be_told(const Scope& exchange) {
  if (!exchange.is_cancelled()) return true;
  const ErrorKind why = exchange.reason().kind;
  return why == ErrorKind::timeout || why == ErrorKind::shutting_down;
}

Scope& scope_to_tell_in(Scope& exchange, Scope& connection) {
  return exchange.is_cancelled() ? connection : exchange;
}

Error exception_of_handler(const HttpRequest& request) {
  try {
    throw;
  } catch (const std::exception& exception) {
    log_error("exception in a handler", {{"what", exception.what()}, {"path", request.path()}});
  } catch (...) {
    log_error("exception in a handler", {{"what", "not a std::exception"}, {"path", request.path()}});
  }
  return make_error(ErrorKind::internal, "internal error");
}

ErrorAnswer plain_error_answer(const Error& error) {
  ErrorAnswer answer{.status = error.http_status(), .body = error.message + "\n"};
  answer.headers.add("content-type", "text/plain; charset=utf-8");
  if (error.retry_after_ms)
    answer.headers.add("retry-after", std::to_string((*error.retry_after_ms + 999) / 1000));
  if (error.kind == ErrorKind::method_not_allowed && !error.detail.empty())
    answer.headers.add("allow", error.detail);
  return answer;
}

}  // namespace weir
