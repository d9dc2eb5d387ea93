#include "io/http2_connection.h"

#include <nghttp2/nghttp2.h>

#include "base/assert.h"
#include "base/log.h"
#include "io/http2_stream.h"
#include "io/http_shared.h"

namespace weir {
namespace {

// What one connection may have on the way to all its handlers; each stream has kStreamWindowBytes.
constexpr int32_t kConnectionWindowBytes = 1024 * 1024;
// Gathered before a write: fewer system calls, and no more than a client that reads nothing costs.
constexpr size_t kOutBytesMax = 64 * 1024;
// CONTINUATION frames of one head (CVE-2024-27316 and its kin); nghttp2 closes the connection after more.
constexpr size_t kContinuationsMax = 8;

std::string_view text_of(const uint8_t* bytes, size_t size) {
  return {reinterpret_cast<const char*>(bytes), size};
}

Http2Stream* stream_of(nghttp2_session* session, int32_t id) {
  return static_cast<Http2Stream*>(nghttp2_session_get_stream_user_data(session, id));
}

}  // namespace

bool FloodGauge::overflows(MonoTime now) {
  if (now - window_start_ > std::chrono::milliseconds(kHttp2FloodWindowMs)) {
    window_start_ = now;
    count_ = 0;
  }
  return ++count_ > count_max_;
}

// What nghttp2 calls. None of them calls a function of nghttp2 that reads or writes.
struct Http2Callbacks {
  static Http2Connection& connection(void* user) { return *static_cast<Http2Connection*>(user); }

  // A head for a stream that its client had ended. For one that Weir reset it may have been on its way.
  static int on_begin_frame(nghttp2_session* session, const nghttp2_frame_hd* head, void* user) {
    Http2Connection& self = connection(user);
    if (head->type != NGHTTP2_HEADERS || head->stream_id > self.newest_id_) return 0;
    if (self.ended_.contains(head->stream_id) && !nghttp2_session_find_stream(session, head->stream_id))
      nghttp2_session_terminate_session(session, NGHTTP2_STREAM_CLOSED);
    return 0;
  }

  static int on_begin_headers(nghttp2_session*, const nghttp2_frame* frame, void* user) {
    if (frame->hd.type != NGHTTP2_HEADERS || frame->headers.cat != NGHTTP2_HCAT_REQUEST) return 0;
    connection(user).begin_stream(frame->hd.stream_id);
    return 0;
  }

  static int on_header(nghttp2_session*, const nghttp2_frame* frame, const uint8_t* name, size_t name_size,
                       const uint8_t* value, size_t value_size, uint8_t, void* user) {
    // Trailers have no stream that is opening; they are checked by nghttp2 and thrown away.
    Http2Stream* const stream = connection(user).opening_.get();
    if (stream && stream->id() == frame->hd.stream_id && frame->headers.cat == NGHTTP2_HCAT_REQUEST)
      stream->add_header(text_of(name, name_size), text_of(value, value_size));
    return 0;
  }

  static int on_frame(nghttp2_session* session, const nghttp2_frame* frame, void* user) {
    Http2Connection& self = connection(user);
    const bool is_acknowledgement = (frame->hd.flags & NGHTTP2_FLAG_ACK) != 0;
    const bool ends_stream = (frame->hd.flags & NGHTTP2_FLAG_END_STREAM) != 0;
    const MonoTime now = self.scope_.now();
    bool is_flood = false;
    switch (frame->hd.type) {
      case NGHTTP2_HEADERS:
        if (self.opening_ && self.opening_->id() == frame->hd.stream_id) {
          self.opening_->end_head();
          self.opening_->request().head_at = now;
          self.opened_.push_back(std::move(self.opening_));
        }
        break;
      case NGHTTP2_DATA:
        // A frame without bytes that ends nothing is work for nothing.
        is_flood = frame->hd.length == 0 && !ends_stream && self.pings_.overflows(now);
        break;
      case NGHTTP2_RST_STREAM:
        self.reset_id_ = frame->hd.stream_id;
        is_flood = self.resets_.overflows(now);
        break;
      case NGHTTP2_PRIORITY:
        is_flood = self.resets_.overflows(now);
        break;
      case NGHTTP2_PING:
        is_flood = !is_acknowledgement && self.pings_.overflows(now);
        break;
      case NGHTTP2_SETTINGS:
        is_flood = !is_acknowledgement && self.settings_.overflows(now);
        break;
      default:
        break;
    }
    if (is_flood) self.refuse_flood();
    if (ends_stream && (frame->hd.type == NGHTTP2_HEADERS || frame->hd.type == NGHTTP2_DATA)) {
      if (Http2Stream* stream = stream_of(session, frame->hd.stream_id)) stream->on_input_end();
    }
    return 0;
  }

