// Reading JSON: one strict walk over the bytes builds a flat table of nodes. RFC 8259 without extensions; an
// unpaired surrogate escape is an error unless the limits allow it. After parse() succeeds the whole text is
// known to be valid: UTF-8, depth, numbers, escapes, nothing after the end, and no key twice in one object.
// Values are then views into the source: exact number text, key order and raw slices survive, so a codec can
// pass on what it does not understand byte for byte.
//
//   auto doc = TRY(JsonDoc::parse(std::move(body)));
//   std::string_view model = TRY(doc.root()["model"].as_string());   // error: bad_request, path "model"
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/limits.h"
#include "base/result.h"

namespace weir {

enum class JsonType : uint8_t { missing, null, boolean, number, string, array, object };
std::string_view to_string(JsonType type);

struct JsonLimits {
  int depth_max = kJsonDepthMax;       // nested arrays and objects
  size_t nodes_max = kJsonNodesMax;    // values in all
  bool rejects_duplicate_keys = true;  // at every level, compared after unescaping
  // An escape of half a surrogate pair ("\\ud83d" alone) is not a character. False: it is an error, so that
  // no two readers of a request see different text. True: it reads as U+FFFD, for answers of providers that
  // cut their text between the two halves; raw() keeps the bytes.
  bool replaces_lone_surrogates = false;
};

class JsonDoc;
namespace detail {
struct JsonTable;  // the storage of a JsonDoc; defined in json_table.h
}

// A value in a JsonDoc, or "missing". Cheap to copy; valid as long as the doc (which never moves its storage)
// lives. A missing value knows where it was looked for, so that its errors name the path. REQUIRES for that:
// the key given to operator[] outlives the missing value (a literal does).
class JsonValue {
 public:
  JsonValue() = default;

  JsonType type() const;
  explicit operator bool() const { return table_ && !missing_; }  // false: missing
  bool is_null() const { return type() == JsonType::null; }
  bool is_string() const { return type() == JsonType::string; }
  bool is_number() const { return type() == JsonType::number; }
  bool is_bool() const { return type() == JsonType::boolean; }
  bool is_array() const { return type() == JsonType::array; }
  bool is_object() const { return type() == JsonType::object; }
  // Missing or null: what most optional fields of the dialects treat alike.
  bool is_absent() const { return !*this || is_null(); }

  // The member of an object; missing when absent or when this is not an object. Linear in the number of
  // members.
  JsonValue operator[](std::string_view key) const;
  // The element of an array; missing when out of range or not an array. Linear.
  JsonValue at(size_t index) const;
  // Members of an object or elements of an array; 0 for everything else.
  size_t size() const;

  // Typed access. Errors are bad_request with the path and the expected type in the message ("'model' is
  // required and must be a string").
  Result<std::string_view> as_string() const;  // unescaped; a view into the doc
  Result<bool> as_bool() const;
  Result<int64_t> as_int() const;  // an integer literal, or a float without fraction, that fits
  Result<double> as_double() const;
  Result<void> expect(JsonType type) const;

  // Typed access without an error: the fallback when missing or of another type.
  std::string_view string_or(std::string_view fallback) const;
  int64_t int_or(int64_t fallback) const;
  double double_or(double fallback) const;
  bool bool_or(bool fallback) const;

  // The exact bytes of this value in the source, without surrounding white space; empty when missing.
  std::string_view raw() const;
  // Where raw() starts in the source.
  size_t offset() const;
  // For a member of an object: its key (unescaped), the offset of the key's opening quote.
  std::string_view key() const;
  size_t key_offset() const;
  // "messages[2].content", for error messages; "" for the root. Slow: searches from the root.
  std::string path() const;

  // for (JsonValue element : value): array elements or object members (then key() gives the key).
  class Iterator {
   public:
    JsonValue operator*() const { return JsonValue(table_, index_); }
    Iterator& operator++();
    bool operator==(const Iterator& other) const { return index_ == other.index_; }

   private:
    friend class JsonValue;
    Iterator(const detail::JsonTable* table, uint32_t index) : table_(table), index_(index) {}
    const detail::JsonTable* table_;
    uint32_t index_;
  };
  Iterator begin() const;
  Iterator end() const;

