// What of a history has no place in the dialect of the target, and is told.
#include <gtest/gtest.h>

#include "codec/gemini_test_util.h"
#include "codec/openai_responses_test_util.h"

namespace weir {
namespace {

// An assistant's turn with a text behind its call, and cache markers in the result and behind the call.
constexpr std::string_view kHistory =
    R"({"model":"m","max_tokens":9,"messages":[{"role":"user","content":"q"},{"role":"assistant","content":[)"
    R"({"type":"tool_use","id":"toolu_1","name":"f","input":{},"cache_control":{"type":"ephemeral"}},)"
    R"({"type":"text","text":"wait"}]},{"role":"user","content":[{"type":"tool_result","tool_use_id":"toolu_1",)"
    R"("content":[{"type":"text","text":"r","cache_control":{"type":"ephemeral"}}]}]}],)"
    R"("tools":[{"name":"f","input_schema":{"type":"object"}}]})";

size_t count(const Fidelity& fidelity, LossReason reason) {
  size_t found = 0;
  for (const FidelityRecord& record : fidelity.records()) found += record.reason == reason ? 1 : 0;
  return found;
}

TEST(HistoryLosses, TellsOfMarkersInResultsAndBehindCalls) {
  const Chat chat = test::messages_chat(std::string(kHistory));
  const Capabilities any;
  const TargetModel target{.model = "gpt", .capabilities = &any};
  for (const ProviderCodec* codec : {&openai_chat_provider(), &openai_responses_provider()}) {
    const auto call = codec->encode_request(chat, target);
    ASSERT_TRUE(call) << call.error().message;
    EXPECT_EQ(count(call->notes.fidelity, LossReason::cache_dropped), 2U) << to_string(codec->dialect());
  }
}

TEST(HistoryLosses, TellsOfATextThatGoesBeforeTheCallsOfItsMessage) {
  const Chat chat = test::messages_chat(std::string(kHistory));
  const Capabilities any;
  const TargetModel target{.model = "gpt", .capabilities = &any};
  const auto messages = openai_chat_provider().encode_request(chat, target);
  ASSERT_TRUE(messages);
  EXPECT_EQ(count(messages->notes.fidelity, LossReason::reordered), 1U);
  const auto items = openai_responses_provider().encode_request(chat, target);
  ASSERT_TRUE(items);
  EXPECT_EQ(count(items->notes.fidelity, LossReason::reordered), 0U) << "items keep their order";
}

TEST(HistoryLosses, TellOfMarkersInResultsAndOfWhatADocumentIsAbout) {
  const Capabilities any;
  const auto call = gemini_provider().encode_request(
      test::messages_chat(
          R"({"model":"m","max_tokens":9,"messages":[{"role":"user","content":[{"type":"document","context":"c",)"
          R"("source":{"type":"text","media_type":"text/plain","data":"d"}}]},{"role":"assistant","content":[)"
          R"({"type":"tool_use","id":"toolu_1","name":"f","input":{}}]},{"role":"user","content":[)"
          R"({"type":"tool_result","tool_use_id":"toolu_1",)"
          R"("content":[{"type":"text","text":"r","cache_control":{"type":"ephemeral"}}]}]}],)"
          R"("tools":[{"name":"f","input_schema":{"type":"object"}}]})"),
      {.model = "gemini", .capabilities = &any});
  ASSERT_TRUE(call) << call.error().message;
  EXPECT_EQ(count(call->notes.fidelity, LossReason::cache_dropped), 1U);
  EXPECT_EQ(count(call->notes.fidelity, LossReason::coerced_string), 2U) << "the context, the document";
}

}  // namespace
}  // namespace weir
