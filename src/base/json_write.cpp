// Writing JSON: strings by runs that need no escape, numbers by to_chars, edits by one pass over the source.
#include <array>
#include <bit>
#include <charconv>
#include <cmath>
#include <cstring>

#include "base/assert.h"
#include "base/encoding.h"
#include "base/json.h"

namespace weir {
namespace {

static_assert(std::endian::native == std::endian::little,
              "the first byte of a word is taken to be its lowest");

constexpr uint64_t kOnes = 0x0101'0101'0101'0101;
constexpr uint64_t kHighs = 0x8080'8080'8080'8080;

// The high bit of the first byte that is zero in `word`, and perhaps of later ones.
constexpr uint64_t zero_bytes(uint64_t word) {
  return (word - kOnes) & ~word & kHighs;
}

// Which bytes find_special() stops at, besides those that a string literal cannot hold as they are.
enum class HighBytes : uint8_t { stop, skip };

// The same for the first such byte.
template <HighBytes kHigh>
constexpr uint64_t special_bytes(uint64_t word) {
  const uint64_t control = (word - kOnes * 0x20) & ~word & kHighs;
  const uint64_t high = kHigh == HighBytes::stop ? word & kHighs : 0;
  return control | zero_bytes(word ^ (kOnes * '"')) | zero_bytes(word ^ (kOnes * '\\')) | high;
}

template <HighBytes kHigh>
constexpr bool is_special(char c) {
  const auto byte = static_cast<unsigned char>(c);
  return byte < 0x20 || c == '"' || c == '\\' || (kHigh == HighBytes::stop && byte >= 0x80);
}

uint64_t load(const char* p) {
  uint64_t word;
  std::memcpy(&word, p, 8);
  return word;
}

template <HighBytes kHigh>
const char* find_special(const char* p, const char* end) {
  if (end - p >= 8) {
    for (; end - p > 8; p += 8) {
      if (const uint64_t found = special_bytes<kHigh>(load(p))) return p + std::countr_zero(found) / 8;
    }
    p = end - 8;  // what it looks at twice is known to be plain
    const uint64_t found = special_bytes<kHigh>(load(p));
    return found ? p + std::countr_zero(found) / 8 : end;
  }
  while (p < end && !is_special<kHigh>(*p)) ++p;
  return p;
}

void append(std::string& out, const char* begin, const char* end) {
  out.append(begin, static_cast<size_t>(end - begin));
}

void append_escape(std::string& out, char c) {
  switch (c) {
    case '"':
      out += "\\\"";
      return;
    case '\\':
      out += "\\\\";
      return;
    case '\n':
      out += "\\n";
      return;
    case '\t':
      out += "\\t";
      return;
    case '\r':
      out += "\\r";
      return;
    case '\b':
      out += "\\b";
      return;
    case '\f':
      out += "\\f";
      return;
    default:
      break;
  }
  constexpr std::string_view kDigits = "0123456789abcdef";
  const auto byte = static_cast<unsigned char>(c);
  const std::array<char, 6> escape = {'\\', 'u', '0', '0', kDigits[byte >> 4], kDigits[byte & 15]};
  out.append(escape.data(), escape.size());
}

template <class Number>
void append_number(std::string& out, Number number) {
  std::array<char, 32> digits;
  const auto written = std::to_chars(digits.data(), digits.data() + digits.size(), number);
  append(out, digits.data(), written.ptr);
}

}  // namespace

void append_json_string(std::string& out, std::string_view text) {
  const char* const end = text.data() + text.size();
  const char* p = find_special<HighBytes::stop>(text.data(), end);
  const size_t size = out.size() + text.size() + 2;
  if (p == end) {
    // libstdc++ 12 calls back with the new capacity instead of the size that was asked for.
    out.resize_and_overwrite(size, [size, text](char* to, size_t) {
      char* const start = to + size - text.size() - 2;
      start[0] = '"';
      if (!text.empty()) std::memcpy(start + 1, text.data(), text.size());
      to[size - 1] = '"';
      return size;
    });
    return;
  }
  if (!is_utf8({p, static_cast<size_t>(end - p)})) return append_json_string(out, sanitize_utf8(text));
  out.reserve(size);  // grows by doubling at least, so that many calls stay linear
  out += '"';
  const char* run = text.data();  // from here to p nothing needs a change
  while ((p = find_special<HighBytes::skip>(p, end)) < end) {
    append(out, run, p);
    append_escape(out, *p++);
    run = p;
  }
  append(out, run, end);
  out += '"';
}

void JsonWriter::separate() {
  if (needs_comma_) out_ += ',';
  needs_comma_ = true;
}

JsonWriter& JsonWriter::open(char bracket) {
  separate();
  out_ += bracket;
  needs_comma_ = false;
  return *this;
}

JsonWriter& JsonWriter::close(char bracket) {
  out_ += bracket;
  needs_comma_ = true;
  return *this;
}

JsonWriter& JsonWriter::key(std::string_view name) {
  separate();
  append_json_string(out_, name);
  out_ += ':';
  needs_comma_ = false;
  return *this;
}

JsonWriter& JsonWriter::value(std::string_view text) {
  separate();
  append_json_string(out_, text);
  return *this;
}

JsonWriter& JsonWriter::value(int64_t number) {
  separate();
  append_number(out_, number);
  return *this;
}

JsonWriter& JsonWriter::value(uint64_t number) {
  separate();
  append_number(out_, number);
  return *this;
}

JsonWriter& JsonWriter::value(double number) {
  if (!std::isfinite(number)) return null();
  separate();
  append_number(out_, number);
  return *this;
}

JsonWriter& JsonWriter::value(bool flag) {
  separate();
  out_ += flag ? "true" : "false";
  return *this;
}

JsonWriter& JsonWriter::null() {
  separate();
  out_ += "null";
  return *this;
}

JsonWriter& JsonWriter::raw(std::string_view json) {
  separate();
  out_ += json.empty() ? std::string_view("null") : json;
  return *this;
}

std::string splice(std::string_view source, const std::vector<JsonEdit>& edits) {
  size_t size = source.size();
  for (const JsonEdit& edit : edits) size += edit.text.size();
  std::string out;
  out.reserve(size);
  size_t done = 0;
  for (const JsonEdit& edit : edits) {
    WEIR_ASSERT(edit.offset >= done && edit.offset + edit.length <= source.size(),
                "edits are sorted and apart");
    out += source.substr(done, edit.offset - done);
    out += edit.text;
    done = edit.offset + edit.length;
  }
  out += source.substr(done);
  return out;
}

}  // namespace weir
