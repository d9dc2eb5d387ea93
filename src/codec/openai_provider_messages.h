// Messages of the IR in OpenAI's chat dialect.
#pragma once

#include "base/json.h"
#include "llm/codec.h"

namespace weir {

// The array `messages`. Losses go to notes.fidelity. Errors: unsupported for what the dialect has no form
// for.
Result<void> write_openai_messages(JsonWriter& json, const Chat& chat, const TargetModel& target,
                                   CallNotes& notes);

}  // namespace weir
