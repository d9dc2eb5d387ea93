// Server-sent events (WHATWG HTML, section 9.2 "Server-sent events"): a decoder fed with bytes in any cut,
// and a writer. Without I/O. An event that lies whole in the input costs no copy.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "base/limits.h"
#include "base/result.h"

namespace weir {

// Views are valid until the next call of the decoder and as long as the bytes that it was fed last.
struct SseEvent {
  std::string_view event;  // the type as sent; empty stands for "message"
  std::string_view data;   // the data lines joined by '\n'; of a comment: the text after the colon
  std::string_view id;     // the last event id, which stays in force until another is sent
  bool is_comment = false;
  // From finish(): the stream ended before the blank line, where a browser would drop the event.
  bool is_unterminated = false;
};

// Data is given as the bytes that came: nothing replaces what is not UTF-8. Copyable between calls.
class SseDecoder {
 public:
  explicit SseDecoder(size_t event_bytes_max = kSseEventBytesMax) : event_bytes_max_(event_bytes_max) {}

  // Removes what it used from the front of `bytes` and gives the next event or comment; nothing when all of
  // `bytes` is used and more are needed. Errors: upstream_malformed for an event over the limit; after it the
  // decoder is of no more use.
  Result<std::optional<SseEvent>> next(std::string_view& bytes);
  // The stream has ended: the event that was begun, if it has data. Call once.
  std::optional<SseEvent> finish();

  // Whether the next byte starts an event: nothing was begun.
  bool is_between_events() const {
    const bool holds_event = !was_given_ && (has_data_ || !event_.view().empty());
    return !holds_event && line_.empty() && !skips_line_feed_ && bom_bytes_ == 3;
  }

  // The last `retry` field with a valid value.
  std::optional<uint64_t> retry_ms() const { return retry_ms_; }

 private:
  void skip_bom(std::string_view& bytes);
  // Takes one line without its end; `is_borrowed`: it lies in the caller's bytes and may be kept as a view
  // until next() returns. True when it completes an event.
  bool take_line(std::string_view line, bool is_borrowed);
  void take_field(std::string_view name, std::string_view value, bool is_borrowed);
  void add_data(std::string_view value, bool is_borrowed);
  bool is_oversized(size_t line_bytes) const;
  // Copies what is only a view of the caller's bytes.
  void own();
  void reset_event();

  // Text that is a view of the input while that lasts, and a copy otherwise.
  struct Text {
    std::string owned;
    std::string_view borrowed;
    bool is_owned = true;
    std::string_view view() const { return is_owned ? std::string_view(owned) : borrowed; }
    void set(std::string_view text, bool is_borrowed);
    void own();
    void clear();
  };

  size_t event_bytes_max_;
  std::string line_;  // the start of a line that was cut
  Text data_;
  Text event_;
  Text comment_;
  std::string id_;
  std::optional<uint64_t> retry_ms_;
  bool has_data_ = false;
  bool was_given_ = false;  // the last call gave an event: its texts are cleared by the next call
  bool skips_line_feed_ = false;
  uint8_t bom_bytes_ = 0;  // seen of the byte order mark at the start; 3: done
};

// Appends an event: "event: " (unless empty), "data: " for each line of `data`, and the blank line. A line
// break in `data` reads back as '\n' whatever it was. REQUIRES an `event` without line breaks, and at
// append_sse_comment a `text` without them.
void append_sse_event(std::string& out, std::string_view event, std::string_view data);
// Appends a comment line and a blank line, which keep a connection alive and say nothing to readers.
void append_sse_comment(std::string& out, std::string_view text);

}  // namespace weir
