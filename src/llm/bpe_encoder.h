// Byte-pair encoding of one piece of text, as OpenAI's tiktoken does it: start from single bytes, join the
// adjacent pair whose joined bytes have the lowest rank (the leftmost of equals), until no pair of neighbours
// is in the vocabulary. How a text is cut into pieces is tokens_split.h's business.
//
// The joining itself is not acted out. Tokens are what it ends with exactly if it leaves each two neighbours
// apart, and that can be told from these two alone. So the tokens are found from left to right, the longest
// first, and a dead end takes the last one back. Up to each place of the text there is at most one way to
// encode: a dead end is one whatever came before, is met once, and the whole is linear in the length of the
// text. Source: H. van Antwerpen and A. Neubeck, "So many tokens, so little time", github.blog, December
// 2024.
#pragma once

#include <atomic>
#include <cstdint>
#include <memory>
#include <string_view>
#include <vector>

#include "llm/bpe_ranks.h"
#include "llm/token_trie.h"

namespace weir {

// Immutable but for what it remembers. About 20 MB for 200,000 tokens; safe to share between threads.
class BpeEncoder {
 public:
  // Errors (internal): a token that joining its bytes does not make from two tokens of lower rank, which
  // training never leaves behind.
  static Result<BpeEncoder> create(BpeRanks ranks);

  const BpeRanks& ranks() const { return ranks_; }
  // The number of tokens of a piece. Takes as much memory as the piece itself, and an eighth, if that is
  // long.
  size_t count(std::string_view piece) const;
  // Appends the tokens of a piece to `out`.
  void encode(std::string_view piece, std::vector<uint32_t>& out) const;

 private:
  static constexpr size_t kVerdicts = size_t{1} << 16;

  // The two tokens that are joined last to make a token. A single byte has itself as both.
  struct Split {
    uint32_t left = BpeRanks::kNotAToken;
    uint32_t right = BpeRanks::kNotAToken;
    uint32_t left_size = 0;  // bytes
  };

  explicit BpeEncoder(BpeRanks ranks);
  Split split_of(uint32_t rank) const;
  bool meet_unjoined(SizedToken left, SizedToken right, const char* boundary) const;
  bool stay_apart(SizedToken left, SizedToken right, const char* boundary) const;
  template <class WithSizes>
  size_t encode_piece(std::string_view piece, WithSizes with_sizes) const;
  size_t encode_parts(std::string_view piece, uint8_t* sizes, uint64_t* dead_ends) const;

  BpeRanks ranks_;
  TokenTrie trie_;
  std::vector<Split> splits_;  // by rank
  // Of pairs of tokens, whether they stay apart: left + 1, right, the answer; 0 is none. Each stands by
  // itself, so that threads need no order between them.
  std::unique_ptr<std::atomic<uint64_t>[]> verdicts_;
};

}  // namespace weir
