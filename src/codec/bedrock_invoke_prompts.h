// Bodies of InvokeModel for the families that read text: Titan, Llama, Mistral, Cohere.
#pragma once

#include "llm/codec.h"

namespace weir {

// Writes the body in the family's words. What text cannot carry (tools, images, documents) is refused;
// Mistral's chat models take tools and images. Losses go to call.notes.fidelity. REQUIRES a family of text
// models. Errors: unsupported, bad_request.
Result<void> write_text_request(const Chat& chat, const TargetModel& target, ModelFamily family,
                                EncodedCall& call);

}  // namespace weir
