// InvokeModel, both halves: Anthropic's bodies from clients, each family's to providers.
#include <array>
#include <gtest/gtest.h>

#include "codec/bedrock_test_util.h"
#include "codec/replay_test_util.h"

namespace weir {
namespace {

using test::body_of;
using test::caps;
using test::chunks;
using test::decode_with;
using test::encode_for;
using test::records_of;

constexpr std::string_view kBody =
    R"({"anthropic_version":"bedrock-2023-05-31","max_tokens":1000,"messages":[{"role":"user",)"
    R"("content":"hi"}]})";
const Request kRequest = Chat{};

AnswerContext context() {
  AnswerContext made{.exchange_id = "ex_01J", .model = "m", .request = &kRequest};
  made.elapsed_ms = [] { return int64_t{17}; };
  return made;
}

Chat invoke_chat(std::string body, Headers headers = {}) {
  const auto request =
      decode_with(bedrock_invoke_client(), std::move(body), test::kClaude, std::move(headers));
  EXPECT_TRUE(request) << (request ? "" : request.error().message);
  return request ? std::get<Chat>(*request) : Chat{};
}

std::vector<Event> plain_events() {
  return {Start{.id = "msg_1", .model = "gpt-x"},
          BlockStart{},
          Delta{.text = "Hello"},
          BlockEnd{},
          Finish{},
          test::usage_report(4, 2),
          End{}};
}

TEST(InvokeClient, TakesTheModelFromThePathAndTheBetasFromTheBody) {
  const Chat chat =
      invoke_chat(R"({"anthropic_version":"bedrock-2023-05-31","anthropic_beta":["a","b"],"max_tokens":5,
    "messages":[{"role":"user","content":"hi"}],"new_field":1})",
                  {{"x-amzn-bedrock-guardrailidentifier", "g1"}, {"accept", "application/json"}});
  EXPECT_EQ(chat.model, test::kClaude);
  EXPECT_EQ(chat.max_tokens, 5);
  EXPECT_FALSE(chat.is_streamed);
  std::string extras;
  for (const ExtraField& extra : chat.extras)
    extras += fmt::format("{}:{}={};", to_string(extra.dialect), extra.key, extra.raw.text);
  EXPECT_EQ(extras,
            "anthropic_messages:new_field=1;anthropic_messages:anthropic-beta=\"a,b\";"
            "bedrock_invoke:x-amzn-bedrock-guardrailidentifier=\"g1\";");
}

TEST(InvokeClient, SaysWhatBodyItWants) {
  const auto error = [](std::string body) {
    return test::error_of(decode_with(bedrock_invoke_client(), std::move(body)));
  };
  EXPECT_NE(error(R"({"inputText":"hi"})").find("the body is Anthropic's"), std::string::npos);
  EXPECT_EQ(error(R"({"messages":[{"role":"user","content":"hi"}]})").substr(0, 10), "max_tokens");
  EXPECT_EQ(error(R"({"anthropic_beta":"x","max_tokens":1,"messages":[{"role":"user","content":"hi"}]})")
                .substr(0, 14),
            "anthropic_beta");
}

// The program that the field's tutorials show reads content[0].text.
TEST(InvokeClient, AnswersInAnthropicsShapeWithTheServicesCounts) {
  const ClientReply reply = bedrock_invoke_client().encode_answer(test::fold(plain_events()), context());
  const auto parsed = JsonDoc::parse(reply.body);
  ASSERT_TRUE(parsed);
  EXPECT_EQ(parsed->root()["content"].at(0)["text"].string_or(""), "Hello");
  EXPECT_EQ(parsed->root()["stop_reason"].string_or(""), "end_turn");
  EXPECT_EQ(reply.headers.get_or("x-amzn-bedrock-input-token-count", ""), "4");
  EXPECT_EQ(reply.headers.get_or("x-amzn-bedrock-output-token-count", ""), "2");
  EXPECT_EQ(reply.headers.get_or("content-type", ""), "application/json");
}

