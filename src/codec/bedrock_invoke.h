// The dialect of Amazon Bedrock's InvokeModel: a framing around the bodies of the models' own vendors.
// Clients speak Anthropic's; a provider is told each family's.
#pragma once

#include "llm/codec.h"

namespace weir {

const ClientCodec& bedrock_invoke_client();         // POST /model/{model}/invoke
const ClientCodec& bedrock_invoke_stream_client();  // POST /model/{model}/invoke-with-response-stream
const ClientCodec& bedrock_count_tokens_client();   // POST /model/{model}/count-tokens, of both dialects
const ProviderCodec& bedrock_invoke_provider();     // Chat, CountTokens and Embed

}  // namespace weir
