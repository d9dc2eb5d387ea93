// Messages and their content in OpenAI's chat dialect, decoded into blocks.
#pragma once

#include "base/json.h"
#include "llm/chat.h"

namespace weir {

// The array `messages`. Errors: bad_request with the path.
Result<void> decode_openai_messages(JsonValue messages, Chat& chat);
// The array `tools`.
Result<void> decode_openai_tools(JsonValue tools, Chat& chat);
Result<void> decode_openai_tool_choice(JsonValue choice, Chat& chat);

}  // namespace weir
