// Finding the end of a JSON string, a vector at a time. Private to base/json*.cpp; json.h shows
// find_json_string_end().
#pragma once

#include <bit>
#include <cstdint>
#include <cstring>

namespace weir::detail {

struct JsonStringScan {
  // The closing quote; or what cannot be in a string: a control character, or the end of the bytes.
  const char* end;
  bool has_escapes = false;
  bool has_high_bytes = false;  // there may be bytes of 0x80 and above
};

// For strings of any length.
JsonStringScan scan_long_json_string(const char* p, const char* end);

// `p`: where the string's content starts. Most strings are keys and short words, which end within the first
// word that is looked at.
inline JsonStringScan scan_json_string(const char* p, const char* end) {
  static_assert(std::endian::native == std::endian::little,
                "the first byte of a word is taken to be its lowest");
  constexpr uint64_t kOnes = 0x0101'0101'0101'0101;
  constexpr uint64_t kHighs = 0x8080'8080'8080'8080;
  if (end - p >= 8) {
    uint64_t word;
    std::memcpy(&word, p, 8);
    const auto zero_bytes = [](uint64_t bytes) { return (bytes - kOnes) & ~bytes & kHighs; };
    const uint64_t control = (word - kOnes * 0x20) & ~word & kHighs;
    const uint64_t special = control | zero_bytes(word ^ (kOnes * '"')) | zero_bytes(word ^ (kOnes * '\\'));
    if (special != 0) {
      const char* const found = p + std::countr_zero(special) / 8;
      if (*found != '\\') return {.end = found, .has_high_bytes = (word & kHighs) != 0};
    }
  }
  return scan_long_json_string(p, end);
}

}  // namespace weir::detail
