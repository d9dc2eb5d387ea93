// Conversations for models that read nothing but text.
#pragma once

#include <string>
#include <vector>

#include "llm/codec.h"

namespace weir {

struct TextTurn {
  bool is_user = true;
  std::string text;
};

struct TextConversation {
  std::string system;           // all instructions, an empty line between two
  std::vector<TextTurn> turns;  // they alternate; the last is the user's
};

// Marks by which prompt templates set turns apart are made harmless in the texts: nobody's words may end
// their turn and begin another's. Losses go to notes.fidelity. Errors: unsupported for what is not text,
// bad_request for a conversation that does not end with the user's.
Result<TextConversation> flatten_text_turns(const Chat& chat, CallNotes& notes);

}  // namespace weir
