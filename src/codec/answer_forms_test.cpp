#include "codec/answer_forms.h"

#include <gtest/gtest.h>

#include "codec/codecs.h"
#include "codec/gemini_test_util.h"

namespace weir {
namespace {

// A vendor signs what it thought behind its last text: nothing that another vendor's clients can be given.
constexpr std::string_view kSigned =
    R"({"candidates":[{"content":{"parts":[{"text":"hello"},{"text":"","thoughtSignature":"c2ln"}]},)"
    R"("finishReason":"STOP"}]})";

std::vector<Event> events_of_signed() {
  const Headers headers;
  auto events = gemini_provider().decode_answer({.headers = &headers, .body = kSigned}, {});
  EXPECT_TRUE(events);
  return events ? std::move(*events) : std::vector<Event>{};
}

constexpr std::array kOthers = {Dialect::openai_chat, Dialect::openai_responses, Dialect::anthropic_messages,
                                Dialect::bedrock_converse};

TEST(AnswerForms, GiveNoEmptyThoughtForAnothersSignature) {
  const Request request = Chat{};
  const AnswerContext context{.exchange_id = "req_1", .request = &request};
  for (const Dialect dialect : kOthers) {
    AnswerFolder folder;
    const auto encoder = chat_client_codec(dialect, true).stream_encoder(context);
    std::string streamed;
    for (const Event& event : events_of_signed()) {
      folder.add(event);
      encoder->encode(event, streamed);
    }
    const std::string whole = chat_client_codec(dialect, false).encode_answer(folder.answer(), context).body;
    for (const std::string& text : {whole, streamed}) {
      EXPECT_NE(text.find("hello"), std::string::npos) << to_string(dialect);
      for (const std::string_view word :
           {"\"thinking\"", "reasoning_content", "\"reasoning\",", "\"type\":\"reasoning\"", "reasoningText"})
        EXPECT_EQ(text.find(word), std::string::npos) << to_string(dialect) << ": " << text;
    }
  }
}

TEST(AnswerForms, KeepASignatureForItsOwnClients) {
  EXPECT_TRUE(has_answer_form(
      Dialect::gemini, {.kind = BlockKind::thinking, .is_signature_only = true, .dialect = Dialect::gemini}));
  AnswerBlock block{.kind = BlockKind::thinking, .signature = "s", .dialect = Dialect::anthropic_messages};
  EXPECT_FALSE(is_empty_thought(Dialect::anthropic_messages, block));
  EXPECT_TRUE(is_empty_thought(Dialect::openai_responses, block));
  block.text = "I think";
  EXPECT_FALSE(is_empty_thought(Dialect::openai_responses, block));
}

}  // namespace
}  // namespace weir
