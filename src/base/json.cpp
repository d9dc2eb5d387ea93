// JsonDoc: one strict walk over the bytes checks everything and builds the table. Strings, which are nearly
// all of a chat, are passed over a vector at a time (json_scan.h), so the walk needs no index of the text
// made before it; whether they are UTF-8 is asked once for the whole text, and only when a byte beyond ASCII
// was seen. This is the only file that includes simdjson.
#include "base/json.h"

#include <algorithm>
#include <array>
#include <cstring>
#include <fmt/core.h>
#include <optional>
#include <simdjson.h>

#include "base/encoding.h"
#include "base/json_scan.h"
#include "base/json_table.h"
#include "base/text_hash.h"

namespace weir {
namespace detail {
namespace {

constexpr bool is_space(char c) {
  return c == ' ' || c == '\n' || c == '\r' || c == '\t';
}
constexpr bool is_digit(char c) {
  return c >= '0' && c <= '9';
}

// What is wrong, where, and in which container.
struct Problem {
  std::string what;
  size_t offset = 0;
  std::string path;
};

Error to_error(const Problem& problem) {
  std::string message = fmt::format("invalid JSON at byte {}: {}", problem.offset, problem.what);
  if (!problem.path.empty()) message += fmt::format(" (in '{}')", problem.path);
  return make_error(ErrorKind::bad_request, std::move(message), problem.path);
}

// What is wrong with the bytes of the text, whatever they say: reported before anything that the walk found.
// Slow: for texts that were refused.
std::optional<Problem> find_bad_byte(std::string_view text) {
  const size_t valid = utf8_valid_prefix(text);
  bool in_string = false;
  size_t string_start = 0;
  for (size_t i = 0; i < valid; ++i) {
    const char c = text[i];
    if (c == '"') {
      in_string = !in_string;
      string_start = i;
    } else if (in_string && static_cast<unsigned char>(c) < 0x20) {
      return Problem{"a control character in a string must be escaped", i, {}};
    } else if (c == '\\') {
      ++i;
    }
  }
  if (valid < text.size()) return Problem{"this is not UTF-8", valid, {}};
  if (!in_string) return std::nullopt;
  return Problem{
      fmt::format("the text ends inside the string that starts at byte {}", string_start), text.size(), {}};
}

// The end of the number that starts at `p`, or null when it is none. Stops at the NUL behind the text at the
// latest.
const char* number_end(const char* p) {
  if (*p == '-') ++p;
  if (*p == '0') {
    ++p;
  } else {
    if (!is_digit(*p)) return nullptr;
    while (is_digit(*p)) ++p;
  }
  if (*p == '.') {
    if (!is_digit(*++p)) return nullptr;
    while (is_digit(*p)) ++p;
  }
  if (*p == 'e' || *p == 'E') {
    ++p;
    if (*p == '+' || *p == '-') ++p;
    if (!is_digit(*p)) return nullptr;
    while (is_digit(*p)) ++p;
  }
  return p;
}

// What may stand right behind a number or a literal.
constexpr std::array<bool, 256> kEndsScalar = [] {
  std::array<bool, 256> table{};
  for (const char c : std::string_view(" \t\n\r,:[]{}")) table[static_cast<unsigned char>(c)] = true;
  return table;
}();

class Walk {
 public:
  // REQUIRES a NUL behind the table's source.
  Walk(JsonTable& table, const JsonLimits& limits)
      : table_(table),
        limits_(limits),
        text_(table.source.data()),
        end_(text_ + table.source.size()),
        p_(text_) {}

  // False: problem() tells why.
  bool run() {
    skip_space();
    if (!value(false)) return false;
    while (open_ != kNoNode) {
      const bool good = table_.nodes[open_].type == JsonType::object ? member() : element();
      if (!good) return false;
    }
    return p_ == end_ || refuse("nothing may follow the value");
  }
  const Problem& problem() const { return problem_; }
  // After run(): whether the text must be checked for being UTF-8.
  bool has_high_bytes() const { return has_high_bytes_; }

 private:
  uint32_t offset(const char* p) const { return static_cast<uint32_t>(p - text_); }

