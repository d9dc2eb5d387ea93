#include "codec/bedrock_betas.h"

#include <gtest/gtest.h>

#include "codec/bedrock_test_util.h"

namespace weir {
namespace {

// Betas of both kinds, to both of Bedrock's operations.
TEST(BedrockBetas, SendsOnlyThoseThatBedrockKnowsAndTellsOfTheOthers) {
  Headers headers;
  headers.add("anthropic-beta", "files-api-2025-04-14, context-1m-2025-08-07");
  headers.add("anthropic-beta", "prompt-caching-2024-07-31");
  const Result<Request> request = anthropic_messages_client().decode_request(test::client_call(
      Dialect::anthropic_messages,
      R"({"model":"m","max_tokens":9,"messages":[{"role":"user","content":"q"}]})", std::move(headers)));
  ASSERT_TRUE(request);
  const Capabilities any;
  for (const ProviderCodec* codec : {&bedrock_invoke_provider(), &bedrock_converse_provider()}) {
    const auto call = codec->encode_request(*request, {.model = test::kClaude, .capabilities = &any});
    ASSERT_TRUE(call) << call.error().message;
    EXPECT_NE(call->wire.body.find(R"("anthropic_beta":["context-1m-2025-08-07"])"), std::string::npos)
        << call->wire.body;
    EXPECT_EQ(
        call->notes.fidelity.header_value(),
        "dropped;/anthropic-beta;files-api-2025-04-14>, dropped;/anthropic-beta;prompt-caching-2024-07-31>");
  }
}

// It refuses a field that it does not know.
TEST(BedrockBetas, SendsNoFieldOfAnthropicsOwnApiAlone) {
  const Result<Request> request = anthropic_messages_client().decode_request(test::client_call(
      Dialect::anthropic_messages,
      R"({"model":"m","max_tokens":9,"messages":[{"role":"user","content":"q"}],"speed":"fast",)"
      R"("mcp_servers":[{"url":"u"}],"context_management":{"edits":[]}})"));
  ASSERT_TRUE(request);
  const Capabilities any;
  const auto call =
      bedrock_invoke_provider().encode_request(*request, {.model = test::kClaude, .capabilities = &any});
  ASSERT_TRUE(call) << call.error().message;
  EXPECT_NE(call->wire.body.find(R"("context_management":{"edits":[]})"), std::string::npos)
      << call->wire.body;
  EXPECT_EQ(call->wire.body.find("mcp_servers"), std::string::npos) << call->wire.body;
  EXPECT_EQ(call->notes.fidelity.header_value(), "dropped;/speed, dropped;/mcp_servers");
}

TEST(BedrockBetas, WritesNoEmptyList) {
  Fidelity fidelity;
  EXPECT_TRUE(bedrock_betas(R"("files-api-2025-04-14,")", fidelity).empty());
  EXPECT_TRUE(bedrock_betas(R"("a\"b")", fidelity).empty());
  EXPECT_EQ(fidelity.records().size(), 2U);
}

TEST(BedrockBetas, SendsEachThatTheGuideNames) {
  for (const std::string_view beta :
       {"computer-use-2024-10-22", "computer-use-2025-01-24", "computer-use-2025-11-24",
        "token-efficient-tools-2025-02-19", "output-128k-2025-02-19", "interleaved-thinking-2025-05-14",
        "dev-full-thinking-2025-05-14", "fine-grained-tool-streaming-2025-05-14", "context-1m-2025-08-07",
        "context-management-2025-06-27", "effort-2025-11-24", "tool-search-tool-2025-10-19",
        "tool-examples-2025-10-29"}) {
    Fidelity fidelity;
    const std::string raw = fmt::format(R"("{}")", beta);
    EXPECT_EQ(bedrock_betas(raw, fidelity), std::vector<std::string_view>{beta});
  }
}

}  // namespace
}  // namespace weir