TEST(InvokeClient, CountsTheEstimateWhereTheProviderStatesNoUsage) {
  std::vector<Event> events = plain_events();
  std::erase_if(events, [](const Event& event) { return std::holds_alternative<UsageReport>(event); });
  AnswerContext estimated = context();
  estimated.input_tokens_estimate = 33;
  const ClientReply reply = bedrock_invoke_client().encode_answer(test::fold(events), estimated);
  EXPECT_EQ(reply.headers.get_or("x-amzn-bedrock-input-token-count", ""), "33");
  EXPECT_NE(reply.body.find(R"("input_tokens":33,)"), std::string::npos) << reply.body;
  const auto encoder = bedrock_invoke_stream_client().stream_encoder(estimated);
  const std::string lines = test::describe_frames(test::encode_stream(*encoder, events));
  EXPECT_NE(lines.find(R"("amazon-bedrock-invocationMetrics":{"inputTokenCount":33,)"), std::string::npos)
      << lines;
}

TEST(InvokeClient, StreamsTheVendorsEventsInChunksAndTheMetricsInTheLast) {
  const auto encoder = bedrock_invoke_stream_client().stream_encoder(context());
  const std::string lines = test::describe_frames(test::encode_stream(*encoder, plain_events()));
  EXPECT_TRUE(lines.starts_with(R"(chunk {"type":"message_start","message":{"id":"msg_1")")) << lines;
  EXPECT_NE(lines.find("\nchunk "
                       "{\"type\":\"content_block_delta\",\"index\":0,\"delta\":{\"type\":\"text_delta\","
                       "\"text\":\"Hello\"}}\n"),
            std::string::npos)
      << lines;
  EXPECT_TRUE(
      lines.ends_with("\nchunk "
                      "{\"type\":\"message_stop\",\"amazon-bedrock-invocationMetrics\":{\"inputTokenCount\":"
                      "4,\"outputTokenCount\":2,"
                      "\"invocationLatency\":17,\"firstByteLatency\":17,"
                      "\"cacheReadInputTokenCount\":0,\"cacheWriteInputTokenCount\":0}}\n"))
      << lines;
  EXPECT_EQ(bedrock_invoke_stream_client().stream_content_type(), "application/vnd.amazon.eventstream");
  std::string more;
  encoder->encode(Ping{}, more);
  EXPECT_EQ(more, "");
  encoder->keep_alive(more);
  encoder->fail(make_error(ErrorKind::timeout, "late"), more);
  EXPECT_EQ(test::describe_frames(more),
            "chunk {\"type\": \"ping\"}\nmodelTimeoutException {\"message\":\"late\"}\n");
}

TEST(CountTokensClient, ReadsBothForms) {
  const auto count = [](std::string body) {
    return decode_with(bedrock_count_tokens_client(), std::move(body));
  };
  const auto converse =
      count(R"({"input":{"converse":{"messages":[{"role":"user","content":[{"text":"hi"}]}]}}})");
  ASSERT_TRUE(converse) << converse.error().message;
  EXPECT_EQ(std::get<CountTokens>(*converse).chat.messages.size(), 1u);
  EXPECT_EQ(std::get<CountTokens>(*converse).chat.model, test::kClaude);
  const auto invoke = count(R"({"input":{"invokeModel":{"body":")" + base64_encode(kBody) + R"("}}})");
  ASSERT_TRUE(invoke) << invoke.error().message;
  const Chat& chat = std::get<CountTokens>(*invoke).chat;
  EXPECT_EQ(std::get<TextBlock>(chat.messages.at(0).content.at(0).body).text, "hi");
  EXPECT_EQ(test::error_of(count(R"({"input":{}})")).substr(0, 6), "input:");
  EXPECT_EQ(test::error_of(count(R"({"input":{"invokeModel":{"body":"%"}}})")).substr(0, 22),
            "input.invokeModel.body");
  EXPECT_EQ(bedrock_count_tokens_client()
                .encode_answer(test::fold({test::usage_report(9, 0), End{}}), context())
                .body,
            R"({"inputTokens":9})");
}

