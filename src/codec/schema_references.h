// What the $refs of a JSON schema lead to.
#pragma once

#include <cstddef>
#include <map>
#include <string_view>
#include <vector>

#include "base/json.h"

namespace weir {

class SchemaReferences {
 public:
  explicit SchemaReferences(JsonValue root) : root_(root) {}

  // "#/$defs/Node", "#": missing for what leads nowhere, or out of the document.
  JsonValue resolve(std::string_view reference) const;
  // Whether a definition holds itself, at any depth. Past the bound on the search it counts as such.
  bool is_recursive(JsonValue definition);

 private:
  bool reaches(JsonValue from, size_t offset, std::vector<size_t>& seen);

  const JsonValue root_;
  std::map<size_t, bool> recursive_{};  // by the definition's offset
  size_t searched_ = 0;
};

}  // namespace weir
