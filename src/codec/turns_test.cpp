// How messages become turns.
#include <gtest/gtest.h>

#include "codec/bedrock_test_util.h"
#include "codec/gemini_test_util.h"

namespace weir {
namespace {

TEST(Turns, TellOfMessagesOfOneRoleThatBecameOne) {
  const Result<Request> request = test::decode_with(
      openai_chat_client(),
      R"({"model":"m","max_tokens":9,"messages":[{"role":"user","content":"a"},{"role":"user","content":"b"},)"
      R"({"role":"assistant","content":null,"tool_calls":[{"id":"1","type":"function","function":{"name":"f",)"
      R"("arguments":"{}"}},{"id":"2","type":"function","function":{"name":"f","arguments":"{}"}}]},)"
      R"({"role":"tool","tool_call_id":"1","content":"r"},{"role":"tool","tool_call_id":"2","content":"r"}]})");
  ASSERT_TRUE(request);
  const Capabilities any;
  for (const ProviderCodec* codec : {&anthropic_messages_provider(), &bedrock_converse_provider()}) {
    const auto call = codec->encode_request(*request, {.model = test::kClaude, .capabilities = &any});
    ASSERT_TRUE(call) << call.error().message;
    const std::string losses = call->notes.fidelity.header_value();
    EXPECT_TRUE(losses.starts_with("merged;/messages/1;user>, synthesised;/tools")) << losses;
  }
}

TEST(Turns, GiveAnImageAWordForGoogle) {
  const auto call = test::openai_to_gemini(
      R"({"model":"m","messages":[{"role":"user","content":[{"type":"image_url","image_url":)"
      R"({"url":"data:image/png;base64,iVBORw0KGgo="}}]}]})");
  ASSERT_TRUE(call) << call.error().message;
  EXPECT_NE(call->wire.body.find(R"(,{"text":" "}])"), std::string::npos) << call->wire.body;
}

// What only says nothing stands between no call and its result.
TEST(Turns, AreNotMadeOfMessagesThatSayNothing) {
  const Result<Request> request = test::decode_with(
      openai_chat_client(),
      R"({"model":"m","max_tokens":9,"messages":[{"role":"user","content":"q"},{"role":"assistant",)"
      R"("content":null,"tool_calls":[{"id":"1","type":"function","function":{"name":"f","arguments":"{}"}}]},)"
      R"({"role":"user","content":""},{"role":"assistant","content":""},)"
      R"({"role":"tool","tool_call_id":"1","content":"r"}]})");
  ASSERT_TRUE(request);
  const Capabilities any;
  for (const ProviderCodec* codec : {&anthropic_messages_provider(), &bedrock_converse_provider()}) {
    const auto call = codec->encode_request(*request, {.model = test::kClaude, .capabilities = &any});
    EXPECT_TRUE(call) << call.error().message;
  }
}

}  // namespace
}  // namespace weir
