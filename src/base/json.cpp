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

// Each step takes the place where it starts, and gives the one of the next token, white space skipped, or
// null: problem() tells why. So the place stays in a register.
class Walk {
 public:
  // REQUIRES a NUL behind the table's source.
  Walk(JsonTable& table, const JsonLimits& limits)
      : table_(table),
        limits_(limits),
        text_(table.source.data()),
        end_(text_ + table.source.size()),
        vectors_end_(end_ - std::min(kJsonWordWidth, table.source.size())),
        free_(table.nodes.get()),
        nodes_end_(free_ + table.node_capacity),
        values_left_(limits.nodes_max) {}

  bool run() {
    JsonNode& root = add_nodes(1);
    root.is_member = false;
    const char* p = value(skip_space(text_), root);
    while (p && open_ != kNoNode) p = node(open_).type == JsonType::object ? members(p) : elements(p);
    return p && (p == end_ || refuse("nothing may follow the value", p));
  }
  const Problem& problem() const { return problem_; }
  // After run(): whether the text must be checked for being UTF-8.
  bool has_high_bytes() const { return high_bytes_ != 0; }
  uint32_t node_count() const { return static_cast<uint32_t>(free_ - table_.nodes.get()); }

 private:
  uint32_t offset(const char* p) const { return static_cast<uint32_t>(p - text_); }

  // Not inlined: what they do needs room and destructors that the walk is better off without.
  [[gnu::noinline, gnu::cold]] const char* refuse(const char* what, const char* where) {
    problem_ = {where == end_ ? "the text ends too early" : what, offset(where), path_of_open()};
    return nullptr;
  }
  [[gnu::noinline, gnu::cold]] const char* refuse_values(const char* where) {
    return refuse(fmt::format("more than {} values", limits_.nodes_max).c_str(), where);
  }
  [[gnu::noinline, gnu::cold]] const char* refuse_depth(const char* where) {
    return refuse(fmt::format("nesting deeper than {}", limits_.depth_max).c_str(), where);
  }

