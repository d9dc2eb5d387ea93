// The dialect of Anthropic's Messages.
#pragma once

#include "llm/codec.h"

namespace weir {

const ClientCodec& anthropic_messages_client();      // POST /v1/messages
const ClientCodec& anthropic_count_tokens_client();  // POST /v1/messages/count_tokens
const ProviderCodec& anthropic_messages_provider();  // Chat and CountTokens

}  // namespace weir