TEST(InvokeProvider, SendsAnthropicsBodyWithoutModelAndStream) {
  Chat chat = invoke_chat(R"({"anthropic_version":"x","anthropic_beta":["effort-2025-11-24"],"max_tokens":5,)"
                          R"("messages":[{"role":"user","content":"hi"}]})",
                          {{"x-amzn-bedrock-trace", "ENABLED"}});
  chat.is_streamed = true;
  const auto call = encode_for(bedrock_invoke_provider(), chat, "eu.anthropic.claude-x");
  EXPECT_EQ(body_of(call),
            R"({"anthropic_version":"bedrock-2023-05-31","max_tokens":5,"messages":[{"role":"user",)"
            R"("content":[{"type":"text","text":"hi"}]}],"anthropic_beta":["effort-2025-11-24"]})");
  EXPECT_EQ(call->wire.path, "/model/eu.anthropic.claude-x/invoke-with-response-stream");
  EXPECT_EQ(call->wire.headers.get_or("x-amzn-bedrock-trace", ""), "ENABLED");
  EXPECT_EQ(records_of(call), "");
}

TEST(InvokeProvider, KnowsAFamilyByItsIdOrItsCapabilityRow) {
  const Chat chat = invoke_chat(std::string(kBody));
  const std::string_view arn = "arn:aws:bedrock:us-east-1:1:provisioned-model/abc";
  EXPECT_EQ(encode_for(bedrock_invoke_provider(), chat, arn).error().kind, ErrorKind::unsupported);
  const auto call =
      encode_for(bedrock_invoke_provider(), chat, arn, caps(&Capabilities::family, ModelFamily::nova));
  EXPECT_TRUE(body_of(call).starts_with(R"({"schemaVersion":"messages-v1")")) << body_of(call);
  const auto known = encode_for(bedrock_invoke_provider(), chat,
                                "arn:aws:bedrock:us-east-1:1:inference-profile/us.amazon.nova-lite-v1:0");
  EXPECT_EQ(body_of(known),
            R"({"schemaVersion":"messages-v1","messages":[{"role":"user","content":[{"text":"hi"}]}],)"
            R"("inferenceConfig":{"maxTokens":1000}})");
}

