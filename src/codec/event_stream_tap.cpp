#include "codec/event_stream_tap.h"

namespace weir {

void EventStreamTap::begin(std::string_view chunk) {
  view_ = chunk.substr(0, 0);
  owned_.clear();
  is_view_ = held_.empty();
}

void EventStreamTap::take(std::string_view bytes) {
  if (is_view_) {
    // Messages of one feed follow each other without a gap.
    view_ = std::string_view(view_.data(), view_.size() + bytes.size());
    return;
  }
  owned_ += held_;
  held_.clear();
  owned_ += bytes;
}

}  // namespace weir
