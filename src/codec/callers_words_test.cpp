#include "codec/callers_words.h"

#include <gtest/gtest.h>

#include "codec/codecs.h"

namespace weir {
namespace {

Request asked(Dialect dialect, std::string body) {
  ClientCall call;
  call.dialect = dialect;
  call.path_model = "m";
  call.body = std::make_shared<const JsonDoc>(JsonDoc::parse(std::move(body)).value());
  auto request = chat_client_codec(dialect, false).decode_request(call);
  EXPECT_TRUE(request) << (request ? "" : request.error().message);
  return request ? std::move(*request) : Request{};
}

TEST(CallersWords, NameTheClientsOwnFields) {
  const Request gemini = asked(Dialect::gemini, R"({"contents":[{"parts":[{"text":"a"}]}]})");
  const auto named = [&](std::string_view pointer) {
    return callers_pointer(pointer, Dialect::gemini, gemini);
  };
  EXPECT_EQ(named("/messages/0/content"), "/contents/0/parts");
  EXPECT_EQ(named("/messages/0/content/2"), "/contents/0/parts/2");
  EXPECT_EQ(named("/messages"), "/contents");
  EXPECT_EQ(named("/max_tokens"), "/generationConfig/maxOutputTokens");
  EXPECT_EQ(named("/reasoning_effort"), "/generationConfig/thinkingConfig");
  EXPECT_EQ(named("/tools/1/parameters"), "/tools/1/parameters");
  EXPECT_EQ(named("/no_such"), "/no_such");
  EXPECT_EQ(named("/stopping"), "/stopping");
}

// The text of a field of its own is the first message of the IR, and the others are counted from behind it.
TEST(CallersWords, CountMessagesAsTheClientDoes) {
  struct Row {
    Dialect dialect;
    std::string_view body;
    std::string_view system;
    std::string_view first;
  };
  for (const Row& row :
       {Row{Dialect::gemini,
            R"({"systemInstruction":{"parts":[{"text":"s"}]},"contents":[{"parts":[{"text":"a"}]}]})",
            "/systemInstruction", "/contents/0/parts"},
        Row{Dialect::anthropic_messages,
            R"({"model":"m","max_tokens":9,"system":"s","messages":[{"role":"user","content":"a"}]})",
            "/system", "/messages/0/content"},
        Row{Dialect::bedrock_converse,
            R"({"system":[{"text":"s"}],"messages":[{"role":"user","content":[{"text":"a"}]}]})", "/system",
            "/messages/0/content"},
        Row{Dialect::openai_responses, R"({"model":"m","instructions":"s","input":"a"})", "/instructions",
            "/input"}}) {
    const Request request = asked(row.dialect, std::string(row.body));
    EXPECT_EQ(callers_pointer("/messages/0/content", row.dialect, request), row.system);
    EXPECT_EQ(callers_pointer("/messages/1/content", row.dialect, request), row.first);
  }
  const Request chat =
      asked(Dialect::openai_chat,
            R"({"model":"m","messages":[{"role":"system","content":"s"},{"role":"user","content":"a"}]})");
  EXPECT_EQ(callers_pointer("/messages/1/content", Dialect::openai_chat, chat), "/messages/1/content");
}

TEST(CallersWords, AreThoseOfErrorsAndRecords) {
  const Request request =
      asked(Dialect::gemini,
            R"({"contents":[{"parts":[{"text":"a"}]}],"generationConfig":{"candidateCount":2,"topK":3}})");
  const Capabilities plain;
  const TargetModel target{.model = "m", .capabilities = &plain};
  const auto refused = in_callers_words(
      provider_codec(Dialect::anthropic_messages).encode_request(request, target), Dialect::gemini, request);
  ASSERT_FALSE(refused);
  EXPECT_EQ(refused.error().path, "generationConfig.candidateCount");
  const auto encoded = in_callers_words(provider_codec(Dialect::openai_chat).encode_request(request, target),
                                        Dialect::gemini, request);
  ASSERT_TRUE(encoded);
  EXPECT_EQ(encoded->notes.fidelity.header_value(), "dropped;/generationConfig/topK;3>");
  EncodedCall call;
  const auto error = in_callers_words(fail(ErrorKind::unsupported, "no", "messages[0].content[1]"),
                                      Dialect::gemini, request);
  ASSERT_FALSE(error);
  EXPECT_EQ(error.error().path, "contents[0].parts[1]");
}

}  // namespace
}  // namespace weir