TEST(InvokeProvider, WritesEachTextFamilysBody) {
  const std::string talk = R"({"model":"m","max_tokens":7,"temperature":0.5,"system":"Be brief.",)"
                           R"("stop_sequences":["#"],"messages":[
    {"role":"user","content":"one"},{"role":"assistant","content":"two"},{"role":"user",)"
                           R"("content":"three"}]})";
  const auto body = [&](std::string_view model) {
    return body_of(encode_for(bedrock_invoke_provider(), test::messages_chat(talk), model));
  };
  EXPECT_EQ(body("amazon.titan-text-express-v1"),
            R"({"inputText":"Be brief.\n\nUser: one\nBot: two\nUser: three\nBot:",)"
            R"("textGenerationConfig":{"maxTokenCount":7,"temperature":0.5,"stopSequences":["#"]}})");
  EXPECT_EQ(body("us.meta.llama3-1-8b-instruct-v1:0"),
            R"({"prompt":"<|begin_of_text|><|start_header_id|>system<|end_header_id|>\n\nBe brief.<|eot)"
            R"(_id|><|start_header_id|>user<|end_header_id|>\n\none<|eot_id|>)"
            R"(<|start_header_id|>assistant<|end_header_id|>\n\ntwo<|eot_id|><|start_header_id|>user<|e)"
            R"(nd_header_id|>\n\nthree<|eot_id|><|start_header_id|>assistant<|end_header_id|>\n\n",)"
            R"("max_gen_len":7,"temperature":0.5})");
  EXPECT_TRUE(body("us.meta.llama4-scout-17b-instruct-v1:0")
                  .starts_with(R"({"prompt":"<|begin_of_text|><|header_start|>system<|header_end|>)"));
  EXPECT_EQ(body("mistral.mistral-7b-instruct-v0:2"),
            R"({"prompt":"<s>[INST] Be brief.\n\none [/INST] two</s>[INST] three [/INST]",)"
            R"("max_tokens":7,"temperature":0.5,"stop":["#"]})");
  EXPECT_EQ(body("mistral.mistral-large-2407-v1:0"),
            R"({"messages":[{"role":"system","content":"Be brief."},{"role":"user","content":"one"},)"
            R"({"role":"assistant","content":"two"},{"role":"user","content":"three"}],"max_tokens":7,)"
            R"("temperature":0.5,"stop":["#"]})");
  EXPECT_EQ(body("cohere.command-r-v1:0"),
            R"({"message":"three","preamble":"Be brief.","chat_history":[{"role":"USER",)"
            R"("message":"one"},{"role":"CHATBOT","message":"two"}],"max_tokens":7,"temperature":0.5,)"
            R"("stop_sequences":["#"]})");
}

TEST(InvokeProvider, GivesMistralsChatModelsToolsAndImages) {
  const auto call =
      encode_for(bedrock_invoke_provider(),
                 test::messages_chat(
                     R"({"model":"m","max_tokens":7,"tools":[{"name":"f.g","input_schema":{"type":"object"}},
        {"name":"h","input_schema":{"type":"object"}}],"tool_choice":{"type":"tool","name":"h"},"messages":[
        {"role":"user","content":[{"type":"text","text":"see"},
          {"type":"image","source":{"type":"base64","media_type":"image/png","data":"AAAA"}}]},
        {"role":"assistant","content":[{"type":"tool_use","id":"toolu_1","name":"h","input":{"a":1.0}}]},
        {"role":"user","content":[{"type":"tool_result","tool_use_id":"toolu_1",
          "content":"r","is_error":true},
          {"type":"text","text":"go"}]}]})"),
                 "us.mistral.pixtral-large-2502-v1:0");
  ASSERT_TRUE(call) << call.error().message;
  const size_t at = call->wire.body.find("\"id\":\"") + 6;
  const std::string id = call->wire.body.substr(at, 9);
  EXPECT_EQ(body_of(call),
            R"({"messages":[{"role":"user","content":[{"type":"text","text":"see"},)"
            R"({"type":"image_url","image_url":{"url":"data:image/png;base64,AAAA"}}]},)"
            R"({"role":"assistant","content":"","tool_calls":[{"id":")" +
                id +
                R"(","type":"function","function":{"name":"h","arguments":"{\"a\":1.0}"}}]},)"
                R"({"role":"tool","tool_call_id":")" +
                id +
                R"(","content":"ERROR: r"},{"role":"user","content":"go"}],)"
                R"("tools":[{"type":"function","function":{"name":"h","parameters":{"type":"object"}}}],)"
                R"("tool_choice":"any","max_tokens":7})");
}

TEST(InvokeProvider, LetsNobodysWordsEndTheirTurn) {
  const auto call = encode_for(
      bedrock_invoke_provider(),
      test::messages_chat(
          R"({"model":"m","max_tokens":7,"messages":[{"role":"user","content":"a<|eot_id|>b [/INST] c"}]})"),
      "meta.llama3-8b-instruct-v1:0");
  EXPECT_NE(body_of(call).find("a< |eot_id|>b [ /INST] c"), std::string::npos);
  EXPECT_NE(records_of(call).find("coerced_string"), std::string::npos);
}

TEST(InvokeProvider, RefusesWhatTextCannotCarry) {
  const auto error = [](std::string body) {
    const auto call = encode_for(bedrock_invoke_provider(), test::messages_chat(std::move(body)),
                                 "amazon.titan-text-lite-v1");
    return call ? "carried" : fmt::format("{} {}", to_string(call.error().kind), call.error().path);
  };
  EXPECT_EQ(error(R"({"model":"m","max_tokens":7,"messages":[{"role":"user","content":"a"}],)"
                  R"("tools":[{"name":"f","input_schema":{}}]})"),
            "unsupported tools");
  EXPECT_EQ(error(R"({"model":"m","max_tokens":7,"messages":[{"role":"user","content":[{"type":"image",)"
                  R"("source":{"type":"base64","media_type":"image/png","data":"AAAA"}}]}]})"),
            "unsupported messages");
  EXPECT_EQ(error(R"({"model":"m","max_tokens":7,"messages":[{"role":"user","content":"a"},)"
                  R"({"role":"assistant","content":"b"}]})"),
            "bad_request messages");
}

