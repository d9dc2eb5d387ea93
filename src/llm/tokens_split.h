// Cuts a text into the pieces that byte-pair encoding works on, by the patterns that OpenAI publishes in
// tiktoken (tiktoken_ext/openai_public.py: cl100k_base and o200k_base), run by PCRE2's JIT.
//
// PCRE2 10.42 knows Unicode 14; letters assigned later count as symbols here, which can change where a piece
// ends in texts of scripts added since 2022.
#pragma once

#include <cstddef>
#include <memory>
#include <string_view>

namespace weir {

enum class SplitPattern : unsigned char { cl100k_base, o200k_base };

// Immutable and safe to share between threads; what a match needs is kept per thread.
class TokenSplitter {
 public:
  explicit TokenSplitter(SplitPattern pattern);
  ~TokenSplitter();
  TokenSplitter(TokenSplitter&&) noexcept;

  // The bytes of the piece that starts at `offset`; at least 1. Every byte of a text belongs to exactly one
  // piece, and walking a whole text costs time linear in its length. REQUIRES offset < text.size() and valid
  // UTF-8.
  size_t piece_at(std::string_view text, size_t offset) const;

 private:
  struct State;
  std::unique_ptr<State> state_;
};

}  // namespace weir
