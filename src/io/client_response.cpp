#include "io/client_response.h"

#include <cstring>
#include <utility>

#include "base/assert.h"

namespace weir {

Http1ClientResponse::Http1ClientResponse(ClientPool& pool, std::unique_ptr<ClientConnection> connection,
                                         ResponseHead&& head, std::unique_ptr<Decompressor> decompressor)
    : pool_(pool),
      connection_(std::move(connection)),
      decompressor_(std::move(decompressor)),
      framing_(head.framing),
      left_(head.content_length),
      keep_alive_(head.keep_alive) {
  status = head.status;
  headers = std::move(head.headers);
  is_framing_complete_ =
      framing_ == BodyFraming::none || (framing_ == BodyFraming::content_length && left_ == 0);
  if (is_framing_complete_) finish();
}

Http1ClientResponse::~Http1ClientResponse() {
  // After the last byte the connection is good for the next request even if nobody asked for the end.
  if (connection_ && is_framing_complete_) finish();
  if (decoded_) pool_.buffers().give(std::move(decoded_));
}

void Http1ClientResponse::finish() {
  is_complete_ = true;
  if (keep_alive_) {
    pool_.give(std::move(connection_));
  } else {
    connection_.reset();
  }
}

Task<void> Http1ClientResponse::wait(Scope& scope) {
  WEIR_ASSERT(connection_, "what has ended or failed is not waited for");
  was_waited_for_ = true;
  return connection_->readable(scope);
}

Result<std::optional<std::string_view>> Http1ClientResponse::take() {
  return decompressor_ ? take_decoded() : take_coded();
}

Result<std::optional<std::string_view>> Http1ClientResponse::take_decoded() {
  if (is_complete_) return std::string_view();
  if (!decoded_) decoded_ = pool_.buffers().take();
  const std::span<char> room(decoded_.get(), BufferPool::kBlockBytes);
  for (;;) {
    if (!coded_.empty() || may_hold_output_) {
      const size_t size = TRY(decompressor_->next(coded_, room));
      may_hold_output_ = size == room.size();
      if (size > 0) return std::string_view(room.data(), size);
    }
    const std::optional<std::string_view> coded = TRY(take_coded());
    if (!coded) return std::nullopt;
    coded_ = *coded;
    if (!coded_.empty()) continue;
    if (!decompressor_->is_at_end())
      return fail(ErrorKind::upstream_truncated, "the provider's compressed answer ended too early");
    finish();
    return std::string_view();
  }
}

Result<std::optional<std::string_view>> Http1ClientResponse::take_coded() {
  while (!is_framing_complete_) {
    if (!connection_) return fail(ErrorKind::upstream_truncated, "the provider's answer has failed before");
    if (!connection_->buffer().empty()) {
      auto piece = take_buffered();
      if (!piece) connection_.reset();
      if (!piece || !piece->empty()) return piece;
      continue;
    }
    // One look at the socket for each wait, so that a fast provider does not keep others from their turn.
    if (!std::exchange(was_waited_for_, false)) return std::nullopt;
    const IoState state = connection_->receive();
    if (state == IoState::end || state == IoState::broken) TRY(take_end(state));
  }
  if (!decompressor_ && !is_complete_) finish();
  return std::string_view();
}

Result<std::string_view> Http1ClientResponse::take_buffered() {
  if (framing_ == BodyFraming::chunked) return take_chunks();
  ReadBuffer& buffer = connection_->buffer();
  std::string_view piece = buffer.view();
  if (framing_ == BodyFraming::content_length) {
    piece = piece.substr(0, static_cast<size_t>(std::min<uint64_t>(left_, piece.size())));
    left_ -= piece.size();
    is_framing_complete_ = left_ == 0;
  }
  buffer.consume(piece.size());
  return piece;
}

Result<std::string_view> Http1ClientResponse::take_chunks() {
  ReadBuffer& buffer = connection_->buffer();
  const std::string_view held = buffer.view();
  std::string_view rest = held;
  char* const start = const_cast<char*>(held.data());  // the buffer is the connection's own memory
  size_t size = 0;
  size_t first = 0;
  while (!rest.empty() && !chunked_.is_done()) {
    const std::string_view piece = TRY(chunked_.next(rest));
    if (piece.empty()) continue;
    if (size == 0) {
      first = static_cast<size_t>(piece.data() - held.data());
    } else {
      std::memmove(start + first + size, piece.data(), piece.size());
    }
    size += piece.size();
  }
  is_framing_complete_ = chunked_.is_done();
  buffer.consume(held.size() - rest.size());
  return held.substr(first, size);
}

// The connection ended before the framing did.
Result<void> Http1ClientResponse::take_end(IoState state) {
  connection_.reset();
  if (framing_ == BodyFraming::until_close && state == IoState::end) {
    is_framing_complete_ = true;
    return {};
  }
  return fail(ErrorKind::upstream_truncated, "the provider's answer was cut off");
}

}  // namespace weir
