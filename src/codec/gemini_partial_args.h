// Arguments of a function call that come in pieces: Vertex AI streams values with the JSON paths they belong
// to.
#pragma once

#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "base/json.h"

namespace weir {

// What the arguments of one call may come to: a provider says in a few bytes what takes many.
inline constexpr size_t kPartialArgsNodesMax = 10'000;
inline constexpr size_t kPartialArgsBytesMax = 16 * kMiB;

// Copyable between pieces.
class GeminiPartialArgs {
 public:
  // `partialArgs`: [{"jsonPath": "$.a[0].b", "stringValue"|"numberValue"|"boolValue"|"nullValue",
  // "willContinue"}]. Strings for a path that has one already continue it. Paths that cannot be read are
  // passed over; an element is the next one of its array or one that is there. Past the limits nothing more
  // is taken.
  void add(JsonValue pieces);
  // A limit was reached: what is here is not all that came.
  bool is_too_large() const { return nodes_ > kPartialArgsNodesMax || bytes_ > kPartialArgsBytesMax; }
  // The object so far.
  std::string text() const;

 private:
  struct Node {
    enum class Kind : uint8_t { empty, string, literal, object, array };
    Kind kind = Kind::empty;
    std::string key;   // in an object
    std::string text;  // of a string; the JSON of a literal
    std::vector<Node> children;
  };

  Node* child(Node& parent, std::string_view key);
  Node* element(Node& parent, size_t index);
  Node* find(std::string_view path);
  static void write(JsonWriter& json, const Node& node);

  Node root_{.kind = Node::Kind::object, .key = {}, .text = {}, .children = {}};
  size_t nodes_ = 0;
  size_t bytes_ = 0;  // of keys and texts
};

}  // namespace weir
