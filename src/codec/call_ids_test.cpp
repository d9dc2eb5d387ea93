#include "codec/call_ids.h"

#include <gtest/gtest.h>

#include "codec/bedrock_test_util.h"
#include "codec/openai.h"

namespace weir {
namespace {

// The id that a provider's answer of that id has for a call without one: of a whole answer, of a stream.
std::string id_of_call(const std::string& answer_id, bool is_streamed) {
  const std::string call =
      R"("tool_calls":[{"index":0,"type":"function","function":{"name":"f","arguments":"{}"}}])";
  const std::string head =
      R"({"id":")" + answer_id + R"(","choices":[{"index":0,"finish_reason":"tool_calls",)";
  std::vector<Event> events;
  if (is_streamed) {
    const auto decoder = openai_chat_provider().stream_decoder({});
    EXPECT_TRUE(decoder->feed("data: " + head + R"("delta":{)" + call + "}}]}\n\ndata: [DONE]\n\n", events));
  } else {
    const Headers headers;
    auto decoded = openai_chat_provider().decode_answer(
        {.headers = &headers, .body = head + R"("message":{)" + call + "}}]}"}, {});
    EXPECT_TRUE(decoded);
    if (decoded) events = std::move(*decoded);
  }
  for (const Event& event : events) {
    if (const auto* started = std::get_if<BlockStart>(&event)) return started->tool_id;
  }
  return {};
}

TEST(CallIds, AreOfTheAnswerAndNotOfThePlaceAlone) {
  EXPECT_NE(id_of_call("chatcmpl-1", false), id_of_call("chatcmpl-2", false));
  EXPECT_EQ(id_of_call("chatcmpl-1", false), id_of_call("chatcmpl-1", true));
  EXPECT_LE(id_of_call("chatcmpl-1", true).size(), 40U);
}

TEST(CallIds, AreShortenedForChatWhereTheyAreTooLong) {
  const std::string id = "toolu_" + std::string(70, 'x');
  const std::string body =
      R"({"model":"m","max_tokens":9,"messages":[{"role":"user","content":"q"},{"role":"assistant","content":)"
      R"([{"type":"tool_use","id":")" +
      id +
      R"(","name":"f","input":{}}]},{"role":"user","content":)"
      R"([{"type":"tool_result","tool_use_id":")" +
      id + R"(","content":"r"}]}]})";
  const Result<Request> request = test::decode_with(anthropic_messages_client(), body);
  ASSERT_TRUE(request);
  const Capabilities any;
  const auto call = openai_chat_provider().encode_request(*request, {.model = "m", .capabilities = &any});
  ASSERT_TRUE(call) << call.error().message;
  EXPECT_EQ(call->wire.body.find(id), std::string::npos);
  const std::string short_id = short_call_id(id);
  EXPECT_LE(short_id.size(), 64U);
  EXPECT_NE(call->wire.body.find(R"("id":")" + short_id), std::string::npos) << call->wire.body;
  EXPECT_NE(call->wire.body.find(R"("tool_call_id":")" + short_id), std::string::npos);
}

}  // namespace
}  // namespace weir
