// Whose thought signatures mean something to whom.
#pragma once

#include "llm/dialect.h"

namespace weir {

// True where a signature that one dialect's providers issued may be sent to the other's: one vendor's models
// speak through several dialects, and OpenAI's chat dialect only carries what others issued. To anyone else
// it is a reason to refuse the request that brings it back.
constexpr bool share_signatures(Dialect issuer, Dialect other) {
  const auto is_carrier = [](Dialect dialect) {
    return dialect == Dialect::openai_chat || dialect == Dialect::anthropic_messages ||
           dialect == Dialect::bedrock_converse || dialect == Dialect::bedrock_invoke;
  };
  return issuer == other || (is_carrier(issuer) && is_carrier(other));
}

}  // namespace weir
