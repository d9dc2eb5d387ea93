// SseTap: an SSE decoder that also remembers which bytes each event came in, so that a stream can be read and
// passed on untouched at the same time (StreamDecoder::forwardable).
#pragma once

#include <string>
#include <string_view>

#include "base/result.h"
#include "codec/sse_form.h"
#include "io/sse.h"

namespace weir {

enum class SseVerdict : uint8_t {
  keep,        // the client sees this event's bytes
  keep_alike,  // the same, and those that follow and differ from it in their texts alone need not be handed
               // out
  drop,        // it does not: Weir alone asked for it
};

// Whether an event that is not decoded may be passed on: one that was cut off, or that plainly is no JSON
// object, is decoded instead and fails there.
inline bool looks_whole(const SseEvent& event) {
  return !event.is_unterminated && event.data.starts_with('{') && event.data.ends_with('}');
}

// Copyable between feeds.
class SseTap {
 public:
  // Calls handle(const SseEvent&) -> Result<SseVerdict> for each event and comment that the chunk completes.
  // The first error ends the feed: that event's bytes, and all after it, are not forwardable. Errors: those
  // of the decoder and of `handle`.
  template <class Handle>
  Result<void> feed(std::string_view chunk, Handle&& handle) {
    begin(chunk);
    size_t from = take_line_feed(chunk);
    std::string_view rest = chunk;
    for (;;) {
      if (const size_t alike = decoder_.is_between_events() ? form_.match(rest) : 0) {
        rest.remove_prefix(alike);
        take(from, from + alike, SseVerdict::keep);
        from += alike;
        last_verdict_ = SseVerdict::keep;
      }
      const std::optional<SseEvent> event = TRY(decoder_.next(rest));
      if (!event) break;
      const SseVerdict verdict = TRY(handle(*event));
      const size_t to = chunk.size() - rest.size();
      note_form(from, to, verdict);
      take(from, to, verdict);
      from = to;
      last_verdict_ = verdict;
    }
    held_.append(chunk.substr(from));
    if (!chunk.empty()) ends_in_return_ = held_.empty() && chunk.back() == '\r';
    return {};
  }

  // The body has ended: an event with data but without its blank line is handed out, and its bytes are
  // completed with one.
  template <class Handle>
  Result<void> finish(Handle&& handle) {
    begin({});
    const std::optional<SseEvent> event = decoder_.finish();
    // A field name without its value, where the stream was cut, is nothing that a client could read.
    if (!event || event->data.empty()) return {};
    if (TRY(handle(*event)) != SseVerdict::drop) {
      owned_ = std::exchange(held_, {});
      owned_ += "\n\n";
      is_view_ = false;
    }
    return {};
  }

  // Puts bytes of Weir's own behind what the last finish() gave: an end marker that the provider left out.
  void add(std::string_view bytes) {
    if (is_view_) owned_ = view_;
    is_view_ = false;
    owned_ += bytes;
  }

  // The whole events of the last feed (and of an unfinished one held back before) whose verdict was keep.
  std::string_view forwardable() const { return is_view_ ? view_ : std::string_view(owned_); }

 private:
  void begin(std::string_view chunk);
  void note_form(size_t from, size_t to, SseVerdict verdict);
  // An event is over at the carriage return of its blank line; a line feed that comes after a cut is still
  // its.
  size_t take_line_feed(std::string_view chunk);
  void take(size_t from, size_t to, SseVerdict verdict);

  SseDecoder decoder_;
  SseForm form_;
  std::string held_;        // the bytes of an event that was begun
  std::string_view chunk_;  // of the current feed
  std::string_view view_;   // while everything kept lies in one piece of the chunk
  std::string owned_;       // otherwise
  bool is_view_ = true;
  bool ends_in_return_ = false;  // the last event did, at the end of its chunk
  SseVerdict last_verdict_ = SseVerdict::keep;
};

}  // namespace weir