  static int on_data(nghttp2_session* session, uint8_t, int32_t id, const uint8_t* bytes, size_t size,
                     void*) {
    if (Http2Stream* stream = stream_of(session, id)) {
      stream->on_data(text_of(bytes, size));
    } else {
      nghttp2_session_consume_connection(session, size);
    }
    return 0;
  }

  static int on_close(nghttp2_session* session, int32_t id, uint32_t code, void* user) {
    Http2Connection& self = connection(user);
    // Counted whoever resets: a client can also make the server do it (CVE-2023-44487, CVE-2025-8671). Its
    // own resets were counted as they came.
    const bool is_reset_here = code != NGHTTP2_NO_ERROR && self.reset_id_ != id;
    if (is_reset_here && self.resets_.overflows(self.scope_.now())) self.refuse_flood();
    if (self.reset_id_ == id || nghttp2_session_get_stream_remote_close(session, id) == 1)
      self.ended_.add(id);
    if (Http2Stream* stream = stream_of(session, id)) stream->on_close(code == NGHTTP2_NO_ERROR);
    if (self.opening_ && self.opening_->id() == id) self.opening_.reset();
    return 0;
  }

  static nghttp2_session* make_session(Http2Connection* connection);
};

nghttp2_session* Http2Callbacks::make_session(Http2Connection* connection) {
  nghttp2_session_callbacks* callbacks = nullptr;
  nghttp2_option* options = nullptr;
  nghttp2_session* session = nullptr;
  const bool is_made = nghttp2_session_callbacks_new(&callbacks) == 0 && nghttp2_option_new(&options) == 0;
  WEIR_ASSERT(is_made, "nghttp2 has memory");
  nghttp2_session_callbacks_set_on_begin_frame_callback(callbacks, on_begin_frame);
  nghttp2_session_callbacks_set_on_begin_headers_callback(callbacks, on_begin_headers);
  nghttp2_session_callbacks_set_on_header_callback(callbacks, on_header);
  nghttp2_session_callbacks_set_on_frame_recv_callback(callbacks, on_frame);
  nghttp2_session_callbacks_set_on_data_chunk_recv_callback(callbacks, on_data);
  nghttp2_session_callbacks_set_on_stream_close_callback(callbacks, on_close);
  nghttp2_option_set_no_auto_window_update(options, 1);
  nghttp2_option_set_no_closed_streams(options, 1);
  nghttp2_option_set_max_continuations(options, kContinuationsMax);
  nghttp2_option_set_max_outbound_ack(options, kHttp2PingsPerWindowMax);
  const int failed = nghttp2_session_server_new2(&session, callbacks, connection, options);
  nghttp2_session_callbacks_del(callbacks);
  nghttp2_option_del(options);
  WEIR_ASSERT(failed == 0, "nghttp2 has memory");
  const std::array<nghttp2_settings_entry, 3> settings = {{
      {NGHTTP2_SETTINGS_MAX_CONCURRENT_STREAMS, kHttp2StreamsMax},
      {NGHTTP2_SETTINGS_INITIAL_WINDOW_SIZE, static_cast<uint32_t>(kStreamWindowBytes)},
      {NGHTTP2_SETTINGS_MAX_HEADER_LIST_SIZE, kHttp2HeaderListBytesMax},
  }};
  nghttp2_submit_settings(session, NGHTTP2_FLAG_NONE, settings.data(), settings.size());
  nghttp2_session_set_local_window_size(session, NGHTTP2_FLAG_NONE, 0, kConnectionWindowBytes);
  return session;
}

void Http2Connection::Free::operator()(nghttp2_session* session) const {
  nghttp2_session_del(session);
}

Http2Connection::Http2Connection(HttpService& service, Scope& scope, ByteStream& stream, bool is_tls)
    : service_(service),
      scope_(scope),
      stream_(stream),
      is_tls_(is_tls),
      peer_is_loopback_(is_loopback_peer(stream.peer())),
      session_(Http2Callbacks::make_session(this)),
      began_at_(scope.now()),
      read_at_(began_at_) {
  service_.enlist(*this);
}

Http2Connection::~Http2Connection() {
  service_.delist(*this);
}

Task<void> Http2Connection::run(std::string received) {
  update_deadline();
  if (receive(received)) (void)co_await read();
  is_over_ = true;
  scope_.cancel(make_error(ErrorKind::cancelled, "the client hung up"));
  // Who is told that the server shuts down may still be written to.
  if (scope_.reason().kind == ErrorKind::cancelled) {
    for (Http2Stream* stream : active_) stream->on_connection_lost();
  }
  (void)co_await scope_.join_all();
  // A last word, as far as the client takes it at once.
  nghttp2_session_terminate_session(session_.get(), NGHTTP2_NO_ERROR);
  pump();
  stream_.close();
  co_return {};
}

Task<void> Http2Connection::read() {
  ReadBuffer input(service_.buffers());
  while (nghttp2_session_want_read(session_.get()) || nghttp2_session_want_write(session_.get())) {
    CO_TRY(co_await stream_.readable(scope_));
    read_at_ = scope_.now();
    const IoResult read = stream_.try_read(input.room());
    if (read.state == IoState::would_block) {
      input.release();
      continue;
    }
    if (read.state != IoState::done) break;
    input.commit(read.bytes);
    const bool goes_on = receive(input.view());
    input.release();
    if (!goes_on) break;
  }
  co_return {};
}

bool Http2Connection::receive(std::string_view bytes) {
  is_in_session_ = true;
  const ssize_t used =
      nghttp2_session_mem_recv(session_.get(), reinterpret_cast<const uint8_t*>(bytes.data()), bytes.size());
  is_in_session_ = false;
  // nghttp2 reports errors of the protocol by GOAWAY, but not that its own limits were passed.
  if (used < 0) {
    const bool is_flood = used == NGHTTP2_ERR_FLOODED || used == NGHTTP2_ERR_TOO_MANY_CONTINUATIONS;
    nghttp2_session_terminate_session(session_.get(),
                                      is_flood ? NGHTTP2_ENHANCE_YOUR_CALM : NGHTTP2_INTERNAL_ERROR);
    return false;
  }
  start_streams();
  pump();
  return !scope_.is_cancelled();
}

void Http2Connection::begin_stream(int32_t id) {
  newest_id_ = id;
  opening_ = std::make_unique<Http2Stream>(*this, id);
  opening_->request().first_byte_at = read_at_;
  nghttp2_session_set_stream_user_data(session_.get(), id, opening_.get());
  if (is_draining_) {
    nghttp2_submit_rst_stream(session_.get(), NGHTTP2_FLAG_NONE, id, NGHTTP2_REFUSED_STREAM);
    opening_.reset();
  }
}

void Http2Connection::start_streams() {
  // Handlers run in here until they wait; they may not add to the list, since nothing is received meanwhile.
  for (std::unique_ptr<Http2Stream>& stream : opened_) {
    active_.push_back(stream.get());
    scope_.spawn(serve(std::move(stream)));
  }
  opened_.clear();
  update_deadline();
}

Task<void> Http2Connection::serve(std::unique_ptr<Http2Stream> stream) {
  HttpRequest& request = stream->request();
  request.is_tls = is_tls_;
  request.peer_is_loopback = peer_is_loopback_;
  service_.counters().requests.add(1);
  {
    Scope request_scope(scope_);
    stream->set_exchange(&request_scope);
    if (stream->is_closed())
      request_scope.cancel(make_error(ErrorKind::cancelled, "the client reset the request at once"));
    Result<void> handled;
    if (request_scope.is_cancelled()) {
      handled = fail(request_scope.reason());
    } else if (stream->refusal()) {
      const ErrorAnswer answer = service_.handler().refuse(*stream->refusal(), request);
      handled = co_await stream->send(request_scope, refusal_status(*stream->refusal()), answer.headers,
                                      answer.body);
    } else {
      service_.counters().requests_active.add(1);
      try {
        handled = co_await service_.handler().handle(request_scope, request, *stream, *stream);
      } catch (...) {
        handled = fail(exception_of_handler(request));
      }
      service_.counters().requests_active.add(-1);
    }
    (void)co_await finish_stream(*stream, request_scope, std::move(handled));
    stream->set_exchange(nullptr);
  }
  std::erase(active_, stream.get());
  stream.reset();
  update_deadline();
  if (is_draining_ && active_.empty()) hang_up("the server shuts down");
  if (!is_over_) pump();
  co_return {};
}

Task<void> Http2Connection::finish_stream(Http2Stream& stream, Scope& request_scope, Result<void> handled) {
  if (request_scope.running() > 0) {
    request_scope.cancel(make_error(ErrorKind::cancelled, "the request ended"));
    (void)co_await request_scope.join_all();
  }
  if (handled && !stream.is_finished()) {
    log_error("a handler ended without finishing its response", {});
    handled = fail(ErrorKind::internal, "internal error");
  }
  if (!handled && !stream.is_started() && may_be_told(request_scope)) {
    const ErrorAnswer answer = plain_error_answer(handled.error());
    (void)co_await stream.send(scope_, answer.status, answer.headers, answer.body);
  }
  if (stream.is_finished() && !stream.is_input_ended()) (void)co_await stream.linger(scope_);
  if (stream.is_closed()) co_return {};
  if (!stream.is_finished()) {
    nghttp2_submit_rst_stream(session_.get(), NGHTTP2_FLAG_NONE, stream.id(), NGHTTP2_INTERNAL_ERROR);
  } else if (!stream.is_input_ended()) {
    // The answer is complete; the rest of the request is not wanted (RFC 9113 section 8.1).
    nghttp2_submit_rst_stream(session_.get(), NGHTTP2_FLAG_NONE, stream.id(), NGHTTP2_NO_ERROR);
  }
  co_return {};
}

void Http2Connection::pump() {
  if (is_in_session_ || is_flushing_) return;
  for (;;) {
    is_in_session_ = true;
    while (out_.size() < kOutBytesMax) {
      const uint8_t* bytes = nullptr;
      const ssize_t count = nghttp2_session_mem_send(session_.get(), &bytes);
      if (count <= 0) break;
      out_.append(text_of(bytes, static_cast<size_t>(count)));
    }
    is_in_session_ = false;
    if (out_.empty()) break;
    const std::array<std::string_view, 1> pieces = {out_};
    const IoResult written = stream_.try_write(pieces);
    if (written.state == IoState::done) {
      out_.erase(0, written.bytes);
    } else if (written.state == IoState::would_block && !is_over_) {
      is_flushing_ = true;
      return scope_.spawn(flush_rest());
    } else {
      return hang_up("the client hung up");
    }
  }
  // Memory is held while there is something to write only.
  if (out_.capacity() > 1024) out_ = std::string();
  const bool is_done =
      !nghttp2_session_want_read(session_.get()) && !nghttp2_session_want_write(session_.get());
  if (is_done) hang_up("the connection was ended");
}

Task<void> Http2Connection::flush_rest() {
  Scope wait(scope_);
  wait.set_deadline(wait.now() + service_.settings().write_timeout, ErrorKind::cancelled,
                    "the client stopped reading");
  const Result<void> ready = co_await stream_.writable(wait);
  is_flushing_ = false;
  if (ready) {
    pump();
  } else {
    hang_up("the client stopped reading");
  }
  co_return {};
}

void Http2Connection::drain() {
  is_draining_ = true;
  nghttp2_submit_goaway(session_.get(), NGHTTP2_FLAG_NONE,
                        nghttp2_session_get_last_proc_stream_id(session_.get()), NGHTTP2_NO_ERROR, nullptr,
                        0);
  pump();
  if (active_.empty()) hang_up("the server shuts down");
}

void Http2Connection::refuse_flood() {
  nghttp2_session_terminate_session(session_.get(), NGHTTP2_ENHANCE_YOUR_CALM);
}

void Http2Connection::hang_up(const char* why) {
  scope_.cancel(make_error(ErrorKind::cancelled, why));
}

void Http2Connection::update_deadline() {
  if (!active_.empty() && !opening_) return scope_.clear_deadline();
  const HttpServerSettings& settings = service_.settings();
  MonoTime due = scope_.now() + settings.idle_timeout;
  if (opening_) {
    due = opening_->request().first_byte_at + settings.head_timeout;
  } else if (newest_id_ == 0) {
    due = began_at_ + settings.head_timeout;  // who connects has a request to send
  }
  scope_.set_deadline(due, ErrorKind::cancelled, "the connection was idle");
}

}  // namespace weir