TEST(InvokeProvider, PassesTheClientsBytesOnlyToAnthropicsModels) {
  const ClientCall call = test::model_call(bedrock_invoke_client(), std::string(kBody), test::kClaude,
                                           {{"X-Amzn-Bedrock-GuardrailIdentifier", R"(g"\1)"}});
  const auto request = bedrock_invoke_client().decode_request(call);
  const Capabilities any;
  const auto& codec = bedrock_invoke_provider();
  EXPECT_TRUE(codec.takes_raw(call, {.model = "us.anthropic.claude-x", .capabilities = &any}));
  EXPECT_FALSE(codec.takes_raw(call, {.model = "meta.llama3-8b-instruct-v1:0", .capabilities = &any}));
  const auto raw =
      codec.splice_request(call, *request, {.model = "us.anthropic.claude-x", .capabilities = &any});
  EXPECT_EQ(raw->wire.body, kBody);
  EXPECT_EQ(raw->wire.path, "/model/us.anthropic.claude-x/invoke");
  EXPECT_EQ(raw->wire.headers.get_or("x-amzn-bedrock-guardrailidentifier", ""), R"(g"\1)");
}

TEST(InvokeProvider, CountsWithABodyInBase64) {
  const auto call = encode_for(bedrock_invoke_provider(), CountTokens{invoke_chat(std::string(kBody))},
                               "us.anthropic.claude-x");
  EXPECT_EQ(call->wire.path, "/model/anthropic.claude-x/count-tokens");
  const auto parsed = JsonDoc::parse(call->wire.body);
  ASSERT_TRUE(parsed);
  EXPECT_EQ(base64_decode(parsed->root()["input"]["invokeModel"]["body"].string_or("")).value_or(""),
            R"({"anthropic_version":"bedrock-2023-05-31","messages":[{"role":"user",)"
            R"("content":[{"type":"text","text":"hi"}]}],"max_tokens":1})");
}

TEST(InvokeProvider, CountsWithALimitAboveTheBudgetOfThinking) {
  Chat chat = invoke_chat(std::string(kBody));
  chat.reasoning.budget_tokens = 2000;
  const auto call =
      encode_for(bedrock_invoke_provider(), CountTokens{std::move(chat)}, "us.anthropic.claude-x");
  const auto parsed = JsonDoc::parse(call->wire.body);
  ASSERT_TRUE(parsed);
  const auto body = JsonDoc::parse(
      base64_decode(parsed->root()["input"]["invokeModel"]["body"].string_or("")).value_or(""));
  ASSERT_TRUE(body);
  EXPECT_EQ(body->root()["thinking"]["budget_tokens"].int_or(0), 2000);
  EXPECT_EQ(body->root()["max_tokens"].int_or(0), 2001);
}

std::string whole(std::string body, Headers headers = {}) {
  const auto events = bedrock_invoke_provider().decode_answer({.headers = &headers, .body = body}, {});
  if (!events) return fmt::format("{}", to_string(events.error().kind));
  const Answer answer = test::fold(*events);
  const AnswerChoice& choice = answer.choices.at(0);
  return fmt::format("{}|{}|{}{}", choice.blocks.empty() ? "" : choice.blocks[0].text,
                     to_string(choice.finish.reason), choice.finish.native, test::describe(answer.usage));
}

TEST(InvokeProvider, ReadsEachFamilysWholeAnswer) {
  EXPECT_EQ(whole(R"({"id":"msg_1","type":"message","role":"assistant","content":[{"type":"text",)"
                  R"("text":"a"}],"stop_reason":"end_turn","usage":{"input_tokens":1,"output_tokens":2}})"),
            "a|end|end_turn in=1 out=2");
  EXPECT_EQ(whole(R"({"output":{"message":{"content":[{"text":"b"}],"role":"assistant"}},)"
                  R"("stopReason":"max_tokens","usage":{"inputTokens":1,"outputTokens":2,)"
                  R"("cacheReadInputTokenCount":3}})"),
            "b|length|max_tokens in=1 read=3 out=2");
  EXPECT_EQ(whole(R"({"inputTextTokenCount":3,"results":[{"tokenCount":4,"outputText":"c",)"
                  R"("completionReason":"FINISH"}]})"),
            "c|end|FINISH in=3 out=4");
  EXPECT_EQ(
      whole(R"({"generation":"d","prompt_token_count":5,"generation_token_count":6,"stop_reason":"length"})"),
      "d|length|length in=5 out=6");
  EXPECT_EQ(whole(R"({"outputs":[{"text":"e","stop_reason":"stop"}]})",
                  {{"x-amzn-bedrock-input-token-count", "7"}, {"x-amzn-bedrock-output-token-count", "8"}}),
            "e|end|stop in=7 out=8");
  EXPECT_EQ(
      whole(R"({"choices":[{"index":0,"message":{"role":"assistant","content":"f"},"stop_reason":"stop"}]})"),
      "f|end|stop");
  EXPECT_EQ(whole(R"({"response_id":"r","text":"g","generation_id":"x","finish_reason":"MAX_TOKENS"})"),
            "g|length|MAX_TOKENS");
  EXPECT_EQ(whole(R"({"generations":[{"text":"h","finish_reason":"COMPLETE"}]})"), "h|end|COMPLETE");
  EXPECT_EQ(whole(R"({"results":[{"outputText":"","completionReason":"CONTENT_FILTERED"}]})"),
            "|filter|CONTENT_FILTERED");
  EXPECT_EQ(whole(R"({"who":"knows"})"), "upstream_malformed");
}

TEST(InvokeProvider, ReadsCallsOfChatModels) {
  const Headers none;
  const auto events = bedrock_invoke_provider().decode_answer(
      {.headers = &none,
       .body = R"({"choices":[{"message":{"content":"x","tool_calls":[{"id":"c1","function":{"name":"f",)"
               R"("arguments":"{\"a\":1}"}}]},"finish_reason":"tool_calls"}]})"},
      {});
  ASSERT_TRUE(events);
  EXPECT_EQ(test::describe(*events),
            "start  \nblock 0 kind=0   0 \ndelta 0 0 x\nend of block 0\nblock 1 kind=1 c1 f 0 \ndelta 1 0 "
            "{\"a\":1}\nend of block 1\n"
            "finish tool  tool_calls\nend\n");
}

