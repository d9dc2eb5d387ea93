#include "codec/openai_citations.h"

#include <gtest/gtest.h>

#include "codec/openai_responses_test_util.h"

namespace weir {
namespace {

constexpr std::string_view kFlat =
    R"({"type":"url_citation","url":"https://x.example","title":"t","start_index":0,"end_index":5})";
constexpr std::string_view kNested =
    R"({"type":"url_citation","url_citation":{"url":"https://x.example","title":"t","start_index":0,)"
    R"("end_index":5}})";

TEST(OpenAiCitations, SayTheSameInBothDialects) {
  EXPECT_EQ(openai_chat_citation(Dialect::openai_responses, kFlat), kNested);
  EXPECT_EQ(openai_responses_citation(Dialect::openai_chat, kNested), kFlat);
  EXPECT_EQ(openai_chat_citation(Dialect::openai_chat, kNested), kNested);
  EXPECT_EQ(openai_responses_citation(Dialect::openai_responses, kFlat), kFlat);
}

TEST(OpenAiCitations, HaveNoFormForThoseOfOthers) {
  EXPECT_EQ(openai_chat_citation(Dialect::openai_responses, R"({"type":"file_citation","file_id":"f"})"), "");
  EXPECT_EQ(openai_chat_citation(Dialect::anthropic_messages, R"({"type":"char_location"})"), "");
  EXPECT_EQ(openai_responses_citation(Dialect::gemini, "{}"), "");
  EXPECT_EQ(openai_responses_citation(Dialect::openai_chat, "not JSON"), "");
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

}  // namespace
}  // namespace weir
