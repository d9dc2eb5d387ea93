#include "codec/codecs.h"

#include <array>

#include "codec/anthropic.h"
#include "codec/bedrock_converse.h"
#include "codec/bedrock_invoke.h"
#include "codec/gemini.h"
#include "codec/openai.h"
#include "codec/openai_responses.h"

namespace weir {
namespace {

struct Halves {
  const ProviderCodec& (*provider)();
  const ClientCodec& (*whole)();
  const ClientCodec& (*streamed)();
};

// By Dialect.
constexpr std::array<Halves, kDialectCount> kHalves = {{
    {&openai_chat_provider, &openai_chat_client, &openai_chat_client},
    {&openai_responses_provider, &openai_responses_client, &openai_responses_client},
    {&anthropic_messages_provider, &anthropic_messages_client, &anthropic_messages_client},
    {&bedrock_converse_provider, &bedrock_converse_client, &bedrock_converse_stream_client},
    {&bedrock_invoke_provider, &bedrock_invoke_client, &bedrock_invoke_stream_client},
    {&gemini_provider, &gemini_generate_client, &gemini_stream_client},
}};

}  // namespace

const ProviderCodec& provider_codec(Dialect dialect) {
  return kHalves[static_cast<size_t>(dialect)].provider();
}

const ClientCodec& chat_client_codec(Dialect dialect, bool is_streamed) {
  const Halves& halves = kHalves[static_cast<size_t>(dialect)];
  return is_streamed ? halves.streamed() : halves.whole();
}

const ClientCodec& with_reasoning_field(const ClientCodec& codec) {
  return &codec == &openai_chat_client() ? openai_chat_client_with_reasoning() : codec;
}

}  // namespace weir
