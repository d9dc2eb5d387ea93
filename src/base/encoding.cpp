#include "base/encoding.h"

#include <algorithm>
#include <array>
#include <bit>
#include <cstring>
#include <fmt/core.h>

namespace weir {
namespace {

constexpr std::string_view kStandard = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
constexpr std::string_view kUrl = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";
constexpr uint8_t kForeign = 0xFF;

constexpr std::array<uint8_t, 256> digit_values(std::string_view alphabet) {
  std::array<uint8_t, 256> values{};
  values.fill(kForeign);
  for (size_t i = 0; i < alphabet.size(); ++i)
    values[static_cast<unsigned char>(alphabet[i])] = static_cast<uint8_t>(i);
  return values;
}
constexpr auto kStandardValues = digit_values(kStandard);
constexpr auto kUrlValues = digit_values(kUrl);

constexpr uint32_t byte_at(std::string_view text, size_t i) {
  return static_cast<unsigned char>(text[i]);
}

void append_base64(std::string& out, std::string_view bytes, std::string_view alphabet, bool pads) {
  const size_t start = out.size();
  out.resize(start + (bytes.size() + 2) / 3 * 4);
  char* to = out.data() + start;
  size_t i = 0;
  for (; i + 3 <= bytes.size(); i += 3, to += 4) {
    const uint32_t bits = byte_at(bytes, i) << 16 | byte_at(bytes, i + 1) << 8 | byte_at(bytes, i + 2);
    to[0] = alphabet[bits >> 18];
    to[1] = alphabet[bits >> 12 & 63];
    to[2] = alphabet[bits >> 6 & 63];
    to[3] = alphabet[bits & 63];
  }
  const size_t left = bytes.size() - i;
  if (left == 0) return;
  const uint32_t bits = byte_at(bytes, i) << 16 | (left == 2 ? byte_at(bytes, i + 1) << 8 : 0);
  *to++ = alphabet[bits >> 18];
  *to++ = alphabet[bits >> 12 & 63];
  if (left == 2) *to++ = alphabet[bits >> 6 & 63];
  if (!pads) out.resize(static_cast<size_t>(to - out.data()));
  while (to < out.data() + out.size()) *to++ = '=';
}

std::unexpected<Error> bad_base64(std::string_view text, const std::array<uint8_t, 256>& values) {
  size_t i = 0;
  while (i < text.size() && values[byte_at(text, i)] != kForeign) ++i;
  return fail(ErrorKind::bad_request, fmt::format("not base64: byte {} is not a letter of its alphabet", i));
}

}  // namespace

void append_base64(std::string& out, std::string_view bytes) {
  append_base64(out, bytes, kStandard, true);
}

std::string base64_encode(std::string_view bytes) {
  std::string out;
  append_base64(out, bytes, kStandard, true);
  return out;
}

std::string base64url_encode(std::string_view bytes) {
  std::string out;
  append_base64(out, bytes, kUrl, false);
  return out;
}

Result<std::string> base64_decode(std::string_view text, Base64Padding padding, Base64Alphabet alphabet) {
  const auto& values = alphabet == Base64Alphabet::standard ? kStandardValues : kUrlValues;
  std::string_view digits = text;
  if (padding != Base64Padding::forbidden && text.size() % 4 == 0) {
    if (digits.ends_with('=')) digits.remove_suffix(1);
    if (digits.size() < text.size() && digits.ends_with('=')) digits.remove_suffix(1);
  }
  if (padding == Base64Padding::required && text.size() % 4 != 0) {
    return fail(ErrorKind::bad_request, "not base64: its length is not a multiple of four");
  }
  const size_t left = digits.size() % 4;
  if (left == 1)
    return fail(ErrorKind::bad_request, "not base64: its length is one more than a multiple of four");
  std::string out;
  out.resize(digits.size() / 4 * 3 + (left == 0 ? 0 : left - 1));
  char* to = out.data();
  uint32_t foreign = 0;  // high bits of all digits; a digit of the alphabet has none
  size_t i = 0;
  for (; i + 4 <= digits.size(); i += 4, to += 3) {
    const uint32_t a = values[byte_at(digits, i)], b = values[byte_at(digits, i + 1)];
    const uint32_t c = values[byte_at(digits, i + 2)], d = values[byte_at(digits, i + 3)];
    foreign |= a | b | c | d;
    to[0] = static_cast<char>(a << 2 | b >> 4);
    to[1] = static_cast<char>(b << 4 | c >> 2);
    to[2] = static_cast<char>(c << 6 | d);
  }
  if (left > 0) {
    const uint32_t a = values[byte_at(digits, i)], b = values[byte_at(digits, i + 1)];
    const uint32_t c = left == 3 ? values[byte_at(digits, i + 2)] : 0;
    foreign |= a | b | c;
    if (foreign < 64 && ((left == 2 ? b << 4 : c << 6) & 0xFF) != 0) {
      return fail(ErrorKind::bad_request, "not base64: bits are left over at its end");
    }
    *to++ = static_cast<char>(a << 2 | b >> 4);
    if (left == 3) *to = static_cast<char>(b << 4 | c >> 2);
  }
  if (foreign >= 64) return bad_base64(digits, values);
  return out;
}

std::string float32_base64_encode(std::span<const float> values) {
  static_assert(std::endian::native == std::endian::little, "floats are written as they lie in memory");
  return base64_encode({reinterpret_cast<const char*>(values.data()), values.size_bytes()});
}

Result<std::vector<float>> float32_base64_decode(std::string_view text) {
  const std::string bytes = TRY(base64_decode(text));
  if (bytes.size() % sizeof(float) != 0) {
    return fail(ErrorKind::bad_request,
                fmt::format("{} bytes are not a whole number of float32", bytes.size()));
  }
  std::vector<float> values(bytes.size() / sizeof(float));
  if (!values.empty()) std::memcpy(values.data(), bytes.data(), bytes.size());
  return values;
}

std::string hex_encode(std::string_view bytes) {
  constexpr std::string_view kDigits = "0123456789abcdef";
  std::string out;
  out.reserve(2 * bytes.size());
  for (size_t i = 0; i < bytes.size(); ++i) {
    out += kDigits[byte_at(bytes, i) >> 4];
    out += kDigits[byte_at(bytes, i) & 15];
  }
  return out;
}

Result<std::string> hex_decode(std::string_view text) {
  if (text.size() % 2 != 0) return fail(ErrorKind::bad_request, "not hexadecimal: an odd number of digits");
  std::string out;
  out.reserve(text.size() / 2);
  for (size_t i = 0; i < text.size(); i += 2) {
    const int high = hex_digit(text[i]);
    const int low = hex_digit(text[i + 1]);
    if (high < 0 || low < 0) {
      return fail(ErrorKind::bad_request,
                  fmt::format("not hexadecimal: byte {} is no digit", i + (high < 0 ? 0 : 1)));
    }
    out += static_cast<char>(high * 16 + low);
  }
  return out;
}

namespace {

constexpr bool is_unreserved(char c) {
  return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '-' || c == '.' ||
         c == '_' || c == '~';
}

// RFC 3986 section 3.3: pchar is unreserved, sub-delims, ':' and '@'.
constexpr bool stands(char c, UrlPart part) {
  if (is_unreserved(c)) return true;
  if (part == UrlPart::unreserved) return false;
  if (c == '/') return part == UrlPart::path;
  return c != '\0' && std::string_view("!$&'()*+,;=:@").find(c) != std::string_view::npos;
}

Result<std::string> percent_decode(std::string_view text, bool plus_is_space) {
  std::string out;
  out.reserve(text.size());
  for (size_t i = 0; i < text.size(); ++i) {
    if (text[i] == '+' && plus_is_space) {
      out += ' ';
    } else if (text[i] != '%') {
      out += text[i];
    } else {
      const int high = i + 2 < text.size() ? hex_digit(text[i + 1]) : -1;
      const int low = i + 2 < text.size() ? hex_digit(text[i + 2]) : -1;
      if (high < 0 || low < 0) {
        return fail(ErrorKind::bad_request,
                    fmt::format("the % at byte {} needs two hexadecimal digits behind it", i));
      }
      out += static_cast<char>(high * 16 + low);
      i += 2;
    }
  }
  return out;
}

}  // namespace

std::string percent_encode(std::string_view text, UrlPart part) {
  constexpr std::string_view kDigits = "0123456789ABCDEF";
  std::string out;
  out.reserve(text.size());
  for (size_t i = 0; i < text.size(); ++i) {
    if (stands(text[i], part)) {
      out += text[i];
      continue;
    }
    out += '%';
    out += kDigits[byte_at(text, i) >> 4];
    out += kDigits[byte_at(text, i) & 15];
  }
  return out;
}

Result<std::string> percent_decode(std::string_view text) {
  return percent_decode(text, false);
}
Result<std::string> query_decode(std::string_view text) {
  return percent_decode(text, true);
}

namespace {

constexpr bool is_continuation(unsigned char byte) {
  return (byte & 0xC0) == 0x80;
}

// What may follow a first byte: how many bytes, and the range of the second one, which is where overlong
// forms, surrogates and values over U+10FFFF are told apart (Unicode standard, table 3-7).
struct Lead {
  int length;  // 0: no code point starts with this byte
  unsigned char second_min;
  unsigned char second_max;
};

constexpr Lead lead_of(unsigned char byte) {
  if (byte < 0x80) return {1, 0, 0};
  if (byte < 0xC2) return {0, 0, 0};
  if (byte < 0xE0) return {2, 0x80, 0xBF};
  if (byte == 0xE0) return {3, 0xA0, 0xBF};
  if (byte == 0xED) return {3, 0x80, 0x9F};
  if (byte < 0xF0) return {3, 0x80, 0xBF};
  if (byte == 0xF0) return {4, 0x90, 0xBF};
  if (byte < 0xF4) return {4, 0x80, 0xBF};
  if (byte == 0xF4) return {4, 0x80, 0x8F};
  return {0, 0, 0};
}

// How many bytes from `p` on agree with the code point that starts there, at most its length; 0: none starts
// there.
int agreeing_bytes(const char* p, const char* end) {
  const Lead lead = lead_of(static_cast<unsigned char>(*p));
  if (lead.length < 2) return lead.length;
  if (end - p < 2) return 1;
  const auto second = static_cast<unsigned char>(p[1]);
  if (second < lead.second_min || second > lead.second_max) return 1;
  int agreeing = 2;
  while (agreeing < lead.length && p + agreeing < end &&
         is_continuation(static_cast<unsigned char>(p[agreeing]))) {
    ++agreeing;
  }
  return agreeing;
}

}  // namespace

int utf8_length(const char* p, const char* end) {
  const int length = lead_of(static_cast<unsigned char>(*p)).length;
  return agreeing_bytes(p, end) == length ? length : 0;
}

int utf8_bad_length(const char* p, const char* end) {
  return std::max(agreeing_bytes(p, end), 1);
}

size_t utf8_valid_prefix(std::string_view text) {
  const char* p = text.data();
  const char* const end = p + text.size();
  while (p < end) {
    if (end - p >= 8) {
      uint64_t word;
      std::memcpy(&word, p, 8);
      if ((word & 0x8080'8080'8080'8080) == 0) {
        p += 8;
        continue;
      }
    }
    const int length = utf8_length(p, end);
    if (length == 0) break;
    p += length;
  }
  return static_cast<size_t>(p - text.data());
}

size_t utf8_unfinished_tail(std::string_view chunk) {
  const char* const end = chunk.data() + chunk.size();
  for (size_t tail = 1; tail <= 3 && tail <= chunk.size(); ++tail) {
    const char* p = end - tail;
    if (is_continuation(static_cast<unsigned char>(*p))) continue;
    const int length = lead_of(static_cast<unsigned char>(*p)).length;
    const auto agreeing = static_cast<size_t>(agreeing_bytes(p, end));
    return agreeing == tail && tail < static_cast<size_t>(length) ? tail : 0;
  }
  return 0;
}

std::string sanitize_utf8(std::string_view text) {
  if (is_utf8(text)) return std::string(text);
  std::string out;
  out.reserve(text.size());
  while (!text.empty()) {
    const size_t valid = utf8_valid_prefix(text);
    out += text.substr(0, valid);
    text.remove_prefix(valid);
    if (text.empty()) break;
    out += "\xEF\xBF\xBD";
    text.remove_prefix(static_cast<size_t>(utf8_bad_length(text.data(), text.data() + text.size())));
  }
  return out;
}

std::string_view clip_utf8(std::string_view text, size_t bytes_max) {
  if (text.size() <= bytes_max) return text;
  size_t size = bytes_max;
  for (int back = 0; back < 3 && size > 0 && is_continuation(static_cast<unsigned char>(text[size])); ++back)
    --size;
  return text.substr(0, size);
}

char* write_utf8(char* out, uint32_t code_point) {
  const auto put = [&out](uint32_t byte) { *out++ = static_cast<char>(byte); };
  if (code_point < 0x80) {
    put(code_point);
  } else if (code_point < 0x800) {
    put(0xC0 | code_point >> 6);
    put(0x80 | (code_point & 63));
  } else if (code_point < 0x10000) {
    put(0xE0 | code_point >> 12);
    put(0x80 | (code_point >> 6 & 63));
    put(0x80 | (code_point & 63));
  } else {
    put(0xF0 | code_point >> 18);
    put(0x80 | (code_point >> 12 & 63));
    put(0x80 | (code_point >> 6 & 63));
    put(0x80 | (code_point & 63));
  }
  return out;
}

void append_utf8(std::string& out, uint32_t code_point) {
  std::array<char, 4> bytes;
  out.append(bytes.data(), write_utf8(bytes.data(), code_point));
}

}  // namespace weir
