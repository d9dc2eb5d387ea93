// Finding the end of a JSON string, a vector at a time. Private to base/json*.cpp; json.h shows
// find_json_string_end().
#pragma once

#include <bit>
#include <concepts>
#include <cstdint>
#include <cstring>
#include <type_traits>

namespace weir::detail {

struct JsonStringScan {
  // The closing quote; or what cannot be in a string: a control character, or the end of the bytes.
  const char* end;
  bool has_escapes = false;
  bool has_high_bytes = false;  // there may be bytes of 0x80 and above
};

// `p`: where the string's content starts.
JsonStringScan scan_json_string(const char* p, const char* end);

template <size_t kWidth>
struct JsonVector {
  typedef unsigned char Bytes __attribute__((ext_vector_type(kWidth)));
  typedef bool Flags __attribute__((ext_vector_type(kWidth)));
  using Mask = std::conditional_t<kWidth == 32, uint32_t, uint16_t>;  // a bit for each byte

  // Always inlined, so that it is compiled for the processor that its caller is compiled for.
  [[gnu::always_inline]] static Mask mask_of(const auto& compared) {
    return __builtin_bit_cast(Mask, __builtin_convertvector(compared, Flags));
  }
  // What is not simply a character of a string, in any of them. One comparison finds control characters and
  // the quote, which is the only other one to fall below 0x21 when its bit 1 is turned.
  [[gnu::always_inline]] static Mask special(const std::same_as<Bytes> auto&... vectors) {
    static_assert(('"' ^ 2) == 0x20);
    return mask_of((... | (((vectors ^ 2) < 0x21) | (vectors == '\\'))));
  }
  [[gnu::always_inline]] static Mask high(const Bytes& bytes) { return mask_of(bytes >= 0x80); }
};

// The closing quote of a string that is short and has no escapes, as keys and most words are. Null: it is
// another one, or none.
struct JsonWordScan {
  const char* end;
  uint32_t high_bytes;  // not 0: there may be bytes of 0x80 and above
};
inline constexpr size_t kJsonWordWidth = 16;  // of vectors that every processor has
// `last`: where the last whole vector of the text starts.
[[gnu::always_inline]] inline JsonWordScan scan_json_word(const char* p, const char* last) {
  constexpr int kVectors = 2;
  using Vector = JsonVector<kJsonWordWidth>;
  uint32_t high_bytes = 0;
  for (int i = 0; i < kVectors && p <= last; ++i, p += kJsonWordWidth) {
    Vector::Bytes bytes;
    std::memcpy(&bytes, p, kJsonWordWidth);
    high_bytes |= Vector::high(bytes);
    const Vector::Mask special = Vector::special(bytes);
    if (special == 0) continue;
    const char* const found = p + std::countr_zero(special);
    return {.end = *found == '"' ? found : nullptr, .high_bytes = high_bytes};
  }
  return {.end = nullptr, .high_bytes = high_bytes};
}

}  // namespace weir::detail
