// The dialects of OpenAI's Chat Completions, legacy completions and embeddings, and of the many servers that
// copy them.
#pragma once

#include <cstdint>
#include <span>
#include <string>

#include "llm/codec.h"

namespace weir {

struct SchemaRules;

const ClientCodec& openai_chat_client();                 // POST /v1/chat/completions
const ClientCodec& openai_chat_client_with_reasoning();  // whose answers state thinking under both names
const ClientCodec& openai_completions_client();          // POST /v1/completions
const ClientCodec& openai_embeddings_client();           // POST /v1/embeddings
const ProviderCodec& openai_chat_provider();             // Chat, Embed and Rerank

// What a strict schema may hold.
const SchemaRules& openai_strict_rules();

}  // namespace weir
