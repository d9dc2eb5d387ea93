#include "io/sse_events.h"

#include <algorithm>
#include <cstring>
#include <utility>

namespace weir {
namespace {

// The index behind the last `c`; 0 if there is none.
size_t behind_last(std::string_view bytes, char c) {
  if (bytes.empty()) return 0;
  const void* const found = ::memrchr(bytes.data(), c, bytes.size());
  return found ? static_cast<size_t>(static_cast<const char*>(found) - bytes.data()) + 1 : 0;
}

bool ends_line(char c) {
  return c == '\n' || c == '\r';
}

}  // namespace

// Whether the line end before `end` follows another one. CR LF is one line end. REQUIRES a line end there.
bool WholeSseEvents::ends_event(std::string_view bytes, size_t end) const {
  const auto back = [&](size_t count) {
    return count <= end ? bytes[end - count] : before_[2 + end - count];
  };
  const bool is_pair = back(1) == '\n' && back(2) == '\r';
  return ends_line(back(is_pair ? 3 : 2));
}

// The index behind the last event that ends in the bytes; 0 if none does.
size_t WholeSseEvents::end_of_events(std::string_view bytes) const {
  size_t line_feed = behind_last(bytes, '\n');
  size_t carriage_return = behind_last(bytes, '\r');
  for (;;) {
    const size_t end = std::max(line_feed, carriage_return);
    if (end == 0 || ends_event(bytes, end)) return end;
    const std::string_view rest = bytes.substr(0, end - 1);
    (line_feed == end ? line_feed : carriage_return) = behind_last(rest, line_feed == end ? '\n' : '\r');
  }
}

void WholeSseEvents::remember(std::string_view bytes) {
  if (bytes.empty()) return;
  before_[0] = bytes.size() > 1 ? bytes[bytes.size() - 2] : before_[1];
  before_[1] = bytes.back();
}

std::string_view WholeSseEvents::with_held(std::string_view bytes) {
  given_.clear();
  if (held_.empty()) return bytes;
  given_.swap(held_);
  given_ += bytes;
  return given_;
}

std::string_view WholeSseEvents::feed(std::string_view bytes) {
  const size_t end = end_of_events(bytes);
  const std::string_view begun = bytes.substr(end);
  remember(bytes);
  const bool goes_on = is_within_event_ && end == 0;
  const size_t held = begun.size() + (end == 0 ? held_.size() : 0);
  if (goes_on || held > held_bytes_max_) {
    is_within_event_ = !begun.empty() || goes_on;
    return with_held(bytes);
  }
  if (end == 0) {
    held_ += bytes;
    return {};
  }
  is_within_event_ = false;
  const std::string_view whole = with_held(bytes.substr(0, end));
  held_ = begun;
  return whole;
}

std::string_view WholeSseEvents::finish(std::string_view bytes) {
  return with_held(bytes);
}

}  // namespace weir
