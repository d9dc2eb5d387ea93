#include "codec/callers_words.h"

#include <array>
#include <gtest/gtest.h>
#include <span>

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

// What is no chat, or has no first message with content, has no field for it either.
TEST(CallersWords, NameWhatIsThereWhereNothingIs) {
  Chat empty;
  EXPECT_EQ(callers_pointer("/messages/1/content", Dialect::gemini, empty), "/contents/1/parts");
  empty.messages.push_back({.role = Role::system, .content = {}});
  EXPECT_EQ(callers_pointer("/messages/1/content", Dialect::gemini, empty), "/contents/1/parts");
  EXPECT_EQ(callers_pointer("/input", Dialect::openai_chat, Embed{}), "/input");
}

TEST(CallersWords, AreThoseOfErrorsAndRecords) {
  const Request request =
      asked(Dialect::gemini,
            R"({"contents":[{"parts":[{"text":"a"}]}],"generationConfig":{"candidateCount":2,"topK":3}})");
  const Capabilities plain;
  const TargetModel target{.model = "m", .capabilities = &plain};
  const auto refused = provider_codec(Dialect::anthropic_messages).encode_request(request, target);
  ASSERT_FALSE(refused);
  EXPECT_EQ(in_callers_words(refused.error(), Dialect::gemini, request).path,
            "generationConfig.candidateCount");
  const auto encoded = provider_codec(Dialect::openai_chat).encode_request(request, target);
  ASSERT_TRUE(encoded);
  EXPECT_EQ(in_callers_words(encoded->notes.fidelity, Dialect::gemini, request).header_value(),
            "dropped;/generationConfig/topK;3>");
  const Error error = make_error(ErrorKind::unsupported, "no", "messages[0].content[1]");
  EXPECT_EQ(in_callers_words(error, Dialect::gemini, request).path, "contents[0].parts[1]");
}

struct WordCase {
  std::string_view field;
  std::string_view place;
};

void expect_words(Dialect dialect, const Request& request, std::span<const WordCase> cases) {
  for (const auto& [field, place] : cases) {
    EXPECT_EQ(callers_pointer(field, dialect, request), place);
    EXPECT_EQ(callers_pointer(std::string(field) + "/1", dialect, request), std::string(place) + "/1");
  }
}

TEST(CallersWords, NameEveryFieldOfAnthropicsAndConverse) {
  const Request messages =
      asked(Dialect::anthropic_messages,
            R"({"model":"m","max_tokens":9,"messages":[{"role":"user","content":"a"}]})");
  constexpr std::array<WordCase, 9> kAnthropic = {{
      {"/stop", "/stop_sequences"},
      {"/user", "/metadata/user_id"},
      {"/response_format/schema", "/output_config/format/schema"},
      {"/response_format", "/output_config/format"},
      {"/reasoning_effort", "/thinking"},
      {"/reasoning", "/thinking"},
      {"/parallel_tool_calls", "/tool_choice/disable_parallel_tool_use"},
      {"/max_tokens", "/max_tokens"},
      {"/temperature", "/temperature"},
  }};
  expect_words(Dialect::anthropic_messages, messages, kAnthropic);
  expect_words(Dialect::bedrock_invoke, messages, kAnthropic);
  constexpr std::array<WordCase, 15> kConverse = {{
      {"/max_tokens", "/inferenceConfig/maxTokens"},
      {"/temperature", "/inferenceConfig/temperature"},
      {"/top_p", "/inferenceConfig/topP"},
      {"/stop", "/inferenceConfig/stopSequences"},
      {"/tools", "/toolConfig/tools"},
      {"/tool_choice", "/toolConfig/toolChoice"},
      {"/top_k", "/additionalModelRequestFields/top_k"},
      {"/thinking", "/additionalModelRequestFields"},
      {"/reasoning_effort", "/additionalModelRequestFields"},
      {"/reasoning", "/additionalModelRequestFields"},
      {"/response_format", "/outputConfig/textFormat"},
      {"/metadata", "/requestMetadata"},
      {"/user", "/requestMetadata/user"},
      {"/service_tier", "/serviceTier"},
      {"/seed", "/seed"},
  }};
  expect_words(Dialect::bedrock_converse,
               asked(Dialect::bedrock_converse, R"({"messages":[{"role":"user","content":[{"text":"a"}]}]})"),
               kConverse);
}

TEST(CallersWords, NameEveryFieldOfOpenAisAndGooglesDialects) {
  constexpr std::array<WordCase, 3> kChat = {{
      {"/reasoning", "/reasoning_effort"},
      {"/thinking", "/reasoning_effort"},
      {"/max_tokens", "/max_tokens"},
  }};
  expect_words(Dialect::openai_chat,
               asked(Dialect::openai_chat, R"({"model":"m","messages":[{"role":"user","content":"a"}]})"),
               kChat);
  constexpr std::array<WordCase, 7> kResponses = {{
      {"/max_tokens", "/max_output_tokens"},
      {"/response_format/schema", "/text/format/schema"},
      {"/response_format", "/text/format"},
      {"/verbosity", "/text/verbosity"},
      {"/reasoning_effort", "/reasoning"},
      {"/thinking", "/reasoning"},
      {"/top_p", "/top_p"},
  }};
  expect_words(Dialect::openai_responses, asked(Dialect::openai_responses, R"({"model":"m","input":"a"})"),
               kResponses);
  constexpr std::array<WordCase, 20> kGemini = {{
      {"/max_tokens", "/generationConfig/maxOutputTokens"},
      {"/temperature", "/generationConfig/temperature"},
      {"/top_p", "/generationConfig/topP"},
      {"/top_k", "/generationConfig/topK"},
      {"/seed", "/generationConfig/seed"},
      {"/stop", "/generationConfig/stopSequences"},
      {"/n", "/generationConfig/candidateCount"},
      {"/frequency_penalty", "/generationConfig/frequencyPenalty"},
      {"/presence_penalty", "/generationConfig/presencePenalty"},
      {"/logprobs", "/generationConfig/responseLogprobs"},
      {"/top_logprobs", "/generationConfig/logprobs"},
      {"/thinking", "/generationConfig/thinkingConfig"},
      {"/reasoning_effort", "/generationConfig/thinkingConfig"},
      {"/reasoning", "/generationConfig/thinkingConfig"},
      {"/response_format", "/generationConfig/responseSchema"},
      {"/tool_choice", "/toolConfig/functionCallingConfig"},
      {"/metadata", "/labels"},
      {"/user", "/labels/user"},
      {"/service_tier", "/serviceTier"},
      {"/verbosity", "/verbosity"},
  }};
  expect_words(Dialect::gemini, asked(Dialect::gemini, R"({"contents":[{"parts":[{"text":"a"}]}]})"),
               kGemini);
}

}  // namespace
}  // namespace weir