  // Not inlined: what they do needs room and destructors that the walk is better off without.
  [[gnu::noinline, gnu::cold]] bool refuse(const char* what) { return refuse_at(what, p_); }
  [[gnu::noinline, gnu::cold]] bool refuse_at(const char* what, const char* where) {
    problem_ = {where == end_ ? "the text ends too early" : what, offset(where), path_of_open()};
    return false;
  }
  [[gnu::noinline, gnu::cold]] bool refuse_values() {
    return refuse(fmt::format("more than {} values", limits_.nodes_max).c_str());
  }
  [[gnu::noinline, gnu::cold]] bool refuse_depth() {
    return refuse(fmt::format("nesting deeper than {}", limits_.depth_max).c_str());
  }

  void skip_space() {
    if (static_cast<unsigned char>(*p_) > ' ') return;
    for (;;) {
      // Indentation.
      for (uint64_t word; end_ - p_ >= 8; p_ += 8) {
        std::memcpy(&word, p_, 8);
        if (word != 0x2020'2020'2020'2020) break;
      }
      if (!is_space(*p_)) return;
      ++p_;
    }
  }
  void step() {
    ++p_;
    skip_space();
  }

  uint32_t add_node() {
    if (table_.node_count == table_.node_capacity) grow();
    return table_.node_count++;
  }
  [[gnu::noinline]] void grow() {
    constexpr size_t kNodesFirst = 40;  // a small chat, within the sizes that malloc has at hand
    const size_t capacity = std::max(kNodesFirst, 2 * table_.node_capacity);
    auto nodes = std::make_unique_for_overwrite<JsonNode[]>(capacity);
    if (table_.node_count > 0)
      std::memcpy(nodes.get(), table_.nodes.get(), table_.node_count * sizeof(JsonNode));
    table_.nodes = std::move(nodes);
    table_.node_capacity = capacity;
  }
  JsonNode& node(uint32_t index) { return table_.nodes[index]; }

  // One element of the innermost open array with the comma before it, or its closing bracket.
  bool element() {
    JsonNode& array = node(open_);
    if (*p_ == ']') return close(array);
    if (array.children.count > 0) {
      if (*p_ != ',') return refuse("expected ',' or ']' after an element");
      step();
    }
    ++array.children.count;
    return value(false);
  }

  // One member of the innermost open object with the comma before it, or its closing bracket.
  bool member() {
    JsonNode& object = node(open_);
    if (*p_ == '}') return close_object(object);
    if (object.children.count > 0) {
      if (*p_ != ',') return refuse("expected ',' or '}' after a member");
      step();
    }
    if (*p_ != '"') return refuse("expected a key in double quotes");
    ++object.children.count;
    JsonNode& key = node(add_node());
    key.is_member = false;
    if (!string(key)) return false;
    if (*p_ != ':') return refuse("expected ':' after a key");
    step();
    return value(true);
  }

  bool value(bool is_member) {
    if (++values_ > limits_.nodes_max) return refuse_values();
    const uint32_t index = add_node();
    JsonNode& made = node(index);
    made.is_member = is_member;
    switch (*p_) {
      case '"':
        return string(made);
      case '{':
        return open(made, index, JsonType::object);
      case '[':
        return open(made, index, JsonType::array);
      case 't':
        return literal(made, "true", JsonType::boolean);
      case 'f':
        return literal(made, "false", JsonType::boolean);
      case 'n':
        return literal(made, "null", JsonType::null);
      case '-':
      case '0':
      case '1':
      case '2':
      case '3':
      case '4':
      case '5':
      case '6':
      case '7':
      case '8':
      case '9':
        return number(made);
      default:
        return refuse("expected a value");
    }
  }

  bool open(JsonNode& made, uint32_t index, JsonType type) {
    if (++depth_ > limits_.depth_max) return refuse_depth();
    made.type = type;
    made.begin = offset(p_);
    made.end = open_;
    made.children = {0, 0};
    open_ = index;
    step();
    return true;
  }

  bool close(JsonNode& closed) {
    open_ = closed.end;
    closed.end = offset(p_) + 1;
    closed.children.after = table_.node_count;
    --depth_;
    step();
    return true;
  }

  bool close_object(JsonNode& object) {
    if (limits_.rejects_duplicate_keys && object.children.count > 1 && !keys_differ(object)) return false;
    return close(object);
  }

  [[gnu::always_inline]] bool string(JsonNode& made) {
    const char* const begin = p_ + 1;
    const JsonStringScan scan = scan_json_string(begin, end_);
    const char* const quote = scan.end;
    has_high_bytes_ |= scan.has_high_bytes;
    // A control character, or the end of the text within the string: find_bad_byte() says which.
    if (*quote != '"') return refuse_at("a string without an end", p_);
    made.type = JsonType::string;
    made.begin = offset(p_);
    made.end = offset(quote) + 1;
    made.text = begin;
    made.text_length = static_cast<uint32_t>(quote - begin);
    if (scan.has_escapes && !unescape(made, quote)) return false;
    p_ = quote;
    step();
    return true;
  }

  [[gnu::noinline]] bool unescape(JsonNode& made, const char* quote) {
    char* out = table_.arena.take(made.text_length);
    const Unescaped done = unescape_json(made.text, quote, out, limits_.replaces_lone_surrogates);
    if (!done.end) return refuse_at(bad_escape(done.bad), done.bad);
    table_.arena.shrink(done.end);
    made.text = out;
    made.text_length = static_cast<uint32_t>(done.end - out);
    return true;
  }

  bool literal(JsonNode& made, std::string_view word, JsonType type) {
    if (std::strncmp(p_, word.data(), word.size()) != 0) return refuse("expected a value");
    return scalar(made, type, p_ + word.size());
  }

  bool number(JsonNode& made) {
    const char* end = number_end(p_);
    if (!end) return refuse("this is not a number as JSON writes it");
    return scalar(made, JsonType::number, end);
  }

  bool scalar(JsonNode& made, JsonType type, const char* end) {
    if (end != end_ && !kEndsScalar[static_cast<unsigned char>(*end)])
      return refuse_at("unexpected text after a value", end);
    made.type = type;
    made.begin = offset(p_);
    made.end = offset(end);
    p_ = end;
    skip_space();
    return true;
  }

  bool keys_differ(const JsonNode& object);
  bool many_keys_differ(uint32_t count);
  bool same_key(uint32_t a, uint32_t b) const { return table_.nodes[a].string() == table_.nodes[b].string(); }
  bool refuse_duplicate(uint32_t key);
  std::string path_of_open() const;
  static const char* bad_escape(const char* backslash);

  JsonTable& table_;
  const JsonLimits& limits_;
  const char* const text_;
  const char* const end_;
  const char* p_;            // white space is skipped: the next token, or the end
  uint32_t open_ = kNoNode;  // the innermost container that is not closed yet
  int depth_ = 0;
  size_t values_ = 0;
  bool has_high_bytes_ = false;
  using HashedKey = std::pair<uint64_t, uint32_t>;
  std::vector<HashedKey> sorted_keys_;
  Problem problem_;
};

bool Walk::keys_differ(const JsonNode& object) {
  // Pairs are compared up to here; sorting serves larger objects, whose worst case must not be quadratic even
  // when somebody makes all hashes equal.
  constexpr uint32_t kPairwiseMax = 16;
  const uint32_t count = object.children.count;
  if (count > kPairwiseMax) return many_keys_differ(count);
  std::array<uint64_t, kPairwiseMax> hashes;
  std::array<uint32_t, kPairwiseMax> keys;
  uint32_t key = open_ + 1;
  for (uint32_t i = 0; i < count; ++i) {
    hashes[i] = hash_text(table_.nodes[key].string());
    keys[i] = key;
    for (uint32_t j = 0; j < i; ++j) {
      if (hashes[j] == hashes[i] && same_key(keys[j], key)) return refuse_duplicate(key);
    }
    key = table_.after(key + 1);
  }
  return true;
}

bool Walk::many_keys_differ(uint32_t count) {
  sorted_keys_.clear();
  for (uint32_t key = open_ + 1; count > 0; --count) {
    sorted_keys_.emplace_back(hash_text(table_.nodes[key].string()), key);
    key = table_.after(key + 1);
  }
  std::sort(sorted_keys_.begin(), sorted_keys_.end(), [this](const HashedKey& a, const HashedKey& b) {
    if (a.first != b.first) return a.first < b.first;
    const int order = table_.nodes[a.second].string().compare(table_.nodes[b.second].string());
    return order != 0 ? order < 0 : a.second < b.second;
  });
  for (size_t i = 1; i < sorted_keys_.size(); ++i) {
    const auto [hash, key] = sorted_keys_[i];
    if (sorted_keys_[i - 1].first == hash && same_key(sorted_keys_[i - 1].second, key))
      return refuse_duplicate(key);
  }
  return true;
}

bool Walk::refuse_duplicate(uint32_t key) {
  std::string path = path_of_open();
  append_path_key(path, table_.nodes[key].string());
  problem_ = {"duplicate key", table_.nodes[key].begin, std::move(path)};
  return false;
}

std::string Walk::path_of_open() const {
  std::vector<uint32_t> chain;
  for (uint32_t index = open_; index != kNoNode; index = table_.nodes[index].end) chain.push_back(index);
  std::string path;
  for (size_t i = chain.size(); i-- > 1;) {
    const uint32_t child = chain[i - 1];
    if (table_.nodes[child].is_member) {
      append_path_key(path, table_.nodes[child - 1].string());
    } else {
      append_path_index(path, table_.nodes[chain[i]].children.count - 1);
    }
  }
  return path;
}

const char* Walk::bad_escape(const char* backslash) {
  if (backslash[1] != 'u') return "an escape that JSON does not have";
  for (int i = 2; i < 6; ++i) {
    if (hex_digit(backslash[i]) < 0) return "\\u must be followed by four hexadecimal digits";
  }
  return "half of a surrogate pair without its other half";
}

Result<void> build(JsonTable& table, const JsonLimits& limits) {
  table.node_count = 0;
  const std::string& text = table.source;
  if (text.empty()) return fail(ErrorKind::bad_request, "invalid JSON: the text is empty");
  if (text.size() > UINT32_MAX)
    return fail(ErrorKind::bad_request, "invalid JSON: the text is longer than 4 GiB");
  Walk walk(table, limits);
  const bool good = walk.run();
  if (good && (!walk.has_high_bytes() || is_utf8(text))) return {};
  table.node_count = 0;
  if (std::all_of(text.begin(), text.end(), is_space))
    return fail(ErrorKind::bad_request, "invalid JSON: the text is only white space");
  if (const auto problem = find_bad_byte(text)) return fail(to_error(*problem));
  return fail(to_error(walk.problem()));
}

}  // namespace
}  // namespace detail

// Declared in encoding.h; it stands here because this is where simdjson is included.
bool is_utf8(std::string_view text) {
  return simdjson::validate_utf8(text.data(), text.size());
}

JsonDoc::JsonDoc() = default;
JsonDoc::~JsonDoc() = default;
JsonDoc::JsonDoc(JsonDoc&&) noexcept = default;
JsonDoc& JsonDoc::operator=(JsonDoc&&) noexcept = default;

Result<JsonDoc> JsonDoc::parse(std::string text, const JsonLimits& limits) {
  JsonDoc doc;
  doc.table_ = std::make_unique<detail::JsonTable>();
  doc.table_->source = std::move(text);
  if (auto built = detail::build(*doc.table_, limits); !built)
    return std::unexpected(std::move(built).error());
  return doc;
}

Result<void> JsonDoc::reparse(std::string_view text, const JsonLimits& limits) {
  if (!table_) table_ = std::make_unique<detail::JsonTable>();
  table_->arena.reset();
  table_->source.assign(text);
  return detail::build(*table_, limits);
}

JsonValue JsonDoc::root() const {
  return table_ && table_->node_count > 0 ? JsonValue(table_.get(), 0) : JsonValue();
}

std::string_view JsonDoc::source() const {
  return table_ ? std::string_view(table_->source) : std::string_view();
}

namespace {
struct ThreadDoc {
  JsonDoc doc;
  bool is_taken = false;
};
thread_local ThreadDoc thread_doc;
}  // namespace

JsonScratch::JsonScratch() : doc_(thread_doc.is_taken ? own_.emplace() : thread_doc.doc) {
  if (!own_) thread_doc.is_taken = true;
}

JsonScratch::~JsonScratch() {
  if (own_) return;
  thread_doc.is_taken = false;
  constexpr size_t kKeptBytesMax = 64 * kKiB;  // of the text: an answer of usual size
  if (doc_.source().size() > kKeptBytesMax) doc_ = JsonDoc();
}

}  // namespace weir
