// The character classes of HTTP (RFC 9110 section 5.6.2, RFC 9112, RFC 3986) as one table, for the parsers of
// this folder. How far a text is of one class says http_runs.h.
#pragma once

#include <array>
#include <cstdint>
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

constexpr bool is(char c, uint8_t bits) {
  return (kTable[static_cast<uint8_t>(c)] & bits) != 0;
}
inline std::string_view trim(std::string_view text) {
  while (!text.empty() && (text.front() == ' ' || text.front() == '\t')) text.remove_prefix(1);
  while (!text.empty() && (text.back() == ' ' || text.back() == '\t')) text.remove_suffix(1);
  return text;
}
// "host", "host:port", "[v6]:port"; the host may be empty, the port may be empty or up to five digits.
bool is_authority(std::string_view text);

}  // namespace weir::http_chars
