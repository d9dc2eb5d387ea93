// What of a history has no place in the dialect of the target, and is told.
#include <gtest/gtest.h>

#include "codec/bedrock_test_util.h"
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

// Texts without a visible character, and two markers within one result, for a service that has a place for
// one.
TEST(HistoryLosses, TellOfBlankTextsInResultsAndOfMarkersBeyondOne) {
  const Chat chat = test::messages_chat(
      R"({"model":"m","max_tokens":9,"messages":[{"role":"user","content":"q"},{"role":"assistant","content":[)"
      R"({"type":"tool_use","id":"toolu_1","name":"f","input":{}}]},{"role":"user","content":[)"
      R"({"type":"tool_result","tool_use_id":"toolu_1","content":[{"type":"text","text":" \n"},)"
      R"({"type":"text","text":"r","cache_control":{"type":"ephemeral"}},)"
      R"({"type":"text","text":"s","cache_control":{"type":"ephemeral"}}]}]}],)"
      R"("tools":[{"name":"f","input_schema":{"type":"object"}}]})");
  const Capabilities any;
  const TargetModel target{.model = "anthropic.claude-sonnet-4-20250514-v1:0", .capabilities = &any};
  const auto converse = bedrock_converse_provider().encode_request(chat, target);
  ASSERT_TRUE(converse) << converse.error().message;
  EXPECT_EQ(count(converse->notes.fidelity, LossReason::dropped), 1U);
  EXPECT_EQ(count(converse->notes.fidelity, LossReason::cache_dropped), 1U);
  const auto messages = anthropic_messages_provider().encode_request(chat, target);
  ASSERT_TRUE(messages);
  EXPECT_EQ(count(messages->notes.fidelity, LossReason::dropped), 1U);
  EXPECT_EQ(count(messages->notes.fidelity, LossReason::cache_dropped), 0U) << "each block has its own";
}

TEST(HistoryLosses, TellOfWhatAnEarlierAnswerCited) {
  constexpr std::string_view kAnnotations =
      R"("annotations":[{"type":"url_citation","url_citation":{"url":"u","title":"t"}}])";
  const Chat chat = test::openai_chat(fmt::format(
      R"({{"model":"m","messages":[{{"role":"user","content":"q"}},{{"role":"assistant","content":"a",{}}},)"
      R"({{"role":"user","content":"r"}}]}})",
      kAnnotations));
  const Chat items = test::responses_chat(
      R"("input":[{"role":"user","content":"q"},{"type":"message","role":"assistant","content":[)"
      R"({"type":"output_text","text":"a","annotations":[{"type":"url_citation","url":"u","title":"t"}]}]}])");
  const Capabilities any;
  const TargetModel target{.model = "m", .capabilities = &any};
  for (const Chat* asked : {&chat, &items}) {
    for (const ProviderCodec* codec : {&openai_chat_provider(), &openai_responses_provider(),
                                       &anthropic_messages_provider(), &gemini_provider()}) {
      const auto call = codec->encode_request(*asked, target);
      ASSERT_TRUE(call) << call.error().message;
      EXPECT_EQ(count(call->notes.fidelity, LossReason::coerced_string), 1U) << to_string(codec->dialect());
      EXPECT_FALSE(call->notes.fidelity.has_warnings()) << to_string(codec->dialect());
    }
  }
}

TEST(HistoryLosses, TellOfNamesThatAServerDoesNotTakeAndOfThoseThatAreHashed) {
  const Chat chat = test::openai_chat(
      fmt::format(R"({{"model":"m","user":"{}","messages":[{{"role":"user","name":"Ann","content":"q"}},)"
                  R"({{"role":"assistant","name":"Bot","content":"a"}},{{"role":"user","content":"r"}}]}})",
                  std::string(65, 'u')));
  Capabilities caps;
  const TargetModel target{.model = "m", .capabilities = &caps};
  const auto named = openai_chat_provider().encode_request(chat, target);
  ASSERT_TRUE(named);
  EXPECT_NE(named->wire.body.find(R"({"role":"assistant","name":"Bot","content":"a"})"), std::string::npos);
  EXPECT_EQ(named->notes.fidelity.header_value(), "emulated;/user;>sha256");
  caps.quirks.no_message_name = true;
  const auto nameless = openai_chat_provider().encode_request(chat, target);
  ASSERT_TRUE(nameless);
  EXPECT_EQ(nameless->wire.body.find("Bot"), std::string::npos);
  EXPECT_EQ(count(nameless->notes.fidelity, LossReason::dropped), 2U);
  const auto items = openai_responses_provider().encode_request(chat, target);
  ASSERT_TRUE(items);
  EXPECT_EQ(count(items->notes.fidelity, LossReason::emulated), 1U);
}

TEST(HistoryLosses, TellOfLabelsWhoseValuesAreChanged) {
  Capabilities vertex;
  vertex.quirks.vertex_shapes = true;
  const auto call = gemini_provider().encode_request(
      test::openai_chat(
          R"({"model":"m","metadata":{"team":"R&D"},"messages":[{"role":"user","content":"q"}]})"),
      {.model = "gemini", .capabilities = &vertex});
  ASSERT_TRUE(call) << call.error().message;
  EXPECT_NE(call->wire.body.find(R"("labels":{"team":"r_d"})"), std::string::npos) << call->wire.body;
  EXPECT_EQ(call->notes.fidelity.header_value(), "coerced_string;/metadata;team>a_label");
}

}  // namespace
}  // namespace weir
