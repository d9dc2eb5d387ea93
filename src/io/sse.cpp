#include "io/sse.h"

#include <bit>
#include <charconv>
#include <cstring>

#include "base/assert.h"

namespace weir {
namespace {

constexpr std::string_view kBom = "\xEF\xBB\xBF";
constexpr uint8_t kBomDone = 3;

// A bit in each byte of `word` that equals `c` (Hacker's Delight, section 6-1); the lowest one is exact.
uint64_t bytes_equal_to(uint64_t word, char c) {
  constexpr uint64_t kOnes = 0x0101010101010101;
  const uint64_t difference = word ^ (kOnes * static_cast<uint8_t>(c));
  return (difference - kOnes) & ~difference & (kOnes << 7);
}

// The index of the first CR or LF; size if there is none. One pass for both, since a search for each would be
// quadratic on streams that use only the other.
size_t find_line_end(std::string_view bytes) {
  size_t at = 0;
  if constexpr (std::endian::native == std::endian::little) {
    for (; at + 8 <= bytes.size(); at += 8) {
      uint64_t word;
      std::memcpy(&word, bytes.data() + at, 8);
      const uint64_t hits = bytes_equal_to(word, '\n') | bytes_equal_to(word, '\r');
      if (hits != 0) return at + static_cast<size_t>(std::countr_zero(hits)) / 8;
    }
  }
  while (at < bytes.size() && bytes[at] != '\n' && bytes[at] != '\r') ++at;
  return at;
}

}  // namespace

void SseDecoder::Text::set(std::string_view text, bool is_borrowed) {
  is_owned = !is_borrowed;
  if (is_owned) {
    owned.assign(text);
  } else {
    borrowed = text;
  }
}

void SseDecoder::Text::own() {
  if (!is_owned) set(borrowed, false);
}

void SseDecoder::Text::clear() {
  owned.clear();
  borrowed = {};
  is_owned = true;
}

void SseDecoder::skip_bom(std::string_view& bytes) {
  while (bom_bytes_ < kBomDone && !bytes.empty()) {
    if (bytes.front() != kBom[bom_bytes_]) {
      line_.assign(kBom.substr(0, bom_bytes_));  // it was the start of a line after all
      bom_bytes_ = kBomDone;
      return;
    }
    bytes.remove_prefix(1);
    ++bom_bytes_;
  }
}

bool SseDecoder::is_oversized(size_t line_bytes) const {
  return line_bytes + data_.view().size() + event_.view().size() > event_bytes_max_;
}

Result<std::optional<SseEvent>> SseDecoder::next(std::string_view& bytes) {
  const auto too_large = [] {
    return fail(ErrorKind::upstream_malformed, "an event of the provider's stream is too large");
  };
  if (was_given_) reset_event();
  if (bom_bytes_ < kBomDone) skip_bom(bytes);
  while (!bytes.empty()) {
    if (skips_line_feed_) {
      skips_line_feed_ = false;
      if (bytes.front() == '\n') {
        bytes.remove_prefix(1);
        continue;
      }
    }
    const size_t end = find_line_end(bytes);
    if (is_oversized(line_.size() + end)) return too_large();
    if (end == bytes.size()) break;
    const bool is_borrowed = line_.empty();
    if (!is_borrowed) line_.append(bytes.substr(0, end));
    const std::string_view line = is_borrowed ? bytes.substr(0, end) : std::string_view(line_);
    size_t used = end + 1;
    if (bytes[end] == '\r') {
      skips_line_feed_ = used == bytes.size();
      if (!skips_line_feed_ && bytes[used] == '\n') ++used;
    }
    bytes.remove_prefix(used);
    if (line.starts_with(':')) {
      own();
      comment_.set(line.substr(1), is_borrowed);
      line_.clear();
      return SseEvent{.event = {}, .data = comment_.view(), .id = id_, .is_comment = true};
    }
    const bool is_complete = take_line(line, is_borrowed);
    line_.clear();
    if (is_complete) {
      was_given_ = true;
      return SseEvent{.event = event_.view(), .data = data_.view(), .id = id_};
    }
  }
  own();
  line_.append(bytes);
  bytes = {};
  return std::nullopt;
}

void SseDecoder::own() {
  data_.own();
  event_.own();
}

void SseDecoder::reset_event() {
  data_.clear();
  event_.clear();
  has_data_ = was_given_ = false;
}

bool SseDecoder::take_line(std::string_view line, bool is_borrowed) {
  if (line.empty()) {
    if (has_data_) return true;
    reset_event();  // a type without data is no event
    return false;
  }
  const size_t colon = std::min(line.find(':'), line.size());
  std::string_view value = line.substr(std::min(colon + 1, line.size()));
  if (value.starts_with(' ')) value.remove_prefix(1);
  take_field(line.substr(0, colon), value, is_borrowed);
  return false;
}

void SseDecoder::take_field(std::string_view name, std::string_view value, bool is_borrowed) {
  if (name == "data") {
    add_data(value, is_borrowed);
  } else if (name == "event") {
    event_.set(value, is_borrowed);
  } else if (name == "id") {
    if (value.find('\0') == std::string_view::npos) id_.assign(value);
  } else if (name == "retry") {
    uint64_t milliseconds = 0;
    const auto parsed = std::from_chars(value.data(), value.data() + value.size(), milliseconds);
    if (parsed.ec == std::errc() && parsed.ptr == value.data() + value.size()) retry_ms_ = milliseconds;
  }
}

void SseDecoder::add_data(std::string_view value, bool is_borrowed) {
  if (!has_data_) {
    has_data_ = true;
    data_.set(value, is_borrowed);
    return;
  }
  data_.own();
  data_.owned.append("\n").append(value);
}

std::optional<SseEvent> SseDecoder::finish() {
  if (was_given_) reset_event();
  if (bom_bytes_ < kBomDone) line_.assign(kBom.substr(0, bom_bytes_));
  if (!line_.empty() && !line_.starts_with(':')) take_line(line_, false);
  line_.clear();
  if (!has_data_) return std::nullopt;
  was_given_ = true;
  return SseEvent{.event = event_.view(), .data = data_.view(), .id = id_, .is_unterminated = true};
}

void append_sse_event(std::string& out, std::string_view event, std::string_view data) {
  WEIR_ASSERT(find_line_end(event) == event.size(), "an event's type is one line");
  if (!event.empty()) out.append("event: ").append(event).append("\n");
  for (;;) {
    const size_t end = find_line_end(data);
    out.append("data: ").append(data.substr(0, end)).append("\n");
    if (end == data.size()) break;
    data.remove_prefix(data.substr(end).starts_with("\r\n") ? end + 2 : end + 1);
  }
  out.append("\n");
}

void append_sse_comment(std::string& out, std::string_view text) {
  WEIR_ASSERT(find_line_end(text) == text.size(), "a comment is one line");
  out.append(": ").append(text).append("\n\n");
}

}  // namespace weir
