#include "codec/raw_limit.h"

#include <fmt/core.h>
#include <gtest/gtest.h>

#include "codec/anthropic_test_util.h"
#include "codec/codecs.h"

namespace weir {
namespace {

struct Given {
  Dialect dialect;
  std::string_view body;  // with {} for the limit
  std::string headers = {};
};

struct Sent {
  std::string body;
  std::string losses;
};

// The client's bytes as a model with at most 100 tokens of answer gets them.
Sent splice_for(const Given& given, std::string_view limit, bool is_vertex = false) {
  ClientCall call =
      test::client_call(given.dialect, fmt::format(fmt::runtime(std::string(given.body)), limit));
  if (given.dialect != Dialect::openai_chat && given.dialect != Dialect::openai_responses &&
      given.dialect != Dialect::anthropic_messages)
    call.path_model = "m";
  if (!given.headers.empty()) call.headers.add("anthropic-beta", given.headers);
  const Result<Request> request = chat_client_codec(given.dialect, false).decode_request(call);
  EXPECT_TRUE(request) << (request ? "" : request.error().message);
  if (!request) return {};
  Capabilities capabilities;
  capabilities.output_max = 100;
  capabilities.quirks.vertex_anthropic = is_vertex;
  const Result<EncodedCall> made =
      provider_codec(given.dialect)
          .splice_request(call, *request, {.model = "m", .capabilities = &capabilities});
  EXPECT_TRUE(made) << (made ? "" : made.error().message);
  if (!made) return {};
  return {.body = std::string(made->wire.bytes()), .losses = made->notes.fidelity.header_value()};
}

TEST(RawLimit, BringsWhatIsOverTheModelsMaximumDownInEveryDialect) {
  for (
      const Given& given :
      {Given{Dialect::openai_chat,
             R"({{"model":"m","messages":[{{"role":"user","content":"a"}}],"max_tokens": {} ,"x":1}})"},
       Given{Dialect::openai_chat,
             R"({{"model":"m","max_completion_tokens":{},"messages":[{{"role":"user","content":"a"}}]}})"},
       Given{Dialect::openai_responses, R"({{"max_output_tokens":{},"model":"m","input":"a","x":1.50}})"},
       Given{Dialect::anthropic_messages,
             R"({{"max_tokens":{},"model":"m","messages":[{{"role":"user","content":"a"}}]}})"},
       Given{
           Dialect::gemini,
           R"({{"contents":[{{"parts":[{{"text":"a"}}]}}],"generation_config":{{"max_output_tokens":{}}}}})"},
       Given{Dialect::bedrock_invoke, R"({{"anthropic_version":"bedrock-2023-05-31","max_tokens":{},)"
                                      R"("messages":[{{"role":"user","content":"a"}}]}})"},
       Given{Dialect::bedrock_converse, R"({{"messages":[{{"role":"user","content":[{{"text":"a"}}]}}],)"
                                        R"("inferenceConfig":{{"maxTokens":{}}}}})"}}) {
    const auto bytes = [&](std::string_view limit) {
      return fmt::format(fmt::runtime(std::string(given.body)), limit);
    };
    const Sent over = splice_for(given, "999999");
    EXPECT_EQ(over.body, bytes("100"));
    EXPECT_EQ(over.losses, "clamped;/max_tokens;999999>100") << given.body;
    const Sent fits = splice_for(given, "100");
    EXPECT_EQ(fits.body, bytes("100"));
    EXPECT_EQ(fits.losses, "") << given.body;
  }
}

TEST(RawLimit, IsOneOfSeveralEdits) {
  const Given given{Dialect::anthropic_messages,
                    R"({{"max_tokens":{},"model":"other","messages":[{{"role":"user","content":"a"}}]}})"};
  EXPECT_EQ(splice_for(given, "101").body,
            R"({"max_tokens":100,"model":"m","messages":[{"role":"user","content":"a"}]})");
  EXPECT_EQ(splice_for(given, "101", true).body,
            R"({"max_tokens":100,"anthropic_version":"vertex-2023-10-16",)"
            R"("messages":[{"role":"user","content":"a"}]})");
}

TEST(RawLimit, LeavesALimitThatABetaRaises) {
  const Given given{Dialect::anthropic_messages,
                    R"({{"max_tokens":{},"model":"m","messages":[{{"role":"user","content":"a"}}]}})",
                    "output-128k-2025-02-19"};
  EXPECT_EQ(splice_for(given, "101").losses, "");
  const Given in_body{Dialect::bedrock_invoke,
                      R"({{"anthropic_version":"bedrock-2023-05-31","max_tokens":{},)"
                      R"("anthropic_beta":["output-128k-2025-02-19"],)"
                      R"("messages":[{{"role":"user","content":"a"}}]}})"};
  EXPECT_EQ(splice_for(in_body, "101").losses, "");
}

}  // namespace
}  // namespace weir
