// Requests to providers that speak the Responses dialect.
#pragma once

#include "llm/codec.h"

namespace weir {

// Writes the body. `call.notes` has the operation; counting tokens takes the fields that the prompt is made
// of.
Result<void> write_responses_request(const Chat& chat, const TargetModel& target, EncodedCall& call);

}  // namespace weir
