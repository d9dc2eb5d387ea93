// Turning answers back that follow a schema which was changed for the target (schema_downlevel.h).
#pragma once

#include <string>
#include <string_view>

#include "llm/codec.h"

namespace weir {

// A key as a segment of a JSON pointer.
std::string pointer_segment(std::string_view key);

// The restore of that tool's arguments, or of the answer's text for ""; nullptr when there is nothing to do.
const SchemaRestore* find_restore(const CallNotes& notes, std::string_view tool);

// The whole text turned back. What does not follow the schema (an answer that was cut off) stays as it is,
// but for the wrapper's beginning.
std::string restore_json(std::string_view text, const SchemaRestore& restore);

// The same for text that comes in pieces, in any cut: a wrapper is taken off as the text flows; literals make
// it wait for the end. Copyable between pieces.
class StreamRestore {
 public:
  explicit StreamRestore(SchemaRestore restore) : restore_(std::move(restore)) {}

  // What of the text can be handed on now.
  std::string feed(std::string_view piece);
  // The rest, at the end of the block.
  std::string finish();

 private:
  enum class State : uint8_t { before, key, colon, value, after, plain };

  void step(char c, std::string& out);
  void give_up(std::string& out);

  SchemaRestore restore_;
  State state_ = State::before;
  std::string held_;  // the wrapper's beginning while it may still be none; or all, where literals wait
  int depth_ = 0;
  bool is_in_string_ = false;
  bool is_escaped_ = false;
};

}  // namespace weir
