// Requests of the IR in Bedrock's Converse dialect.
#pragma once

#include "llm/codec.h"

namespace weir {

// InvokeModel of the Nova models takes the same members but for a few.
enum class ConverseForm : uint8_t { converse, nova_body };

// Writes the body; of a count of tokens only what counts. Losses go to call.notes.fidelity. Errors:
// unsupported, bad_request.
Result<void> write_converse_request(const Chat& chat, const TargetModel& target, ConverseForm form,
                                    EncodedCall& call);

}  // namespace weir
