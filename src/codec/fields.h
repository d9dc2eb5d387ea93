// Reading the fields of a JSON body into the IR: absent and null are the same, anything of the wrong type is
// bad_request with its path.
#pragma once

#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <type_traits>
#include <utility>
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

// The failure of a reader that meets a value which only the client's own vendor may know (a newer effort,
// another role), of a field that it knows: read_fields keeps the first of them beside the Chat and reads on.
std::unexpected<Error> unknown_value(std::string message, std::string path);
// Does so: what unknown_value() gave becomes chat.only_raw; any other failure is passed on.
Result<void> settle_unknown(Chat& chat, Result<void> read);

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
      Result<void> read = found->read(into, member);
      if constexpr (std::is_same_v<Into, Chat>) {
        if (!read) read = settle_unknown(into, std::move(read));
      }
      TRY(std::move(read));
    } else {
      into.extras.push_back({.dialect = dialect, .key = key, .raw = {member.raw()}});
    }
  }
  return {};
}

}  // namespace weir
