// Fuzzes JSON: what JsonDoc accepts, a naive recursive reader written from RFC 8259 accepts too and the other
// way round; each raw() slice parses to an equal tree; what the writer makes of the tree parses to an equal
// tree.
#include <cstdint>
#include <string>

#include "base/assert.h"
#include "base/encoding.h"
#include "base/json.h"

namespace weir {
namespace {

constexpr int kDepthMax = 32;
constexpr JsonLimits kLimits{.depth_max = kDepthMax, .rejects_duplicate_keys = false};

// The oracle: slow, obvious, and shares nothing with json.cpp but the UTF-8 check.
class NaiveReader {
 public:
  explicit NaiveReader(std::string_view text) : text_(text) {}

  bool accepts() {
    if (!is_utf8(text_)) return false;
    space();
    if (!value(0)) return false;
    space();
    return at_ == text_.size();
  }

 private:
  char peek() const { return at_ < text_.size() ? text_[at_] : '\0'; }
  bool take(std::string_view word) {
    if (!text_.substr(at_).starts_with(word)) return false;
    at_ += word.size();
    return true;
  }
  void space() {
    while (at_ < text_.size() && std::string_view(" \t\r\n").find(text_[at_]) != std::string_view::npos)
      ++at_;
  }
  bool digits() {
    const size_t start = at_;
    while (peek() >= '0' && peek() <= '9') ++at_;
    return at_ > start;
  }
  bool number() {
    take("-");
    if (!take("0") && !digits()) return false;
    if (take(".") && !digits()) return false;
    if (take("e") || take("E")) {
      if (!take("+")) take("-");
      if (!digits()) return false;
    }
    return true;
  }
  int hex4() {
    int unit = 0;
    for (int i = 0; i < 4; ++i) {
      const int digit = hex_digit(peek());
      if (digit < 0) return -1;
      unit = unit * 16 + digit;
      ++at_;
    }
    return unit;
  }
  bool string() {
    if (!take("\"")) return false;
    while (at_ < text_.size()) {
      const char c = text_[at_++];
      if (c == '"') return true;
      if (static_cast<unsigned char>(c) < 0x20) return false;
      if (c != '\\') continue;
      const char escape = peek();
      ++at_;
      if (escape != 'u') {
        if (escape == '\0' || std::string_view("\"\\/bfnrt").find(escape) == std::string_view::npos)
          return false;
        continue;
      }
      const int unit = hex4();
      if (unit < 0 || (unit >= 0xDC00 && unit < 0xE000)) return false;
      if (unit < 0xD800 || unit >= 0xE000) continue;
      if (!take("\\u")) return false;
      const int low = hex4();
      if (low < 0xDC00 || low >= 0xE000) return false;
    }
    return false;
  }
  bool list(char close, int depth, bool has_keys) {
    if (depth >= kDepthMax) return false;
    ++at_;
    space();
    if (take({&close, 1})) return true;
    while (true) {
      if (has_keys) {
        if (!string()) return false;
        space();
        if (!take(":")) return false;
        space();
      }
      if (!value(depth + 1)) return false;
      space();
      if (take({&close, 1})) return true;
      if (!take(",")) return false;
      space();
    }
  }
  bool value(int depth) {
    switch (peek()) {
      case '{':
        return list('}', depth, true);
      case '[':
        return list(']', depth, false);
      case '"':
        return string();
      case 't':
        return take("true");
      case 'f':
        return take("false");
      case 'n':
        return take("null");
      default:
        return number();
    }
  }

  std::string_view text_;
  size_t at_ = 0;
};

bool equal(const JsonValue& a, const JsonValue& b) {
  if (a.type() != b.type() || a.size() != b.size()) return false;
  if (a.is_string()) return a.as_string().value() == b.as_string().value();
  if (!a.is_array() && !a.is_object()) return a.raw() == b.raw();
  auto other = b.begin();
  for (const JsonValue element : a) {
    if (element.key() != (*other).key() || !equal(element, *other)) return false;
    ++other;
  }
  return other == b.end();
}

void write(JsonWriter& writer, const JsonValue& value) {
  switch (value.type()) {
    case JsonType::object:
      writer.begin_object();
      for (const JsonValue member : value) write(writer.key(member.key()), member);
      writer.end_object();
      return;
    case JsonType::array:
      writer.begin_array();
      for (const JsonValue element : value) write(writer, element);
      writer.end_array();
      return;
    case JsonType::string:
      writer.value(value.as_string().value());
      return;
    default:
      writer.raw(value.raw());
      return;
  }
}

void check_slices(const JsonValue& value, const JsonDoc& whole, int budget) {
  const std::string_view raw = value.raw();
  WEIR_ASSERT(whole.source().substr(value.offset(), raw.size()) == raw, "raw() lies at offset()");
  const auto again = JsonDoc::parse(std::string(raw), kLimits);
  WEIR_ASSERT(again && equal(again->root(), value), "a slice reads as the value it was cut from");
  if (value.is_number()) {
    (void)value.as_int();
    (void)value.as_double();
  }
  if (value.is_object() && value.size() > 0) {
    const JsonValue first = *value.begin();
    WEIR_ASSERT(value[first.key()].raw() == first.raw(), "the first member of a name is found by it");
  }
  if (budget == 0) return;  // each level reads its text again
  for (const JsonValue inner : value) {
    if (value.size() < 50) WEIR_ASSERT(value.type() != JsonType::array || !inner.path().empty(), "a path");
    check_slices(inner, whole, budget - 1);
  }
}

void check(std::string_view text) {
  const auto doc = JsonDoc::parse(std::string(text), kLimits);
  WEIR_ASSERT(doc.has_value() == NaiveReader(text).accepts(), "both readers agree");
  JsonDoc reused;
  (void)reused.reparse("[\"\\n\",{\"a\":1}]");
  WEIR_ASSERT(reused.reparse(text, kLimits).has_value() == doc.has_value(), "reparse() agrees with parse()");
  // Stricter and laxer limits must not crash either.
  (void)JsonDoc::parse(std::string(text), {.depth_max = 3, .nodes_max = 10});
  (void)JsonDoc::parse(std::string(text), {.replaces_lone_surrogates = true});
  if (!doc) return;
  WEIR_ASSERT(equal(reused.root(), doc->root()), "reparse() gives the same tree");
  check_slices(doc->root(), *doc, 4);
  std::string written;
  JsonWriter writer(written);
  write(writer, doc->root());
  const auto back = JsonDoc::parse(written, kLimits);
  WEIR_ASSERT(back && equal(back->root(), doc->root()), "what is written reads back the same");
}

}  // namespace
}  // namespace weir

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  const std::string_view text(reinterpret_cast<const char*>(data), size);
  weir::check(text);
  // Any bytes at all can be written as a string, and read back as what sanitising makes of them.
  std::string literal;
  weir::append_json_string(literal, text);
  const auto doc = weir::JsonDoc::parse(literal);
  WEIR_ASSERT(doc && doc->root().as_string().value() == weir::sanitize_utf8(text), "a literal reads back");
  return 0;
}
