// Reading the fields of a JSON body into the IR: absent and null are the same, anything of the wrong type is
// bad_request with its path.
#pragma once

#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "base/json.h"
#include "llm/chat.h"

namespace weir {

Result<void> read_field(JsonValue value, std::string_view& into);
Result<void> read_field(JsonValue value, std::optional<double>& into);
Result<void> read_field(JsonValue value, std::optional<int64_t>& into);
Result<void> read_field(JsonValue value, std::optional<bool>& into);
Result<void> read_field(JsonValue value, bool& into);
// A string that must be there and not be empty.
Result<std::string_view> required_string(JsonValue object, std::string_view key);
// "messages[2].content" as a JSON pointer: "/messages/2/content".
std::string json_pointer(JsonValue value);

// One row of a request's table of fields: what to do with a member of the top-level object.
template <class Into>
struct FieldRow {
  std::string_view key;
  Result<void> (*read)(Into& into, JsonValue value);
};

// Runs the row of each member; members without a row go to into.extras as they are.
template <class Into>
Result<void> read_fields(std::span<const FieldRow<Into>> rows, JsonValue object, Dialect dialect,
                         Into& into) {
  for (const JsonValue member : object) {
    const std::string_view key = member.key();
    const FieldRow<Into>* found = nullptr;
    for (const FieldRow<Into>& row : rows) {
      if (row.key == key) {
        found = &row;
        break;
      }
    }
    if (found) {
      TRY(found->read(into, member));
    } else {
      into.extras.push_back({.dialect = dialect, .key = key, .raw = {member.raw()}});
    }
  }
  return {};
}

}  // namespace weir