 private:
  friend class JsonDoc;
  JsonValue(const detail::JsonTable* table, uint32_t index) : table_(table), index_(index) {}
  JsonValue missing_member(std::string_view key) const;
  JsonValue missing_element(size_t index) const;
  std::unexpected<Error> type_error(std::string_view expected) const;

  const detail::JsonTable* table_ = nullptr;
  uint32_t index_ = 0;             // of the node; of the parent's node when missing
  uint32_t missing_length_ = 0;    // of the missing key; or the index of the missing element
  const char* missing_ = nullptr;  // the missing key; kMissingElement for an element; null when not missing
};

// A parsed text with its source. Movable (views stay valid); share it through shared_ptr where views outlive
// a scope.
class JsonDoc {
 public:
  JsonDoc();
  ~JsonDoc();
  JsonDoc(JsonDoc&&) noexcept;
  JsonDoc& operator=(JsonDoc&&) noexcept;

  // Takes the text over. Errors: bad_request saying what is wrong and at which byte ("duplicate key
  // \"model\"" with the path, "nesting deeper than 64", "invalid UTF-8", ...).
  static Result<JsonDoc> parse(std::string text, const JsonLimits& limits = {});
  // Parses into this doc, whose memory is reused; for streams of small texts. Views of before become invalid.
  Result<void> reparse(std::string_view text, const JsonLimits& limits = {});

  // REQUIRES a successful parse; missing otherwise.
  JsonValue root() const;
  std::string_view source() const;

 private:
  std::unique_ptr<detail::JsonTable> table_;
};

// A doc that the calling thread keeps from one use to the next: for a text that is read and forgotten at
// once, as an event of a stream is (a doc in each of thousands of open streams would hold memory for
// nothing). What is nested in another's lifetime has a doc of its own. REQUIRES: made and destroyed without a
// suspension between.
class JsonScratch {
 public:
  JsonScratch();
  ~JsonScratch();
  JsonScratch(const JsonScratch&) = delete;
  JsonScratch& operator=(const JsonScratch&) = delete;

  JsonDoc& doc() { return doc_; }

 private:
  std::optional<JsonDoc> own_;  // of a nested one
  JsonDoc& doc_;
};

// The text of a JSON string literal's content for `text`, quotes included: appended to `out`. Input that is
// not UTF-8 has its bad bytes replaced by U+FFFD, so that what Weir writes is always valid.
void append_json_string(std::string& out, std::string_view text);

// The closing quote of the string literal whose content starts at `p`; null when there is none before a
// control character or `end`. Escapes are passed over, not checked.
const char* find_json_string_end(const char* p, const char* end);

// Writes JSON into a string, commas placed by itself. Nothing is buffered elsewhere.
//   JsonWriter w(out); w.begin_object(); w.key("a").value(1); w.key("b").raw(slice); w.end_object();
class JsonWriter {
 public:
  explicit JsonWriter(std::string& out) : out_(out) {}

  JsonWriter& begin_object() { return open('{'); }
  JsonWriter& end_object() { return close('}'); }
  JsonWriter& begin_array() { return open('['); }
  JsonWriter& end_array() { return close(']'); }
  JsonWriter& key(std::string_view name);
  JsonWriter& value(std::string_view text);
  JsonWriter& value(const char* text) { return value(std::string_view(text)); }
  JsonWriter& value(const std::string& text) { return value(std::string_view(text)); }
  JsonWriter& value(int64_t number);
  JsonWriter& value(int number) { return value(static_cast<int64_t>(number)); }
  JsonWriter& value(uint64_t number);
  // Shortest text that reads back to the same double; NaN and infinities become null (JSON has none).
  JsonWriter& value(double number);
  JsonWriter& value(bool flag);
  JsonWriter& null();
  // Bytes that are already JSON. REQUIRES one valid value; an empty slice is written as null.
  JsonWriter& raw(std::string_view json);

 private:
  JsonWriter& open(char bracket);
  JsonWriter& close(char bracket);
  void separate();

  std::string& out_;
  bool needs_comma_ = false;
};

// Replaces byte ranges of a text in one pass. REQUIRES edits sorted by offset and not overlapping.
struct JsonEdit {
  size_t offset = 0;
  size_t length = 0;  // 0: insert
  std::string_view text;
};
std::string splice(std::string_view source, const std::vector<JsonEdit>& edits);

}  // namespace weir
