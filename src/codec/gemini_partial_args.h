// Arguments of a function call that come in pieces: Vertex AI streams values with the JSON paths they belong
// to.
#pragma once

#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "base/json.h"

namespace weir {

// Copyable between pieces.
class GeminiPartialArgs {
 public:
  // `partialArgs`: [{"jsonPath": "$.a[0].b", "stringValue"|"numberValue"|"boolValue"|"nullValue",
  // "willContinue"}]. Strings for a path that has one already continue it. Paths that cannot be read are
  // passed over.
  void add(JsonValue pieces);
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

  static Node* child(Node& parent, std::string_view key);
  static Node* element(Node& parent, size_t index);
  Node* find(std::string_view path);
  static void write(JsonWriter& json, const Node& node);

  Node root_{.kind = Node::Kind::object, .key = {}, .text = {}, .children = {}};
};

}  // namespace weir