TEST(InvokeProvider, UnwrapsTheTextOfCustomTools) {
  const Headers none;
  CallNotes notes;
  notes.custom_tools.make() = {"f"};
  const auto events = bedrock_invoke_provider().decode_answer(
      {.headers = &none,
       .body = R"({"choices":[{"message":{"tool_calls":[{"id":"c1","function":{"name":"f",)"
               R"("arguments":"{\"input\":\"free\"}"}}]},"finish_reason":"tool_calls"}]})"},
      notes);
  ASSERT_TRUE(events);
  const Answer answer = test::fold(*events);
  const AnswerBlock& block = answer.choices.at(0).blocks.at(0);
  EXPECT_EQ(block.tool_kind, ToolKind::custom);
  EXPECT_EQ(block.text, "free");
}

std::string streamed(const std::vector<std::string>& events) {
  const std::string bytes = chunks(events);
  const auto fresh = bedrock_invoke_provider().stream_decoder({});
  const auto decoder = fresh->clone();
  const test::Decoded decoded = test::decode_whole(*decoder, bytes);
  test::expect_same_however_cut(*fresh, bytes, decoded);
  if (decoded.error.empty()) EXPECT_EQ(decoded.forwarded, bytes);
  const Answer answer = test::fold(decoded.events);
  if (!decoded.error.empty() || answer.choices.empty()) return decoded.error;
  return fmt::format("{}|{}{}{}", answer.choices[0].blocks.at(0).text,
                     to_string(answer.choices[0].finish.reason), test::describe(answer.usage),
                     answer.is_complete ? "" : " incomplete");
}

