// The history of a request as input items of the Responses dialect.
#pragma once

#include "base/json.h"
#include "llm/codec.h"

namespace weir {

// The member `instructions` where the first message is one text of the operator's, then the member `input`.
// Errors: unsupported for media that the dialect has no form for. Losses go into the notes.
Result<void> write_responses_input(JsonWriter& json, const Chat& chat, const TargetModel& target,
                                   CallNotes& notes);

}  // namespace weir
