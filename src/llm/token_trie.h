// The longest token that a text begins with: a trie over the bytes of a vocabulary.
#pragma once

#include <cstdint>
#include <span>
#include <string_view>
#include <vector>

namespace weir {

struct SizedToken {
  uint32_t id;
  uint32_t size;  // bytes
};

// Immutable once built: a node for each beginning of a token, 13 bytes each (6 MB for 200,000 tokens). The
// children of a node lie side by side, ordered by their bytes.
class TokenTrie {
 public:
  static constexpr uint32_t kNone = UINT32_MAX;

  // A token's id is its index. REQUIRES each single byte to be a token, none that is empty, and no two of the
  // same bytes.
  explicit TokenTrie(std::span<const std::string_view> tokens);

  // The longest token that `text` begins with. REQUIRES text that is not empty.
  SizedToken longest(std::string_view text) const;
  // The id of the longest token that is a proper beginning of this one, or kNone.
  uint32_t shorter(uint32_t id) const { return shorter_[id]; }

 private:
  struct Node {
    uint32_t token;     // the id of the token that ends here, or kNone
    uint32_t children;  // where they begin
    uint32_t child_count;
  };

  uint32_t child(const Node& node, char byte) const;

  std::vector<Node> nodes_;        // the root first
  std::vector<uint8_t> bytes_;     // what leads to each node from the one above it
  std::vector<uint32_t> shorter_;  // by token
};

}  // namespace weir
