// Converse requests, decoded into the IR.
#pragma once

#include "base/json.h"
#include "llm/chat.h"

namespace weir {

// The body of a request, whose model the path names. Errors: bad_request with the path of the field.
Result<void> decode_converse_body(JsonValue body, Chat& chat);

// The array `system`; becomes the first message.
Result<void> decode_converse_system(JsonValue system, Chat& chat);
// The array `messages`.
Result<void> decode_converse_messages(JsonValue messages, Chat& chat);
// The object `toolConfig`.
Result<void> decode_converse_tools(JsonValue config, Chat& chat);

// The media type of a format's name ("jpeg", "three_gp", "docx"), and back; empty when there is none.
std::string_view converse_media_type(std::string_view kind, std::string_view format);
std::string_view converse_format(std::string_view kind, std::string_view media_type);
bool is_converse_image(std::string_view media_type);

}  // namespace weir
