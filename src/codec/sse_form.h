// SseForm: the form of an event that says nothing but text, learned from one such event, by which those that
// follow are known without being read: all that is not the text itself has the same bytes. An answer of a
// thousand events has one form or a few.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace weir {

class SseForm {
 public:
  // `event`: the bytes of one whole event, its blank line included.
  void learn(std::string_view event);
  void forget() { literals_.clear(); }

  // How many bytes at the front of `bytes` are whole events of the learned form; 0 if none is, or nothing was
  // learned. Their texts may hold any JSON string.
  size_t match(std::string_view bytes);

 private:
  // Forms that are learned and never met again (a number changes from event to event) are given up after so
  // many.
  static constexpr int kUnmetMax = 8;
  static constexpr size_t kTextsMax = 8;
  // A longer event is a picture or a document, and a stream has few of those.
  static constexpr size_t kEventBytesMax = 4096;

  size_t match_one(std::string_view bytes) const;

  std::string bytes_;  // the literals, one behind the other
  std::vector<uint32_t>
      literals_;  // the size of each; between two of them stands a text. Empty: nothing learned
  int unmet_ = 0;
};

}  // namespace weir
