// JsonDoc: simdjson finds where the values, brackets, commas and colons of a text are (its "stage 1", which
// also validates UTF-8 and the control characters in strings), and one walk of our own over those places
// checks everything else and builds the table. The walk is the same index that simdjson's on-demand reader
// walks, but it has no lazy part: on-demand leaves unread what nobody asks for, and we would have to ask for
// everything anyway. This is the only file that includes simdjson.
#include "base/json.h"

#include <algorithm>
#include <bit>
#include <cstring>
#include <fmt/core.h>
#include <simdjson.h>

#include "base/encoding.h"
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

// Stage 1. One index per thread serves every doc, since it is needed only while a text is parsed.
class StructuralIndex {
 public:
  // Afterwards places() holds the offset of each bracket, comma, colon and first byte of a value or key, in
  // order.
  simdjson::error_code build(std::string_view text) {
    if (!implementation_ || implementation_->capacity() < text.size()) {
      const size_t capacity = std::bit_ceil(std::max<size_t>(text.size(), 4 * kKiB));
      const auto error = simdjson::get_active_implementation()->create_dom_parser_implementation(
          std::min<size_t>(capacity, simdjson::SIMDJSON_MAXSIZE_BYTES), 1, implementation_);
      if (error != simdjson::SUCCESS) return error;
    }
    const auto* bytes = reinterpret_cast<const uint8_t*>(text.data());
    return implementation_->stage1(bytes, text.size(), simdjson::stage1_mode::regular);
  }
  // count() places; places()[count()] may be written, and is set to the length of the text by the walk.
  uint32_t* places() { return implementation_->structural_indexes.get(); }
  uint32_t count() const { return implementation_->n_structural_indexes; }

  // The index takes 4 bytes per byte of the largest text so far; an idle thread keeps it only for common
  // sizes.
  void shrink() {
    if (implementation_ && implementation_->capacity() > kMiB) implementation_.reset();
  }

 private:
  std::unique_ptr<simdjson::internal::dom_parser_implementation> implementation_;
};

