// How far a text is of one class of http_chars.h: sixteen characters at a time where it can, since heads are
// most of a small request. The table has the last word.
#pragma once

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
  while (at < text.size()) {
    size_t reach = kLanes;
    uint32_t found;
    if (text.size() - at >= kLanes) {
      found = suspects(load_lanes(text.data() + at), bits);
    } else if (text.size() >= kLanes) {  // the last lanes, of which the first were looked at before
      reach = text.size() - at;
      found = suspects(load_lanes(text.data() + text.size() - kLanes), bits) >> (kLanes - reach);
    } else {
      break;
    }
    if (found == 0) {
      at += reach;
      continue;
    }
    at += static_cast<size_t>(std::countr_zero(found));
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
