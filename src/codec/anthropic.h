// The dialect of Anthropic's Messages.
#pragma once

#include <cstdint>
#include <span>
#include <string>

#include "llm/codec.h"

namespace weir {

const ClientCodec& anthropic_messages_client();      // POST /v1/messages
const ClientCodec& anthropic_count_tokens_client();  // POST /v1/messages/count_tokens
const ProviderCodec& anthropic_messages_provider();  // Chat and CountTokens

struct AnthropicModelEntry {
  std::string id;
  std::string display_name;
  int64_t created_s = 0;  // seconds since the epoch
};
// The body of GET /v1/models: {"data":[{"type":"model",...}],"has_more","first_id","last_id"}.
std::string encode_models_anthropic(std::span<const AnthropicModelEntry> models, bool has_more);

}  // namespace weir
