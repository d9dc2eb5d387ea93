// Byte-pair encoding of one piece of text with a ranked vocabulary, as OpenAI's tiktoken does it: start from
// single bytes, join the adjacent pair whose joined bytes have the lowest rank (the leftmost of equals),
// until no pair of neighbours is in the vocabulary. How a text is cut into pieces is tokens_split.h's
// business.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"

namespace weir {

// An immutable vocabulary. A token's id is its rank. About 10 MB for 200,000 tokens; safe to share between
// threads.
class BpeRanks {
 public:
  static constexpr uint32_t kNotAToken = UINT32_MAX;
  // A longer piece (which no natural text has) is encoded in windows of this size, each exactly, so that
  // memory stays under 30 MB; the joints of such windows may differ from an unbounded encoder by a token.
  static constexpr size_t kWindowBytes = size_t{1} << 20;

  // Reads lines of "<token in base64> <rank>\n". Errors (internal): malformed lines, ranks that do not run
  // from 0 upwards without a gap, two tokens with the same bytes, a missing single byte.
  static Result<BpeRanks> parse(std::string_view lines);
  // Unpacks a zstd frame and parses it. Errors (internal): as parse, and a damaged frame.
  static Result<BpeRanks> unpack(std::string_view zstd_frame);

  size_t size() const { return offsets_.size() - 1; }
  // The bytes of a token. REQUIRES rank < size().
  std::string_view token(uint32_t rank) const {
    return std::string_view(bytes_).substr(offsets_[rank], offsets_[rank + 1] - offsets_[rank]);
  }
  // The rank of these bytes as one token, or kNotAToken.
  uint32_t find(std::string_view bytes) const;

  // The number of tokens of a piece; n log n in its length whatever it holds.
  size_t count(std::string_view piece) const;
  // Appends the tokens of a piece to `out`.
  void encode(std::string_view piece, std::vector<uint32_t>& out) const;

 private:
  // `key` holds the bytes themselves up to length 8, their hash above.
  struct Slot {
    uint64_t key = 0;
    uint32_t rank = kNotAToken;
    uint32_t length = 0;  // 0: the slot is empty
  };

  BpeRanks() = default;
  bool insert(uint32_t rank);

  std::string bytes_;              // all tokens, one after the other
  std::vector<uint32_t> offsets_;  // where each starts in bytes_, and the end
  std::vector<Slot> slots_;        // open addressing, a power of two, at most half full
  size_t longest_ = 0;             // bytes of the longest token
};

}  // namespace weir
