// Requests of the IR in Anthropic's dialect.
#pragma once

#include "llm/codec.h"

namespace weir {

// Writes the body (and the header anthropic-beta) of POST /v1/messages, or of its count_tokens when
// call.notes.operation says so. Losses go to call.notes.fidelity. Errors: unsupported, bad_request.
Result<void> write_anthropic_request(const Chat& chat, const TargetModel& target, EncodedCall& call);

}  // namespace weir
