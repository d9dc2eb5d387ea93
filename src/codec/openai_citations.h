// Citations of OpenAI's two dialects of chat: the same fields, nested in the one and flat in the other.
#pragma once

#include <string>
#include <string_view>

#include "llm/dialect.h"

namespace weir {

// A citation, given as raw JSON of `dialect`, as an annotation of a Chat Completions message. Empty when
// there is no such form: another vendor's, or one of a file.
std::string openai_chat_citation(Dialect dialect, std::string_view raw);
// The same as an annotation of a Responses part.
std::string openai_responses_citation(Dialect dialect, std::string_view raw);

}  // namespace weir
