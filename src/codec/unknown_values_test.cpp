// Values that a newer API of the client's own vendor may know: its bytes may pass, and whoever writes the
// request anew refuses.
#include <fmt/core.h>
#include <gtest/gtest.h>

#include "codec/anthropic_test_util.h"
#include "codec/codecs.h"
#include "codec/unused.h"

namespace weir {
namespace {

constexpr std::string_view kOpenAi = R"("model":"m","messages":[{"role":"user","content":"a"}])";
constexpr std::string_view kAnthropic =
    R"("model":"m","max_tokens":9,"messages":[{"role":"user","content":"a"}])";
constexpr std::string_view kResponses = R"("model":"m","input":"a")";
constexpr std::string_view kGemini = R"("contents":[{"parts":[{"text":"a"}]}])";
constexpr std::string_view kConverse = R"("messages":[{"role":"user","content":[{"text":"a"}]}])";

// A body of the dialect whose second half is `rest`.
Result<Request> decode(Dialect dialect, std::string_view start, std::string_view rest) {
  const std::string_view comma = start.empty() ? "" : ",";
  ClientCall call = test::client_call(dialect, fmt::format("{{{}{}{}}}", start, comma, rest));
  if (dialect == Dialect::gemini || dialect == Dialect::bedrock_converse) call.path_model = "m";
  return chat_client_codec(dialect, false).decode_request(call);
}

struct UnknownCase {
  Dialect dialect;
  std::string_view start;
  std::string_view rest;
  std::string_view path;
};

TEST(UnknownValues, AreLeftToTheClientsOwnVendor) {
  using enum Dialect;
  for (const auto& [dialect, start, rest, path] : {
           UnknownCase{openai_chat, kOpenAi, R"("tool_choice":"maybe")", "tool_choice"},
           UnknownCase{openai_chat, kOpenAi, R"("tool_choice":{"type":"mcp"})", "tool_choice.type"},
           UnknownCase{openai_chat, kOpenAi, R"("reasoning_effort":"default")", "reasoning_effort"},
           UnknownCase{openai_chat, kOpenAi, R"("response_format":{"type":"regex"})", "response_format.type"},
           UnknownCase{openai_chat, R"("model":"m")", R"("messages":[{"role":"king","content":"a"}])",
                       "messages[0].role"},
           UnknownCase{anthropic_messages, kAnthropic, R"("thinking":{"type":"deep"})", "thinking.type"},
           UnknownCase{anthropic_messages, kAnthropic, R"("output_config":{"effort":"ultra"})",
                       "output_config.effort"},
           UnknownCase{anthropic_messages, kAnthropic, R"("output_config":{"format":{"type":"xml"}})",
                       "output_config.format.type"},
           UnknownCase{anthropic_messages, kAnthropic, R"("tool_choice":{"type":"two"})", "tool_choice.type"},
           UnknownCase{anthropic_messages, R"("model":"m","max_tokens":9)",
                       R"("messages":[{"role":"king","content":"a"}])", "messages[0].role"},
           UnknownCase{bedrock_invoke, kAnthropic,
                       R"("anthropic_version":"bedrock-2023-05-31","thinking":{"type":"deep"})",
                       "thinking.type"},
           UnknownCase{openai_responses, kResponses, R"("tool_choice":"maybe")", "tool_choice"},
           UnknownCase{openai_responses, kResponses, R"("text":{"format":{"type":"xml"}})",
                       "text.format.type"},
           UnknownCase{openai_responses, kResponses, R"("reasoning":{"effort":"lots"})", "reasoning.effort"},
           UnknownCase{openai_responses, kResponses, R"("conversation":{"id":"conv_1"})", "conversation"},
           UnknownCase{openai_responses, kResponses, R"("instructions":[{"role":"user","content":"a"}])",
                       "instructions"},
           UnknownCase{openai_responses, R"("model":"m")", R"("input":[{"role":"king","content":"a"}])",
                       "input[0].role"},
           UnknownCase{gemini, kGemini, R"("generationConfig":{"thinkingConfig":{"thinkingLevel":"ULTRA"}})",
                       "generationConfig.thinkingConfig.thinkingLevel"},
           UnknownCase{gemini, "", R"("contents":[{"parts":[{"number":5}]}])", "contents[0].parts[0]"},
           UnknownCase{gemini, "", R"("contents":[{"role":"king","parts":[{"text":"a"}]}])",
                       "contents[0].role"},
           UnknownCase{bedrock_converse, kConverse, R"("outputConfig":{"textFormat":{"type":"xml"}})",
                       "outputConfig.textFormat.type"},
           UnknownCase{bedrock_converse, kConverse,
                       R"("toolConfig":{"tools":[],"toolChoice":{"several":{}}})", "toolConfig.toolChoice"},
           UnknownCase{bedrock_converse, "", R"("messages":[{"role":"king","content":[{"text":"a"}]}])",
                       "messages[0].role"},
           UnknownCase{bedrock_converse, "",
                       R"("messages":[{"role":"user","content":)"
                       R"([{"image":{"format":"jxl","source":{"bytes":"AAAA"}}}]}])",
                       "messages[0].content[0].image.format"},
       }) {
    const Result<Request> request = decode(dialect, start, rest);
    ASSERT_TRUE(request) << rest << ": " << request.error().message;
    const Chat& chat = std::get<Chat>(*request);
    ASSERT_TRUE(chat.only_raw) << rest;
    EXPECT_EQ(chat.only_raw->path, path) << rest;
    EXPECT_FALSE(chat.messages.empty()) << rest;
    const Result<void> refused = refuse_unknown_values(chat);
    ASSERT_FALSE(refused) << rest;
    EXPECT_EQ(refused.error().kind, ErrorKind::unsupported) << "another target may take it";
    EXPECT_EQ(refused.error().http_status(), 400);
  }
}

TEST(UnknownValues, LeaveTheRestOfTheRequestRead) {
  const Result<Request> request =
      decode(Dialect::openai_chat, R"("reasoning_effort":"default")",
             R"("tool_choice":"maybe","model":"m","seed":7,)"
             R"("messages":[{"role":"king","content":"a"},{"role":"user","content":"b"}])");
  ASSERT_TRUE(request);
  const Chat& chat = std::get<Chat>(*request);
  EXPECT_EQ(chat.only_raw->path, "reasoning_effort") << "the first is named";
  EXPECT_EQ(chat.seed, 7);
  ASSERT_EQ(chat.messages.size(), 2U);
  EXPECT_EQ(std::get<TextBlock>(chat.messages[0].content.at(0).body).text, "a");
}

TEST(UnknownValues, AreNotValuesOfAnotherType) {
  for (const auto& [dialect, start, rest] :
       {std::tuple{Dialect::openai_chat, kOpenAi, std::string_view(R"("reasoning_effort":5)")},
        std::tuple{Dialect::anthropic_messages, kAnthropic, std::string_view(R"("thinking":"deep")")},
        std::tuple{Dialect::openai_responses, kResponses, std::string_view(R"("instructions":5)")}}) {
    const Result<Request> request = decode(dialect, start, rest);
    ASSERT_FALSE(request) << rest;
    EXPECT_EQ(request.error().kind, ErrorKind::bad_request) << rest;
  }
  const Result<Request> request = decode(Dialect::openai_chat, kOpenAi, R"("tool_choice":"any")");
  ASSERT_TRUE(request);
  EXPECT_FALSE(std::get<Chat>(*request).only_raw) << "a word of another server that means the same";
  EXPECT_EQ(std::get<Chat>(*request).tool_choice->mode, ToolChoiceMode::required);
}

}  // namespace
}  // namespace weir
