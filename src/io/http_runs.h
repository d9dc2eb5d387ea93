// How far a text is of one class of http_chars.h: sixteen characters at a time where it can, since heads are
// most of a small request. The table has the last word.
#pragma once

#include <array>
#include <bit>
#include <cstring>

#include "io/http_chars.h"

namespace weir::http_chars {

inline constexpr size_t kLanes = 16;
using Lanes [[gnu::vector_size(kLanes)]] = uint8_t;

inline Lanes load_lanes(const char* at) {
  Lanes lanes;
  std::memcpy(&lanes, at, kLanes);
  return lanes;
}
// The first eight and the last eight of less than sixteen.
inline Lanes load_halves(const char* at, size_t size) {
  std::array<uint64_t, 2> halves;
  std::memcpy(&halves[0], at, 8);
  std::memcpy(&halves[1], at + size - 8, 8);
  return std::bit_cast<Lanes>(halves);
}
// One lane for each character that no value may hold.
inline auto controls(Lanes c) {
  return ((c < 0x20) & (c != '\t')) | (c == 0x7F);
}
// A bit for each of the characters that may not be of that class, the first one lowest.
inline uint32_t suspects(Lanes c, uint8_t bits) {
  using Bits = bool __attribute__((ext_vector_type(kLanes)));
  const auto to_bits = [](auto lanes) {
    return uint32_t{std::bit_cast<uint16_t>(__builtin_convertvector(lanes, Bits))};
  };
  if (bits == kToken || bits == kHost) {
    const Lanes letters = (c | 0x20) - 'a';
    const Lanes digits = c - '0';
    const Lanes marks = c - '-';  // and '.'
    return to_bits(~((letters < 26) | (digits < 10) | (marks < 2)));
  }
  if (bits == kTarget) return to_bits(Lanes(c - '$') > '~' - '$');
  if (bits == kValue) return to_bits(controls(c));
  return 0xFFFF;
}

// The index of the first character from `at` on that is not of that class; text.size() if all are.
inline size_t run(std::string_view text, size_t at, uint8_t bits) {
  for (size_t left = text.size() - at; left >= 8; left = text.size() - at) {
    const bool is_whole = left >= kLanes;
    const char* const start = text.data() + at;
    const uint32_t found = suspects(is_whole ? load_lanes(start) : load_halves(start, left), bits);
    if (found == 0) {
      at += is_whole ? kLanes : left;
      continue;
    }
    const auto lane = static_cast<size_t>(std::countr_zero(found));
    at += is_whole || lane < 8 ? lane : lane - kLanes + left;
    if (!is(text[at], bits)) return at;
    ++at;
  }
  while (at < text.size() && is(text[at], bits)) ++at;
  return at;
}
inline bool all(std::string_view text, uint8_t bits) {
  return run(text, 0, bits) == text.size();
}

}  // namespace weir::http_chars
