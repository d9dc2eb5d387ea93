#include "codec/sse_tap.h"

namespace weir {

void SseTap::begin(std::string_view chunk) {
  chunk_ = chunk;
  view_ = {};
  owned_.clear();
  is_view_ = held_.empty();
}

void SseTap::note_form(size_t from, size_t to, SseVerdict verdict) {
  // Whatever else happens may change what later events mean.
  if (verdict != SseVerdict::keep_alike) return form_.forget();
  if (held_.empty()) form_.learn(chunk_.substr(from, to - from));
}

size_t SseTap::take_line_feed(std::string_view chunk) {
  if (!ends_in_return_ || !chunk.starts_with('\n')) return 0;
  take(0, 1, last_verdict_);
  return 1;
}

void SseTap::take(size_t from, size_t to, SseVerdict verdict) {
  const std::string_view bytes = chunk_.substr(from, to - from);
  if (verdict == SseVerdict::drop) {
    held_.clear();
    // What follows no longer touches what came before.
    if (is_view_ && !view_.empty()) {
      owned_.reserve(chunk_.size());  // what follows, too
      owned_ = view_;
      is_view_ = false;
    }
    return;
  }
  if (is_view_) {
    view_ = view_.empty() ? bytes
                          : chunk_.substr(static_cast<size_t>(view_.data() - chunk_.data()),
                                          view_.size() + bytes.size());
    return;
  }
  owned_ += held_;
  held_.clear();
  owned_ += bytes;
}

}  // namespace weir
