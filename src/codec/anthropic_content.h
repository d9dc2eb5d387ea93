// Messages, their content and tools in Anthropic's dialect, decoded into blocks.
#pragma once

#include "base/json.h"
#include "llm/chat.h"
#include "llm/request.h"

namespace weir {

// The whole body of a request. The path names the model, or else the body does. REQUIRES call.body. Errors:
// bad_request with the path of the field.
Result<Chat> decode_anthropic_chat(const ClientCall& call);
// `system`: a string or an array of text blocks; becomes the first message. Errors: bad_request with the
// path.
Result<void> decode_anthropic_system(JsonValue system, Chat& chat);
// The array `messages`.
Result<void> decode_anthropic_messages(JsonValue messages, Chat& chat);
// The array `tools`. What Anthropic itself defines (web_search_20250305, bash_20250124, ...) is kept raw.
Result<void> decode_anthropic_tools(JsonValue tools, Chat& chat);
Result<void> decode_anthropic_tool_choice(JsonValue choice, Chat& chat);

}  // namespace weir
