// Messages of the IR in OpenAI's chat dialect.
#pragma once

#include "base/json.h"
#include "llm/codec.h"

namespace weir {

// Whether the id of a tool call is one that servers with tool_call_id_9 take.
bool is_nine_characters(std::string_view id);

// The array `messages`. Losses go to notes.fidelity. Errors: unsupported for what the dialect has no form
// for.
Result<void> write_openai_messages(JsonWriter& json, const Chat& chat, const TargetModel& target,
                                   CallNotes& notes);

}  // namespace weir
