// Requests from before there were tools, and what their callers read.
#include <gtest/gtest.h>

#include "codec/bedrock_test_util.h"
#include "codec/openai.h"

namespace weir {
namespace {

constexpr std::string_view kBody =
    R"({"model":"m","max_tokens":9,"messages":[{"role":"user","content":"q"}],"functions":[{"name":"f"}]})";

std::vector<Event> called() {
  return {Start{.id = "chatcmpl-1"},
          BlockStart{.kind = BlockKind::tool_call, .tool_id = "c", .tool_name = "f"},
          Delta{.text = R"({"a":1})"},
          BlockEnd{},
          Finish{.reason = StopReason::tool},
          End{}};
}

TEST(LegacyFunctions, GetAFunctionCallWholeAndStreamed) {
  const Result<Request> request = test::decode_with(openai_chat_client(), std::string(kBody));
  ASSERT_TRUE(request);
  const AnswerContext context{.exchange_id = "req_1", .request = &*request};
  AnswerFolder folder;
  std::string streamed;
  const auto encoder = openai_chat_client().stream_encoder(context);
  for (const Event& event : called()) {
    folder.add(event);
    encoder->encode(event, streamed);
  }
  const std::string whole = openai_chat_client().encode_answer(folder.answer(), context).body;
  EXPECT_NE(whole.find(R"("function_call":{"name":"f","arguments":"{\"a\":1}"})"), std::string::npos)
      << whole;
  EXPECT_NE(whole.find(R"("finish_reason":"function_call")"), std::string::npos);
  EXPECT_NE(streamed.find(R"("function_call":{"name":"f","arguments":""})"), std::string::npos) << streamed;
  EXPECT_NE(streamed.find(R"("function_call":{"arguments":"{\"a\":1}"})"), std::string::npos) << streamed;
  EXPECT_NE(streamed.find(R"("finish_reason":"function_call")"), std::string::npos);
  for (const std::string& text : {whole, streamed}) EXPECT_EQ(text.find("tool_calls"), std::string::npos);
}

TEST(LegacyFunctions, AreCalledOneAtATime) {
  const Result<Request> request = test::decode_with(openai_chat_client(), std::string(kBody));
  ASSERT_TRUE(request);
  EXPECT_EQ(std::get<Chat>(*request).parallel_tools, false);
}

TEST(LegacyFunctions, StreamTheFirstCallAlone) {
  const Result<Request> request = test::decode_with(openai_chat_client(), std::string(kBody));
  ASSERT_TRUE(request);
  const AnswerContext context{.exchange_id = "req_1", .request = &*request};
  std::vector<Event> events = called();
  events.insert(events.end() - 2,
                {BlockStart{.index = 1, .kind = BlockKind::tool_call, .tool_id = "d", .tool_name = "g"},
                 Delta{.index = 1, .text = R"({"b":2})"}, BlockEnd{.index = 1}});
  std::string streamed;
  const auto encoder = openai_chat_client().stream_encoder(context);
  for (const Event& event : events) encoder->encode(event, streamed);
  EXPECT_NE(streamed.find(R"("name":"f")"), std::string::npos) << streamed;
  EXPECT_EQ(streamed.find(R"("name":"g")"), std::string::npos) << streamed;
  EXPECT_EQ(streamed.find("b\\\":2"), std::string::npos) << streamed;
}

TEST(LegacyFunctions, GetTheCallBehindAText) {
  const Result<Request> request = test::decode_with(openai_chat_client(), std::string(kBody));
  ASSERT_TRUE(request);
  AnswerFolder folder;
  for (const Event& event :
       {Event(Start{}), Event(BlockStart{}), Event(Delta{.text = "I look."}), Event(BlockEnd{}),
        Event(BlockStart{.index = 1, .kind = BlockKind::tool_call, .tool_id = "c", .tool_name = "f"}),
        Event(BlockEnd{.index = 1}), Event(Finish{.reason = StopReason::tool}), Event(End{})})
    folder.add(event);
  const AnswerContext context{.exchange_id = "req_1", .request = &*request};
  const std::string whole = openai_chat_client().encode_answer(folder.answer(), context).body;
  EXPECT_NE(whole.find(R"("function_call":{"name":"f","arguments":"{}"})"), std::string::npos) << whole;
}

}  // namespace
}  // namespace weir
