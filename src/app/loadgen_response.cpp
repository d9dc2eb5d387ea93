#include "app/loadgen_response.h"

#include <algorithm>

#include "base/text.h"

namespace weir {

void LoadResponse::start(std::string_view method) {
  parser_.reset();
  head_.clear();
  method_ = method;
  chunked_.reset();
  if (is_event_stream_) sse_ = SseDecoder();
  status_ = 0;
  events_ = 0;
  body_bytes_ = 0;
  has_begun_ = has_head_ = is_complete_ = false;
  keep_alive_ = true;
  is_event_stream_ = has_final_event_ = has_error_event_ = false;
}

Result<void> LoadResponse::feed(std::string_view bytes) {
  has_begun_ = has_begun_ || !bytes.empty();
  while (!has_head_ && !bytes.empty()) TRY(take_head(bytes));
  if (!has_head_ || bytes.empty()) return {};
  if (is_complete_) return fail(ErrorKind::upstream_malformed, "bytes behind the end of the answer");
  return take_body(bytes);
}

// Takes a head off the front; interim ones (1xx) are left out.
Result<void> LoadResponse::take_head(std::string_view& bytes) {
  const size_t held = head_.size();
  if (held > 0) head_ += bytes;
  const std::unique_ptr<ResponseHead> head =
      TRY(parser_.parse(held > 0 ? std::string_view(head_) : bytes, method_));
  if (!head) {
    if (held == 0) head_ = bytes;
    bytes = {};
    return {};
  }
  bytes.remove_prefix(head->consumed - held);
  head_.clear();
  parser_.reset();
  if (head->status < 200) return {};
  has_head_ = true;
  status_ = head->status;
  keep_alive_ = head->keep_alive;
  framing_ = head->framing;
  left_ = head->content_length;
  if (framing_ == BodyFraming::chunked) chunked_.emplace(ErrorKind::upstream_malformed);
  is_event_stream_ = starts_with_ignore_case(head->headers.get_or("content-type", ""), "text/event-stream");
  is_complete_ = framing_ == BodyFraming::none || (framing_ == BodyFraming::content_length && left_ == 0);
  return {};
}

Result<void> LoadResponse::take_body(std::string_view bytes) {
  if (framing_ == BodyFraming::content_length) {
    if (bytes.size() > left_)
      return fail(ErrorKind::upstream_malformed, "bytes behind the end of the answer");
    left_ -= bytes.size();
    is_complete_ = left_ == 0;
    return take_events(bytes);
  }
  if (framing_ == BodyFraming::until_close) return take_events(bytes);
  while (!bytes.empty() && !chunked_->is_done()) {
    const std::string_view piece = TRY(chunked_->next(bytes));
    TRY(take_events(piece));
  }
  if (!bytes.empty()) return fail(ErrorKind::upstream_malformed, "bytes behind the end of the answer");
  is_complete_ = chunked_->is_done();
  return {};
}

Result<void> LoadResponse::take_events(std::string_view bytes) {
  body_bytes_ += bytes.size();
  if (!is_event_stream_) return {};
  while (!bytes.empty()) {
    const std::optional<SseEvent> event = TRY(sse_.next(bytes));
    if (!event) break;
    if (event->is_comment) continue;
    ++events_;
    if (event->data == "[DONE]" || event->event == "message_stop") has_final_event_ = true;
    if (event->event == "error" || event->data.starts_with("{\"error\"")) has_error_event_ = true;
  }
  return {};
}

Result<void> LoadResponse::end() {
  if (has_head_ && framing_ == BodyFraming::until_close) {
    is_complete_ = true;
    return {};
  }
  return fail(ErrorKind::upstream_truncated, "the connection was closed before the end of the answer");
}

}  // namespace weir
