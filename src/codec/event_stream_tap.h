// EventStreamTap: an event-stream decoder that also remembers which bytes each message came in, so that a
// stream can be read and passed on untouched at the same time (StreamDecoder::forwardable).
#pragma once

#include <string>
#include <string_view>

#include "base/result.h"
#include "io/event_stream.h"

namespace weir {

// Copyable between feeds.
class EventStreamTap {
 public:
  // Calls handle(const EventStreamMessage&) -> Result<void> for each message that the chunk completes; its
  // checksums are right. The first error ends the feed: that message's bytes, and all after it, are not
  // forwardable. Errors: those of the decoder and of `handle`.
  template <class Handle>
  Result<void> feed(std::string_view chunk, Handle&& handle) {
    begin(chunk);
    size_t from = 0;
    std::string_view rest = chunk;
    for (;;) {
      const std::optional<EventStreamMessage> message = TRY(decoder_.next(rest));
      if (!message) break;
      TRY(handle(*message));
      const size_t to = chunk.size() - rest.size();
      take(chunk.substr(from, to - from));
      from = to;
    }
    held_.append(chunk.substr(from));
    return {};
  }

  // The body has ended. What was held back is no whole message, and nobody could read it.
  void finish() { begin({}); }

  // The whole messages of the last feed, and what had been held back of the first of them.
  std::string_view forwardable() const { return is_view_ ? view_ : std::string_view(owned_); }

 private:
  void begin(std::string_view chunk);
  void take(std::string_view bytes);

  EventStreamDecoder decoder_;
  std::string held_;       // the bytes of a message that was begun
  std::string_view view_;  // while everything lies in one piece of the chunk
  std::string owned_;      // otherwise
  bool is_view_ = true;
};

}  // namespace weir