  const char* skip_space(const char* p) const {
    return static_cast<unsigned char>(*p) > ' ' ? p : skip_some_space(p);
  }
  [[gnu::noinline]] const char* skip_some_space(const char* p) const {
    for (;;) {
      // Indentation.
      for (uint64_t word; end_ - p >= 8; p += 8) {
        std::memcpy(&word, p, 8);
        if (word != 0x2020'2020'2020'2020) break;
      }
      if (!is_space(*p)) return p;
      ++p;
    }
  }
  const char* step(const char* p) const { return skip_space(p + 1); }

  // The first of that many next to each other.
  JsonNode& add_nodes(ptrdiff_t count) {
    if (nodes_end_ - free_ < count) grow();
    free_ += count;
    return free_[-count];
  }
  [[gnu::noinline]] void grow() {
    constexpr size_t kNodesFirst = 40;  // a small chat, within the sizes that malloc has at hand
    const size_t count = node_count();
    const size_t capacity = std::max(kNodesFirst, 2 * count);
    auto nodes = std::make_unique_for_overwrite<JsonNode[]>(capacity);
    if (count > 0) std::memcpy(nodes.get(), table_.nodes.get(), count * sizeof(JsonNode));
    table_.nodes = std::move(nodes);
    table_.node_capacity = capacity;
    free_ = table_.nodes.get() + count;
    nodes_end_ = table_.nodes.get() + capacity;
  }
  JsonNode& node(uint32_t index) { return table_.nodes[index]; }

  // Elements of the innermost open array: up to its closing bracket, or to one that is a container.
  const char* elements(const char* p) {
    const uint32_t here = open_;
    do {
      JsonNode& array = node(here);
      if (*p == ']') return close(p, array);
      if (array.children.count > 0) {
        if (*p != ',') return refuse("expected ',' or ']' after an element", p);
        p = step(p);
      }
      ++array.children.count;
      JsonNode& element = add_nodes(1);
      element.is_member = false;
      p = value(p, element);
    } while (p && open_ == here);
    return p;
  }

  // The same of the innermost open object.
  const char* members(const char* p) {
    const uint32_t here = open_;
    uint32_t count = node(here).children.count;
    do {
      if (count > 0 && *p == ',') {
        p = step(p);
      } else if (*p == '}') {
        node(here).children.count = count;
        return close_object(p, node(here));
      } else if (count > 0) {
        return refuse("expected ',' or '}' after a member", p);
      }
      if (*p != '"') return refuse("expected a key in double quotes", p);
      ++count;
      JsonNode& key = add_nodes(2);
      JsonNode& member = (&key)[1];
      key.is_member = false;
      member.is_member = true;
      p = string(p, key);
      if (!p) return p;
      if (*p != ':') return refuse("expected ':' after a key", p);
      p = value(step(p), member);
    } while (p && open_ == here);
    node(here).children.count = count;
    return p;
  }

  [[gnu::always_inline]] const char* value(const char* p, JsonNode& made) {
    if (values_left_-- == 0) return refuse_values(p);
    if (*p == '"') return string(p, made);
    switch (*p) {
      case '{':
        return open(p, made, JsonType::object);
      case '[':
        return open(p, made, JsonType::array);
      case 't':
        return literal(p, made, "true", JsonType::boolean);
      case 'f':
        return literal(p, made, "false", JsonType::boolean);
      case 'n':
        return literal(p, made, "null", JsonType::null);
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
        return number(p, made);
      default:
        return refuse("expected a value", p);
    }
  }

  const char* open(const char* p, JsonNode& made, JsonType type) {
    if (++depth_ > limits_.depth_max) return refuse_depth(p);
    made.type = type;
    made.begin = offset(p);
    made.end = open_;
    made.children = {0, 0};
    open_ = static_cast<uint32_t>(&made - table_.nodes.get());
    return step(p);
  }

  const char* close(const char* p, JsonNode& closed) {
    open_ = closed.end;
    closed.end = offset(p) + 1;
    closed.children.after = node_count();
    --depth_;
    return step(p);
  }

  const char* close_object(const char* p, JsonNode& object) {
    if (limits_.rejects_duplicate_keys && object.children.count > 1 && !keys_differ(object)) return nullptr;
    return close(p, object);
  }

  [[gnu::always_inline]] const char* string(const char* p, JsonNode& made) {
    const JsonWordScan word = scan_json_word(p + 1, vectors_end_);
    if (!word.end) return long_string(p, made);
    high_bytes_ |= word.high_bytes;
    note_string(made, p, word.end);
    return step(word.end);
  }
  // One of any length.
  [[gnu::noinline]] const char* long_string(const char* p, JsonNode& made) {
    const JsonStringScan scan = scan_json_string(p + 1, end_);
    high_bytes_ |= scan.has_high_bytes ? 1 : 0;
    // A control character, or the end of the text within the string: find_bad_byte() says which.
    if (*scan.end != '"') return refuse("a string without an end", p);
    note_string(made, p, scan.end);
    if (scan.has_escapes && !unescape(made, scan.end)) return nullptr;
    return step(scan.end);
  }
  void note_string(JsonNode& made, const char* begin, const char* quote) const {
    made.type = JsonType::string;
    made.begin = offset(begin);
    made.end = offset(quote) + 1;
    made.text = begin + 1;
    made.text_length = static_cast<uint32_t>(quote - made.text);
  }

  [[gnu::noinline]] bool unescape(JsonNode& made, const char* quote) {
    char* out = table_.arena.take(made.text_length);
    const Unescaped done = unescape_json(made.text, quote, out, limits_.replaces_lone_surrogates);
    if (!done.end) return refuse(bad_escape(done.bad), done.bad) != nullptr;
    table_.arena.shrink(done.end);
    made.text = out;
    made.text_length = static_cast<uint32_t>(done.end - out);
    return true;
  }

  template <size_t kSize>
  const char* literal(const char* p, JsonNode& made, const char (&word)[kSize], JsonType type) {
    constexpr size_t kLength = kSize - 1;
    const bool fits = static_cast<size_t>(end_ - p) >= kLength;
    if (!fits || std::memcmp(p, word, kLength) != 0) return refuse("expected a value", p);
    return scalar(p, made, type, p + kLength);
  }

  const char* number(const char* p, JsonNode& made) {
    // Most are digits alone.
    const char* end = p + 1;
    if (*p != '0') {
      while (is_digit(*end)) ++end;
    }
    if (*p == '-' || !kEndsScalar[static_cast<unsigned char>(*end)]) end = number_end(p);
    if (!end) return refuse("this is not a number as JSON writes it", p);
    return scalar(p, made, JsonType::number, end);
  }

  const char* scalar(const char* p, JsonNode& made, JsonType type, const char* end) {
    if (end != end_ && !kEndsScalar[static_cast<unsigned char>(*end)])
      return refuse("unexpected text after a value", end);
    made.type = type;
    made.begin = offset(p);
    made.end = offset(end);
    return skip_space(end);
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
  const char* const vectors_end_;  // where the last vector starts, if there is one
  JsonNode* free_;                 // the next node
  JsonNode* nodes_end_;            // of their memory
  size_t values_left_;
  uint32_t open_ = kNoNode;  // the innermost container that is not closed yet
  int depth_ = 0;
  uint32_t high_bytes_ = 0;
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
  std::array<const JsonNode*, kPairwiseMax> keys;
  uint32_t key = open_ + 1;
  for (uint32_t i = 0; i < count; ++i) {
    keys[i] = &node(key);
    for (uint32_t j = 0; j < i; ++j) {
      // Of one length few begin alike. (An empty key has its closing quote there.)
      const bool may_be = keys[j]->text_length == keys[i]->text_length && *keys[j]->text == *keys[i]->text;
      if (may_be && keys[j]->string() == keys[i]->string()) return refuse_duplicate(key);
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
  if (walk.run() && (!walk.has_high_bytes() || is_utf8(text))) {
    table.node_count = walk.node_count();
    return {};
  }
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
