#include "io/http2_stream.h"

#include <nghttp2/nghttp2.h>

#include "io/http1.h"
#include "io/http2_connection.h"
#include "io/http_runs.h"
#include "io/http_shared.h"

namespace weir {
namespace {

namespace chars = http_chars;

// What a field costs in the header list besides its bytes (RFC 9113 section 10.5.1).
constexpr size_t kFieldOverhead = 32;
// simdjson reads up to this many bytes behind the text.
constexpr size_t kJsonPaddingBytes = 64;
// Memory is taken ahead of the bytes up to this size only: a client that announces a large body and sends
// nothing costs no more.
constexpr size_t kAheadBytesMax = 128 * 1024;

nghttp2_nv field(std::string_view name, std::string_view value) {
  // nghttp2 copies both and only promises not to write; its C type cannot say so.
  return {reinterpret_cast<uint8_t*>(const_cast<char*>(name.data())),
          reinterpret_cast<uint8_t*>(const_cast<char*>(value.data())), name.size(), value.size(),
          NGHTTP2_NV_FLAG_NONE};
}

ssize_t read_output(nghttp2_session* session, int32_t id, uint8_t* bytes, size_t size, uint32_t* flags,
                    nghttp2_data_source*, void*) {
  // Looked up rather than remembered: the handler may have ended since.
  auto* const stream = static_cast<Http2Stream*>(nghttp2_session_get_stream_user_data(session, id));
  if (!stream) return NGHTTP2_ERR_TEMPORAL_CALLBACK_FAILURE;
  bool is_end = false;
  const std::optional<size_t> count = stream->on_output(reinterpret_cast<char*>(bytes), size, is_end);
  if (!count) return NGHTTP2_ERR_DEFERRED;
  if (is_end) *flags |= NGHTTP2_DATA_FLAG_EOF;
  return static_cast<ssize_t>(*count);
}

}  // namespace

struct Http2Stream::Wait final : Waiter {
  explicit Wait(Wait*& slot) : slot_(slot) { slot_ = this; }
  void detach() override { slot_ = nullptr; }

