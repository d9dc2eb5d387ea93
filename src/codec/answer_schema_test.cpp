// Formats whose root is no object: wrapped for each target, and its answers unwrapped.
#include "codec/answer_schema.h"

#include "codec/anthropic_test_util.h"
#include "codec/bedrock_test_util.h"
#include "codec/codecs.h"
#include "codec/gemini_test_util.h"
#include "codec/replay_test_util.h"

namespace weir {
namespace {

constexpr std::string_view kWrapped =
    R"({"type":"object","properties":{"value":{"type":"array","items":{"type":"string"}}},"required":["value"])";
// What a target answers, whole and streamed: {"value": ["a"]}.
constexpr std::string_view kRestored = R"(["a"])";

Result<EncodedCall> ask_for_array(Dialect dialect, JsonSchemaSupport support, bool is_strict = false) {
  const Chat chat = test::openai_chat(fmt::format(
      R"({{"model":"m","messages":[{{"role":"user","content":"hi"}}],"response_format":{{"type":"json_schema",)"
      R"("json_schema":{{"name":"n","strict":{},"schema":{{"type":"array","items":{{"type":"string"}}}}}}}}}})",
      is_strict));
  const Capabilities capabilities = test::caps(&Capabilities::json_schema, support);
  const std::string_view model = dialect == Dialect::openai_chat ? "gpt" : test::kClaude;
  return provider_codec(dialect).encode_request(chat, {.model = model, .capabilities = &capabilities});
}

std::string text_of(const Result<std::vector<Event>>& events) {
  if (!events) return events.error().message;
  const Answer answer = test::fold(*events);
  return answer.choices.size() == 1 && answer.choices[0].blocks.size() == 1 ? answer.choices[0].blocks[0].text
                                                                            : test::describe(*events);
}

std::string whole(Dialect dialect, const CallNotes& notes, std::string_view body) {
  const Headers headers;
  return text_of(provider_codec(dialect).decode_answer({.headers = &headers, .body = body}, notes));
}

// In any cut.
std::string streamed(Dialect dialect, const CallNotes& notes, std::string_view body) {
  const auto decoder = provider_codec(dialect).stream_decoder(notes);
  const auto fresh = decoder->clone();
  const test::Decoded decoded = test::decode_whole(*decoder, body);
  test::expect_same_however_cut(*fresh, body, decoded);
  return decoded.error + text_of(decoded.events);
}

void expect_wrapped(const Result<EncodedCall>& call, std::string_view where, std::string_view end) {
  ASSERT_TRUE(call) << call.error().message;
  const std::string expected = fmt::format("{}{}{}", where, kWrapped, end);
  EXPECT_NE(call->wire.body.find(expected), std::string::npos) << call->wire.body << "\n" << expected;
  EXPECT_NE(call->notes.fidelity.header_value().find(
                "schema_downleveled;/response_format/schema;a_root_that_is_no_object>an_object_with_value"),
            std::string::npos)
      << call->notes.fidelity.header_value();
}

TEST(AnswerSchema, WrapsAndUnwrapsForAnthropicsOwnFormat) {
  const auto call = ask_for_array(Dialect::anthropic_messages, JsonSchemaSupport::native);
  expect_wrapped(call, R"("schema":)", R"(,"additionalProperties":false})");
  EXPECT_EQ(whole(Dialect::anthropic_messages, call->notes,
                  R"({"content":[{"type":"text","text":"{\"value\": [\"a\"]}"}],"stop_reason":"end_turn"})"),
            kRestored);
  EXPECT_EQ(
      streamed(
          Dialect::anthropic_messages, call->notes,
          "data: "
          R"({"type":"content_block_start","index":0,"content_block":{"type":"text","text":""}})"
          "\n\ndata: "
          R"({"type":"content_block_delta","index":0,"delta":{"type":"text_delta","text":"{\"value\": [\"a"}})"
          "\n\ndata: "
          R"({"type":"content_block_delta","index":0,"delta":{"type":"text_delta","text":"\"]}"}})"
          "\n\ndata: "
          R"({"type":"message_delta","delta":{"stop_reason":"end_turn"}})"
          "\n\ndata: "
          R"({"type":"message_stop"})"
          "\n\n"),
      kRestored);
}

TEST(AnswerSchema, WrapsAndUnwrapsTheForcedTool) {
  const auto messages = ask_for_array(Dialect::anthropic_messages, JsonSchemaSupport::tool);
  expect_wrapped(messages, R"("input_schema":)", "}");
  EXPECT_EQ(whole(Dialect::anthropic_messages, messages->notes,
                  R"({"content":[{"type":"tool_use","id":"t","name":"json_output","input":{"value":["a"]}}],)"
                  R"("stop_reason":"tool_use"})"),
            kRestored);
  const auto invoke = ask_for_array(Dialect::bedrock_invoke, JsonSchemaSupport::tool);
  expect_wrapped(invoke, R"("input_schema":)", "}");
  EXPECT_EQ(whole(Dialect::bedrock_invoke, invoke->notes,
                  R"({"type":"message","content":[{"type":"tool_use","id":"t","name":"json_output",)"
                  R"("input":{"value":["a"]}}],"stop_reason":"tool_use"})"),
            kRestored);
}

