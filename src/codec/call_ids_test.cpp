#include "codec/call_ids.h"

#include <fmt/core.h>
#include <gtest/gtest.h>
#include <set>

#include "codec/bedrock_test_util.h"
#include "codec/gemini.h"
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

// The ids that Weir gives to the calls of a client that sends none.
std::vector<std::string> ids_of(std::string_view calls) {
  const std::string body = fmt::format(
      R"({{"contents":[{{"role":"user","parts":[{{"text":"q"}}]}},{{"role":"model","parts":[{}]}}]}})",
      calls);
  const Result<Request> request = test::decode_with(gemini_generate_client(), body);
  EXPECT_TRUE(request) << request.error().message;
  std::vector<std::string> ids;
  for (const Block& block : std::get<Chat>(*request).messages.at(1).content) {
    const auto& call = std::get<ToolCallBlock>(block.body);
    ids.push_back(call.has_made_id ? std::string(call.id) : fmt::format("own {}", call.id));
  }
  return ids;
}

TEST(CallIds, AreOfWhatIsCalledWhereTheClientSendsNone) {
  const std::string berlin = R"({"functionCall":{"name":"f","args":{"at":"Berlin"}}})";
  const std::string rome = R"({"functionCall":{"name":"f","args":{"at":"Rome"}}})";
  const std::string other = R"({"functionCall":{"name":"g","args":{"at":"Rome"}}})";
  const auto ids = ids_of(berlin + "," + rome + "," + other + "," + rome);
  ASSERT_EQ(ids.size(), 4U);
  EXPECT_EQ((std::set<std::string>(ids.begin(), ids.end()).size()), 4U);
  EXPECT_EQ(ids_of(rome + "," + other), (std::vector<std::string>{ids[1], ids[2]}))
      << "whatever stood before";
  EXPECT_EQ(ids[3], ids[1] + "_1");
  EXPECT_LE(ids[3].size(), 40U);
  EXPECT_EQ(ids_of(R"({"functionCall":{"id":"x","name":"f","args":{}}})"),
            (std::vector<std::string>{"own x"}));
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
