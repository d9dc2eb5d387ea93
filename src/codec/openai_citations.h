// Citations as annotations of OpenAI's two dialects of chat: the same fields, nested in the one and flat in
// the other.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "llm/dialect.h"

namespace weir {

// Which characters of the answer a citation belongs to, unless it says so itself: the text block that it came
// with.
struct CitedRange {
  int64_t start = 0;
  int64_t end = 0;
};

// The citation, given as raw JSON of `dialect`, as annotations of a Chat Completions message. Empty when
// there is no such form: that of a document or file.
std::vector<std::string> openai_chat_citations(Dialect dialect, std::string_view raw, CitedRange range);
// The same as annotations of a Responses part.
std::vector<std::string> openai_responses_citations(Dialect dialect, std::string_view raw, CitedRange range);

}  // namespace weir
