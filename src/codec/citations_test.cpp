#include "codec/citations.h"

#include <gtest/gtest.h>

namespace weir {
namespace {

// Each dialect's own form, in which no other says where a text is from.
TEST(Citations, AreReadInEveryDialectsForm) {
  struct Case {
    Dialect dialect;
    std::string_view raw;
  };
  for (const Case& one :
       {Case{Dialect::openai_chat, R"({"type":"url_citation","url_citation":{"url":"u","title":"t"}})"},
        Case{Dialect::openai_responses, R"({"type":"url_citation","url":"u","title":"t"})"},
        Case{Dialect::anthropic_messages,
             R"({"type":"web_search_result_location","url":"u","title":"t","cited_text":"x"})"},
        Case{Dialect::anthropic_messages,
             R"({"type":"search_result_location","source":"u","title":"t","cited_text":"x"})"},
        Case{Dialect::bedrock_converse, R"({"title":"t","location":{"web":{"url":"u"}}})"},
        Case{Dialect::bedrock_invoke,
             R"({"type":"search_result_location","source":"u","title":"t","cited_text":"x"})"},
        Case{Dialect::gemini, R"({"citationSource":{"uri":"u","title":"t"}})"},
        Case{Dialect::gemini,
             R"({"groundingMetadata":{"groundingChunks":[{"web":{"uri":"u","title":"t"}}]}})"},
        Case{Dialect::gemini,
             R"({"groundingMetadata":{"groundingChunks":[{"retrievedContext":{"uri":"u","title":"t"}}]}})"},
        Case{Dialect::gemini,
             R"({"groundingMetadata":{"groundingChunks":[{"maps":{"uri":"u","title":"t"}}]}})"}}) {
    const std::vector<Citation> citations = read_citations(one.dialect, one.raw);
    ASSERT_EQ(citations.size(), 1U) << one.raw;
    EXPECT_EQ(citations[0].url, "u") << one.raw;
    EXPECT_EQ(citations[0].title, "t") << one.raw;
    EXPECT_TRUE(read_citations(one.dialect, R"({"title":"t"})").empty());
    EXPECT_TRUE(read_citations(one.dialect, "[]").empty());
  }
}

}  // namespace
}  // namespace weir
