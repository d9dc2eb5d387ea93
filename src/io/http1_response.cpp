#include "io/http1_response.h"

#include "io/http1_body.h"
#include "io/http_service.h"
#include "io/http_shared.h"

namespace weir {

Http1ResponseWriter::Http1ResponseWriter(HttpService& service, Scope& connection, Scope& exchange,
                                         ByteStream& stream, const RequestHead& head,
                                         const Http1BodyReader& body)
    : service_(service),
      connection_(connection),
      exchange_(exchange),
      stream_(stream),
      request_body_(body),
      version_(head.request.version),
      is_head_(head.request.method == "HEAD"),
      keeps_alive_(head.keep_alive) {}

Result<void> Http1ResponseWriter::begin(int status, const Headers& headers, BodyFraming framing,
                                        uint64_t length) {
  if (state_ != State::fresh) return misused("a second response was started");
  has_body_ = status != 204 && status != 304;
  framing_ = has_body_ ? framing : BodyFraming::none;
  left_ = length;
  if (framing_ == BodyFraming::chunked && version_ == HttpVersion::http_1_0)
    framing_ = BodyFraming::until_close;
  if (framing_ == BodyFraming::until_close && !is_head_) keeps_alive_ = false;
  if (service_.is_draining() || !request_body_.is_worth_draining()) keeps_alive_ = false;
  std::string_view connection;
  if (!keeps_alive_) connection = "close";
  if (keeps_alive_ && version_ == HttpVersion::http_1_0) connection = "keep-alive";
  TRY(append_response_head(head_, {.status = status,
                                   .headers = &headers,
                                   .framing = framing_,
                                   .content_length = length,
                                   .connection = connection,
                                   .date = service_.date()}));
  state_ = State::started;
  return {};
}

Task<void> Http1ResponseWriter::send(Scope& scope, int status, const Headers& headers,
                                     std::string_view body) {
  TRY(begin(status, headers, BodyFraming::content_length, body.size()));
  is_whole_ = true;
  return deliver(scope, {{head_, {}, has_body() ? body : std::string_view()}}, {}, State::finished);
}

Task<void> Http1ResponseWriter::start(Scope& scope, int status, const Headers& headers) {
  (void)scope;  // nothing is sent yet
  const std::optional<uint64_t> length = parse_content_length(headers.get_or("content-length", ""));
  return begin(status, headers, length ? BodyFraming::content_length : BodyFraming::chunked,
               length.value_or(0));
}

Result<void> Http1ResponseWriter::add_body(Output& output, ChunkStart& chunk, std::string_view bytes) {
  if (bytes.empty() || !has_body()) return {};
  if (framing_ == BodyFraming::content_length) {
    if (bytes.size() > left_) return misused("more was written than the content-length says");
    left_ -= bytes.size();
  }
  if (framing_ == BodyFraming::chunked) {
    chunk = ChunkStart(bytes.size());
    output.pieces[1] = chunk.view();
    output.pieces[3] = kChunkEnd;
  }
  output.pieces[Output::kBody] = bytes;
  return {};
}

Task<void> Http1ResponseWriter::write(Scope& scope, std::string_view bytes) {
  if (state_ != State::started) return misused("a response was written to that is not open");
  ChunkStart chunk;
  Output output{{head_}};
  TRY(add_body(output, chunk, bytes));
  return deliver(scope, output, chunk, State::started);
}

Task<void> Http1ResponseWriter::finish(Scope& scope, std::string_view last_bytes) {
  if (state_ != State::started) return misused("a response was finished that is not open");
  ChunkStart chunk;
  Output output{{head_}};
  TRY(add_body(output, chunk, last_bytes));
  const bool is_short = framing_ == BodyFraming::content_length && has_body() && left_ > 0;
  if (is_short) return misused("less was written than the content-length says");
  if (framing_ == BodyFraming::chunked && has_body()) output.pieces[4] = kLastChunk;
  return deliver(scope, output, chunk, State::finished);
}

Task<void> Http1ResponseWriter::deliver(Scope& scope, Output output, const ChunkStart& chunk, State then) {
  Core& core = scope.core();
  const bool is_alone = core.may_write() && core.is_last_write();
  if (!is_alone || !TRY(put(output))) return deliver_later(scope, output, chunk, then);
  note_delivered(then);
  return Result<void>();
}

Task<void> Http1ResponseWriter::deliver_later(Scope& scope, Output output, ChunkStart chunk, State then) {
  // It came along as a copy, of which a part may be written.
  std::string_view& start = output.pieces[1];
  start = chunk.view().substr(chunk.view().size() - start.size());
  co_await scope.core().gather_writes();
  if (!CO_TRY(put(output))) CO_TRY(co_await put_rest(scope, output));
  co_await scope.core().let_writes_follow();
  note_delivered(then);
  co_return {};
}

void Http1ResponseWriter::note_delivered(State then) {
  // A stream that goes on needs the memory no longer.
  if (then == State::started && !head_.empty()) std::string().swap(head_);
  state_ = then;
}

size_t Http1ResponseWriter::Output::drop(size_t bytes) {
  const size_t body_before = pieces[kBody].size();
  for (size_t i = first; bytes > 0; ++i) {
    const size_t of_this = std::min(bytes, pieces[i].size());
    pieces[i].remove_prefix(of_this);
    bytes -= of_this;
  }
  return body_before - pieces[kBody].size();
}

bool Http1ResponseWriter::Output::is_empty() {
  while (first < pieces.size() && pieces[first].empty()) ++first;
  return first == pieces.size();
}

Result<bool> Http1ResponseWriter::put(Output& output) {
  if (!is_whole_ && !may_be_told(exchange_)) return hung_up(exchange_.reason());
  while (!output.is_empty()) {
    const IoResult written = stream_.try_write(std::span(output.pieces).subspan(output.first));
    if (written.state == IoState::would_block) return false;
    if (written.state != IoState::done)
      return hung_up(make_error(ErrorKind::cancelled, "the client hung up"));
    bytes_taken_ += output.drop(written.bytes);
  }
  return true;
}

Task<void> Http1ResponseWriter::put_rest(Scope& scope, Output& output) {
  do {
    Scope wait(scope_to_tell_in(scope, connection_));
    wait.set_deadline(wait.now() + service_.settings().write_timeout, ErrorKind::cancelled,
                      "the client stopped reading");
    Result<void> ready = co_await stream_.writable(wait);
    if (!ready) co_return hung_up(std::move(ready).error());
  } while (!CO_TRY(put(output)));
  co_return {};
}

std::unexpected<Error> Http1ResponseWriter::hung_up(Error why) {
  // Part of a message may be on the wire: nothing else can follow it.
  state_ = State::broken;
  exchange_.cancel(why);
  return fail(std::move(why));
}

}  // namespace weir
