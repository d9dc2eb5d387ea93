// What the $refs of a JSON schema lead to.
#pragma once

#include <cstddef>
#include <map>
#include <string>
#include <string_view>
#include <unordered_map>
#include <unordered_set>

#include "base/json.h"

namespace weir {

// Looks each object of the document through once at most, whatever the number of references is. The document
// must outlive it.
class SchemaReferences {
 public:
  explicit SchemaReferences(JsonValue root) : root_(root) {}

  // "#/$defs/Node", "#": missing for what leads nowhere, or out of the document. REQUIRES a view of the
  // document.
  JsonValue resolve(std::string_view reference);
  // Whether a definition holds itself, at any depth. Past the bound on the search it counts as such.
  bool is_recursive(JsonValue definition);

 private:
  using Children = std::unordered_map<std::string, JsonValue>;

  JsonValue find(std::string_view reference);
  JsonValue child_at(JsonValue of, std::string_view segment);
  bool reaches_itself(JsonValue definition);

  const JsonValue root_;
  std::unordered_map<std::string_view, JsonValue> resolved_{};  // by the reference
  std::unordered_map<size_t, Children> children_{};             // by the parent's offset, then the segment
  std::map<size_t, bool> recursive_{};                          // by the definition's offset
  size_t searched_ = 0;
};

}  // namespace weir
