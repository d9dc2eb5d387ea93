// Checks a JSON value against a JSON Schema (draft 2020-12): what models are asked to follow, so the keywords
// that say which values there are. Pure; bounded in steps.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/json.h"

namespace weir {

struct SchemaVerdict {
  // What is wrong, with the place: "at /items/0/price: must be a number". Nothing: it follows the schema.
  std::optional<std::string> violation;
  // Keywords of the schema that were not checked, each once: pattern, format, $dynamicRef and others that
  // need more than the value.
  std::vector<std::string> unchecked;
};

// Errors: bad_request when the schema cannot be used (a $ref that leads nowhere or round in a circle, too
// many steps).
Result<SchemaVerdict> check_json_schema(JsonValue value, JsonValue schema);

}  // namespace weir
