#include "codec/codecs.h"

#include "codec/anthropic.h"
#include "codec/gemini.h"
#include "codec/openai.h"
#include "codec/openai_responses.h"

namespace weir {

const ProviderCodec* provider_codec(Dialect dialect) {
  switch (dialect) {
    case Dialect::openai_chat:
      return &openai_chat_provider();
    case Dialect::anthropic_messages:
      return &anthropic_messages_provider();
    case Dialect::gemini:
      return &gemini_provider();
    case Dialect::openai_responses:
      return &openai_responses_provider();
    case Dialect::bedrock_converse:
    case Dialect::bedrock_invoke:
    case Dialect::gemini:
      break;
  }
  return nullptr;
}

const ClientCodec* chat_client_codec(Dialect dialect, bool) {
  switch (dialect) {
    case Dialect::openai_chat:
      return &openai_chat_client();
    case Dialect::anthropic_messages:
      return &anthropic_messages_client();
    case Dialect::openai_responses:
      return &openai_responses_client();
    case Dialect::bedrock_converse:
    case Dialect::bedrock_invoke:
      break;
  }
  return nullptr;
}

}  // namespace weir
