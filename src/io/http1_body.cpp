#include "io/http1_body.h"

#include "io/http_shared.h"

namespace weir {
namespace {

// simdjson reads up to this many bytes behind the text.
constexpr size_t kJsonPaddingBytes = 64;
// Memory is taken ahead of the bytes up to this size only: a client that announces a large body and sends
// nothing costs no more.
constexpr size_t kAheadBytesMax = 128 * 1024;

}  // namespace

Http1BodyReader::Http1BodyReader(ByteStream& stream, ReadBuffer& input, ByteBudget& budget,
                                 const RequestHead& head, Duration timeout, std::function<void()> on_complete)
    : stream_(stream),
      input_(input),
      share_(budget),
      timeout_(timeout),
      on_complete_(std::move(on_complete)),
      left_(head.framing == BodyFraming::content_length ? head.content_length : 0),
      owes_continue_(head.expects_continue),
      is_complete_(head.framing != BodyFraming::chunked && left_ == 0) {
  if (head.framing == BodyFraming::chunked) chunks_.emplace();
}

void Http1BodyReader::complete() {
  is_complete_ = true;
  // While the request is answered nothing more is read: no memory is held for it, unless the next request is
  // there already.
  if (input_.empty()) input_.release();
  on_complete_();
}

std::unexpected<Error> Http1BodyReader::broken(Error error) {
  is_broken_ = true;
  return fail(std::move(error));
}

Task<std::string> Http1BodyReader::read_all(Scope& scope, size_t bytes_max) {
  if (is_complete_) return Result<std::string>();
  if (left_ > bytes_max) return body_too_large(bytes_max);
  // The usual request came in one piece.
  if (!chunks_ && left_ <= input_.view().size()) return take_all();
  return read_rest(scope, bytes_max);
}

Result<std::string> Http1BodyReader::take_all() {
  std::string body;
  const auto size = static_cast<size_t>(left_);
  TRY(grow(body, size));
  body.append(input_.view().substr(0, size));
  input_.consume(size);
  left_ = 0;
  complete();
  return body;
}

Task<std::string> Http1BodyReader::read_rest(Scope& scope, size_t bytes_max) {
  std::string body;
  if (chunks_) {
    CO_TRY(co_await read_chunked(scope, body, bytes_max));
  } else {
    CO_TRY(co_await read_known_length(scope, body));
  }
  complete();
  co_return body;
}

Task<void> Http1BodyReader::read_known_length(Scope& scope, std::string& body) {
  while (left_ > 0) {
    const size_t size = body.size();
    const size_t wanted = static_cast<size_t>(std::min<uint64_t>(left_, std::max(kAheadBytesMax, size)));
    CO_TRY(grow(body, size + wanted));
    size_t filled = std::min(wanted, input_.view().size());
    body.append(input_.view().substr(0, filled));
    input_.consume(filled);
    // The rest goes from the socket into its place without a copy in between.
    body.resize_and_overwrite(size + wanted, [](char*, size_t count) { return count; });
    while (filled < wanted) {
      const Result<size_t> more =
          co_await receive(scope, std::span(body.data() + size + filled, wanted - filled));
      if (!more) co_return fail(more.error());
      filled += *more;
    }
    left_ -= wanted;
  }
  co_return {};
}

Task<void> Http1BodyReader::read_chunked(Scope& scope, std::string& body, size_t bytes_max) {
  while (!chunks_->is_done()) {
    const std::string_view piece = CO_TRY(next_piece(input_.view().size()));
    if (!piece.empty()) {
      if (piece.size() > bytes_max - body.size()) co_return body_too_large(bytes_max);
      if (body.size() + piece.size() + kJsonPaddingBytes > body.capacity())
        CO_TRY(grow(body, std::max(body.size() + piece.size(), 2 * body.size())));
      body.append(piece);
    } else if (!chunks_->is_done()) {
      CO_TRY(co_await receive_input(scope));
    }
  }
  co_return {};
}

Task<size_t> Http1BodyReader::read_some(Scope& scope, std::span<char> buffer) {
  if (is_complete_) co_return 0;
  size_t count = 0;
  if (chunks_) {
    while (count == 0 && !chunks_->is_done()) {
      const std::string_view piece = CO_TRY(next_piece(buffer.size()));
      if (!piece.empty()) {
        std::ranges::copy(piece, buffer.begin());
        count = piece.size();
      } else if (!chunks_->is_done()) {
        CO_TRY(co_await receive_input(scope));
      }
    }
    if (chunks_->is_done()) complete();
    co_return count;
  }
  buffer = buffer.first(static_cast<size_t>(std::min<uint64_t>(buffer.size(), left_)));
  if (input_.empty()) {
    count = CO_TRY(co_await receive(scope, buffer));
  } else {
    count = std::min(buffer.size(), input_.view().size());
    std::ranges::copy(input_.view().substr(0, count), buffer.begin());
    input_.consume(count);
  }
  left_ -= count;
  if (left_ == 0) complete();
  co_return count;
}

Result<std::string_view> Http1BodyReader::next_piece(size_t bytes_max) {
  while (!input_.empty() && !chunks_->is_done()) {
    // No more than fits the caller's buffer: the decoder gives all data that it is offered.
    std::string_view bytes = input_.view().substr(0, bytes_max);
    const size_t offered = bytes.size();
    Result<std::string_view> piece = chunks_->next(bytes);
    if (!piece) return broken(std::move(piece).error());
    input_.consume(offered - bytes.size());
    if (!piece->empty()) return piece;
  }
  return std::string_view();
}

Result<void> Http1BodyReader::hold(size_t bytes) {
  if (share_.grow_to(bytes)) return {};
  return fail(no_room_for_body());
}

Result<void> Http1BodyReader::grow(std::string& body, size_t size) {
  size += kJsonPaddingBytes;
  TRY(hold(size));
  body.reserve(size);
  return {};
}

Task<size_t> Http1BodyReader::receive(Scope& scope, std::span<char> buffer) {
  if (owes_continue_) CO_TRY(co_await send_continue(scope));
  for (;;) {
    const IoResult read = stream_.try_read(buffer);
    if (read.state == IoState::done) co_return read.bytes;
    if (read.state != IoState::would_block)
      co_return broken(make_error(ErrorKind::cancelled, "the client hung up before its body was complete"));
    Scope wait(scope);
    wait.set_deadline(wait.now() + timeout_, ErrorKind::request_timeout,
                      "the request body did not arrive in time");
    Result<void> ready = co_await stream_.readable(wait);
    if (!ready) co_return broken(std::move(ready).error());
  }
}

Task<void> Http1BodyReader::receive_input(Scope& scope) {
  input_.commit(CO_TRY(co_await receive(scope, input_.room())));
  co_return {};
}

Task<void> Http1BodyReader::send_continue(Scope& scope) {
  owes_continue_ = false;
  const std::array<std::string_view, 1> pieces = {kContinueResponse};
  Result<void> sent = co_await write_all(scope, stream_, pieces);
  if (!sent && !scope.is_cancelled())
    co_return broken(make_error(ErrorKind::cancelled, "the client hung up before it sent its body"));
  co_return sent;
}

bool Http1BodyReader::is_worth_draining() const {
  if (is_complete_) return true;
  // A client that waits for "100 Continue" may or may not send its body after an answer: nobody can tell
  // where its next request starts.
  return !is_broken_ && !owes_continue_ && left_ <= kDrainBytesMax;
}

Task<bool> Http1BodyReader::drain(Scope& scope) {
  if (!is_worth_draining()) co_return false;
  std::array<char, 4096> waste;
  uint64_t drained = 0;
  while (!is_complete_) {
    const Result<size_t> read = co_await read_some(scope, waste);
    if (!read) co_return false;
    drained += *read;
    if (drained > kDrainBytesMax) co_return false;
  }
  co_return true;
}

}  // namespace weir
