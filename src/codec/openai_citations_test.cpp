#include <gtest/gtest.h>

#include "codec/citations.h"
#include "codec/openai_responses_test_util.h"

namespace weir {
namespace {

constexpr std::string_view kFlat =
    R"({"type":"url_citation","url":"https://x.example","title":"t","start_index":0,"end_index":5})";
constexpr std::string_view kNested =
    R"({"type":"url_citation","url_citation":{"url":"https://x.example","title":"t","start_index":0,)"
    R"("end_index":5}})";

using Annotations = std::vector<std::string>;

Annotations chat_of(Dialect dialect, std::string_view raw) {
  return cite(Dialect::openai_chat, dialect, raw, {.start = 3, .end = 9}).raw;
}
Annotations responses_of(Dialect dialect, std::string_view raw) {
  return cite(Dialect::openai_responses, dialect, raw, {.start = 3, .end = 9}).raw;
}

TEST(OpenAiCitations, SayTheSameInBothDialects) {
  EXPECT_EQ(cite(Dialect::openai_chat, Dialect::openai_responses, kFlat, {.start = 0, .end = 9}).raw,
            Annotations{std::string(kNested)});
  EXPECT_EQ(responses_of(Dialect::openai_chat, kNested), Annotations{std::string(kFlat)});
  EXPECT_EQ(chat_of(Dialect::openai_chat, kNested), Annotations{std::string(kNested)});
  EXPECT_EQ(responses_of(Dialect::openai_responses, kFlat), Annotations{std::string(kFlat)});
}

TEST(OpenAiCitations, NameThePagesThatOtherVendorsCite) {
  const auto wanted = [](std::string_view url, std::string_view title) {
    return Annotations{fmt::format(
        R"({{"type":"url_citation","url":"{}","title":"{}","start_index":3,"end_index":9}})", url, title)};
  };
  EXPECT_EQ(responses_of(Dialect::anthropic_messages,
                         R"({"type":"web_search_result_location","cited_text":"c","url":"https://a.example",)"
                         R"("title":"A","encrypted_index":"x"})"),
            wanted("https://a.example", "A"));
  EXPECT_EQ(responses_of(Dialect::bedrock_invoke,
                         R"({"type":"search_result_location","source":"https://b.example","title":"B"})"),
            wanted("https://b.example", "B"));
  EXPECT_EQ(responses_of(Dialect::bedrock_converse,
                         R"({"title":"C","location":{"web":{"url":"https://c.example","domain":"c"}}})"),
            wanted("https://c.example", "C"));
  EXPECT_EQ(responses_of(Dialect::gemini, R"({"citationSource":{"uri":"https://d.example","endIndex":7}})"),
            wanted("https://d.example", ""));
  const Annotations both =
      chat_of(Dialect::gemini, R"({"groundingMetadata":{"groundingChunks":[)"
                               R"({"web":{"uri":"https://e.example","title":"E"}},{"other":{}},)"
                               R"({"maps":{"uri":"https://f.example"}}],"webSearchQueries":["q"]}})");
  ASSERT_EQ(both.size(), 2u);
  EXPECT_EQ(both[0], R"({"type":"url_citation","url_citation":{"url":"https://e.example","title":"E",)"
                     R"("start_index":3,"end_index":9}})");
}

TEST(OpenAiCitations, HaveNoFormForDocumentsAndFiles) {
  EXPECT_EQ(chat_of(Dialect::openai_responses, R"({"type":"file_citation","file_id":"f"})"), Annotations{});
  EXPECT_EQ(chat_of(Dialect::anthropic_messages, R"({"type":"char_location","document_title":"d"})"),
            Annotations{});
  EXPECT_EQ(responses_of(Dialect::gemini, "{}"), Annotations{});
  EXPECT_EQ(responses_of(Dialect::gemini, "[]"), Annotations{});
  EXPECT_EQ(responses_of(Dialect::openai_chat, "not JSON"), Annotations{});
}

TEST(OpenAiCitations, BelongToTheTextThatTheyCameWith) {
  const Request request = test::responses_chat(R"("input":"hi")");
  const AnswerContext context = test::answer_context(request);
  constexpr std::string_view kPage =
      R"({"type":"web_search_result_location","url":"https://a.example","title":"A","encrypted_index":"x"})";
  const std::vector<Event> events = {Start{},
                                     BlockStart{.index = 0},
                                     Delta{.index = 0, .text = "Grüße. "},
                                     BlockEnd{.index = 0},
                                     BlockStart{.index = 1},
                                     Delta{.index = 1, .text = "Cited"},
                                     Delta{.index = 1,
                                           .kind = DeltaKind::citation,
                                           .text = std::string(kPage),
                                           .dialect = Dialect::anthropic_messages},
                                     BlockEnd{.index = 1},
                                     Finish{},
                                     End{}};
  // The dialect of a folded block is that of its start.
  std::vector<Event> whole = events;
  std::get<BlockStart>(whole[4]).dialect = Dialect::anthropic_messages;
  const ClientCodec& chat = openai_chat_client();
  constexpr std::string_view kPlace = R"("start_index":7,"end_index":12)";
  EXPECT_NE(chat.encode_answer(test::fold(whole), context).body.find(kPlace), std::string::npos);
  EXPECT_NE(test::encode_stream(*chat.stream_encoder(context), events).find(kPlace), std::string::npos);
}

// A text, something that ends the message, and a text that cites its last letter.
std::vector<Event> answer_around(BlockStart between, Dialect dialect, std::string_view citation) {
  between.index = 1;
  return {Start{},
          BlockStart{.index = 0, .dialect = dialect},
          Delta{.index = 0, .text = "Grüße "},
          BlockEnd{.index = 0},
          between,
          BlockEnd{.index = 1},
          BlockStart{.index = 2, .dialect = dialect},
          Delta{.index = 2, .text = "See X"},
          Delta{.index = 2, .kind = DeltaKind::citation, .text = std::string(citation), .dialect = dialect},
          BlockEnd{.index = 2},
          Finish{},
          End{}};
}

// Both forms of an answer have the places.
void expect_places(const ClientCodec& client, const std::vector<Event>& events, std::string_view places) {
  const Request request = test::responses_chat(R"("input":"hi")");
  const AnswerContext context = test::answer_context(request);
  const std::string whole = client.encode_answer(test::fold(events), context).body;
  EXPECT_NE(whole.find(places), std::string::npos) << whole;
  const std::string streamed = test::encode_stream(*client.stream_encoder(context), events);
  EXPECT_NE(streamed.find(places), std::string::npos) << streamed;
  if (client.dialect() == Dialect::openai_responses) test::expect_good_stream(streamed);
}

TEST(OpenAiCitations, OfAPartAreCountedInTheContent) {
  const BlockStart search{.kind = BlockKind::tool_call,
                          .tool_kind = ToolKind::server,
                          .data = R"({"type":"web_search_call","id":"ws_1","status":"completed"})",
                          .dialect = Dialect::openai_responses};
  constexpr std::string_view kX =
      R"({"type":"url_citation","url":"https://x.example","title":"t","start_index":4,"end_index":5})";
  expect_places(openai_chat_client(), answer_around(search, Dialect::openai_responses, kX),
                R"("start_index":10,"end_index":11)");
}

TEST(OpenAiCitations, OfTheContentAreCountedInTheirPart) {
  const BlockStart call{.kind = BlockKind::tool_call, .tool_id = "c", .tool_name = "f"};
  const auto nested = [](std::string_view places) {
    return fmt::format(
        R"({{"type":"url_citation","url_citation":{{"url":"https://x.example","title":"t"{}}}}})", places);
  };
  const ClientCodec& client = openai_responses_client();
  const auto answer = [&](std::string_view places) {
    return answer_around(call, Dialect::openai_chat, nested(places));
  };
  expect_places(client, answer(R"(,"start_index":10,"end_index":11)"), R"("start_index":4,"end_index":5)");
  expect_places(client, answer(""), R"("start_index":0,"end_index":5)");
  // It came late: what it cites is in the first text.
  expect_places(client, answer(R"(,"start_index":0,"end_index":3)"), R"("start_index":0,"end_index":0)");
}

TEST(OpenAiCitations, ReachClientsOfTheOtherDialect) {
  const Request request = test::responses_chat(R"("input":"hi")");
  const AnswerContext context = test::answer_context(request);
  const auto answer = [](Dialect dialect, std::string_view citation) {
    return std::vector<Event>{
        Start{},
        BlockStart{},
        Delta{.text = "Hello"},
        Delta{.kind = DeltaKind::citation, .text = std::string(citation), .dialect = dialect},
        BlockEnd{},
        Finish{},
        End{}};
  };
  const std::pair<const ClientCodec*, std::vector<Event>> cases[] = {
      {&openai_chat_client(), answer(Dialect::openai_responses, kFlat)},
      {&openai_responses_client(), answer(Dialect::openai_chat, kNested)}};
  for (const auto& [client, events] : cases) {
    const std::string_view wanted = client->dialect() == Dialect::openai_chat ? kNested : kFlat;
    const std::string annotations = fmt::format(R"("annotations":[{}])", wanted);
    EXPECT_NE(client->encode_answer(test::fold(events), context).body.find(annotations), std::string::npos);
    EXPECT_NE(test::encode_stream(*client->stream_encoder(context), events).find(wanted), std::string::npos);
  }
}

// The blocks of an answer, each with the URLs that it cites: "Hello[a b ]call[]".
std::string blocks_of(const std::vector<Event>& events) {
  std::string blocks;
  for (const AnswerBlock& block : test::fold(events).choices.at(0).blocks) {
    blocks += block.kind == BlockKind::tool_call ? "call" : block.text;
    blocks += '[';
    for (const std::string& raw : block.citations)
      blocks += read_citations(Dialect::openai_chat, raw).at(0).url + ' ';
    blocks += ']';
  }
  return blocks;
}

// Those of a whole answer with that message.
std::string cited_blocks(std::string_view message, std::string_view beside = "") {
  const Headers headers;
  const std::string body = fmt::format(
      R"({{"id":"1","choices":[{{"index":0,"message":{},"finish_reason":"stop"}}]{}}})", message, beside);
  const auto events = openai_chat_provider().decode_answer({.headers = &headers, .body = body}, {});
  return blocks_of(events.value());
}

TEST(OpenAiCitations, BelongToThePartThatTheyCountInto) {
  const auto at = [](std::string_view url, std::string_view place) {
    return fmt::format(R"({{"type":"url_citation","url_citation":{{"url":"{}"{}}}}})", url, place);
  };
  const std::string annotations =
      fmt::format(R"("annotations":[{},{},{},{},{}])", at("last", R"(,"start_index":6)"),
                  at("first", R"(,"start_index":0)"), at("same", R"(,"start_index":5)"), at("nowhere", ""),
                  at("behind", R"(,"start_index":99)"));
  const std::string parts =
      fmt::format(R"({{"content":[{{"type":"text","text":"Grüße "}},{{"type":"thinking","thinking":"hm"}},)"
                  R"({{"type":"text","text":"See X"}}],{}}})",
                  annotations);
  EXPECT_EQ(cited_blocks(parts), "Grüße [first same ]hm[]See X[last nowhere behind ]");
  EXPECT_EQ(cited_blocks(fmt::format(R"({{"content":"Hello ",{}}})", annotations)),
            "Hello [last first same nowhere behind ]");
}

constexpr std::string_view kPages = R"("citations":["a","b"])";

TEST(OpenAiCitations, OfPagesBesideAreThoseOfTheLastText) {
  const std::string beside = fmt::format(",{}", kPages);
  constexpr std::string_view kCall = R"("tool_calls":[{"id":"c","function":{"name":"f","arguments":"{}"}}])";
  EXPECT_EQ(cited_blocks(fmt::format(R"({{"content":[{{"type":"text","text":"A"}},)"
                                     R"({{"type":"text","text":"B"}}],{}}})",
                                     kCall),
                         beside),
            "A[]B[a b ]call[]");
  EXPECT_EQ(cited_blocks(fmt::format(R"({{"content":null,{}}})", kCall), beside), "[a b ]call[]");
  EXPECT_EQ(cited_blocks(R"({"content":null,"function_call":{"name":"f"}})", beside), "[a b ]call[]");
  EXPECT_EQ(cited_blocks(R"({"content":null})", beside), "[a b ]") << "as a stream has it";
}

// The blocks of a stream of such deltas, each with whether its chunk names the pages.
std::string streamed_blocks(const std::vector<std::pair<std::string_view, bool>>& deltas) {
  std::string stream;
  for (const auto& [delta, has_pages] : deltas)
    stream += fmt::format("data: {{\"id\":\"1\",\"choices\":[{{\"index\":0,{}}}]{}{}}}\n\n", delta,
                          has_pages ? "," : "", has_pages ? kPages : "");
  const auto decoder = openai_chat_provider().stream_decoder({});
  return blocks_of(test::decode_whole(*decoder, stream + "data: [DONE]\n\n").events);
}

TEST(OpenAiCitations, OfStreamsStandBeforeTheCallsUnlessTheyComeBehind) {
  constexpr std::string_view kText = R"("delta":{"content":"A"})";
  constexpr std::string_view kCall =
      R"("delta":{"tool_calls":[{"index":0,"id":"c","function":{"name":"f","arguments":"{}"}}]})";
  constexpr std::string_view kFunction = R"("delta":{"function_call":{"name":"f","arguments":"{}"}})";
  constexpr std::string_view kAnnotation =
      R"("delta":{"annotations":[{"type":"url_citation","url_citation":{"url":"x"}}]})";
  constexpr std::string_view kEnd = R"("delta":{},"finish_reason":"stop")";
  EXPECT_EQ(streamed_blocks({{kText, true}, {kCall, true}, {kEnd, true}}), "A[a b ]call[]");
  EXPECT_EQ(streamed_blocks({{kText, true}, {kFunction, true}, {kEnd, true}}), "A[a b ]call[]");
  EXPECT_EQ(streamed_blocks({{kText, false}, {kAnnotation, true}, {kCall, true}, {kEnd, true}}),
            "A[x ]call[]");
  EXPECT_EQ(streamed_blocks({{kText, false}, {kCall, false}, {kEnd, true}}), "A[]call[][a b ]");
  EXPECT_EQ(streamed_blocks({{kText, false}, {kCall, false}, {kAnnotation, false}, {kEnd, false}}),
            "A[]call[][x ]");
  EXPECT_EQ(streamed_blocks({{kCall, true}, {kEnd, true}}), "call[][a b ]");
  EXPECT_EQ(streamed_blocks({{kCall, true}, {kText, true}, {kEnd, true}}), "call[]A[a b ]");
  EXPECT_EQ(streamed_blocks({{kEnd, true}}), "[a b ]");
}

// Perplexity's and xAI's: URLs, or search results, beside the choices; a stream says them in every chunk.
TEST(OpenAiCitations, AreReadBesideTheChoices) {
  constexpr std::string_view kUrls = R"("citations":["https://a.example","https://b.example"])";
  constexpr std::string_view kResults = R"("search_results":[{"title":"A","url":"https://a.example"}])";
  const Headers headers;
  const auto cited = [&](std::string_view pages, std::string_view annotations) {
    const std::string body = fmt::format(
        R"({{"id":"1","choices":[{{"index":0,"message":{{"content":"hi"{}}},"finish_reason":"stop"}}],{}}})",
        annotations, pages);
    const auto events = openai_chat_provider().decode_answer({.headers = &headers, .body = body}, {});
    return test::fold(events.value()).choices.at(0).blocks.at(0).citations;
  };
  EXPECT_EQ(cited(kUrls, "").size(), 2U);
  EXPECT_EQ(cited(kResults, "").at(0),
            R"({"type":"url_citation","url_citation":{"url":"https://a.example","title":"A"}})");
  EXPECT_EQ(cited(kUrls, fmt::format(R"(,"annotations":[{}])", kNested)).at(0), kNested);
  EXPECT_EQ(cited(R"("citations":["https://a.example",""])", "").size(), 1U) << "of no page";

  std::string stream;
  for (const std::string_view choice :
       {R"({"index":0,"delta":{"content":"hi"}})", R"({"index":0,"delta":{},"finish_reason":"stop"})"})
    stream += fmt::format("data: {{\"id\":\"1\",\"choices\":[{}],{}}}\n\n", choice, kUrls);
  const auto decoder = openai_chat_provider().stream_decoder({});
  const Answer answer = test::fold(test::decode_whole(*decoder, stream + "data: [DONE]\n\n").events);
  ASSERT_EQ(answer.choices.at(0).blocks.size(), 1U);
  EXPECT_EQ(answer.choices[0].blocks[0].text, "hi");
  EXPECT_EQ(answer.choices[0].blocks[0].citations, cited(kUrls, ""));
}

TEST(OpenAiCitations, AreNoneWhereAnAnnotationIsOfAnotherKind) {
  EXPECT_TRUE(read_citations(Dialect::openai_chat, R"({"type":"file","file":{"hash":"x"}})").empty());
}

TEST(OpenAiCitations, OfFilesSayWhereTheyStand) {
  const auto place = [](std::string_view fields) {
    const std::vector<Citation> citations =
        read_citations(Dialect::openai_responses, fmt::format(R"({{"file_id":"f",{}}})", fields));
    return citations.empty() ? "" : fmt::format("{} {}", *citations[0].start, *citations[0].end);
  };
  EXPECT_EQ(place(R"("type":"file_citation","index":8)"), "8 8");
  EXPECT_EQ(place(R"("type":"container_file_citation","start_index":2,"end_index":9)"), "2 9");
}

}  // namespace
}  // namespace weir
