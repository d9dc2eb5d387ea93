// The storage behind a JsonDoc: the text, a flat table of its values in document order, and an arena for the
// strings that had escapes. Private to base/json*.cpp; everyone else uses json.h.
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "base/json.h"

namespace weir::detail {

// One value, or one key: a member of an object is two nodes, its key and right after it its value with
// is_member set. 24 bytes and no initialisers, since tables of them are allocated without being cleared.
struct JsonNode {
  // Of a container, while its end is not yet known, `end` is the index of the container around it (or
  // kNoNode).
  uint32_t begin;  // the slice [begin, end) of the source
  uint32_t end;
  struct Children {
    uint32_t after;  // index of the first node behind the whole subtree
    uint32_t count;  // elements or members
  };
  union {
    const char* text;   // string or key: unescaped, in the source or in the arena
    Children children;  // array or object
  };
  uint32_t text_length;
  JsonType type;
  bool is_member;

  bool is_container() const { return type >= JsonType::array; }
  std::string_view string() const { return {text, text_length}; }
};
static_assert(JsonType::array < JsonType::object && JsonType::string < JsonType::array);
static_assert(sizeof(JsonNode) <= 24);

inline constexpr uint32_t kNoNode = 0xFFFF'FFFF;

// Memory for unescaped strings. What it gave out never moves; all of it is free again after reset().
class JsonArena {
 public:
  // At least `size` bytes, valid until reset().
  char* take(size_t size);
  // Gives back the unused end of what the last take() gave: `end` is the first byte that is not needed.
  void shrink(char* end) { free_ = end; }
  // Keeps the largest block for the next text.
  void reset();

 private:
  struct Block {
    std::unique_ptr<char[]> bytes;
    size_t size;
  };
  std::vector<Block> blocks_;
  char* free_ = nullptr;
  char* limit_ = nullptr;
};

struct JsonTable {
  std::string source;
  std::unique_ptr<JsonNode[]> nodes;
  size_t node_capacity = 0;
  uint32_t node_count = 0;  // 0: nothing parsed
  JsonArena arena;

  // The index behind the subtree of node `index`.
  uint32_t after(uint32_t index) const {
    const JsonNode& node = nodes[index];
    return node.is_container() ? node.children.after : index + 1;
  }
  std::string_view slice(const JsonNode& node) const {
    return {source.data() + node.begin, node.end - node.begin};
  }
};

// Appends ".key" (or ["odd key"]; a long one is clipped) and "[index]" to the path of an error message.
void append_path_key(std::string& path, std::string_view key);
void append_path_index(std::string& path, size_t index);

// Unescapes the content [begin, end) of a JSON string literal into `out`, which has room for end - begin + 8
// bytes. REQUIRES: no quote, control character or bad UTF-8 in it, and a NUL or quote at `end`. Gives the end
// of what was written; or, where an escape is wrong, null and its place in `bad`.
struct Unescaped {
  char* end;
  const char* bad;
};
Unescaped unescape_json(const char* begin, const char* end, char* out, bool replaces_lone_surrogates);

}  // namespace weir::detail
