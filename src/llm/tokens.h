// Counting tokens: exactly for OpenAI's models, as an estimate for the rest.
//
// The vocabularies are embedded and unpacked at the first count, once, from any thread (some 150 ms and 25 MB
// for o200k_base). Counts are of plain text: what a chat adds per message is the dialect's business, and
// special tokens such as <|endoftext|> count as the text that they are. Bytes that are not UTF-8 are counted
// too (a run of them is a piece of its own); nothing is refused.
#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "llm/capabilities.h"

namespace weir {

// `estimate` stands for all models without a public tokenizer.
using Tokenizer = TokenizerKind;

// The tokenizer of a model by its vendor's name: o200k_base for GPT-4o, 4.1, 5, o1, o3, o4 and gpt-oss,
// cl100k_base for GPT-4, 3.5 and the embedding models; a leading "openai/" or "ft:" and a date at the end do
// not matter.
Tokenizer tokenizer_for_model(std::string_view model);

// Loads a vocabulary now rather than at the first count. Nothing to do for `estimate`.
void preload(Tokenizer tokenizer);

// The number of tokens: exact for the two vocabularies, estimate_tokens for `estimate`. Linear in the text.
int64_t count_tokens(Tokenizer tokenizer, std::string_view text);

// The tokens themselves. REQUIRES a tokenizer other than `estimate`.
std::vector<uint32_t> encode_tokens(Tokenizer tokenizer, std::string_view text);
// The bytes of tokens; ids outside the vocabulary give nothing. REQUIRES as encode_tokens.
std::string decode_tokens(Tokenizer tokenizer, std::span<const uint32_t> tokens);

// The pieces that a text is cut into before encoding: about a word each, never through a character of valid
// UTF-8. Tokens never cross pieces, so their counts add up. REQUIRES as encode_tokens.
std::vector<std::string_view> split_pieces(Tokenizer tokenizer, std::string_view text);

// A number of tokens that neither vocabulary exceeds, for reserving limits before the exact count is known:
// no vocabulary is loaded, and it takes 2.5 µs a kilobyte where the exact count takes 10. English prose gets
// some 3 times its true count, and no text more than one token a byte. tokens_bound.cpp says why it holds.
int64_t cheap_upper_estimate(std::string_view text);

// A guess of the tokens that a model with an unpublished tokenizer sees, mostly 0 to 20 % above
// o200k_base's count. What shows it must call it an estimate.
int64_t estimate_tokens(std::string_view text);

}  // namespace weir
