// Embeddings through InvokeModel: Titan, Nova and Cohere.
#pragma once

#include <vector>

#include "llm/codec.h"

namespace weir {

// Titan and Nova take one text a call. Errors: unsupported for several, for token ids, and for a family
// without embeddings.
Result<void> write_invoke_embed(const Embed& embed, const TargetModel& target, EncodedCall& call);
// Errors: upstream_malformed.
Result<std::vector<Event>> decode_invoke_embed(const WireReply& reply);

}  // namespace weir
