#include "search/unicode.h"

#include <algorithm>
#include <iterator>
#include <utility>

#include "base/encoding.h"

namespace weir {
namespace {

struct Range {
  uint32_t first;
  uint32_t last;
};

// Above ASCII: what is no letter, mark or number (general categories C, P, S and Z), coarsely for rare
// blocks.
constexpr Range kOther[] = {
    {0x80, 0xa9},       {0xab, 0xb1},      {0xb4, 0xb4},     {0xb6, 0xb8},     {0xbb, 0xbb},
    {0xbf, 0xbf},       {0xd7, 0xd7},      {0xf7, 0xf7},     {0x2c2, 0x2c5},   {0x2d2, 0x2df},
    {0x37e, 0x37e},     {0x384, 0x385},    {0x387, 0x387},   {0x3f6, 0x3f6},   {0x482, 0x482},
    {0x55a, 0x55f},     {0x589, 0x58f},    {0x5be, 0x5be},   {0x5c0, 0x5c0},   {0x5c3, 0x5c3},
    {0x5f3, 0x60f},     {0x61b, 0x61f},    {0x66a, 0x66d},   {0x6d4, 0x6d4},   {0x700, 0x70f},
    {0x964, 0x965},     {0x970, 0x970},    {0xe3f, 0xe3f},   {0xe4f, 0xe4f},   {0xe5a, 0xe5b},
    {0x104a, 0x104f},   {0x10fb, 0x10fb},  {0x1360, 0x1368}, {0x1680, 0x1680}, {0x17d4, 0x17db},
    {0x1800, 0x180e},   {0x1ffd, 0x206f},  {0x207a, 0x207e}, {0x208a, 0x208e}, {0x20a0, 0x20cf},
    {0x2100, 0x2101},   {0x2103, 0x2106},  {0x2108, 0x2109}, {0x2114, 0x2118}, {0x211e, 0x2123},
    {0x2140, 0x2144},   {0x2190, 0x245f},  {0x249c, 0x24b5}, {0x2500, 0x2bff}, {0x2e00, 0x3004},
    {0x3008, 0x3020},   {0x3030, 0x3030},  {0x303d, 0x303f}, {0x309b, 0x309c}, {0x30a0, 0x30a0},
    {0x30fb, 0x30fb},   {0xd800, 0xf8ff},  {0xfd3e, 0xfd4f}, {0xfe10, 0xfe19}, {0xfe30, 0xfe6b},
    {0xfeff, 0xff0f},   {0xff1a, 0xff20},  {0xff3b, 0xff40}, {0xff5b, 0xff65}, {0xffe0, 0xffff},
    {0x1d000, 0x1d3ff}, {0x1f000, 0x1fbff}};

constexpr Range kIdeograph[] = {{0xe00, 0xeff},    {0x1000, 0x109f}, {0x1100, 0x11ff}, {0x1780, 0x17ff},
                                {0x2e80, 0x2fdf},  {0x3005, 0x3007}, {0x3021, 0x302f}, {0x3031, 0x303c},
                                {0x3040, 0x31ff},  {0x3400, 0x4dbf}, {0x4e00, 0x9fff}, {0xa960, 0xa97f},
                                {0xac00, 0xd7ff},  {0xf900, 0xfaff}, {0xff66, 0xffdc}, {0x1b000, 0x1b16f},
                                {0x20000, 0x3ffff}};

template <size_t N>
bool contains(const Range (&ranges)[N], char32_t c) {
  const auto* after =
      std::upper_bound(std::begin(ranges), std::end(ranges), c,
                       [](char32_t value, const Range& range) { return value < range.first; });
  return after != std::begin(ranges) && c <= std::prev(after)->last;
}

// The letter under the accents, from the canonical decompositions; '.' where there is none. One row per
// block.
constexpr std::string_view kBaseFrom0xC0 =
    "aaaaaaaceeeeiiiidnooooo.ouuuuytsaaaaaaaceeeeiiiidnooooo.ouuuuyty"
    "aaaaaaccccccccddddeeeeeeeeeegggggggghhhhiiiiiiiiiiiijjkkklllllll"
    "lllnnnnnnnnnoooooooorrrrrrssssssssttttttuuuuuuuuuuuuwwyyyzzzzzzs"
    "................................oo.............uu..............."
    "....dddlllnnnaaiioouuuuuuuuuu.aaaa....ggkkoooo..jdddgg..nnaa...."
    "aaaaeeeeiiiioooorrrruuuusstt..hh......aaeeooooooooyy............";
constexpr std::string_view kBaseFrom0x1E00 =
    "aabbbbbbccddddddddddeeeeeeeeeeffgghhhhhhhhhhiiiikkkkkkllllllllmm"
    "mmmmnnnnnnnnoooooooopppprrrrrrrrssssssssssttttttttuuuuuuuuuuvvvv"
    "wwwwwwwwwwxxxxyyzzzzzzhtwyas..s.aaaaaaaaaaaaaaaaaaaaaaaaeeeeeeee"
    "eeeeeeeeiiiioooooooooooooooooooooooouuuuuuuuuuuuuuyyyyyyyy......";

// Latin letters that are two when spelled out.
constexpr std::string_view spelled_out(char32_t c) {
  switch (c) {
    case 0xdf:
    case 0x1e9e:
      return "ss";
    case 0xc6:
    case 0xe6:
      return "ae";
    case 0x152:
    case 0x153:
      return "oe";
    case 0xde:
    case 0xfe:
      return "th";
    default:
      return {};
  }
}

char32_t fold_greek(char32_t c) {
  switch (c) {
    case 0x386:
    case 0x3ac:
      return 0x3b1;
    case 0x388:
    case 0x3ad:
      return 0x3b5;
    case 0x389:
    case 0x3ae:
      return 0x3b7;
    case 0x38a:
    case 0x3aa:
    case 0x390:
    case 0x3af:
    case 0x3ca:
      return 0x3b9;
    case 0x38c:
    case 0x3cc:
      return 0x3bf;
    case 0x38e:
    case 0x3ab:
    case 0x3b0:
    case 0x3cb:
    case 0x3cd:
      return 0x3c5;
    case 0x38f:
    case 0x3ce:
      return 0x3c9;
    case 0x3c2:
      return 0x3c3;
    default:
      return c >= 0x391 && c <= 0x3a9 ? c + 32 : c;
  }
}

char32_t fold_cyrillic(char32_t c) {
  if (c == 0x401 || c == 0x451) return 0x435;  // Ё and ё are commonly written as е
  if (c >= 0x400 && c <= 0x40f) return c + 80;
  if (c >= 0x410 && c <= 0x42f) return c + 32;
  if (c >= 0x460 && c != 0x482 && c < 0x4c0) return c | 1;
  return c;
}

bool is_ascii_alnum(char32_t c) {
  return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z');
}

bool is_apostrophe(char32_t c) {
  return c == '\'' || c == 0x2019;
}

}  // namespace

CodePoint decode_utf8(std::string_view text, size_t offset) {
  const auto byte = [&](size_t i) { return static_cast<uint8_t>(text[offset + i]); };
  const auto tail = [&](size_t i) { return offset + i < text.size() && (byte(i) & 0xc0) == 0x80; };
  const uint32_t b0 = byte(0);
  if (b0 < 0x80) return {b0, 1};
  if (b0 < 0xc2 || b0 > 0xf4 || !tail(1)) return {};
  const uint32_t b1 = byte(1) & 0x3fu;
  if (b0 < 0xe0) return {(b0 & 0x1f) << 6 | b1, 2};
  if (!tail(2)) return {};
  const uint32_t b2 = byte(2) & 0x3fu;
  if (b0 < 0xf0) {
    const char32_t value = (b0 & 0x0f) << 12 | b1 << 6 | b2;
    if (value < 0x800 || (value >= 0xd800 && value <= 0xdfff)) return {};
    return {value, 3};
  }
  if (!tail(3)) return {};
  const char32_t value = (b0 & 0x07) << 18 | b1 << 12 | b2 << 6 | (byte(3) & 0x3fu);
  if (value < 0x10000 || value > 0x10ffff) return {};
  return {value, 4};
}

CharClass char_class(char32_t c) {
  if (c < 0x80) {
    if (c >= '0' && c <= '9') return CharClass::digit;
    if (is_ascii_alnum(c)) return CharClass::letter;
    return c == ' ' || (c >= '\t' && c <= '\r') ? CharClass::space : CharClass::other;
  }
  if (c == 0x85 || c == 0xa0 || c == 0x1680 || (c >= 0x2000 && c <= 0x200a) || c == 0x2028 || c == 0x2029 ||
      c == 0x202f || c == 0x205f || c == 0x3000) {
    return CharClass::space;
  }
  if (c >= 0xff10 && c <= 0xff19) return CharClass::digit;
  if (contains(kOther, c)) return CharClass::other;
  return contains(kIdeograph, c) ? CharClass::ideograph : CharClass::letter;
}

bool is_upper(char32_t c) {
  if (c < 0x80) return c >= 'A' && c <= 'Z';
  if (c >= 0xc0 && c <= 0xde) return c != 0xd7;
  if (c >= 0x100 && c <= 0x137) return c % 2 == 0;
  if (c >= 0x139 && c <= 0x148) return c % 2 == 1;
  if (c >= 0x14a && c <= 0x177) return c % 2 == 0;
  if (c >= 0x178 && c <= 0x17e) return c == 0x178 || c % 2 == 1;
  if ((c >= 0x1e00 && c <= 0x1e95) || (c >= 0x1ea0 && c <= 0x1eff)) return c % 2 == 0;
  if (c >= 0x386 && c <= 0x3ab) return c != 0x387 && c != 0x390;
  if (c >= 0x400 && c <= 0x42f) return true;
  if ((c >= 0x460 && c <= 0x481) || (c >= 0x48a && c <= 0x4bf)) return c % 2 == 0;
  return (c >= 0x531 && c <= 0x556) || (c >= 0xff21 && c <= 0xff3a);
}

bool is_lower(char32_t c) {
  if (c < 0x80) return c >= 'a' && c <= 'z';
  if (c >= 0xdf && c <= 0xff) return c != 0xf7;
  if ((c >= 0x100 && c <= 0x17f) || (c >= 0x1e00 && c <= 0x1eff)) return !is_upper(c);
  if (c >= 0x3ac && c <= 0x3ce) return true;
  if (c >= 0x430 && c <= 0x45f) return true;
  if ((c >= 0x460 && c <= 0x481) || (c >= 0x48a && c <= 0x4bf)) return c % 2 == 1;
  return (c >= 0x561 && c <= 0x586) || (c >= 0xff41 && c <= 0xff5a);
}

void append_folded(std::string& out, char32_t c) {
  if (c >= 0xff01 && c <= 0xff5e) c -= 0xfee0;
  if (c < 0x80) {
    out.push_back(static_cast<char>(c >= 'A' && c <= 'Z' ? c + 32 : c));
    return;
  }
  if (const std::string_view pair = spelled_out(c); !pair.empty()) {
    out += pair;
    return;
  }
  char base = '.';
  if (c >= 0xc0 && c < 0xc0 + kBaseFrom0xC0.size()) base = kBaseFrom0xC0[c - 0xc0];
  if (c >= 0x1e00 && c < 0x1e00 + kBaseFrom0x1E00.size()) base = kBaseFrom0x1E00[c - 0x1e00];
  if (base != '.') {
    out.push_back(base);
    return;
  }
  if (c >= 0x300 && c <= 0x36f) return;  // combining accents
  if (c >= 0x370 && c <= 0x3ff) c = fold_greek(c);
  if (c >= 0x400 && c <= 0x4ff) c = fold_cyrillic(c);
  if (c >= 0x531 && c <= 0x556) c += 48;
  append_utf8(out, c);
}

std::string fold(std::string_view text) {
  std::string out;
  out.reserve(text.size());
  for (size_t at = 0; at < text.size();) {
    const CodePoint c = decode_utf8(text, at);
    append_folded(out, c.value);
    at += c.size;
  }
  return out;
}

std::optional<Word> WordScanner::next() {
  while (at_ < text_.size()) {
    const CodePoint c = decode_utf8(text_, at_);
    const CharClass kind = char_class(c.value);
    if (kind == CharClass::ideograph) {
      const size_t start = at_;
      at_ += c.size;
      if (at_ < text_.size()) {
        const CodePoint second = decode_utf8(text_, at_);
        if (char_class(second.value) == CharClass::ideograph) {
          in_ideographs_ = true;
          return Word{start, c.size + second.size};
        }
      }
      const bool ends_a_pair = std::exchange(in_ideographs_, false);
      if (!ends_a_pair) return Word{start, c.size};
      continue;
    }
    if (kind == CharClass::letter || kind == CharClass::digit) return scan_word(at_, kind);
    at_ += c.size;
  }
  return std::nullopt;
}

Word WordScanner::scan_word(size_t start, CharClass first) {
  CharClass last = first;
  while (at_ < text_.size()) {
    const CodePoint c = decode_utf8(text_, at_);
    const CharClass kind = char_class(c.value);
    if (kind == CharClass::letter || kind == CharClass::digit) {
      last = kind;
      at_ += c.size;
      continue;
    }
    const bool joins_letters = last == CharClass::letter && is_apostrophe(c.value);
    const bool joins_digits = last == CharClass::digit && (c.value == '.' || c.value == ',');
    if ((!joins_letters && !joins_digits) || at_ + c.size >= text_.size()) break;
    if (char_class(decode_utf8(text_, at_ + c.size).value) != last) break;
    at_ += c.size;
  }
  return {start, at_ - start};
}

}  // namespace weir
