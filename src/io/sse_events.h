// WholeSseEvents: passes a stream of server-sent events on as it comes, but ends between two events whenever
// the provider breaks off: what it has begun is held back until it is whole. Nothing is decoded. Without I/O.
#pragma once

#include <array>
#include <string>
#include <string_view>

namespace weir {

class WholeSseEvents {
 public:
  // An event of which more is held than this passes in the pieces that it comes in.
  explicit WholeSseEvents(size_t held_bytes_max) : held_bytes_max_(held_bytes_max) {}

  // What may pass on, of these bytes and of those before them. It is valid until the next call, and as long
  // as `bytes`: events that lie whole in them cost no copy.
  std::string_view feed(std::string_view bytes);
  // The same for the last bytes of a stream that ended in order: all that is left, whole or not.
  std::string_view finish(std::string_view bytes);
  // Whether what has passed so far ends within an event.
  bool is_within_event() const { return is_within_event_; }

 private:
  size_t end_of_events(std::string_view bytes) const;
  bool ends_event(std::string_view bytes, size_t end) const;
  void remember(std::string_view bytes);
  // What is held with these bytes behind it, of which nothing is held any more.
  std::string_view with_held(std::string_view bytes);

  const size_t held_bytes_max_;
  std::array<char, 2> before_ = {'\n', '\n'};  // the last two bytes that were fed
  std::string held_;
  std::string given_;
  bool is_within_event_ = false;
};

}  // namespace weir
