// How many tokens a chat request has, by Weir's own count: an estimate for every vendor, since what a vendor
// adds around messages, tools and images is its own business.
#pragma once

#include <cstddef>
#include <cstdint>

#include "llm/capabilities.h"
#include "llm/chat.h"

namespace weir {

// Texts by `tokenizer`, and the published overheads: 3 tokens a message and 3 for the start of the answer
// (OpenAI's cookbook, "How to count tokens"), an image as 765 (OpenAI's figure for one of 1024 x 1024 in high
// detail), tools by their text.
int64_t estimate_prompt_tokens(const Chat& chat, TokenizerKind tokenizer);

// Tokens of that many bytes of answer text whose words were not kept: bytes / 4, rounded up.
constexpr int64_t estimate_tokens_of_bytes(size_t bytes) {
  return static_cast<int64_t>((bytes + 3) / 4);
}

}  // namespace weir
