// The dialect of Google's generateContent, as the Gemini API and Vertex AI speak it.
#pragma once

#include "llm/codec.h"

namespace weir {

const ClientCodec& gemini_generate_client();  // models/{model}:generateContent
const ClientCodec& gemini_stream_client();    // :streamGenerateContent, server-sent events or a JSON array
const ClientCodec& gemini_count_tokens_client();  // :countTokens
const ClientCodec& gemini_embed_client();         // :embedContent
const ClientCodec& gemini_batch_embed_client();   // :batchEmbedContents
const ProviderCodec& gemini_provider();           // Chat, CountTokens and Embed

}  // namespace weir