StructuralIndex& structural_index() {
  static thread_local StructuralIndex index;
  return index;
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

// Stage 1 says that something is wrong but not where: look again, slowly.
Problem find_bad_byte(std::string_view text) {
  const size_t valid = utf8_valid_prefix(text);
  bool in_string = false;
  size_t string_start = 0;
  for (size_t i = 0; i < valid; ++i) {
    const char c = text[i];
    if (c == '"') {
      in_string = !in_string;
      string_start = i;
    } else if (in_string && static_cast<unsigned char>(c) < 0x20) {
      return {"a control character in a string must be escaped", i, {}};
    } else if (c == '\\') {
      ++i;  // stage 1 takes the byte behind a backslash as escaped everywhere
    }
  }
  if (valid < text.size()) return {"this is not UTF-8", valid, {}};
  return {
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

class Walk {
 public:
  // REQUIRES places[0, count) from stage 1 for the table's source, and places[count] == source.size().
  Walk(JsonTable& table, const JsonLimits& limits, const uint32_t* places, uint32_t count)
      : table_(table),
        limits_(limits),
        text_(table.source.data()),
        size_(static_cast<uint32_t>(table.source.size())),
        place_(places),
        places_end_(places + count) {
    reserve(count);
    escape_ = find_escape(0);
  }

  // False: problem() tells why.
  bool run() {
    if (!value(false)) return false;
    while (open_ != kNoNode) {
      const bool good = table_.nodes[open_].type == JsonType::object ? member() : element();
      if (!good) return false;
    }
    return place_ == places_end_ || refuse("nothing may follow the value");
  }
  const Problem& problem() const { return problem_; }

 private:
  // Each value but the first and each key stands behind a bracket, comma or colon of its own, and each
  // container has two brackets; so a whole text of n places has at most (n + 1) / 2 nodes. A text that turns
  // out to be broken may lack a closing bracket per level and the value after a colon.
  void reserve(uint32_t count) {
    const size_t by_places = (count + static_cast<size_t>(limits_.depth_max) + 3) / 2 + 1;
    const size_t by_limit = 2 * limits_.nodes_max + 2;
    const size_t needed = std::min(by_places, by_limit);
    if (table_.node_capacity < needed) {
      table_.node_capacity = std::max(needed, std::min<size_t>(2 * table_.node_capacity, 1024));
      table_.nodes = std::make_unique_for_overwrite<JsonNode[]>(table_.node_capacity);
    }
    nodes_ = table_.nodes.get();
  }

  char here() const { return text_[*place_]; }  // NUL at the end of the text

  bool refuse(std::string what) { return refuse_at(std::move(what), *place_); }
  bool refuse_at(std::string what, uint32_t offset) {
    problem_ = {offset == size_ ? "the text ends too early" : std::move(what), offset, path_of_open()};
    return false;
  }

  // One element of the innermost open array with the comma before it, or its closing bracket.
  bool element() {
    JsonNode& array = nodes_[open_];
    if (here() == ']') return close(array);
    if (array.children.count > 0) {
      if (here() != ',') return refuse("expected ',' or ']' after an element");
      ++place_;
    }
    ++array.children.count;
    return value(false);
  }

  // One member of the innermost open object with the comma before it, or its closing bracket.
  bool member() {
    JsonNode& object = nodes_[open_];
    if (here() == '}') return close_object(object);
    if (object.children.count > 0) {
      if (here() != ',') return refuse("expected ',' or '}' after a member");
      ++place_;
    }
    if (here() != '"') return refuse("expected a key in double quotes");
    ++object.children.count;
    JsonNode& key = nodes_[table_.node_count++];
    key.is_member = false;
    if (!string(key)) return false;
    if (here() != ':') return refuse("expected ':' after a key");
    ++place_;
    return value(true);
  }

  bool value(bool is_member) {
    if (++values_ > limits_.nodes_max) return refuse(fmt::format("more than {} values", limits_.nodes_max));
    const uint32_t index = table_.node_count++;
    JsonNode& node = nodes_[index];
    node.is_member = is_member;
    switch (here()) {
      case '"':
        return string(node);
      case '{':
        return open(node, index, JsonType::object);
      case '[':
        return open(node, index, JsonType::array);
      case 't':
        return literal(node, "true", JsonType::boolean);
      case 'f':
        return literal(node, "false", JsonType::boolean);
      case 'n':
        return literal(node, "null", JsonType::null);
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
        return number(node);
      default:
        return refuse("expected a value");
    }
  }

  bool open(JsonNode& node, uint32_t index, JsonType type) {
    if (++depth_ > limits_.depth_max) return refuse(fmt::format("nesting deeper than {}", limits_.depth_max));
    node.type = type;
    node.begin = *place_++;
    node.end = open_;
    node.children = {0, 0};
    open_ = index;
    return true;
  }

  bool close(JsonNode& node) {
    open_ = node.end;
    node.end = *place_++ + 1;
    node.children.after = table_.node_count;
    --depth_;
    return true;
  }

  bool close_object(JsonNode& object) {
    if (limits_.rejects_duplicate_keys && object.children.count > 1 && !keys_differ(object)) return false;
    return close(object);
  }

  bool string(JsonNode& node) {
    const uint32_t begin = *place_++;
    // Only white space stands between the closing quote and the next place.
    uint32_t quote = *place_ - 1;
    while (quote > begin && is_space(text_[quote])) --quote;
    if (quote == begin || text_[quote] != '"') return refuse_at("a string without an end", begin);
    node.type = JsonType::string;
    node.begin = begin;
    node.end = quote + 1;
    node.text = text_ + begin + 1;
    node.text_length = quote - begin - 1;
    return escape_ >= quote || unescape(node, quote);
  }

  bool unescape(JsonNode& node, uint32_t quote) {
    char* out = table_.arena.take(node.text_length);
    const Unescaped done = unescape_json(node.text, text_ + quote, out, limits_.replaces_lone_surrogates);
    if (!done.end) return refuse_at(bad_escape(done.bad), static_cast<uint32_t>(done.bad - text_));
    table_.arena.shrink(done.end);
    node.text = out;
    node.text_length = static_cast<uint32_t>(done.end - out);
    escape_ = find_escape(quote + 1);
    return true;
  }

  bool literal(JsonNode& node, std::string_view word, JsonType type) {
    const uint32_t begin = *place_;
    if (std::string_view(text_ + begin, size_ - begin).substr(0, word.size()) != word)
      return refuse("expected a value");
    return scalar(node, type, begin + static_cast<uint32_t>(word.size()));
  }

  bool number(JsonNode& node) {
    const char* end = number_end(text_ + *place_);
    if (!end) return refuse("this is not a number as JSON writes it");
    return scalar(node, JsonType::number, static_cast<uint32_t>(end - text_));
  }

  bool scalar(JsonNode& node, JsonType type, uint32_t end) {
    const uint32_t begin = *place_++;
    if (end != *place_ && !is_space(text_[end])) return refuse_at("unexpected text after a value", end);
    node.type = type;
    node.begin = begin;
    node.end = end;
    return true;
  }

  bool keys_differ(const JsonNode& object);
  bool many_keys_differ(uint32_t count);
  bool same_key(uint32_t a, uint32_t b) const { return nodes_[a].string() == nodes_[b].string(); }
  bool refuse_duplicate(uint32_t key);
  std::string path_of_open() const;
  static std::string bad_escape(const char* backslash);

  // The offset of the first backslash from `offset` on; 0xFFFFFFFF when there is none. Each byte of the text
  // is looked at once for all strings together, so that a string without escapes costs one comparison.
  uint32_t find_escape(uint32_t offset) const {
    const void* found = std::memchr(text_ + offset, '\\', size_ - offset);
    return found ? static_cast<uint32_t>(static_cast<const char*>(found) - text_) : kNoNode;
  }

  JsonTable& table_;
  const JsonLimits& limits_;
  const char* text_;
  uint32_t size_;
  const uint32_t* place_;
  const uint32_t* places_end_;
  JsonNode* nodes_ = nullptr;
  uint32_t open_ = kNoNode;  // the innermost container that is not closed yet
  int depth_ = 0;
  size_t values_ = 0;
  uint32_t escape_ = kNoNode;  // the first backslash that no string has covered yet
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
    hashes[i] = hash_text(nodes_[key].string());
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
    sorted_keys_.emplace_back(hash_text(nodes_[key].string()), key);
    key = table_.after(key + 1);
  }
  std::sort(sorted_keys_.begin(), sorted_keys_.end(), [this](const HashedKey& a, const HashedKey& b) {
    if (a.first != b.first) return a.first < b.first;
    const int order = nodes_[a.second].string().compare(nodes_[b.second].string());
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
  append_path_key(path, nodes_[key].string());
  problem_ = {"duplicate key", nodes_[key].begin, std::move(path)};
  return false;
}

std::string Walk::path_of_open() const {
  std::vector<uint32_t> chain;
  for (uint32_t index = open_; index != kNoNode; index = nodes_[index].end) chain.push_back(index);
  std::string path;
  for (size_t i = chain.size(); i-- > 1;) {
    const uint32_t child = chain[i - 1];
    if (nodes_[child].is_member) {
      append_path_key(path, nodes_[child - 1].string());
    } else {
      append_path_index(path, nodes_[chain[i]].children.count - 1);
    }
  }
  return path;
}

std::string Walk::bad_escape(const char* backslash) {
  if (backslash[1] != 'u') return "an escape that JSON does not have";
  for (int i = 2; i < 6; ++i) {
    if (hex_digit(backslash[i]) < 0) return "\\u must be followed by four hexadecimal digits";
  }
  return "half of a surrogate pair without its other half";
}

Result<void> build(JsonTable& table, const JsonLimits& limits) {
  table.node_count = 0;
  if (table.source.empty()) return fail(ErrorKind::bad_request, "invalid JSON: the text is empty");
  StructuralIndex& index = structural_index();
  const auto error = index.build(table.source);
  if (error != simdjson::SUCCESS) {
    index.shrink();
    switch (error) {
      case simdjson::EMPTY:
        return fail(ErrorKind::bad_request, "invalid JSON: the text is only white space");
      case simdjson::CAPACITY:
        return fail(ErrorKind::bad_request, "invalid JSON: the text is longer than 4 GiB");
      case simdjson::MEMALLOC:
        return fail(ErrorKind::overloaded, "not enough memory to read the JSON text");
      default:
        return fail(to_error(find_bad_byte(table.source)));
    }
  }
  index.places()[index.count()] = static_cast<uint32_t>(table.source.size());
  Walk walk(table, limits, index.places(), index.count());
  const bool good = walk.run();
  index.shrink();
  if (good) return {};
  table.node_count = 0;
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

}  // namespace weir
