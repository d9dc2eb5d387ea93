#include "codec/body_shape.h"

#include <fmt/core.h>
#include <gtest/gtest.h>

#include "codec/bedrock_test_util.h"
#include "codec/codecs.h"
#include "codec/gemini_test_util.h"
#include "codec/openai.h"
#include "codec/openai_responses_test_util.h"

namespace weir {
namespace {

// The places of what is dropped when a body is written for a target.
std::string dropped(const ClientCodec& client, std::string body, Dialect target) {
  const Result<Request> request = test::decode_with(client, std::move(body));
  if (!request) return request.error().message;
  const Capabilities any;
  const auto call = provider_codec(target).encode_request(
      *request, {.model = "anthropic.claude-3-5-sonnet-20241022-v2:0", .capabilities = &any});
  if (!call) return call.error().message;
  std::string places;
  for (const FidelityRecord& record : call->notes.fidelity.records()) {
    if (record.reason == LossReason::dropped) places += record.pointer + record.from + "\n";
  }
  return places;
}

TEST(BodyShape, TellsOfMembersOfChatMessagesThatNobodyReads) {
  const std::string body =
      R"({"model":"m","max_tokens":9,"messages":[{"role":"user","content":[{"type":"text","text":"q","hue":1}],)"
      R"("cache_control":{"type":"ephemeral"}},{"role":"assistant","audio":{"id":"a"},"refusal":null,)"
      R"("annotations":[],"extra":[]},{"role":"user","content":"go"}],"tools":[{"type":"function",)"
      R"("function":{"name":"f","parameters":{"type":"object","x":1},"returns":{}}}]})";
  EXPECT_EQ(dropped(openai_chat_client(), body, Dialect::anthropic_messages),
            "/messages/0/content/0/hue\n/messages/0/cache_control\n/messages/1/audio\n"
            "/tools/0/function/returns\n");
}

TEST(BodyShape, TellsOfMembersOfAnthropicsBodiesThatNobodyReads) {
  const std::string body =
      R"({"model":"m","max_tokens":9,"metadata":{"team":"t"},"thinking":{"type":"disabled","pace":1},)"
      R"("system":[{"type":"text","text":"s","hue":1}],"messages":[{"role":"user","content":[{"type":"image",)"
      R"("source":{"type":"url","url":"https://a.b/c.png","crop":2}}]},{"role":"assistant","content":[)"
      R"({"type":"tool_use","id":"t","name":"f","input":{"any":1},"caller":{"type":"direct"}}]},)"
      R"({"role":"user","content":[{"type":"tool_result","tool_use_id":"t","content":[{"type":"text",)"
      R"("text":"r","rank":1}]}]}],"tools":[{"name":"f","input_schema":{"type":"object"},)"
      R"("defer_loading":true,"input_examples":[{}]}]})";
  EXPECT_EQ(dropped(anthropic_messages_client(), body, Dialect::openai_chat),
            "/metadata\n/thinking/pace\n/system/0/hue\n/messages/0/content/0/source/crop\n"
            "/messages/2/content/0/content/0/rank\n/tools/0/defer_loading\n/tools/0/input_examples\n");
  // Its own dialect gets a tool as it came.
  const std::string tool = R"({"model":"m","max_tokens":9,"messages":[{"role":"user","content":"q"}],)"
                           R"("tools":[{"name":"f","input_schema":{"type":"object"},"defer_loading":true}]})";
  EXPECT_EQ(dropped(anthropic_messages_client(), tool, Dialect::anthropic_messages), "");
}

TEST(BodyShape, TellsOfMembersOfResponsesThatNobodyReads) {
  const std::string body =
      R"({"model":"m","input":[{"role":"assistant","content":[{"type":"output_text","text":"a",)"
      R"("annotations":[],"hue":1}],"phase":"final","id":"msg_1","status":"completed"},)"
      R"({"role":"user","content":"q"}],"text":{"verbosity":"low","tone":"dry"}})";
  EXPECT_EQ(dropped(openai_responses_client(), body, Dialect::openai_chat),
            "/input/0/content/0/hue\n/input/0/phase\n/text/tone\n");
  EXPECT_EQ(dropped(openai_responses_client(),
                    R"({"model":"m","input":[{"role":"user","content":"q"},{"type":"reasoning","id":"rs_1",)"
                    R"("summary":[{"type":"summary_text","text":"s","hue":1}],"mood":"dry"}]})",
                    Dialect::openai_chat),
            "/input/1/summary/0/hue\n/input/1/mood\n");
  EXPECT_EQ(dropped(openai_responses_client(),
                    R"({"model":"m","input":[{"role":"user","content":"q"},{"type":"function_call",)"
                    R"("call_id":"c","name":"f","arguments":"{}","hue":1},{"type":"function_call_output",)"
                    R"("call_id":"c","output":"r","mood":"dry"}]})",
                    Dialect::openai_chat),
            "/input/1/hue\n/input/2/mood\n");
  EXPECT_EQ(dropped(openai_responses_client(),
                    R"({"model":"m","input":"q","tools":[{"type":"function","name":"f","parameters":)"
                    R"({"type":"object"},"strict":false,"hue":1}]})",
                    Dialect::openai_chat),
            "/tools/0/hue\n");
}

TEST(BodyShape, TellsOfMembersOfGooglesBodiesInBothSpellings) {
  const std::string body =
      R"({"contents":[{"role":"user","parts":[{"inline_data":{"mime_type":"image/png","data":"AAAA"},)"
      R"("media_resolution":{"level":"MEDIA_RESOLUTION_MEDIUM"}},{"executableCode":{"code":"x"}}]}],)"
      R"("tools":[{"function_declarations":[{"name":"f","behavior":"NON_BLOCKING"}]}],)"
      R"("toolConfig":{"functionCallingConfig":{"mode":"AUTO","streamFunctionCallArguments":true}}})";
  EXPECT_EQ(dropped(gemini_generate_client(), body, Dialect::openai_chat),
            "/contents/0/parts/0/media_resolution/level\n/tools/0/function_declarations/0/behavior\n"
            "/toolConfig/functionCallingConfig/streamFunctionCallArguments\n");
}

TEST(BodyShape, TellsOfMembersOfConverseThatNobodyReads) {
  const std::string body =
      R"({"messages":[{"role":"user","content":[{"image":{"format":"png","source":{"bytes":"AAAA"},)"
      R"("crop":1}}],"at":2}],"toolConfig":{"tools":[{"toolSpec":{"name":"f","hue":1,)"
      R"("inputSchema":{"json":{"type":"object"}}}}],"mode":"x"}})";
  EXPECT_EQ(dropped(bedrock_converse_client(), body, Dialect::openai_chat),
            "/messages/0/content/0/image/crop\n/messages/0/at\n/toolConfig/tools/0/toolSpec/hue\n"
            "/toolConfig/mode\n");
}

TEST(BodyShape, LeavesNameAndDescriptionOfTheFormatToThoseThatTakeThem) {
  const std::string body =
      R"({"model":"m","max_tokens":9,"messages":[{"role":"user","content":"q"}],"response_format":{"type":)"
      R"("json_schema","json_schema":{"name":"n","description":"d","schema":{"type":"object",)"
      R"("properties":{},"additionalProperties":false}}}})";
  EXPECT_EQ(dropped(openai_chat_client(), body, Dialect::anthropic_messages),
            "/response_format/name\n/response_format/description\n");
  EXPECT_EQ(dropped(openai_chat_client(), body, Dialect::gemini),
            "/response_format/name\n/response_format/description\n");
  EXPECT_EQ(dropped(openai_chat_client(), body, Dialect::openai_responses), "");
}

TEST(BodyShape, CountsWhatIsBeyondTheFirstPlaces) {
  std::string body = R"({"model":"m","messages":[)";
  for (int at = 0; at < 20; ++at)
    body += fmt::format(R"({}{{"role":"user","content":"q","hue":1}})", at > 0 ? "," : "");
  const std::string places = dropped(openai_chat_client(), body + "]}", Dialect::openai_chat);
  EXPECT_TRUE(places.ends_with("/messages/15/hue\n/4 more members\n")) << places;
}

}  // namespace
}  // namespace weir
