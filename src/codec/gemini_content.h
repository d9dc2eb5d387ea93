// What a request of Google's dialect says: turns and tools.
#pragma once

#include <optional>

#include "base/json.h"
#include "llm/chat.h"

namespace weir {

// `systemInstruction`: becomes the first message.
Result<void> decode_gemini_system(JsonValue system, Chat& chat);
// `contents`. Calls without an id get one by their place; results find their call by its id, else by name and
// order.
Result<void> decode_gemini_contents(JsonValue contents, Chat& chat);
Result<void> decode_gemini_tools(JsonValue tools, Chat& chat);
Result<void> decode_gemini_tool_config(JsonValue config, Chat& chat);

// The block that media of that type is; without a type the address tells.
BlockBody gemini_media_block(const Media& media, std::string_view name);

}  // namespace weir
