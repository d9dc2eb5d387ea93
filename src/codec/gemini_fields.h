// Reading Google's JSON: protocol buffers in their JSON form, where a field may be spelled camelCase or
// snake_case, bytes are base64 of either alphabet, and 64-bit numbers may be strings.
#pragma once

#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "codec/fields.h"

namespace weir {

// The member by its camelCase name, else by its snake_case one. The name must be a literal.
JsonValue gemini_member(JsonValue object, std::string_view camel);
// "inline_data" as "inlineData"; other names as they are.
std::string gemini_camel(std::string_view name);
// The text in the standard base64 alphabet, with padding; kept in the arena where it had to change.
std::string_view gemini_base64(std::string_view text, Arena& arena);
// A schema in OpenAPI's form ("STRING", nullable, numbers as strings) as a JSON schema; as it is when it is
// one already.
RawJson gemini_json_schema(JsonValue schema, Arena& arena);

// The value of `name` in a query; empty when it is not there.
std::string gemini_query(std::string_view query, std::string_view name);

struct GeminiFieldRow {
  std::string_view key;  // camelCase
  Result<void> (*read)(Chat& chat, JsonValue value);
};

// Runs the row of each member; members without a row go to chat.extras under `prefix` + their camelCase name.
Result<void> read_gemini_fields(std::span<const GeminiFieldRow> rows, JsonValue object,
                                std::string_view prefix, Chat& chat);

}  // namespace weir
