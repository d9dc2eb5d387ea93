// A hash of short texts for tables inside the process: names of fields, labels, models. Not for what outlives
// the process, and no defence against texts that were made to collide: a table that outsiders fill must not
// be slow when all hashes are equal.
#pragma once

#include <bit>
#include <cstdint>
#include <cstring>
#include <string_view>

namespace weir {

inline uint64_t hash_text(std::string_view text) {
  constexpr uint64_t kFactor = 0x9E37'79B9'7F4A'7C15;
  const auto load = [](const char* p, size_t size) {
    uint64_t word = 0;
    std::memcpy(&word, p, size);
    return word;
  };
  const char* p = text.data();
  size_t left = text.size();
  uint64_t hash = left * kFactor;
  for (; left >= 8; left -= 8, p += 8) hash = std::rotl((hash ^ load(p, 8)) * kFactor, 29);
  if (left >= 4) {
    hash = (hash ^ load(p, 4) ^ load(p + left - 4, 4) << 32) * kFactor;
  } else if (left > 0) {
    hash = (hash ^ load(p, 1) ^ load(p + left / 2, 1) << 8 ^ load(p + left - 1, 1) << 16) * kFactor;
  }
  return hash ^ hash >> 32;
}

}  // namespace weir