TEST(InvokeProvider, ReadsEachFamilysStream) {
  const std::string metrics =
      R"("amazon-bedrock-invocationMetrics":{"inputTokenCount":9,"outputTokenCount":8})";
  EXPECT_EQ(
      streamed({R"({"type":"message_start","message":{"id":"msg_1","usage":{"input_tokens":5,)"
                R"("output_tokens":1}}})",
                R"({"type":"content_block_start","index":0,"content_block":{"type":"text","text":""}})",
                R"({"type":"content_block_delta","index":0,"delta":{"type":"text_delta","text":"a"}})",
                R"({"type":"content_block_stop","index":0})",
                R"({"type":"message_delta","delta":{"stop_reason":"end_turn"},"usage":{"output_tokens":2}})",
                R"({"type":"message_stop",)" + metrics + "}"}),
      "a|end in=5 out=2");
  EXPECT_EQ(streamed({R"({"messageStart":{"role":"assistant"}})",
                      R"({"contentBlockDelta":{"delta":{"text":"b"},"contentBlockIndex":0}})",
                      R"({"contentBlockStop":{"contentBlockIndex":0}})",
                      R"({"messageStop":{"stopReason":"end_turn"}})",
                      R"({"metadata":{"usage":{"inputTokens":3,"outputTokens":4}},)" + metrics + "}"}),
            "b|end in=3 out=4");
  EXPECT_EQ(
      streamed({R"({"outputText":"c","index":0,"totalOutputTextTokenCount":null,"completionReason":null,)"
                R"("inputTextTokenCount":6})",
                R"({"outputText":"d","index":0,"totalOutputTextTokenCount":7,"completionReason":"LENGTH",)"
                R"("inputTextTokenCount":null,)" +
                    metrics + "}"}),
      "cd|length in=9 out=8");
  EXPECT_EQ(
      streamed(
          {R"({"generation":"e","prompt_token_count":2,"generation_token_count":1,"stop_reason":null})",
           R"({"generation":"","prompt_token_count":null,"generation_token_count":2,"stop_reason":"stop",)" +
               metrics + "}"}),
      "e|end in=9 out=8");
  EXPECT_EQ(streamed({R"({"outputs":[{"text":"f","stop_reason":null}]})",
                      R"({"outputs":[{"text":"","stop_reason":"stop"}],)" + metrics + "}"}),
            "f|end in=9 out=8");
  EXPECT_EQ(streamed({R"({"event_type":"stream-start","is_finished":false})",
                      R"({"event_type":"text-generation","text":"g"})",
                      R"({"event_type":"stream-end","finish_reason":"COMPLETE","response":{"text":"g"},)" +
                          metrics + "}"}),
            "g|end in=9 out=8");
  EXPECT_TRUE(streamed({R"({"generation":"e","stop_reason":null})"}).starts_with("upstream_truncated"));
  EXPECT_TRUE(streamed({R"({"who":"knows"})"}).starts_with("upstream_malformed"));
}

