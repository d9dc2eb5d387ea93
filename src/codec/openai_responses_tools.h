// The choice among tools in the Responses dialect: the same in requests and in the answers that repeat it.
#pragma once

#include "base/json.h"
#include "llm/codec.h"

namespace weir {

// The value of `tool_choice`. The chat's tools tell what kind each name is; `names` has what the reader calls
// them.
void write_responses_tool_choice(JsonWriter& json, const ToolChoice& choice, const Chat& chat,
                                 const ToolNames& names);

}  // namespace weir
