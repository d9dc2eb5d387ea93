#include "codec/gemini_embeddings.h"

#include <array>
#include <fmt/core.h>
#include <gtest/gtest.h>

#include "codec/gemini_test_util.h"

namespace weir {
namespace {

using test::gemini_call;

struct PurposeCase {
  std::string_view task;
  std::string_view purpose;
};

TEST(GeminiEmbeddings, NameEveryPurposeInBothVocabularies) {
  constexpr std::array<PurposeCase, 4> kCases = {{
      {"RETRIEVAL_QUERY", "search_query"},
      {"RETRIEVAL_DOCUMENT", "search_document"},
      {"CLASSIFICATION", "classification"},
      {"CLUSTERING", "clustering"},
  }};
  for (const auto& [task, purpose] : kCases) {
    const auto request = gemini_embed_client().decode_request(
        gemini_call(fmt::format(R"({{"content":{{"parts":[{{"text":"a"}}]}},"taskType":"{}"}})", task)));
    ASSERT_TRUE(request) << request.error().message;
    EXPECT_EQ(std::get<Embed>(*request).purpose, purpose);
    Embed embed;
    embed.inputs = {"a"};
    embed.purpose = purpose;
    const auto call = test::to_gemini(embed);
    EXPECT_NE(test::body_of(call).find(fmt::format(R"("taskType":"{}")", task)), std::string::npos)
        << test::body_of(call);
    EXPECT_TRUE(call->notes.fidelity.empty());
  }
}

TEST(GeminiEmbeddings, PassOnATaskOfTheDialectsOwnAndReportAForeignPurpose) {
  const auto request = gemini_embed_client().decode_request(
      gemini_call(R"({"content":{"parts":[{"text":"a"}]},"taskType":"FACT_VERIFICATION"})"));
  ASSERT_TRUE(request) << request.error().message;
  EXPECT_EQ(std::get<Embed>(*request).purpose, "");
  EXPECT_NE(test::body_of(test::to_gemini(*request)).find(R"("taskType":"FACT_VERIFICATION")"),
            std::string::npos);
  Embed embed;
  embed.inputs = {"a"};
  embed.purpose = "image";
  const auto call = test::to_gemini(embed);
  EXPECT_EQ(test::body_of(call).find("taskType"), std::string::npos);
  EXPECT_EQ(test::records_of(call).substr(0, 7), "dropped");
}

TEST(GeminiEmbeddings, TellOfAPurposeAndATitleThatTheTargetDoesNotTake) {
  const auto request = gemini_embed_client().decode_request(
      gemini_call(R"({"content":{"parts":[{"text":"a"}]},"taskType":"RETRIEVAL_DOCUMENT","title":"t"})"));
  ASSERT_TRUE(request) << request.error().message;
  const Capabilities any;
  const auto call = openai_chat_provider().encode_request(*request, {.model = "e", .capabilities = &any});
  ASSERT_TRUE(call) << call.error().message;
  EXPECT_EQ(call->notes.fidelity.header_value(), "dropped;/purpose;search_document>, dropped;/title");
}

TEST(GeminiEmbeddings, ReadATextWhateverItsForm) {
  const auto input = [](std::string content) {
    const auto request =
        gemini_embed_client().decode_request(gemini_call(R"({"content":)" + std::move(content) + "}"));
    return request ? std::string(std::get<Embed>(*request).inputs.at(0)) : request.error().path;
  };
  EXPECT_EQ(input(R"("a")"), "a");
  EXPECT_EQ(input(R"({"parts":{"text":"a"}})"), "a");
  EXPECT_EQ(input(R"({"parts":[{"text":"a"},{"text":"b"}]})"), "a\nb");
  EXPECT_EQ(input(R"({"parts":[]})"), "content");
  EXPECT_EQ(input(R"({"parts":[{"text":"a"},{"inlineData":{}}]})"), "content.parts[1]");
}

// The settings of the first request are those of all.
TEST(GeminiEmbeddings, ReadABatchAndRefuseWhatIsNone) {
  const auto read = [](std::string body) {
    return gemini_batch_embed_client().decode_request(gemini_call(std::move(body)));
  };
  const auto request = read(R"({"requests":[
      {"content":"a","embedContentConfig":{"taskType":"CLUSTERING","outputDimensionality":3}},
      {"content":"b","taskType":"CLASSIFICATION","outputDimensionality":9}]})");
  ASSERT_TRUE(request) << request.error().message;
  const auto& embed = std::get<Embed>(*request);
  EXPECT_EQ(embed.purpose, "clustering");
  EXPECT_EQ(embed.dimensions, 3);
  const auto sent = test::to_gemini(*request);
  EXPECT_EQ(test::body_of(sent).find("requests."), std::string::npos);
  EXPECT_EQ(test::records_of(sent), "dropped;/requests.outputDimensionality, dropped;/requests.taskType");
  const auto alike = read(R"({"requests":[{"content":"a","taskType":"CLUSTERING","title":"t"},
      {"content":"b","task_type":"CLUSTERING","title":"t"}]})");
  ASSERT_TRUE(alike);
  EXPECT_EQ(test::records_of(test::to_gemini(*alike)), "");
  const auto silent = read(R"({"requests":[{"content":"a","taskType":"CLUSTERING"},{"content":"b"}]})");
  ASSERT_TRUE(silent);
  EXPECT_EQ(test::records_of(test::to_gemini(*silent)), "dropped;/requests.taskType");
  for (const std::string body : {R"({})", R"({"requests":[]})", R"({"requests":{}})", R"({"requests":[1]})"})
    EXPECT_FALSE(read(body)) << body;
}

}  // namespace
}  // namespace weir
