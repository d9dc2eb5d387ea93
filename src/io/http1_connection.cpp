#include "io/http1_connection.h"

#include "base/assert.h"
#include "base/log.h"
#include "io/http_shared.h"
#include "io/succeeds.h"

namespace weir {
namespace {

constexpr std::string_view kHttp2Preface = "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n";
// What a client that was refused may still send before the connection is cut.
constexpr uint64_t kLingerBytesMax = 64 * kMiB;

}  // namespace

Http1Connection::Http1Connection(HttpService& service, Scope& scope, ByteStream& stream, bool is_tls)
    : service_(service),
      scope_(scope),
      stream_(stream),
      input_(service.buffers()),
      parser_(service.settings().limits),
      is_tls_(is_tls) {
  service_.enlist(*this);
}

Http1Connection::~Http1Connection() {
  service_.delist(*this);
}

void Http1Connection::drain() {
  is_draining_ = true;
  if (is_idle_) scope_.cancel(make_error(ErrorKind::shutting_down, "the server shuts down"));
}

Task<void> Http1Connection::run() {
  while (goes_on_ && !is_draining_) {
    goes_on_ = false;
    if (input_.empty()) {
      start_idling();
      IoState state = IoState::would_block;
      while (state == IoState::would_block && co_await Succeeds(stream_.readable(scope_)))
        state = take_first_bytes();
      if (state != IoState::done) break;
    } else {
      first_byte_at_ = scope_.turn_began();
    }
    (void)co_await Succeeds(exchange());
    is_first_ = false;
  }
  if (is_http2_) co_return {};
  if (lingers_) (void)co_await Succeeds(linger());
  stream_.close();
  co_return {};
}

void Http1Connection::start_idling() {
  input_.release();
  is_idle_ = true;
  const HttpServerSettings& settings = service_.settings();
  // A new connection that says nothing is no keep-alive connection: it gets the time of a head.
  scope_.set_deadline(scope_.turn_began() + (is_first_ ? settings.head_timeout : settings.idle_timeout),
                      ErrorKind::request_timeout, "the connection was idle");
}

IoState Http1Connection::take_first_bytes() {
  first_byte_at_ = scope_.turn_began();
  const IoResult read = stream_.try_read(input_.room());
  if (read.state == IoState::done) {
    input_.commit(read.bytes);
    is_idle_ = false;
  } else {
    input_.release();
  }
  return read.state;
}

Task<void> Http1Connection::exchange() {
  switch (parse_head()) {
    case HeadState::complete:
      return serve(std::move(head_));
    case HeadState::incomplete:
      return read_and_serve();
    case HeadState::refused:
      break;
  }
  return Result<void>();
}

Task<void> Http1Connection::receive() {
  for (;;) {
    const IoResult read = stream_.try_read(input_.room());
    if (read.state == IoState::done) {
      input_.commit(read.bytes);
      co_return {};
    }
    if (read.state != IoState::would_block) co_return fail(ErrorKind::cancelled, "the client hung up");
    CO_TRY(co_await stream_.readable(scope_));
  }
}

bool Http1Connection::is_preface_prefix() const {
  // "PRI" alone is enough to tell: no HTTP/1 method starts like that.
  const std::string_view bytes = input_.view().substr(0, kHttp2Preface.size());
  return is_first_ && service_.settings().serves_http2 && kHttp2Preface.starts_with(bytes);
}

Http1Connection::HeadState Http1Connection::parse_head() {
  if (is_preface_prefix()) {
    is_http2_ = input_.view().size() >= kHttp2Preface.size();
    return is_http2_ ? HeadState::refused : HeadState::incomplete;
  }
  Result<std::unique_ptr<RequestHead>> parsed = parser_.parse(input_.view());
  if (parsed && !*parsed) return HeadState::incomplete;
  parser_.reset();
  if (!parsed) {
    refuse(parsed.error());
    return HeadState::refused;
  }
  head_ = *std::move(parsed);
  input_.consume(head_->consumed);
  scope_.clear_deadline();
  return HeadState::complete;
}

Task<void> Http1Connection::read_and_serve() {
  const MonoTime due = first_byte_at_ + service_.settings().head_timeout;
  HeadState state = HeadState::incomplete;
  while (state == HeadState::incomplete) {
    // Armed only when a head comes in pieces: the usual one is complete with the first read.
    scope_.set_deadline(due, ErrorKind::request_timeout, "the request head did not arrive in time");
    const Result<void> received = co_await receive();
    if (!received && received.error().kind == ErrorKind::request_timeout) refuse(received.error());
    if (!received) co_return {};
    state = parse_head();
  }
  if (state == HeadState::complete) CO_TRY(co_await serve(std::move(head_)));
  co_return {};
}

Task<void> Http1Connection::serve(std::unique_ptr<RequestHead> head) {
  HttpRequest& request = head->request;
  request.is_tls = is_tls_;
  request.peer_is_loopback = is_loopback_peer(stream_.peer());
  request.first_byte_at = first_byte_at_;
  request.head_at = scope_.turn_began();

  Scope request_scope(scope_);
  // Only a client whose request is complete can be watched: before that its bytes hide a hang-up.
  const auto watch = [this, &request_scope] {
    stream_.watch_hangup(
        [&request_scope] { request_scope.cancel(make_error(ErrorKind::cancelled, "the client hung up")); });
  };
  Http1BodyReader body(stream_, input_, service_.resources().bodies, *head, service_.settings().body_timeout,
                       watch);
  Http1ResponseWriter response(service_, scope_, request_scope, stream_, *head, body);
  if (body.is_received()) watch();

  service_.counters().requests.add(1);
  service_.counters().requests_active.add(1);
  Result<void> handled;
  try {
    handled = co_await service_.handler().handle(request_scope, request, body, response);
  } catch (...) {
    handled = fail(exception_of_handler(request));
  }
  service_.counters().requests_active.add(-1);
  if (handled && response.is_finished() && body.is_complete() && request_scope.running() == 0) {
    goes_on_ = response.keeps_alive();
  } else {
    handled = co_await finish_exchange(request_scope, std::move(handled), body, response);
  }
  stream_.watch_hangup(nullptr);
  co_return handled;
}

Task<void> Http1Connection::finish_exchange(Scope& request_scope, Result<void> handled, Http1BodyReader& body,
                                            Http1ResponseWriter& response) {
  if (request_scope.running() > 0) {
    request_scope.cancel(make_error(ErrorKind::cancelled, "the request ended"));
    (void)co_await request_scope.join_all();
  }
  if (handled && !response.is_finished()) {
    log_error("a handler ended without finishing its response", {});
    handled = fail(ErrorKind::internal, "internal error");
  }
  // What went wrong before anybody noticed that the client is gone is told: it may have half closed only.
  const bool was_cut =
      !handled && request_scope.is_cancelled() && handled.error().kind == ErrorKind::cancelled;
  if (!handled && !response.is_started() && (!was_cut || may_be_told(request_scope))) {
    // With the connection's scope: the request's may be cancelled by what is reported here.
    const ErrorAnswer answer = plain_error_answer(handled.error());
    CO_TRY(co_await response.send(scope_, answer.status, answer.headers, answer.body));
  }
  goes_on_ = response.keeps_alive() && (body.is_complete() || CO_TRY(co_await body.drain(scope_)));
  lingers_ = !goes_on_ && response.is_finished() && !body.is_complete();
  co_return {};
}

HttpRequest Http1Connection::refused_request() const {
  HttpRequest request;
  request.first_byte_at = first_byte_at_;
  std::string_view line = input_.view();
  while (line.starts_with("\r\n")) line.remove_prefix(2);
  line = line.substr(0, line.find('\r'));
  const size_t method_end = line.find(' ');
  if (method_end == std::string_view::npos) return request;
  const std::string_view target = line.substr(method_end + 1);
  if (!target.starts_with('/')) return request;
  request.method = line.substr(0, method_end);
  request.target = target.substr(0, target.find(' '));
  return request;
}

void Http1Connection::refuse(const Error& error) {
  const ErrorAnswer answer = service_.handler().refuse(error, refused_request());
  std::string head;
  const Result<void> appended = append_response_head(head, {.status = refusal_status(error),
                                                            .headers = &answer.headers,
                                                            .content_length = answer.body.size(),
                                                            .connection = "close",
                                                            .date = service_.date()});
  WEIR_ASSERT(appended, "the head of an error is valid");
  // One try: the client has read the answers before, so there is room for this one, and the scope may be
  // over.
  const std::array<std::string_view, 2> pieces = {head, answer.body};
  stream_.try_write(pieces);
  lingers_ = true;
}

Task<void> Http1Connection::linger() {
  // Closing while bytes come in makes the kernel reset the connection, and the client may lose the answer.
  stream_.end_sending();
  Scope wait(service_.scope());
  wait.set_deadline(wait.now() + service_.settings().linger_timeout);
  uint64_t thrown_away = 0;
  while (thrown_away < kLingerBytesMax) {
    input_.release();
    const IoResult read = stream_.try_read(input_.room());
    if (read.state == IoState::would_block) {
      CO_TRY(co_await stream_.readable(wait));
    } else if (read.state != IoState::done) {
      break;
    }
    thrown_away += read.bytes;
  }
  co_return {};
}

}  // namespace weir
