// What Google's dialect says of results, tools and other vendors' content: read, and written again.
#include "codec/gemini_content.h"

#include <array>
#include <fmt/core.h>
#include <gtest/gtest.h>

#include "codec/gemini_encode.h"
#include "codec/gemini_test_util.h"
#include "codec/replay_test_util.h"

namespace weir {
namespace {

using test::body_of;

constexpr std::string_view kHi = R"("contents":[{"parts":[{"text":"hi"}]}])";

// "path kind" of a request that must not decode.
std::string refusal(std::string_view fields) {
  const Result<Request> request = test::decode_gemini(fmt::format("{{{}}}", fields));
  return request ? "carried" : fmt::format("{} {}", request.error().path, to_string(request.error().kind));
}

TEST(GeminiContent, NamesWhatIsNoObject) {
  EXPECT_EQ(refusal(R"("contents":[{"parts":[{"functionResponse":5}]}])"),
            "contents[0].parts[0].functionResponse bad_request");
  EXPECT_EQ(refusal(R"("contents":[{"parts":[{"functionResponse":{"name":"f","response":5}}]}])"),
            "contents[0].parts[0].functionResponse.response bad_request");
  EXPECT_EQ(refusal(fmt::format(R"({},"toolConfig":5)", kHi)), "toolConfig bad_request");
  EXPECT_EQ(refusal(fmt::format(R"({},"toolConfig":{{"functionCallingConfig":5}})", kHi)),
            "toolConfig.functionCallingConfig bad_request");
}

TEST(GeminiContent, TakesNullForNoChoiceOfTools) {
  EXPECT_EQ(refusal(fmt::format(R"({},"toolConfig":null)", kHi)), "carried");
  EXPECT_FALSE(test::gemini_chat(fmt::format(R"({{{},"toolConfig":{{"functionCallingConfig":null}}}})", kHi))
                   .tool_choice);
}

TEST(GeminiContent, OffersFunctionsAndToolsOfTheVendorOnce) {
  const std::string tools =
      R"("tools":[{"functionDeclarations":[{"name":"f","description":"d"}]},{"googleSearch":{}}])";
  EXPECT_NE(body_of(test::to_gemini(test::gemini_chat(fmt::format("{{{},{}}}", kHi, tools)))).find(tools),
            std::string::npos);
}

TEST(GeminiContent, ReportsBlocksThatOnlyAnotherVendorReads) {
  const auto call = test::to_gemini(test::messages_chat(
      R"({"model":"m","max_tokens":9,"messages":[{"role":"user","content":[{"type":"text","text":"hi"},)"
      R"({"type":"container_upload","file_id":"f"}]}]})"));
  EXPECT_EQ(body_of(call).find("container_upload"), std::string::npos);
  ASSERT_TRUE(call) << call.error().message;
  const auto& records = call->notes.fidelity.records();
  ASSERT_FALSE(records.empty());
  EXPECT_EQ(records[0].reason, LossReason::unsupported_block);
  EXPECT_EQ(records[0].from, "container_upload");
}

TEST(GeminiContent, NotesWhetherTheAnswerStreams) {
  for (const bool is_streamed : {false, true}) {
    const auto call = test::openai_to_gemini(fmt::format(
        R"({{"model":"m","stream":{},"messages":[{{"role":"user","content":"hi"}}]}})", is_streamed));
    ASSERT_TRUE(call) << call.error().message;
    EXPECT_EQ(call->notes.is_streamed, is_streamed);
    EXPECT_EQ(call->wire.headers.get_or("accept", ""),
              is_streamed ? "text/event-stream" : "application/json");
  }
}

std::string streamed(const std::vector<Event>& events) {
  static const Request request = Chat{};
  const AnswerContext context = test::answer_context(request);
  return test::encode_stream(*make_gemini_stream_encoder(context, GeminiFraming::events), events);
}

TEST(GeminiContent, EveryChunkOfAStreamNamesModelAndAnswer) {
  const std::string out = streamed(
      {Start{.id = "r", .model = "up"}, BlockStart{}, Delta{.text = "a"}, BlockEnd{}, Finish{}, End{}});
  size_t chunks = 0;
  for (const std::string_view line : test::split_on(out, '\n')) {
    if (!line.starts_with("data: ")) continue;
    ++chunks;
    EXPECT_NE(line.find(R"("modelVersion":"up","responseId":"r"})"), std::string::npos) << line;
  }
  EXPECT_EQ(chunks, 2U);
}

TEST(GeminiContent, StreamsNoCallThatTheVendorAnsweredItself) {
  const std::string out = streamed({Start{},
                                    BlockStart{.kind = BlockKind::tool_call,
                                               .tool_id = "s",
                                               .tool_name = "web_search",
                                               .tool_kind = ToolKind::server},
                                    Delta{.text = "{}"}, BlockEnd{}, Finish{}, End{}});
  EXPECT_EQ(out.find("functionCall"), std::string::npos) << out;
}

TEST(GeminiContent, EscapesEverythingThatTheSdksTakeForALinesEnd) {
  constexpr std::array<std::pair<std::string_view, std::string_view>, 3> kCases = {{
      {"\xC2\x85", R"(a\u0085b)"},
      {"\xE2\x80\xA8", R"(a\u2028b)"},
      {"\xE2\x80\xA9", R"(a\u2029b)"},
  }};
  for (const auto& [bytes, escaped] : kCases) {
    const std::string text = fmt::format("a{}b", bytes);
    EXPECT_NE(streamed({Start{}, BlockStart{}, Delta{.text = text}, BlockEnd{}, Finish{}, End{}})
                  .find(fmt::format(R"("text":"{}")", escaped)),
              std::string::npos)
        << escaped;
  }
}

TEST(GeminiContent, PutsWhatCameOnSeveralLinesOnOne) {
  const std::string out = streamed({Start{},
                                    BlockStart{.kind = BlockKind::unknown,
                                               .data = "{\"executableCode\":\r\n{\"code\":\"1\"}\n}",
                                               .dialect = Dialect::gemini},
                                    BlockEnd{}, Finish{}, End{}});
  EXPECT_NE(out.find(R"({"executableCode":{"code":"1"}})"), std::string::npos) << out;
}

}  // namespace
}  // namespace weir