 private:
  Wait*& slot_;
};

Http2Stream::Http2Stream(Http2Connection& connection, int32_t id)
    : connection_(connection), id_(id), share_(connection.service().resources().bodies) {
  request_.version = HttpVersion::http_2;
}

Http2Stream::~Http2Stream() {
  if (!is_closed_) nghttp2_session_set_stream_user_data(connection_.session(), id_, nullptr);
  // What nobody read still counts in the window that all streams share.
  if (input_begin_ < input_.size() && !is_collecting_)
    nghttp2_session_consume_connection(connection_.session(), input_.size() - input_begin_);
}

void Http2Stream::set_exchange(Scope* exchange) {
  exchange_ = exchange;
}

void Http2Stream::add_header(std::string_view name, std::string_view value) {
  // Told apart from too many fields, as in HTTP/1.1.
  if (name == ":path" && value.size() > HttpLimits().start_line_bytes_max)
    refusal_ = weir::refusal(ErrorKind::head_too_large, "the path is too long", kUriTooLong);
  head_bytes_ += name.size() + value.size() + kFieldOverhead;
  if (head_bytes_ > kHttp2HeaderListBytesMax || request_.headers.size() >= kHeaderCountMax) {
    if (!refusal_)
      refusal_ = make_error(ErrorKind::head_too_large, "the header fields are too large or too many");
    return;
  }
  if (name == ":method") {
    request_.method = value;
  } else if (name == ":path") {
    request_.target = value;
  } else if (name == ":authority") {
    request_.authority = value;
  } else if (name == "host") {
    if (request_.authority.empty()) request_.authority = value;
  } else if (!name.starts_with(':')) {
    request_.headers.add(name, value);
  }
}

Result<void> Http2Stream::check_head() {
  if (request_.method == "CONNECT")
    return fail(ErrorKind::bad_request, "malformed HTTP request: CONNECT is not served");
  // nghttp2 has checked the forms; this is what our HTTP/1.1 accepts beyond them, so that a handler sees the
  // same from both.
  const bool is_origin_form = request_.target.starts_with('/') && chars::all(request_.target, chars::kTarget);
  if (!is_origin_form && !(request_.target == "*" && request_.method == "OPTIONS"))
    return fail(ErrorKind::bad_request,
                "malformed HTTP request: the path has a character that must be percent-encoded");
  if (!chars::is_authority(request_.authority))
    return fail(ErrorKind::bad_request, "malformed HTTP request: the authority is not a host");
  if (const auto expect = request_.headers.get("expect")) {
    if (!equals_ignoring_case(*expect, "100-continue"))
      return fail(ErrorKind::expectation_failed, "only Expect: 100-continue can be met");
    owes_continue_ = true;
  }
  return {};
}

void Http2Stream::end_head() {
  if (refusal_) return;
  if (Result<void> checked = check_head(); !checked) refusal_ = std::move(checked).error();
  if (const auto length = request_.headers.get("content-length"))
    content_length_ = parse_content_length(*length);
}

void Http2Stream::on_data(std::string_view bytes) {
  if (is_discarding_) {
    nghttp2_session_consume_connection(connection_.session(), bytes.size());
    return;
  }
  if (input_begin_ == input_.size()) {
    input_.clear();
    input_begin_ = 0;
    const size_t announced =
        static_cast<size_t>(std::min<uint64_t>(content_length_.value_or(0), kAheadBytesMax));
    if (input_.capacity() < announced + kJsonPaddingBytes) input_.reserve(announced + kJsonPaddingBytes);
  }
  if (is_starved_ || !share_.grow_to(input_.size() + bytes.size())) {
    is_starved_ = true;
    consume(bytes.size());
    if (reader_) std::exchange(reader_, nullptr)->complete();
    return;
  }
  input_.append(bytes);
  if (is_collecting_) consume(bytes.size());
  if (reader_) std::exchange(reader_, nullptr)->complete();
}

void Http2Stream::on_input_end() {
  is_input_ended_ = true;
  if (reader_) std::exchange(reader_, nullptr)->complete();
}

void Http2Stream::on_close(bool is_in_order) {
  is_closed_ = true;
  output_ = {};
  if (reader_) std::exchange(reader_, nullptr)->complete();
  if (writer_) std::exchange(writer_, nullptr)->complete();
  const bool is_answered = is_finished() || (is_started() && !has_body_);
  if (exchange_ && !(is_in_order && is_answered))
    exchange_->cancel(make_error(ErrorKind::cancelled, "the client hung up"));
}

// nghttp2 closes no streams of a connection that ends, and what waits here may outlast the exchange.
void Http2Stream::on_connection_lost() {
  if (is_closed_) return;
  nghttp2_session_set_stream_user_data(connection_.session(), id_, nullptr);
  on_close(false);
}

void Http2Stream::consume(size_t bytes) {
  if (bytes == 0) return;
  if (is_closed_) {
    nghttp2_session_consume_connection(connection_.session(), bytes);
  } else {
    nghttp2_session_consume(connection_.session(), id_, bytes);
  }
  connection_.pump();
}

void Http2Stream::send_continue() {
  if (!std::exchange(owes_continue_, false) || is_input_ended_ || is_closed_ || is_started()) return;
  const nghttp2_nv status = field(":status", "100");
  nghttp2_submit_headers(connection_.session(), NGHTTP2_FLAG_NONE, id_, nullptr, &status, 1, nullptr);
  connection_.pump();
}

Task<void> Http2Stream::wait_for_input(Scope& scope) {
  send_continue();
  if (is_closed_ && !is_input_ended_)
    co_return fail(ErrorKind::cancelled, "the client hung up before its body was complete");
  Scope wait_scope(scope);
  wait_scope.set_deadline(wait_scope.now() + connection_.service().settings().body_timeout,
                          ErrorKind::request_timeout, "the request body did not arrive in time");
  Wait wait(reader_);
  co_return co_await wait.on(wait_scope);
}

Task<void> Http2Stream::linger(Scope& scope) {
  is_discarding_ = true;
  Scope wait_scope(scope);
  wait_scope.set_deadline(wait_scope.now() + connection_.service().settings().linger_timeout);
  while (!is_input_ended_ && !is_closed_) {
    Wait wait(reader_);
    CO_TRY(co_await wait.on(wait_scope));
  }
  co_return {};
}

Task<std::string> Http2Stream::read_all(Scope& scope, size_t bytes_max) {
  if (content_length_ && *content_length_ > bytes_max) co_return body_too_large(bytes_max);
  if (is_starved_) co_return fail(no_room_for_body());
  // From here on the window opens as bytes arrive: they are taken, only not by a copy.
  is_collecting_ = true;
  consume(input_.size() - input_begin_);
  while (!is_input_ended_) {
    if (input_.size() - input_begin_ > bytes_max) break;
    CO_TRY(co_await wait_for_input(scope));
    if (is_starved_) co_return fail(no_room_for_body());
  }
  is_collecting_ = false;
  input_.erase(0, std::exchange(input_begin_, 0));
  if (input_.size() > bytes_max) {
    input_.clear();
    co_return body_too_large(bytes_max);
  }
  std::string body = std::exchange(input_, {});
  body.reserve(body.size() + kJsonPaddingBytes);
  co_return body;
}

Task<size_t> Http2Stream::read_some(Scope& scope, std::span<char> buffer) {
  while (!is_starved_ && input_begin_ == input_.size() && !is_input_ended_) {
    CO_TRY(co_await wait_for_input(scope));
  }
  if (is_starved_) co_return fail(no_room_for_body());
  const size_t count = std::min(buffer.size(), input_.size() - input_begin_);
  std::copy_n(input_.data() + input_begin_, count, buffer.data());
  input_begin_ += count;
  consume(count);
  co_return count;
}

Result<void> Http2Stream::hold(size_t bytes) {
  // What has arrived and was not read yet counts too.
  if (!share_.grow_to(bytes + input_.size())) return fail(no_room_for_body());
  return {};
}

Result<void> Http2Stream::submit(int status, const Headers& headers, std::optional<uint64_t> length,
                                 bool has_body) {
  if (state_ != State::fresh) return misused("a second response was started");
  has_body_ = has_body && status != 204 && status != 304 && request_.method != "HEAD";
  const std::string status_text = std::to_string(status);
  const std::string length_text = length ? std::to_string(*length) : std::string();
  std::vector<nghttp2_nv> fields;
  fields.reserve(headers.size() + 3);
  fields.push_back(field(":status", status_text));
  for (const HeaderField header : headers) {
    if (belongs_to_connection(header.name)) continue;
    const bool is_valid = !header.name.empty() && chars::all(header.name, chars::kToken) &&
                          chars::all(header.value, chars::kValue);
    if (!is_valid) return misused("a header of the response holds a character that HTTP does not allow");
    fields.push_back(field(header.name, header.value));
  }
  fields.push_back(field("date", connection_.service().date()));
  if (length && status != 204) fields.push_back(field("content-length", length_text));
  nghttp2_data_provider provider{};
  provider.read_callback = read_output;
  const int failed = nghttp2_submit_response(connection_.session(), id_, fields.data(), fields.size(),
                                             has_body_ ? &provider : nullptr);
  if (failed) return misused(nghttp2_strerror(failed));
  state_ = State::started;
  return {};
}

Task<void> Http2Stream::send(Scope& scope, int status, const Headers& headers, std::string_view body) {
  CO_TRY(submit(status, headers, body.size(), !body.empty()));
  if (has_body_) output_ = body;
  state_ = State::finishing;
  co_return co_await wait_for_output(scope);
}

Task<void> Http2Stream::start(Scope& scope, int status, const Headers& headers) {
  (void)scope;  // nothing is sent yet
  const std::optional<std::string_view> length = headers.get("content-length");
  co_return submit(status, headers, length ? parse_content_length(*length) : std::nullopt, true);
}

Task<void> Http2Stream::write(Scope& scope, std::string_view bytes) {
  if (state_ != State::started) co_return misused("a response was written to that is not open");
  if (has_body_) output_ = bytes;
  co_return co_await wait_for_output(scope);
}

Task<void> Http2Stream::finish(Scope& scope, std::string_view last_bytes) {
  if (state_ != State::started) co_return misused("a response was finished that is not open");
  if (!last_bytes.empty()) CO_TRY(co_await write(scope, last_bytes));
  state_ = State::finishing;
  co_return co_await wait_for_output(scope);
}

Task<void> Http2Stream::wait_for_output(Scope& scope) {
  if (!may_be_told(*exchange_)) co_return hung_up(exchange_->reason());
  if (has_body_) nghttp2_session_resume_data(connection_.session(), id_);
  connection_.pump();
  if (!has_body_ && state_ == State::finishing) state_ = State::finished;
  while (!output_.empty() || state_ == State::finishing) {
    if (is_closed_) break;
    Scope wait_scope(scope_to_tell_in(scope, connection_.scope()));
    wait_scope.set_deadline(wait_scope.now() + connection_.service().settings().write_timeout,
                            ErrorKind::cancelled, "the client stopped reading");
    Wait wait(writer_);
    writer_wait_ = &wait_scope;
    Result<void> taken = co_await wait.on(wait_scope);
    writer_wait_ = nullptr;
    if (!taken) co_return hung_up(std::move(taken).error());
  }
  if (is_closed_ && !is_finished() && has_body_)
    co_return hung_up(make_error(ErrorKind::cancelled, "the client hung up"));
  co_return {};
}

std::optional<size_t> Http2Stream::on_output(char* bytes, size_t size, bool& is_end) {
  const size_t count = std::min(size, output_.size());
  std::copy_n(output_.data(), count, bytes);
  output_.remove_prefix(count);
  bytes_taken_ += count;
  if (writer_wait_)
    writer_wait_->set_deadline(writer_wait_->now() + connection_.service().settings().write_timeout,
                               ErrorKind::cancelled, "the client stopped reading");
  if (output_.empty()) {
    is_end = state_ == State::finishing;
    if (is_end) state_ = State::finished;
    if (writer_) std::exchange(writer_, nullptr)->complete();
  }
  if (count == 0 && !is_end) return std::nullopt;
  return count;
}

std::unexpected<Error> Http2Stream::hung_up(Error why) {
  // The bytes belong to the caller, who goes on now.
  output_ = {};
  state_ = State::broken;
  exchange_->cancel(why);
  return fail(std::move(why));
}

}  // namespace weir
