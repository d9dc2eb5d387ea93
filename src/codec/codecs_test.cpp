#include "codec/codecs.h"

#include <gtest/gtest.h>

#include "codec/anthropic.h"
#include "codec/bedrock_converse.h"
#include "codec/bedrock_invoke.h"
#include "codec/gemini.h"
#include "codec/openai.h"
#include "codec/openai_responses.h"

namespace weir {
namespace {

TEST(Codecs, EveryDialectHasItsOwnHalves) {
  struct Case {
    Dialect dialect;
    const ProviderCodec& provider;
    const ClientCodec& whole;
    const ClientCodec& streamed;
  };
  for (const Case& one :
       {Case{Dialect::openai_chat, openai_chat_provider(), openai_chat_client(), openai_chat_client()},
        Case{Dialect::openai_responses, openai_responses_provider(), openai_responses_client(),
             openai_responses_client()},
        Case{Dialect::anthropic_messages, anthropic_messages_provider(), anthropic_messages_client(),
             anthropic_messages_client()},
        Case{Dialect::bedrock_converse, bedrock_converse_provider(), bedrock_converse_client(),
             bedrock_converse_stream_client()},
        Case{Dialect::bedrock_invoke, bedrock_invoke_provider(), bedrock_invoke_client(),
             bedrock_invoke_stream_client()},
        Case{Dialect::gemini, gemini_provider(), gemini_generate_client(), gemini_stream_client()}}) {
    EXPECT_EQ(&provider_codec(one.dialect), &one.provider) << to_string(one.dialect);
    EXPECT_EQ(one.provider.dialect(), one.dialect);
    EXPECT_EQ(&chat_client_codec(one.dialect, false), &one.whole) << to_string(one.dialect);
    EXPECT_EQ(&chat_client_codec(one.dialect, true), &one.streamed) << to_string(one.dialect);
  }
}

}  // namespace
}  // namespace weir
