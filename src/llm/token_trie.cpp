#include "llm/token_trie.h"

#include <algorithm>
#include <cstring>
#include <utility>

namespace weir {
namespace {

struct Entry {
  std::string_view bytes;
  uint32_t id;
};

// The tokens, ordered by their bytes. First they are dealt out by their first two bytes, which takes three
// quarters off the comparing.
std::vector<Entry> ordered(std::span<const std::string_view> tokens) {
  constexpr size_t kHeads = size_t{1} << 16;
  const auto head = [](std::string_view bytes) {
    const auto first = size_t{static_cast<uint8_t>(bytes[0])} << 8;
    return bytes.size() == 1 ? first : first | static_cast<uint8_t>(bytes[1]);
  };
  std::vector<uint32_t> begins(kHeads + 1);
  for (const std::string_view bytes : tokens) ++begins[head(bytes) + 1];
  for (size_t i = 0; i < kHeads; ++i) begins[i + 1] += begins[i];
  std::vector<Entry> order(tokens.size());
  std::vector<uint32_t> ends = begins;
  for (uint32_t id = 0; id < tokens.size(); ++id) order[ends[head(tokens[id])]++] = {tokens[id], id};
  for (size_t i = 0; i < kHeads; ++i) {
    std::ranges::sort(std::span(order).subspan(begins[i], ends[i] - begins[i]), {}, &Entry::bytes);
  }
  return order;
}

// A node whose children are still to be made.
struct Open {
  uint32_t node;
  uint32_t first, last;  // the tokens from it on, in their order
  uint32_t depth;        // the bytes that they share
  uint32_t above;        // the longest token that ends above it
};

}  // namespace

TokenTrie::TokenTrie(std::span<const std::string_view> tokens) : shorter_(tokens.size(), kNone) {
  const std::vector<Entry> order = ordered(tokens);
  std::vector<Open> open;
  const auto add_node = [&](char byte, Open what) {
    what.node = static_cast<uint32_t>(nodes_.size());
    nodes_.push_back({kNone, 0, 0});
    bytes_.push_back(static_cast<uint8_t>(byte));
    open.push_back(what);
  };
  add_node('\0', {0, 0, static_cast<uint32_t>(order.size()), 0, kNone});
  while (!open.empty()) {
    auto [number, at, last, depth, above] = open.back();
    open.pop_back();
    Node node = {kNone, static_cast<uint32_t>(nodes_.size()), 0};
    if (order[at].bytes.size() == depth) {
      node.token = order[at++].id;
      shorter_[node.token] = std::exchange(above, node.token);
    }
    for (; at < last; ++node.child_count) {
      const uint32_t first = at;
      const char byte = order[at].bytes[depth];
      while (at < last && order[at].bytes[depth] == byte) ++at;
      add_node(byte, {0, first, at, depth + 1, above});
    }
    nodes_[number] = node;
  }
  nodes_.shrink_to_fit();
  bytes_.shrink_to_fit();
}

uint32_t TokenTrie::child(const Node& node, char byte) const {
  if (node.child_count == 0) return kNone;
  const uint8_t* bytes = &bytes_[node.children];
  if (node.child_count == 1) return *bytes == static_cast<uint8_t>(byte) ? node.children : kNone;
  const void* found = std::memchr(bytes, byte, node.child_count);
  if (found == nullptr) return kNone;
  return static_cast<uint32_t>(static_cast<const uint8_t*>(found) - bytes_.data());
}

SizedToken TokenTrie::longest(std::string_view text) const {
  uint32_t node = 1 + static_cast<uint8_t>(text[0]);  // the root has all bytes below it
  SizedToken found = {nodes_[node].token, 1};
  for (uint32_t size = 1; size < text.size(); ++size) {
    node = child(nodes_[node], text[size]);
    if (node == kNone) break;
    if (nodes_[node].token != kNone) found = {nodes_[node].token, size + 1};
  }
  return found;
}

}  // namespace weir
