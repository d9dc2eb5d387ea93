// Embeddings in Google's dialect, both halves.
#pragma once

#include <vector>

#include "llm/codec.h"

namespace weir {

// Always the batch form, which takes one text too; with the quirk vertex_shapes the `:predict` form.
Result<void> encode_gemini_embed(const Embed& embed, const TargetModel& target, EncodedCall& call);
// All three shapes of answer.
Result<std::vector<Event>> decode_gemini_embed(const WireReply& reply);

}  // namespace weir
