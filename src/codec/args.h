// Arguments of tool calls for dialects that want a JSON object where others carry text (translation.md 4.2).
#pragma once

#include <string_view>

#include "base/json.h"

namespace weir {

enum class ArgumentsRepair : uint8_t {
  none,
  wrapped_text,   // not JSON (a call that was cut off): {"_raw": "<the text>"}
  wrapped_value,  // JSON, but not an object: {"value": <the value>}
};

// Writes the arguments as one JSON object: as they are when they are one, byte for byte; `{}` when there are
// none. Never fails: what a model wrote must not end the conversation. The caller records a repair.
ArgumentsRepair write_object_arguments(JsonWriter& json, std::string_view arguments);

// What an object of arguments holds under "input": the free text of a custom tool that was offered as one
// with a single string. The text itself when it is no such object.
std::string custom_tool_input(std::string_view arguments);

}  // namespace weir
