// Unescaping of JSON strings (RFC 8259 section 7), a vector at a time between the escapes.
#include <array>
#include <bit>
#include <cstring>

#include "base/encoding.h"
#include "base/json_table.h"

namespace weir::detail {
namespace {

static_assert(std::endian::native == std::endian::little,
              "the first byte of a word is taken to be its lowest");

constexpr uint64_t kOnes = 0x0101'0101'0101'0101;
constexpr uint64_t kHighs = 0x8080'8080'8080'8080;

// The high bit of the first byte of `word` that is a backslash, and perhaps of later ones; 0 if there is
// none.
constexpr uint64_t backslashes(uint64_t word) {
  const uint64_t zero_where_equal = word ^ (kOnes * '\\');
  return (zero_where_equal - kOnes) & ~zero_where_equal & kHighs;
}

// What stands for the character after the backslash; 0 for `u` and for everything that is no escape.
constexpr std::array<char, 256> kSimpleEscapes = [] {
  std::array<char, 256> table{};
  table['"'] = '"';
  table['\\'] = '\\';
  table['/'] = '/';
  table['b'] = '\b';
  table['f'] = '\f';
  table['n'] = '\n';
  table['r'] = '\r';
  table['t'] = '\t';
  return table;
}();

// The four hexadecimal digits at `p`; -1 when they are not that, or end too early.
int32_t four_hex_digits(const char* p, const char* end) {
  if (end - p < 4) return -1;
  int32_t value = 0;
  for (int i = 0; i < 4; ++i) {
    const int digit = hex_digit(p[i]);
    if (digit < 0) return -1;
    value = value * 16 + digit;
  }
  return value;
}

constexpr bool is_high_surrogate(int32_t unit) {
  return unit >= 0xD800 && unit < 0xDC00;
}
constexpr bool is_low_surrogate(int32_t unit) {
  return unit >= 0xDC00 && unit < 0xE000;
}

struct CodePoint {
  int32_t value;     // -1: the escape is wrong
  const char* next;  // behind what was read
};

// `p` stands behind "\u". Six or twelve characters of the literal make one code point.
CodePoint read_code_point(const char* p, const char* end, bool replaces_lone_surrogates) {
  const CodePoint wrong{-1, p};
  const int32_t unit = four_hex_digits(p, end);
  if (unit < 0) return wrong;
  p += 4;
  if (!is_high_surrogate(unit) && !is_low_surrogate(unit)) return {unit, p};
  if (is_high_surrogate(unit) && end - p >= 6 && p[0] == '\\' && p[1] == 'u') {
    const int32_t low = four_hex_digits(p + 2, end);
    if (is_low_surrogate(low)) return {0x10000 + ((unit - 0xD800) << 10) + (low - 0xDC00), p + 6};
  }
  return replaces_lone_surrogates ? CodePoint{0xFFFD, p} : wrong;
}

}  // namespace

Unescaped unescape_json(const char* begin, const char* end, char* out, bool replaces_lone_surrogates) {
  typedef unsigned char Bytes __attribute__((ext_vector_type(16)));
  typedef bool Flags __attribute__((ext_vector_type(16)));
  const char* p = begin;
  while (p < end) {
    if (end - p >= 16) {
      Bytes bytes;
      std::memcpy(&bytes, p, 16);
      std::memcpy(out, &bytes, 16);  // bytes from the backslash on are overwritten later
      const auto found = __builtin_bit_cast(uint16_t, __builtin_convertvector(bytes == '\\', Flags));
      const int plain = found == 0 ? 16 : std::countr_zero(found);
      p += plain;
      out += plain;
      if (found == 0) continue;
    } else if (end - p >= 8) {
      uint64_t word;
      std::memcpy(&word, p, 8);
      std::memcpy(out, &word, 8);
      const uint64_t found = backslashes(word);
      const int plain = found == 0 ? 8 : std::countr_zero(found) / 8;
      p += plain;
      out += plain;
      if (found == 0) continue;
    } else if (*p != '\\') {
      *out++ = *p++;
      continue;
    }
    if (end - p < 2) return {nullptr, p};
    if (const char simple = kSimpleEscapes[static_cast<unsigned char>(p[1])]; simple != 0) {
      *out++ = simple;
      p += 2;
      continue;
    }
    if (p[1] != 'u') return {nullptr, p};
    const CodePoint read = read_code_point(p + 2, end, replaces_lone_surrogates);
    if (read.value < 0) return {nullptr, p};
    out = write_utf8(out, static_cast<uint32_t>(read.value));
    p = read.next;
  }
  return {out, nullptr};
}

}  // namespace weir::detail
