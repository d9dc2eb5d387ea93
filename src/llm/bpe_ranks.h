// A ranked vocabulary of byte-pair encoding: the bytes of each token, and the token of given bytes.
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
  static constexpr size_t kTokenBytesMax = 255;

  // Reads lines of "<token in base64> <rank>\n". Errors (internal): malformed lines, ranks that do not run
  // from 0 upwards without a gap, two tokens with the same bytes, a missing single byte, a token of more than
  // kTokenBytesMax.
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

 private:
  // `key` holds the bytes themselves up to length 8, their hash above.
  struct Slot {
    uint64_t key = 0;
    uint32_t rank = kNotAToken;
    uint32_t length = 0;  // 0: the slot is empty
  };

  static constexpr size_t kPlaces = size_t{1} << 21;

  BpeRanks() = default;
  bool insert(uint32_t rank);

  std::string bytes_;              // all tokens, one after the other
  std::vector<uint32_t> offsets_;  // where each starts in bytes_, and the end
  std::vector<Slot> slots_;        // open addressing, a power of two, at most half full
  std::vector<uint64_t> taken_;  // a bit for each place that some token belongs to: most of what is looked up
                                 // is no token, and is told so from 256 KB in place of 8 MB
  size_t longest_ = 0;           // bytes of the longest token
};

}  // namespace weir