TEST(InvokeEmbeddings, WritesEachFamilysBodyAndReadsItsVectors) {
  const auto request = [](std::vector<std::string_view> inputs, std::optional<int64_t> dimensions = {}) {
    Embed embed;
    embed.inputs = std::move(inputs);
    embed.dimensions = dimensions;
    return Request(embed);
  };
  const auto& codec = bedrock_invoke_provider();
  EXPECT_EQ(body_of(encode_for(codec, request({"a"}, 256), "amazon.titan-embed-text-v2:0")),
            R"({"inputText":"a","dimensions":256})");
  EXPECT_EQ(encode_for(codec, request({"a", "b"}), "amazon.titan-embed-text-v2:0").error().kind,
            ErrorKind::unsupported);
  EXPECT_EQ(body_of(encode_for(codec, request({"a"}, 384), "amazon.nova-2-multimodal-embeddings-v1:0")),
            R"({"taskType":"SINGLE_EMBEDDING",)"
            R"("singleEmbeddingParams":{"embeddingPurpose":"GENERIC_INDEX","embeddingDimension":384,)"
            R"("text":{"truncationMode":"NONE","value":"a"}}})");
  const auto cohere = encode_for(codec, request({"a", "b"}), "cohere.embed-english-v3");
  EXPECT_EQ(
      body_of(cohere),
      R"({"texts":["a","b"],"input_type":"search_document","embedding_types":["float"],"truncate":"NONE"})");
  EXPECT_EQ(cohere->wire.path, "/model/cohere.embed-english-v3/invoke");
  EXPECT_EQ(encode_for(codec, request({"a"}), "meta.llama3-8b-instruct-v1:0").error().kind,
            ErrorKind::unsupported);

  Headers headers;
  headers.add("x-amzn-bedrock-input-token-count", "5");
  CallNotes notes;
  notes.operation = Operation::embeddings;
  for (const std::string_view body :
       {R"({"embedding":[0.5,1],"inputTextTokenCount":9})", R"({"embeddings":{"float":[[0.5,1]]}})",
        R"({"embeddings":[[0.5,1]]})", R"({"embeddings":[{"embeddingType":"TEXT","embedding":[0.5,1]}]})"}) {
    const auto events = codec.decode_answer({.headers = &headers, .body = body}, notes);
    ASSERT_TRUE(events) << body;
    const Answer answer = test::fold(*events);
    EXPECT_EQ(std::get<EmbedAnswer>(answer.payload->body).vectors,
              (std::vector<std::vector<float>>{{0.5F, 1.0F}}));
    EXPECT_EQ(answer.usage.in_uncached, 5);
  }
  EXPECT_EQ(codec.decode_answer({.headers = &headers, .body = "{}"}, notes).error().kind,
            ErrorKind::upstream_malformed);
}

// An answer of a Claude on Bedrock, thinking signed, comes back to the same model through another client.
TEST(InvokeProvider, SignaturesGoBackToTheModelsOfTheirVendorThroughAnyDialect) {
  const std::string history =
      R"({"messages":[{"role":"user","content":[{"text":"a"}]},{"role":"assistant","content":[
    {"reasoningContent":{"reasoningText":{"text":"t","signature":"s"}}},{"text":"b"}]},)"
      R"({"role":"user","content":[{"text":"c"}]}],
    "inferenceConfig":{"maxTokens":9}})";
  EXPECT_NE(body_of(encode_for(bedrock_invoke_provider(), test::converse_chat(history)))
                .find(R"({"type":"thinking","thinking":"t","signature":"s"})"),
            std::string::npos);
  EXPECT_NE(body_of(encode_for(anthropic_messages_provider(), test::converse_chat(history)))
                .find(R"("signature":"s")"),
            std::string::npos);
}

TEST(InvokeEmbeddings, NameEveryPurposeInNovasWords) {
  constexpr std::array<std::pair<std::string_view, std::string_view>, 6> kCases = {{
      {"search_query", "GENERIC_RETRIEVAL"},
      {"search_document", "GENERIC_INDEX"},
      {"classification", "CLASSIFICATION"},
      {"clustering", "CLUSTERING"},
      {"", "GENERIC_INDEX"},
      {"image", "GENERIC_INDEX"},
  }};
  for (const auto& [purpose, word] : kCases) {
    Embed embed;
    embed.inputs = {"a"};
    embed.purpose = purpose;
    EXPECT_NE(
        body_of(encode_for(bedrock_invoke_provider(), embed, "amazon.nova-2-multimodal-embeddings-v1:0"))
            .find(fmt::format(R"("embeddingPurpose":"{}")", word)),
        std::string::npos)
        << purpose;
  }
}

}  // namespace
}  // namespace weir
