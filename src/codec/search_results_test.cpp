#include "codec/search_results.h"

#include <fmt/core.h>
#include <gtest/gtest.h>

#include "codec/bedrock_test_util.h"
#include "codec/codecs.h"

namespace weir {
namespace {

using test::body_of;
using test::records_of;

constexpr std::string_view kAnthropicResult =
    R"({"type":"search_result","source":"https://s","title":"T","content":[{"type":"text","text":"found"},)"
    R"({"type":"text","text":"more"}],"citations":{"enabled":true}})";
constexpr std::string_view kConverseResult =
    R"({"searchResult":{"source":"https://s","title":"T","content":[{"text":"found"},{"text":"more"}],)"
    R"("citations":{"enabled":true}}})";
constexpr std::string_view kWords = R"(T\nhttps://s\n\nfound\nmore)";

// What the user says, and what a tool gave.
Chat said(std::string_view result) {
  return test::messages_chat(
      fmt::format(R"({{"model":"m","max_tokens":99,"messages":[{{"role":"user","content":[{},)"
                  R"({{"type":"text","text":"q"}}]}}]}})",
                  result));
}

Chat given(std::string_view result) {
  return test::messages_chat(fmt::format(
      R"({{"model":"m","max_tokens":99,"tools":[{{"name":"f","input_schema":{{"type":"object"}}}}],"messages":)"
      R"([{{"role":"user","content":"q"}},)"
      R"({{"role":"assistant","content":[{{"type":"tool_use","id":"toolu_1","name":"f","input":{{}}}}]}},)"
      R"({{"role":"user","content":[{{"type":"tool_result","tool_use_id":"toolu_1","content":[{}]}}]}}]}})",
      result));
}

Result<EncodedCall> sent_to(Dialect target, const Chat& chat, std::string_view model) {
  const Capabilities any;
  return provider_codec(target).encode_request(chat, {.model = model, .capabilities = &any});
}

TEST(SearchResults, AreTextWhereTheDialectHasNone) {
  for (const Dialect target : {Dialect::openai_chat, Dialect::openai_responses, Dialect::gemini}) {
    for (const auto& [chat, at] : {std::pair{said(kAnthropicResult), "/messages/0/content"},
                                   std::pair{given(kAnthropicResult), "/messages/2/content"}}) {
      const auto call = sent_to(target, chat, "m");
      EXPECT_NE(body_of(call).find(kWords), std::string::npos) << body_of(call);
      EXPECT_NE(records_of(call).find(fmt::format("coerced_string;{};search_result>plain", at)),
                std::string::npos)
          << records_of(call);
      EXPECT_TRUE(call->notes.fidelity.has_warnings());
    }
  }
}

TEST(SearchResults, PassBetweenTheTwoDialectsThatHaveThem) {
  for (const Chat& chat : {said(kAnthropicResult), given(kAnthropicResult)}) {
    const auto own = sent_to(Dialect::anthropic_messages, chat, "claude");
    EXPECT_NE(body_of(own).find(kAnthropicResult), std::string::npos) << body_of(own);
    EXPECT_EQ(records_of(own), "");
    const auto call = sent_to(Dialect::bedrock_converse, chat, test::kClaude);
    EXPECT_NE(body_of(call).find(kConverseResult), std::string::npos) << body_of(call);
    EXPECT_EQ(records_of(call), "");
  }
  const Chat converse = test::converse_chat(
      fmt::format(R"({{"messages":[{{"role":"user","content":[{},{{"text":"q"}}]}}]}})", kConverseResult));
  const auto back = sent_to(Dialect::anthropic_messages, converse, "claude");
  EXPECT_NE(body_of(back).find(R"({"type":"search_result","source":"https://s","title":"T","content":)"),
            std::string::npos)
      << body_of(back);
  EXPECT_EQ(records_of(back).find("coerced_string"), std::string::npos) << records_of(back);
}

TEST(SearchResults, AreTextForModelsOfConverseThatDoNotReadThem) {
  const auto call = sent_to(Dialect::bedrock_converse, said(kAnthropicResult), "amazon.nova-pro-v1:0");
  EXPECT_EQ(body_of(call).find("searchResult"), std::string::npos);
  EXPECT_NE(body_of(call).find(kWords), std::string::npos) << body_of(call);
  EXPECT_EQ(records_of(call), "coerced_string;/messages;search_result>plain");
}

TEST(SearchResults, KeepTheirFormWhenTheirMarkerGoes) {
  const std::string marked = fmt::format(R"({},"cache_control":{{"type":"ephemeral"}}}})",
                                         kAnthropicResult.substr(0, kAnthropicResult.size() - 1));
  Capabilities none;
  none.cache_control = CacheControl::none;
  const auto call =
      anthropic_messages_provider().encode_request(said(marked), {.model = "c", .capabilities = &none});
  EXPECT_NE(body_of(call).find(R"("type":"search_result")"), std::string::npos) << body_of(call);
  EXPECT_EQ(body_of(call).find("cache_control"), std::string::npos) << body_of(call);
}

TEST(SearchResults, WithoutWordsAreLeftToTheirVendor) {
  for (const std::string_view result :
       {R"({"type":"search_result","source":"s","title":"t","content":[]})",
        R"({"type":"search_result","source":"s","content":[{"type":"text","text":"a"}]})",
        R"({"type":"search_result","source":"s","title":"t","content":[{"type":"image"}]})"}) {
    const Chat chat = said(result);
    EXPECT_TRUE(std::holds_alternative<UnknownBlock>(chat.messages.at(0).content.at(0).body)) << result;
  }
}

}  // namespace
}  // namespace weir
