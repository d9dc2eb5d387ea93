// Web search that a vendor runs, said in another vendor's words: tools of Responses, Anthropic and Gemini,
// and web_search_options of Chat Completions. Other tools that vendors run mean nothing elsewhere.
#pragma once

#include "llm/chat.h"
#include "llm/codec.h"

namespace weir {

// Whether the chat asks for a search in the words of another dialect than the target's, which has its own.
bool has_foreign_web_search(const Chat& chat, Dialect target);
// Asks for it in the target's words instead. What the target cannot be told of it (domains, the place, how
// often) is reported.
void map_web_search(Chat& chat, Dialect target, Fidelity& fidelity);

}  // namespace weir
