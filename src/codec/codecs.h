// The list of dialects: a new one is a row in codecs.cpp.
#pragma once

#include "llm/codec.h"

namespace weir {

// The provider half of a dialect.
const ProviderCodec& provider_codec(Dialect dialect);
// The client half that serves the dialect's chat endpoint, whole or streamed: some dialects have two.
const ClientCodec& chat_client_codec(Dialect dialect, bool is_streamed);
// The same codec, which states thinking under every name that clients of the dialect look for; itself where
// there is but one.
const ClientCodec& with_reasoning_field(const ClientCodec& codec);

}  // namespace weir
