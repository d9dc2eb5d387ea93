// The character classes of HTTP (RFC 9110 section 5.6.2, RFC 9112, RFC 3986) as one table, for the parsers of
// this folder.
#pragma once

#include <array>
#include <bit>
#include <cstdint>
#include <cstring>
#include <string_view>

namespace weir::http_chars {

enum : uint8_t {
  kToken = 1,   // tchar: names and methods
  kValue = 2,   // field content: HTAB, SP, visible, obs-text; no other control
  kTarget = 4,  // a request target: visible ASCII without '#'
  kHost = 8,    // a registered name or an IPv4 address (without sub-delims, which no real host has)
  kDigit = 16,
  kHex = 32,
};

consteval std::array<uint8_t, 256> make_table() {
  std::array<uint8_t, 256> table{};
  const auto add = [&table](std::string_view chars, uint8_t bits) {
    for (const char c : chars) table[static_cast<uint8_t>(c)] |= bits;
  };
  for (size_t c = 0x20; c < 0x100; ++c) {
    if (c != 0x7F) table[c] |= kValue;
    if (c > 0x20 && c < 0x7F && c != '#') table[c] |= kTarget;
  }
  add("\t", kValue);
  add("0123456789", kToken | kHost | kDigit | kHex);
  add("abcdefABCDEF", kHex);
  add("abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ", kToken | kHost);
  add("!#$%&'*+-.^_`|~", kToken);
  add("-._~%", kHost);
  return table;
}
inline constexpr std::array<uint8_t, 256> kTable = make_table();

inline bool is(char c, uint8_t bits) {
  return (kTable[static_cast<uint8_t>(c)] & bits) != 0;
}
inline constexpr uint64_t kOnes = 0x0101010101010101;
inline constexpr uint64_t kTops = kOnes << 7;
// The top bit of each byte that is in the range. REQUIRES bytes without top bits.
constexpr uint64_t in_range(uint64_t word, uint8_t low, uint8_t high) {
  return (word + kOnes * (0x80 - low)) & ~(word + kOnes * (0x7FU - high)) & kTops;
}
// A top bit for each byte of the word that may not be of that class: at least for the first one that is not.
constexpr uint64_t suspects(uint64_t word, uint8_t bits) {
  const uint64_t ascii = word & ~kTops;
  if (bits == kToken) {
    const uint64_t letters = in_range(ascii | kOnes * 0x20, 'a', 'z');
    return kTops & (word | ~(letters | in_range(ascii, '-', '.') | in_range(ascii, '0', '9')));
  }
  if (bits == kTarget) return kTops & (word | ~in_range(ascii, '$', '~'));
  if (bits == kValue) {
    // Hacker's Delight, section 6-1: below a space, or equal to DEL.
    const uint64_t del = word ^ (kOnes * 0x7F);
    return (((word - kOnes * 0x20) & ~word) | ((del - kOnes) & ~del)) & kTops;
  }
  return kTops;
}
// The index of the first character from `at` on that is not of that class; text.size() if all are. Eight
// characters at a time where it can, since heads are most of a small request; the table has the last word.
inline size_t run(std::string_view text, size_t at, uint8_t bits) {
  static_assert(std::endian::native == std::endian::little,
                "the first byte of a word is taken to be its lowest");
  while (text.size() - at >= 8) {
    uint64_t word;
    std::memcpy(&word, text.data() + at, 8);
    const uint64_t found = suspects(word, bits);
    if (found == 0) {
      at += 8;
      continue;
    }
    at += static_cast<size_t>(std::countr_zero(found)) / 8;
    if (!is(text[at], bits)) return at;
    ++at;
  }
  while (at < text.size() && is(text[at], bits)) ++at;
  return at;
}
inline bool all(std::string_view text, uint8_t bits) {
  return run(text, 0, bits) == text.size();
}
inline std::string_view trim(std::string_view text) {
  while (!text.empty() && (text.front() == ' ' || text.front() == '\t')) text.remove_prefix(1);
  while (!text.empty() && (text.back() == ' ' || text.back() == '\t')) text.remove_suffix(1);
  return text;
}
// "host", "host:port", "[v6]:port"; the host may be empty, the port may be empty or up to five digits.
bool is_authority(std::string_view text);

}  // namespace weir::http_chars
