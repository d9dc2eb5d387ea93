#include "codec/rerank.h"

#include <gtest/gtest.h>

#include "codec/anthropic_test_util.h"
#include "codec/replay_test_util.h"

namespace weir {
namespace {

Result<Request> decode(std::string body) {
  return rerank_client().decode_request(test::client_call(Dialect::openai_chat, std::move(body)));
}

Request asked() {
  Result<Request> request = decode(R"({"model":"r","query":"q","documents":["a",{"text":"b"}],"top_n":2,)"
                                   R"("return_documents":true,"max_tokens_per_doc":512})");
  EXPECT_TRUE(request);
  return request ? std::move(*request) : Request{};
}

std::string wrong_field(std::string body) {
  const Result<Request> request = decode(std::move(body));
  return request ? "none" : request.error().path;
}

TEST(RerankClient, ReadsTextsAndObjectsWithTexts) {
  const Request request = asked();
  const auto& rerank = std::get<Rerank>(request);
  EXPECT_EQ(rerank.documents, (std::vector<std::string_view>{"a", "b"}));
  EXPECT_EQ(rerank.top_n, 2);
  EXPECT_TRUE(rerank.returns_documents);
}

TEST(RerankClient, NamesTheFieldThatIsWrong) {
  EXPECT_EQ(wrong_field(R"({"query":"q","documents":["a"]})"), "model");
  EXPECT_EQ(wrong_field(R"({"model":"r","documents":["a"]})"), "query");
  EXPECT_EQ(wrong_field(R"({"model":"r","query":"q","documents":[]})"), "documents");
  EXPECT_EQ(wrong_field(R"({"model":"r","query":"q","documents":["a",1]})"), "documents[1]");
  EXPECT_EQ(wrong_field(R"({"model":"r","query":"q","documents":["a"],"top_n":0})"), "top_n");
}

TEST(RerankClient, GivesTheDocumentsBackWhenAsked) {
  const Request request = asked();
  const AnswerContext context = test::answer_context(request);
  Answer answer;
  answer.payload = Payload{.id = "x", .model = "r", .body = RerankAnswer{.hits = {{1, 0.5}, {0, 0.25}}}};
  EXPECT_EQ(rerank_client().encode_answer(answer, context).body,
            R"({"id":"x","results":[{"index":1,"relevance_score":0.5,"document":{"text":"b"}},)"
            R"({"index":0,"relevance_score":0.25,"document":{"text":"a"}}],)"
            R"("meta":{"api_version":{"version":"2"}}})");
  answer.usage.search_units = 2;
  const std::string billed = rerank_client().encode_answer(answer, context).body;
  EXPECT_NE(billed.find(R"("meta":{"api_version":{"version":"2"},"billed_units":{"search_units":2}}})"),
            std::string::npos)
      << billed;
}

TEST(RerankClient, GivesNoMoreResultsThanWereAskedFor) {
  const Request request = decode(R"({"model":"r","query":"q","documents":["a","b","c"],"top_n":2})").value();
  Answer answer;
  answer.payload =
      Payload{.id = "x", .model = "r", .body = RerankAnswer{.hits = {{2, 0.5}, {0, 0.25}, {1, 0.125}}}};
  const std::string body = rerank_client().encode_answer(answer, test::answer_context(request)).body;
  EXPECT_NE(body.find(R"({"index":0,"relevance_score":0.25}])"), std::string::npos) << body;
  answer.payload = Payload{.id = "x", .model = "r", .body = RerankAnswer{.hits = {{2, 0.5}}}};
  const std::string fewer = rerank_client().encode_answer(answer, test::answer_context(request)).body;
  EXPECT_NE(fewer.find(R"([{"index":2,"relevance_score":0.5}])"), std::string::npos) << fewer;
}

TEST(RerankProvider, TellsOfWhatTheServerIsNotTold) {
  const Request request =
      decode(R"({"model":"r","query":"q","max_tokens_per_doc":5,"documents":[{"text":"a","title":"t"},)"
             R"({"title":"u","text":"b"}]})")
          .value();
  Capabilities server;
  const auto sent = [&] {
    return openai_chat_provider().encode_request(request, {.model = "up", .capabilities = &server});
  };
  EXPECT_EQ(test::body_of(sent()),
            R"({"model":"up","query":"q","documents":["a","b"],"max_tokens_per_doc":5})");
  EXPECT_EQ(test::records_of(sent()), "dropped;/documents.title");
}

TEST(RerankClient, SaysErrorsInTheVendorsKeyToo) {
  const ClientReply reply =
      rerank_client().encode_error(make_error(ErrorKind::bad_request, "no", "query"), "id");
  EXPECT_EQ(reply.status, 400);
  const Result<JsonDoc> doc = JsonDoc::parse(reply.body);
  ASSERT_TRUE(doc) << reply.body;
  EXPECT_EQ(doc->root()["message"].string_or(""), "no");
  EXPECT_EQ(doc->root()["error"]["message"].string_or(""), "no");
}

TEST(RerankProvider, SendsWhatWasAskedAndFieldsThatItDoesNotKnow) {
  const Capabilities plain;
  const auto call =
      openai_chat_provider().encode_request(asked(), {.model = "rerank-2", .capabilities = &plain});
  ASSERT_TRUE(call);
  EXPECT_EQ(call->wire.path, "/rerank");
  EXPECT_EQ(call->wire.body,
            R"({"model":"rerank-2","query":"q","documents":["a","b"],"top_n":2,"max_tokens_per_doc":512})");
  Capabilities without;
  without.quirks.no_max_tokens_per_doc = true;
  const auto shorter =
      openai_chat_provider().encode_request(asked(), {.model = "rerank-2", .capabilities = &without});
  EXPECT_EQ(test::body_of(shorter), R"({"model":"rerank-2","query":"q","documents":["a","b"],"top_n":2})");
  EXPECT_EQ(shorter->notes.fidelity.header_value(), "dropped;/max_tokens_per_doc");
  Capabilities other;
  other.quirks.top_n_is_top_k = true;
  EXPECT_NE(test::body_of(
                openai_chat_provider().encode_request(asked(), {.model = "rerank-2", .capabilities = &other}))
                .find(R"("top_k":2)"),
            std::string::npos);
}

std::string ranked(std::string_view body) {
  const Headers headers;
  CallNotes notes;
  notes.operation = Operation::rerank;
  const auto events = openai_chat_provider().decode_answer({.headers = &headers, .body = body}, notes);
  if (!events) return std::string(to_string(events.error().kind));
  std::string out;
  for (const RerankAnswer::Hit& hit : std::get<RerankAnswer>(std::get<Payload>(events->front()).body).hits)
    out += fmt::format("{}:{} ", hit.index, hit.score);
  return out + test::describe(test::fold(*events).usage);
}

TEST(RerankProvider, ReadsTheShapesOfSeveralVendors) {
  EXPECT_EQ(ranked(R"({"results":[{"index":0,"relevance_score":0.5},{"index":1,"relevance_score":0.75}]})"),
            "1:0.75 0:0.5 ");
  EXPECT_EQ(ranked(R"({"data":[{"index":2,"relevance_score":1}],"usage":{"total_tokens":12}})"),
            "2:1  in=12");
  EXPECT_EQ(
      ranked(R"({"results":[{"index":0,"relevance_score":1}],"usage":{"prompt_tokens":3,"total_tokens":3}})"),
      "0:1  in=3");
  EXPECT_EQ(ranked(R"({"results":[{"index":0}]})"), "upstream_malformed");
  EXPECT_EQ(ranked("<html>"), "upstream_malformed");
}

TEST(RerankProvider, ReadsTheUnitsThatAreBilled) {
  const Headers headers;
  CallNotes notes;
  notes.operation = Operation::rerank;
  const auto events = openai_chat_provider().decode_answer(
      {.headers = &headers,
       .body = R"({"results":[{"index":0,"relevance_score":1}],"meta":{"billed_units":{"search_units":3}}})"},
      notes);
  ASSERT_TRUE(events);
  const Usage usage = test::fold(*events).usage;
  EXPECT_EQ(usage.search_units, 3);
  EXPECT_FALSE(usage.in_uncached) << "no tokens were stated";
}

TEST(RerankReplay, ReadsEveryRecordedRanking) {
  size_t count = 0;
  for (const std::string_view vendor : {"cohere", "voyage", "togetherai"}) {
    for (const test::Recording& recording :
         test::recordings(fmt::format("vercel-ai/{}/src/reranking", vendor))) {
      EXPECT_NE(ranked(recording.body).find(':'), std::string::npos) << recording.file;
      ++count;
    }
  }
  if (count == 0) GTEST_SKIP() << "the shared recordings are not here";
  EXPECT_EQ(count, 3U);
}

}  // namespace
}  // namespace weir
