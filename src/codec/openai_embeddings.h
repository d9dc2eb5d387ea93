// Embeddings in OpenAI's dialect, the provider half.
#pragma once

#include <vector>

#include "llm/codec.h"

namespace weir {

// Vectors are asked for as base64, which is a third of the bytes and exact.
Result<void> encode_openai_embed(const Embed& embed, const TargetModel& target, EncodedCall& call);
// Floats or base64, whichever came. Errors: upstream_malformed.
Result<std::vector<Event>> decode_openai_embed(const WireReply& reply, const CallNotes& notes);

}  // namespace weir
