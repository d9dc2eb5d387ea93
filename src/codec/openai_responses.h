// The dialect of OpenAI's Responses API: items instead of messages, typed stream events, answers that the
// server may keep.
#pragma once

#include "llm/codec.h"

namespace weir {

const ClientCodec& openai_responses_client();               // POST /v1/responses
const ClientCodec& openai_responses_input_tokens_client();  // POST /v1/responses/input_tokens
const ProviderCodec& openai_responses_provider();           // Chat and CountTokens

}  // namespace weir
