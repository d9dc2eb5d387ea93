// The dialect of Amazon Bedrock's Converse.
#pragma once

#include "llm/codec.h"

namespace weir {

const ClientCodec& bedrock_converse_client();         // POST /model/{model}/converse
const ClientCodec& bedrock_converse_stream_client();  // POST /model/{model}/converse-stream
const ProviderCodec& bedrock_converse_provider();     // Chat and CountTokens

}  // namespace weir
