// Requests of the IR in Anthropic's dialect.
#pragma once

#include "llm/codec.h"

namespace weir {

// Where the model, the version and the betas are said. Clouds that serve Anthropic's models put the model and
// the way of the answer into the path, and the rest into the body.
struct AnthropicFraming {
  std::string_view body_version{};  // empty: `model` and `stream` in the body, betas in the header
};

// Writes the body (and the header anthropic-beta) of POST /v1/messages, or of its count_tokens when
// call.notes.operation says so. Losses go to call.notes.fidelity. Errors: unsupported, bad_request.
Result<void> write_anthropic_request(const Chat& chat, const TargetModel& target, EncodedCall& call,
                                     const AnthropicFraming& framing = {});

}  // namespace weir