TEST(AnswerSchema, WrapsAndUnwrapsForConverse) {
  const auto forced = ask_for_array(Dialect::bedrock_converse, JsonSchemaSupport::tool);
  expect_wrapped(forced, R"("inputSchema":{"json":)", "}");
  EXPECT_EQ(whole(Dialect::bedrock_converse, forced->notes,
                  R"({"output":{"message":{"content":[{"toolUse":{"toolUseId":"t","name":"json_output",)"
                  R"("input":{"value":["a"]}}}]}},"stopReason":"tool_use"})"),
            kRestored);
  const auto native = ask_for_array(Dialect::bedrock_converse, JsonSchemaSupport::native);
  EXPECT_NE(test::body_of(native).find(R"("schema":"{\"type\":\"object\",\"properties\":{\"value\":{)"),
            std::string::npos)
      << test::body_of(native);
  EXPECT_EQ(streamed(Dialect::bedrock_converse, native->notes,
                     test::frames({{"messageStart", R"({"role":"assistant"})"},
                                   {"contentBlockDelta",
                                    R"({"contentBlockIndex":0,"delta":{"text":"{\"value\":[\"a\"]}"}})"},
                                   {"contentBlockStop", R"({"contentBlockIndex":0})"},
                                   {"messageStop", R"({"stopReason":"end_turn"})"}})),
            kRestored);
}

TEST(AnswerSchema, WrapsAndUnwrapsForChatCompletions) {
  const auto loose = ask_for_array(Dialect::openai_chat, JsonSchemaSupport::native);
  expect_wrapped(loose, R"("schema":)", R"(},"strict":false)");
  const auto strict = ask_for_array(Dialect::openai_chat, JsonSchemaSupport::native, true);
  expect_wrapped(strict, R"("schema":)", R"(,"additionalProperties":false},"strict":true)");
  EXPECT_EQ(whole(Dialect::openai_chat, strict->notes,
                  R"({"choices":[{"index":0,"message":{"content":"{\"value\":[\"a\"]}"},)"
                  R"("finish_reason":"stop"}]})"),
            kRestored);
  EXPECT_EQ(streamed(Dialect::openai_chat, strict->notes,
                     "data: "
                     R"({"choices":[{"index":0,"delta":{"content":"{\"value\":[\"a"}}]})"
                     "\n\ndata: "
                     R"({"choices":[{"index":0,"delta":{"content":"\"]}"},"finish_reason":"stop"}]})"
                     "\n\ndata: [DONE]\n\n"),
            kRestored);
}

TEST(AnswerSchema, WrapsAndUnwrapsForResponses) {
  const auto call = ask_for_array(Dialect::openai_responses, JsonSchemaSupport::native, true);
  expect_wrapped(call, R"("schema":)", R"(,"additionalProperties":false},"strict":true)");
  EXPECT_EQ(whole(Dialect::openai_responses, call->notes,
                  R"({"id":"resp_1","status":"completed","output":[{"type":"message","role":"assistant",)"
                  R"("content":[{"type":"output_text","text":"{\"value\":[\"a\"]}","annotations":[]}]}]})"),
            kRestored);
}

TEST(AnswerSchema, LeavesAnObjectAndItsAnswersAlone) {
  CallNotes notes;
  const std::string object = R"({"properties":{"value":{"type":"array"}},"$schema":"x"})";
  EXPECT_EQ(answer_schema(object, kObjectRootRules, notes), object);
  EXPECT_TRUE(notes.fidelity.empty());
  EXPECT_EQ(whole(Dialect::anthropic_messages, notes,
                  R"({"content":[{"type":"text","text":"{\"value\":[]}"}],"stop_reason":"end_turn"})"),
            R"({"value":[]})");
}

TEST(AnswerSchema, HandsOnWhatIsNoMoreThanTheWrappersBeginning) {
  const auto call = ask_for_array(Dialect::anthropic_messages, JsonSchemaSupport::native);
  EXPECT_EQ(whole(Dialect::anthropic_messages, call->notes,
                  R"({"content":[{"type":"text","text":"{\"val"}],"stop_reason":"max_tokens"})"),
            R"({"val)");
}

TEST(AnswerSchema, HandsOnNoPieceThatIsOnlyTheWrapper) {
  const auto call = ask_for_array(Dialect::openai_chat, JsonSchemaSupport::native);
  const auto decoder = provider_codec(Dialect::openai_chat).stream_decoder(call->notes);
  const test::Decoded decoded =
      test::decode_whole(*decoder,
                         "data: "
                         R"({"choices":[{"index":0,"delta":{"content":"{\"value\":"}}]})"
                         "\n\ndata: "
                         R"({"choices":[{"index":0,"delta":{"content":"[1]"},"finish_reason":"stop"}]})"
                         "\n\ndata: [DONE]\n\n");
  EXPECT_EQ(test::describe(decoded.events),
            "start  \nblock 0 kind=0   0 \ndelta 0 0 [1]\nend of block 0\nfinish end  stop\nend\n");
}

}  // namespace
}  // namespace weir
