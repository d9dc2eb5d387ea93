#include "codec/citations.h"

#include <array>
#include <fmt/core.h>
#include <gtest/gtest.h>

#include "codec/replay_test_util.h"

namespace weir {
namespace {

constexpr Dialect kChat = Dialect::openai_chat;
constexpr Dialect kResponses = Dialect::openai_responses;
constexpr Dialect kMessages = Dialect::anthropic_messages;
constexpr Dialect kConverse = Dialect::bedrock_converse;
constexpr Dialect kInvoke = Dialect::bedrock_invoke;
constexpr Dialect kGemini = Dialect::gemini;

// Each dialect's own form, in which no other says where a text is from.
TEST(Citations, AreReadInEveryDialectsForm) {
  struct Case {
    Dialect dialect;
    std::string_view raw;
  };
  for (const Case& one :
       {Case{kChat, R"({"type":"url_citation","url_citation":{"url":"u","title":"t"}})"},
        Case{kResponses, R"({"type":"url_citation","url":"u","title":"t"})"},
        Case{kMessages, R"({"type":"web_search_result_location","url":"u","title":"t","cited_text":"x"})"},
        Case{kMessages, R"({"type":"search_result_location","source":"u","title":"t","cited_text":"x"})"},
        Case{kConverse, R"({"title":"t","location":{"web":{"url":"u"}}})"},
        Case{kInvoke, R"({"type":"search_result_location","source":"u","title":"t","cited_text":"x"})"},
        Case{kGemini, R"({"citationSource":{"uri":"u","title":"t"}})"},
        Case{kGemini, R"({"groundingMetadata":{"groundingChunks":[{"web":{"uri":"u","title":"t"}}]}})"},
        Case{kGemini,
             R"({"groundingMetadata":{"groundingChunks":[{"retrievedContext":{"uri":"u","title":"t"}}]}})"},
        Case{kGemini, R"({"groundingMetadata":{"groundingChunks":[{"maps":{"uri":"u","title":"t"}}]}})"}}) {
    const std::vector<Citation> citations = read_citations(one.dialect, one.raw);
    ASSERT_EQ(citations.size(), 1U) << one.raw;
    EXPECT_EQ(citations[0].url, "u") << one.raw;
    EXPECT_EQ(citations[0].title, "t") << one.raw;
    EXPECT_TRUE(read_citations(one.dialect, "[]").empty());
    EXPECT_TRUE(read_citations(one.dialect, "not JSON").empty());
  }
}

std::string form_of(Dialect client, Dialect source, std::string_view raw) {
  const std::vector<std::string> forms = cite(client, source, raw, {.start = 3, .end = 9}).raw;
  std::string all;
  for (const std::string& form : forms) all += (all.empty() ? "" : "\n") + form;
  return all;
}

Fidelity losses(Dialect client, Dialect source, std::string_view raw) {
  return cite(client, source, raw, {}).losses;
}

constexpr std::string_view kCharLocation =
    R"({"type":"char_location","cited_text":"The sky is blue.","document_index":1,)"
    R"("document_title":"Sky","file_id":null,"start_char_index":4,"end_char_index":20})";
constexpr std::string_view kDocumentChar =
    R"({"title":"Sky","sourceContent":[{"text":"The sky is blue."}],)"
    R"("location":{"documentChar":{"documentIndex":1,"start":4,"end":20}}})";
constexpr std::string_view kPageLocation =
    R"({"type":"page_location","cited_text":"q","document_index":0,"document_title":null,"file_id":null,)"
    R"("start_page_number":5,"end_page_number":7})";
constexpr std::string_view kDocumentPage =
    R"({"sourceContent":[{"text":"q"}],"location":{"documentPage":{"documentIndex":0,"start":5,"end":7}}})";
constexpr std::string_view kBlockLocation =
    R"({"type":"content_block_location","cited_text":"q","document_index":2,"document_title":"d",)"
    R"("file_id":null,"start_block_index":0,"end_block_index":1})";
constexpr std::string_view kDocumentChunk =
    R"({"title":"d","sourceContent":[{"text":"q"}],)"
    R"("location":{"documentChunk":{"documentIndex":2,"start":0,"end":1}}})";
constexpr std::string_view kSearchResult =
    R"({"type":"search_result_location","cited_text":"q","search_result_index":3,"source":"kb/7",)"
    R"("title":"t","start_block_index":0,"end_block_index":2})";
constexpr std::string_view kConverseResult =
    R"({"title":"t","sourceContent":[{"text":"q"}],"source":"kb/7",)"
    R"("location":{"searchResultLocation":{"searchResultIndex":3,"start":0,"end":2}}})";

// Both say all that the other one says, so nothing is lost on either way.
TEST(Citations, OfDocumentsSayTheSameInTheDialectsThatHaveThem) {
  const std::array<std::pair<std::string_view, std::string_view>, 4> kPairs = {
      {{kCharLocation, kDocumentChar},
       {kPageLocation, kDocumentPage},
       {kBlockLocation, kDocumentChunk},
       {kSearchResult, kConverseResult}}};
  for (const auto& [messages, converse] : kPairs) {
    EXPECT_EQ(form_of(kConverse, kMessages, messages), converse);
    EXPECT_EQ(form_of(kMessages, kConverse, converse), messages);
    EXPECT_EQ(form_of(kInvoke, kConverse, converse), messages);
    EXPECT_EQ(form_of(kInvoke, kMessages, messages), messages);
    EXPECT_TRUE(losses(kConverse, kMessages, messages).empty());
    EXPECT_TRUE(losses(kMessages, kConverse, converse).empty());
  }
}

TEST(Citations, OfDocumentsAreGroundedContextForGemini) {
  EXPECT_EQ(form_of(kGemini, kMessages, kCharLocation),
            R"({"groundingChunk":{"retrievedContext":{"title":"Sky","text":"The sky is blue."}},)"
            R"("segment":{"startIndex":3,"endIndex":9}})");
  EXPECT_EQ(form_of(kGemini, kConverse, kDocumentPage),
            R"({"groundingChunk":{"retrievedContext":{"text":"q","ragChunk":{"text":"q",)"
            R"("pageSpan":{"firstPage":5,"lastPage":6}}}},"segment":{"startIndex":3,"endIndex":9}})");
  EXPECT_EQ(losses(kGemini, kMessages, kCharLocation).header_value(),
            "dropped;answer/citations;index>, dropped;answer/citations;location>");
  EXPECT_EQ(losses(kGemini, kConverse, kDocumentPage).header_value(), "dropped;answer/citations;index>");
}

TEST(Citations, OfGeminisPagesKeepTheirNumbers) {
  constexpr std::string_view kSpan =
      R"({"groundingMetadata":{"groundingChunks":[{"retrievedContext":{"ragChunk":{"text":"q",)"
      R"("pageSpan":{"firstPage":3,"lastPage":4}}}}]}})";
  const std::vector<Citation> citations = read_citations(kGemini, kSpan);
  ASSERT_EQ(citations.size(), 1U);
  EXPECT_EQ(citations[0].unit, CitedUnit::pages);
  EXPECT_EQ(citations[0].from, 3);
  EXPECT_EQ(citations[0].to, 5);
  EXPECT_EQ(citations[0].quote, "q");
  EXPECT_EQ(read_citations(kGemini, R"({"groundingMetadata":{"groundingChunks":[{"retrievedContext":)"
                                    R"({"text":"p","ragChunk":{"text":"q"}}}]}})")
                .at(0)
                .quote,
            "p")
      << "the chunk's own text is what was cited";
  const std::vector<Citation> endless =
      read_citations(kGemini, R"({"groundingMetadata":{"groundingChunks":[{"retrievedContext":{"ragChunk":)"
                              R"({"pageSpan":{"firstPage":3,"lastPage":9223372036854775807}}}}]}})");
  EXPECT_EQ(endless.at(0).to, 4) << "no count";
}

// A place in what has no number among the documents is lost by its own name.
TEST(Citations, LoseEachPartByItsName) {
  EXPECT_EQ(losses(kChat, kGemini,
                   R"({"groundingMetadata":{"groundingChunks":[{"retrievedContext":{"uri":"u","title":"t",)"
                   R"("ragChunk":{"pageSpan":{"firstPage":3,"lastPage":4}}}}]}})")
                .header_value(),
            "dropped;answer/citations;location>");
  EXPECT_EQ(losses(kChat, kGemini, R"({"citationSource":{"uri":"u","license":"MIT"}})").header_value(),
            "dropped;answer/citations;license>");
}

TEST(Citations, OfGeminisSearchesLoseWhatWasSearchedFor) {
  EXPECT_EQ(
      losses(kChat, kGemini,
             R"({"groundingMetadata":{"webSearchQueries":["q"],"searchEntryPoint":{"renderedContent":"x"},)"
             R"("groundingChunks":[{"web":{"uri":"u","title":"t"}}]}})")
          .header_value(),
      "dropped;answer/citations;webSearchQueries>, dropped;answer/citations;searchEntryPoint>");
}

TEST(Citations, OfSearchResultsNameTheirSourceForGemini) {
  EXPECT_EQ(form_of(kGemini, kMessages, kSearchResult),
            R"({"groundingChunk":{"retrievedContext":{"uri":"kb/7","title":"t","text":"q"}},)"
            R"("segment":{"startIndex":3,"endIndex":9}})");
}

TEST(Citations, OfPagesNameThePageAndItsWords) {
  constexpr std::string_view kWeb =
      R"({"type":"web_search_result_location","cited_text":"c","url":"https://a.example","title":"A",)"
      R"("encrypted_index":"x"})";
  EXPECT_EQ(form_of(kConverse, kMessages, kWeb),
            R"({"title":"A","sourceContent":[{"text":"c"}],"source":"weir",)"
            R"("location":{"web":{"url":"https://a.example"}}})");
  EXPECT_EQ(form_of(kMessages, kChat,
                    R"({"type":"url_citation","url_citation":{"url":"https://a.example","title":"A",)"
                    R"("start_index":1,"end_index":4}})"),
            R"({"type":"web_search_result_location","cited_text":"","encrypted_index":"weir","title":"A",)"
            R"("url":"https://a.example"})");
  EXPECT_EQ(form_of(kMessages, kGemini, R"({"citationSource":{"uri":"https://a.example","endIndex":7}})"),
            R"({"type":"web_search_result_location","cited_text":"","encrypted_index":"weir","title":null,)"
            R"("url":"https://a.example"})");
  EXPECT_EQ(form_of(kGemini, kMessages, kWeb),
            R"({"citationSource":{"startIndex":3,"endIndex":9,"uri":"https://a.example","title":"A"}})");
  EXPECT_EQ(losses(kGemini, kMessages, kWeb).header_value(), "dropped;answer/citations;cited_text>");
  EXPECT_EQ(losses(kChat, kMessages, kWeb).header_value(), "dropped;answer/citations;cited_text>");
}

TEST(Citations, OfFilesNeedTheirIds) {
  constexpr std::string_view kFile =
      R"({"type":"file_citation","file_id":"file-1","filename":"f.pdf","index":8})";
  EXPECT_EQ(form_of(kConverse, kResponses, kFile), R"({"title":"f.pdf","source":"weir:file-1"})");
  EXPECT_EQ(form_of(kMessages, kResponses, kFile), "");
  EXPECT_EQ(form_of(kChat, kResponses, kFile), "");
  EXPECT_EQ(losses(kConverse, kResponses, kFile).header_value(), "dropped;answer/citations;range>");
  EXPECT_EQ(
      losses(kConverse, kResponses, R"({"type":"container_file_citation","file_id":"f","container_id":"c"})")
          .header_value(),
      "dropped;answer/citations;container_id>");
  EXPECT_EQ(losses(kMessages, kResponses, kFile).header_value(), "dropped;answer/citations;file>");
  EXPECT_TRUE(losses(kMessages, kResponses, kFile).has_warnings());
  EXPECT_EQ(form_of(kGemini, kResponses, kFile),
            R"({"groundingChunk":{"retrievedContext":{"title":"f.pdf","text":""}},)"
            R"("segment":{"startIndex":3,"endIndex":9}})");
  // A document that was sent by its id in the file store.
  constexpr std::string_view kStored =
      R"({"type":"char_location","cited_text":"q","document_index":0,"document_title":"d",)"
      R"("file_id":"file_9","start_char_index":0,"end_char_index":1})";
  EXPECT_EQ(form_of(kResponses, kMessages, kStored),
            R"({"type":"file_citation","file_id":"file_9","filename":"d","index":9})");
  EXPECT_EQ(form_of(kResponses, kMessages, kCharLocation), "");
  EXPECT_EQ(losses(kResponses, kMessages, kCharLocation).header_value(),
            "dropped;answer/citations;document>");
  EXPECT_EQ(losses(kResponses, kMessages, kStored).header_value(),
            "dropped;answer/citations;cited_text>, dropped;answer/citations;index>, "
            "dropped;answer/citations;location>");
}

TEST(Citations, WithoutAFormAreReportedWhateverTheyAre) {
  EXPECT_EQ(losses(kMessages, kGemini, R"({"urlContextMetadata":{"urlMetadata":[]}})").header_value(),
            "dropped;answer/citations;citation>");
  EXPECT_EQ(losses(kMessages, kResponses, R"({"type":"new_citation"})").header_value(),
            "dropped;answer/citations;citation>");
  EXPECT_EQ(losses(kConverse, kMessages, R"({"type":"new_location"})").header_value(),
            "dropped;answer/citations;citation>");
  EXPECT_EQ(losses(kChat, kConverse, R"({"location":{"searchResultLocation":{"searchResultIndex":3}}})")
                .header_value(),
            "dropped;answer/citations;search_result>");
  EXPECT_TRUE(losses(kMessages, kMessages, R"({"type":"new_location"})").empty());
}

TEST(Citations, ThatWeirMadeAreKnown) {
  const auto is_made = [](bool (*made)(JsonValue), std::string_view raw) {
    const Result<JsonDoc> parsed = JsonDoc::parse(std::string(raw));
    return parsed && made(parsed->root());
  };
  constexpr std::string_view kPage = R"({"citationSource":{"uri":"https://a.example"}})";
  EXPECT_TRUE(is_made(&is_anthropic_citation_made, form_of(kMessages, kGemini, kPage)));
  EXPECT_TRUE(is_made(&is_converse_citation_made, form_of(kConverse, kGemini, kPage)));
  EXPECT_TRUE(is_made(&is_converse_citation_made, R"({"title":"f","source":"weir:file-1"})"));
  EXPECT_FALSE(is_made(&is_converse_citation_made, R"({"title":"f","source":"weirdness"})"));
  EXPECT_FALSE(is_made(&is_converse_citation_made, kConverseResult));
  EXPECT_FALSE(is_made(&is_anthropic_citation_made, R"({"encrypted_index":"Eo8"})"));
}

}  // namespace
}  // namespace weir
