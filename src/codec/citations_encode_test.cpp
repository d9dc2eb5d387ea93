// An answer with citations, for clients of every dialect, whole and streamed, in the form that the vendor's
// SDKs read.
#include <gtest/gtest.h>

#include "codec/bedrock_test_util.h"
#include "codec/citations.h"
#include "codec/codecs.h"
#include "codec/gemini_test_util.h"
#include "codec/openai_responses_test_util.h"

namespace weir {
namespace {

constexpr std::string_view kPage =
    R"({"type":"web_search_result_location","cited_text":"c","url":"https://a.example","title":"A",)"
    R"("encrypted_index":"x"})";
constexpr std::string_view kDocument =
    R"({"type":"page_location","cited_text":"q","document_index":0,"document_title":"D","file_id":"file_1",)"
    R"("start_page_number":5,"end_page_number":6})";

// Two texts, "Grüße. " and "Cited", the second with a citation that comes before its words.
std::vector<Event> answer_with(std::string_view citation) {
  const Dialect dialect = Dialect::anthropic_messages;
  return {Start{.id = "msg_1", .model = "m"},
          BlockStart{.index = 0, .dialect = dialect},
          Delta{.index = 0, .text = "Grüße. "},
          BlockEnd{.index = 0},
          BlockStart{.index = 1, .dialect = dialect},
          Delta{.index = 1, .kind = DeltaKind::citation, .text = std::string(citation), .dialect = dialect},
          Delta{.index = 1, .text = "Cited"},
          BlockEnd{.index = 1},
          Finish{},
          UsageReport{},
          End{}};
}

std::string whole(Dialect client, std::string_view citation) {
  const Request request = test::responses_chat(R"("input":"hi")");
  const AnswerContext context = test::answer_context(request);
  return chat_client_codec(client, false).encode_answer(test::fold(answer_with(citation)), context).body;
}
std::string streamed(Dialect client, std::string_view citation) {
  const Request request = test::responses_chat(R"("input":"hi")");
  const AnswerContext context = test::answer_context(request);
  const auto encoder = chat_client_codec(client, true).stream_encoder(context);
  return test::encode_stream(*encoder, answer_with(citation));
}

// Both forms of the answer say it.
void expect_said(Dialect client, std::string_view citation, std::string_view in_whole,
                 std::string_view in_stream) {
  EXPECT_NE(whole(client, citation).find(in_whole), std::string::npos) << whole(client, citation);
  EXPECT_NE(streamed(client, citation).find(in_stream), std::string::npos) << streamed(client, citation);
}

TEST(CitationsInAnswers, StandOnTheirPlaceInChatCompletions) {
  constexpr std::string_view kAnnotations =
      R"("annotations":[{"type":"url_citation","url_citation":{"url":"https://a.example","title":"A",)"
      R"("start_index":7,"end_index":12}}])";
  expect_said(Dialect::openai_chat, kPage, kAnnotations, kAnnotations);
  EXPECT_EQ(whole(Dialect::openai_chat, kDocument).find("annotations"), std::string::npos);
}

// Where annotations hold less than the vendor says (a page's words), or nothing (a document), it is copied.
TEST(CitationsInAnswers, AreCopiedInTheVendorsWordsForChatCompletions) {
  for (const std::string_view citation : {kPage, kDocument}) {
    const std::string copy =
        fmt::format(R"("provider_metadata":{{"anthropic_messages":{{"citations":[{}]}}}}}})", citation);
    expect_said(Dialect::openai_chat, citation, copy, copy);
  }
  constexpr std::string_view kNoWords =
      R"({"type":"web_search_result_location","cited_text":"","url":"https://a.example","title":"A"})";
  EXPECT_EQ(whole(Dialect::openai_chat, kNoWords).find("provider_metadata"), std::string::npos);
  EXPECT_EQ(streamed(Dialect::openai_chat, kNoWords).find("provider_metadata"), std::string::npos);
}

TEST(CitationsInAnswers, AreAnnotationsOfResponses) {
  const Dialect client = Dialect::openai_responses;
  constexpr std::string_view kUrl =
      R"({"type":"url_citation","url":"https://a.example","title":"A","start_index":0,"end_index":5})";
  expect_said(client, kPage, fmt::format(R"("annotations":[{}])", kUrl),
              fmt::format(R"("content_index":1,"annotation_index":0,"annotation":{}}})", kUrl));
  constexpr std::string_view kFile =
      R"({"type":"file_citation","file_id":"file_1","filename":"D","index":5})";
  expect_said(client, kDocument, fmt::format(R"("annotations":[{}])", kFile),
              fmt::format(R"("annotation":{}}})", kFile));
  test::expect_good_response(whole(client, kDocument));
  test::expect_good_stream(streamed(client, kDocument));
  test::expect_good_stream(streamed(client, kPage));
}

TEST(CitationsInAnswers, AreContentAndDeltasOfConverse) {
  constexpr std::string_view kCitation =
      R"({"title":"D","sourceContent":[{"text":"q"}],)"
      R"("location":{"documentPage":{"documentIndex":0,"start":5,"end":6}}})";
  expect_said(
      Dialect::bedrock_converse, kDocument,
      fmt::format(R"({{"citationsContent":{{"content":[{{"text":"Cited"}}],"citations":[{}]}}}})", kCitation),
      fmt::format(R"("delta":{{"citation":{}}}}})", kCitation));
}

TEST(CitationsInAnswers, AreSourcesAndSupportsOfGemini) {
  const Dialect client = Dialect::gemini;
  constexpr std::string_view kSources =
      R"("citationMetadata":{"citationSources":[{"startIndex":9,"endIndex":14,"uri":"https://a.example",)"
      R"("title":"A"}]})";
  expect_said(client, kPage, kSources, kSources);
  // In whole answers a segment is counted within its part, in streams there are as many parts as chunks.
  constexpr std::string_view kChunks =
      R"("groundingMetadata":{"groundingChunks":[{"retrievedContext":{"title":"D","text":"q",)"
      R"("ragChunk":{"text":"q","pageSpan":{"firstPage":5,"lastPage":5}}}}],"groundingSupports":[)";
  expect_said(
      client, kDocument,
      fmt::format(R"({}{{"segment":{{"partIndex":1,"startIndex":0,"endIndex":5}},)"
                  R"("groundingChunkIndices":[0]}}]}})",
                  kChunks),
      fmt::format(R"({}{{"segment":{{"startIndex":9,"endIndex":14}},"groundingChunkIndices":[0]}}]}})",
                  kChunks));
}

TEST(CitationsInAnswers, StandBehindARefusalInGemini) {
  std::vector<Event> events = answer_with(kPage);
  std::get<BlockStart>(events[1]).kind = BlockKind::refusal;
  const Request request = test::responses_chat(R"("input":"hi")");
  const AnswerContext context = test::answer_context(request);
  const ClientCodec& client = chat_client_codec(Dialect::gemini, false);
  constexpr std::string_view kPlace = R"("startIndex":9,"endIndex":14)";
  const std::string whole = client.encode_answer(test::fold(events), context).body;
  EXPECT_NE(whole.find(kPlace), std::string::npos) << whole;
  const std::string streamed =
      test::encode_stream(*chat_client_codec(Dialect::gemini, true).stream_encoder(context), events);
  EXPECT_NE(streamed.find(kPlace), std::string::npos) << streamed;
}

// What another vendor cited, as Anthropic's clients see it, whichever endpoint they call.
TEST(CitationsInAnswers, AreLocationsForClientsOfAnthropic) {
  std::vector<Event> events = answer_with(
      R"({"sourceContent":[{"text":"q"}],"location":{"documentChar":{"documentIndex":2,"start":1,"end":9}}})");
  for (Event& event : events) {
    if (auto* delta = std::get_if<Delta>(&event)) delta->dialect = Dialect::bedrock_converse;
    if (auto* started = std::get_if<BlockStart>(&event)) started->dialect = Dialect::bedrock_converse;
  }
  constexpr std::string_view kCitation =
      R"({"type":"char_location","cited_text":"q","document_index":2,"document_title":null,"file_id":null,)"
      R"("start_char_index":1,"end_char_index":9})";
  const Request request = test::responses_chat(R"("input":"hi")");
  const AnswerContext context = test::answer_context(request);
  const ClientCodec& invoke = bedrock_invoke_client();
  const ClientCodec& messages = anthropic_messages_client();
  for (const ClientCodec* client : {&invoke, &messages}) {
    EXPECT_NE(client->encode_answer(test::fold(events), context)
                  .body.find(fmt::format(R"("text":"Cited","citations":[{}])", kCitation)),
              std::string::npos);
  }
  EXPECT_NE(test::encode_stream(*messages.stream_encoder(context), events)
                .find(fmt::format(R"("delta":{{"type":"citations_delta","citation":{}}}}})", kCitation)),
            std::string::npos);
}

}  // namespace
}  // namespace weir
