// Requests of the Responses dialect: input items and tools into the IR.
#pragma once

#include "base/json.h"
#include "llm/chat.h"

namespace weir {

// A string, or an array of items. Items of one side that follow each other become one message: reasoning,
// text and calls of the assistant belong together.
Result<void> decode_responses_input(JsonValue input, Chat& chat);
// Becomes the first message. Its block's pointer is "/instructions", which tells it from an item.
Result<void> decode_responses_instructions(JsonValue instructions, Chat& chat);
Result<void> decode_responses_tools(JsonValue tools, Chat& chat);
Result<void> decode_responses_tool_choice(JsonValue choice, Chat& chat);

}  // namespace weir
