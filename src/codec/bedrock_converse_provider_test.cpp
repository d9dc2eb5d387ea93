// Requests as Converse is sent them.
#include <gtest/gtest.h>

#include "codec/bedrock_test_util.h"

namespace weir {
namespace {

using test::body_of;
using test::caps;
using test::records_of;
using test::to_converse;

std::string user_says(std::string_view content, std::string_view rest = "") {
  return fmt::format(R"({{"model":"m","max_tokens":9,"messages":[{{"role":"user","content":{}}}]{}}})",
                     content, rest);
}

constexpr std::string_view kHi = R"("messages":[{"role":"user","content":[{"text":"hi"}]}])";

TEST(ConverseProvider, PutsModelAndWayIntoThePath) {
  const auto path = [](std::string_view model, bool is_streamed) {
    Chat chat = test::messages_chat(user_says("\"hi\""));
    chat.is_streamed = is_streamed;
    const auto call = test::encode_for(bedrock_converse_provider(), chat, model);
    return call ? call->wire.path : call.error().message;
  };
  EXPECT_EQ(path("anthropic.claude-3-haiku-20240307-v1:0", false),
            "/model/anthropic.claude-3-haiku-20240307-v1%3A0/converse");
  EXPECT_EQ(path("arn:aws:bedrock:us-east-1:1:inference-profile/us.x", true),
            "/model/arn%3Aaws%3Abedrock%3Aus-east-1%3A1%3Ainference-profile%2Fus.x/converse-stream");
  EXPECT_EQ(path("..", false), "'..' is no name of a model");
}

TEST(ConverseProvider, WritesAPlainRequest) {
  const auto call = to_converse(user_says("\"hi\"", R"(,"system":"be brief","temperature":0.5,"top_p":0.75,
      "stop_sequences":["x"],"top_k":4,"metadata":{"user_id":"u1"})"));
  EXPECT_EQ(body_of(call),
            R"({"system":[{"text":"be brief"}],"messages":[{"role":"user","content":[{"text":"hi"}]}],)"
            R"("inferenceConfig":{"maxTokens":9,"temperature":0.5,"topP":0.75,"stopSequences":["x"]},)"
            R"("additionalModelRequestFields":{"top_k":4},"requestMetadata":{"user":"u1"}})");
  EXPECT_EQ(records_of(call), "");
}

TEST(ConverseProvider, SaysThatArgumentsAreAnObject) {
  const auto call = to_converse(user_says("\"hi\"", R"(,"tools":[{"name":"f","input_schema":{}}])"));
  EXPECT_NE(body_of(call).find(R"("inputSchema":{"json":{"type":"object","properties":{}}})"),
            std::string::npos)
      << body_of(call);
}

TEST(ConverseProvider, NamesTopKAsTheFamilyDoes) {
  const std::string body = user_says("\"hi\"", R"(,"top_k":4)");
  EXPECT_NE(body_of(to_converse(body, "amazon.nova-pro-v1:0")).find(R"({"inferenceConfig":{"topK":4}})"),
            std::string::npos);
  EXPECT_NE(body_of(to_converse(body, "cohere.command-r-v1:0")).find(R"({"k":4})"), std::string::npos);
  const auto llama = to_converse(body, "us.meta.llama3-1-8b-instruct-v1:0");
  EXPECT_EQ(body_of(llama).find("top_k"), std::string::npos);
  EXPECT_EQ(records_of(llama), "dropped;/top_k;4>");
}

TEST(ConverseProvider, ClampsWhatTheServiceRefuses) {
  const auto call = test::encode_for(
      bedrock_converse_provider(),
      test::openai_chat(
          R"({"model":"m","temperature":1.7,"seed":1,"frequency_penalty":0.5,"logit_bias":{"1":2},
        "messages":[{"role":"user","content":"a"}]})"));
  EXPECT_EQ(body_of(call),
            R"({"messages":[{"role":"user","content":[{"text":"a"}]}],"inferenceConfig":{"temperature":1}})");
  EXPECT_EQ(
      records_of(call),
      "clamped;/temperature;1.7>1, dropped;/logit_bias, dropped;/frequency_penalty;0.5>, dropped;/seed;1>");
}

TEST(ConverseProvider, MergesTurnsAndPutsResultsFirst) {
  const auto call =
      test::encode_for(bedrock_converse_provider(), test::openai_chat(R"({"model":"m","messages":[
      {"role":"system","content":"s"},{"role":"user","content":"a"},{"role":"user","content":"b"},
      {"role":"assistant","content":"","tool_calls":[
        {"id":"c1","type":"function","function":{"name":"srv.f","arguments":""}},
        {"id":"c2","type":"function","function":{"name":"g","arguments":"{\"a\":1.0}"}}]},
      {"role":"tool","tool_call_id":"c2","content":"two"},{"role":"tool","tool_call_id":"c1","content":""},
      {"role":"user","content":"go on"}]})"));
  ASSERT_TRUE(call) << call.error().message;
  const std::string name = std::string(call->wire.body.substr(call->wire.body.find("srv_f_"), 14));
  EXPECT_EQ(body_of(call),
            R"({"system":[{"text":"s"},{"text":"Do not call any tool. Answer in text."}],)"
            R"("messages":[{"role":"user","content":[{"text":"a"},{"text":"b"}]},)"
            R"({"role":"assistant","content":[{"toolUse":{"toolUseId":"c1","name":")" +
                name +
                R"(","input":{}}},)"
                R"({"toolUse":{"toolUseId":"c2","name":"g","input":{"a":1.0}}}]},)"
                R"({"role":"user","content":[{"toolResult":{"toolUseId":"c1","content":[]}},)"
                R"({"toolResult":{"toolUseId":"c2","content":[{"text":"two"}]}},{"text":"go on"}]}],)"
                R"("toolConfig":{"tools":[{"toolSpec":{"name":")" +
                name +
                R"(","inputSchema":{"json":{"type":"object","properties":{}}}}},)"
                R"({"toolSpec":{"name":"g","inputSchema":{"json":{"type":"object","properties":{}}}}}]}})");
}

TEST(ConverseProvider, RefusesWhatTheServiceCannotBeTold) {
  const auto error = [](std::string openai) {
    const auto call = test::encode_for(bedrock_converse_provider(), test::openai_chat(std::move(openai)));
    return call ? call->wire.body : fmt::format("{} {}", to_string(call.error().kind), call.error().path);
  };
  EXPECT_EQ(error(R"({"model":"m","n":2,"messages":[{"role":"user","content":"a"}]})"), "unsupported n");
  EXPECT_EQ(
      error(R"({"model":"m","messages":[{"role":"assistant","content":"a"},{"role":"user","content":"b"}]})"),
      "bad_request messages");
  EXPECT_EQ(error(R"({"model":"m","messages":[{"role":"user","content":[{"type":"image_url","image_url":
      {"url":"https://x/y.png"}}]}]})"),
            "unsupported messages");
  EXPECT_EQ(error(R"({"model":"m","messages":[{"role":"user","content":[{"type":"input_audio","input_audio":
      {"data":"AAAA","format":"wav"}}]}]})"),
            "unsupported messages");
}

TEST(ConverseProvider, TrustsTheBytesOfAnImage) {
  // A PNG that is declared as JPEG.
  const auto call =
      to_converse(user_says(R"([{"type":"image","source":{"type":"base64","media_type":"image/jpeg",)"
                            R"("data":"iVBORw0KGgoAAAANSUhEUg=="}}])"));
  EXPECT_NE(body_of(call).find(R"({"image":{"format":"png","source":{"bytes":"iVBORw0KGgoAAAANSUhEUg=="}}})"),
            std::string::npos);
  const auto jpg = to_converse(
      user_says(R"([{"type":"image","source":{"type":"base64","media_type":"image/jpg","data":"AAAA"}}])"));
  EXPECT_NE(body_of(jpg).find(R"("format":"jpeg")"), std::string::npos);
}

TEST(ConverseProvider, GivesDocumentsNamesThatAreLegalAndDifferent) {
  const std::string document = R"({"type":"document","title":"plan_v1.0  final",)"
                               R"("source":{"type":"text","media_type":"text/plain","data":"abc"}})";
  const auto call = to_converse(user_says("[" + document + "," + document + "]"));
  const std::string expected =
      R"x({"messages":[{"role":"user","content":[)x"
      R"x({"document":{"format":"txt","name":"plan-v1-0 final","source":{"bytes":"YWJj"}}},)x"
      R"x({"document":{"format":"txt","name":"plan-v1-0 final (2)","source":{"bytes":"YWJj"}}},)x"
      R"x({"text":"See the document."}]}],"inferenceConfig":{"maxTokens":9}})x";
  EXPECT_EQ(body_of(call), expected);
  EXPECT_NE(records_of(call).find("synthesised;/messages"), std::string::npos);
}

TEST(ConverseProvider, WritesToolsAndForcesThemAsTheFamilyCan) {
  const auto body = [](std::string_view choice, std::string_view model) {
    return to_converse(
        user_says(
            "\"hi\"",
            fmt::format(R"(,"tools":[{{"name":"f","description":"d","input_schema":{{"type":"object"}}}},
        {{"name":"g","input_schema":{{"type":"object"}}}}],"tool_choice":{})",
                        choice)),
        model);
  };
  const std::string named = body_of(body(R"({"type":"tool","name":"g"})", test::kClaude));
  EXPECT_NE(named.find(R"("toolConfig":{"tools":[{"toolSpec":{"name":"f","description":"d",)"
                       R"("inputSchema":{"json":{"type":"object"}}}},)"
                       R"({"toolSpec":{"name":"g","inputSchema":{"json":{"type":"object"}}}}],)"
                       R"("toolChoice":{"tool":{"name":"g"}}})"),
            std::string::npos)
      << named;
  const auto mistral = body(R"({"type":"tool","name":"g"})", "mistral.mistral-large-2402-v1:0");
  EXPECT_NE(body_of(mistral).find(R"("toolConfig":{"tools":[{"toolSpec":{"name":"g",)"
                                  R"("inputSchema":{"json":{"type":"object"}}}}],"toolChoice":{"any":{}}})"),
            std::string::npos)
      << body_of(mistral);
  EXPECT_EQ(records_of(mistral), "emulated;/tool_choice;g>the_only_tool");
  EXPECT_NE(body_of(body(R"({"type":"any"})", test::kClaude)).find(R"("toolChoice":{"any":{}})"),
            std::string::npos);
  const auto none = body(R"({"type":"none"})", test::kClaude);
  EXPECT_EQ(body_of(none).find("toolConfig"), std::string::npos);
  EXPECT_EQ(records_of(none), "emulated;/tool_choice;none>no_tools");
  const auto single = body(R"({"type":"auto","disable_parallel_tool_use":true})", test::kClaude);
  EXPECT_EQ(records_of(single), "dropped;/parallel_tool_calls;false>");
}

TEST(ConverseProvider, KeepsToolsThatTheHistoryNeedsWhenNoneMayBeCalled) {
  const auto call = to_converse(R"({"model":"m","max_tokens":9,"tool_choice":{"type":"none"},
    "tools":[{"name":"f","input_schema":{"type":"object"}}],"messages":[{"role":"user","content":"a"},
    {"role":"assistant","content":[{"type":"tool_use","id":"t1","name":"f","input":{}}]},
    {"role":"user","content":[{"type":"tool_result","tool_use_id":"t1","content":"r","is_error":true}]}]})");
  EXPECT_NE(body_of(call).find(R"("system":[{"text":"Do not call any tool. Answer in text."}])"),
            std::string::npos);
  EXPECT_NE(body_of(call).find(R"("toolConfig":{"tools":[{"toolSpec":{"name":"f")"), std::string::npos);
  EXPECT_NE(body_of(call).find(R"("status":"error")"), std::string::npos);
  EXPECT_EQ(records_of(call), "emulated;/tool_choice;none>an_instruction");
}

TEST(ConverseProvider, RestoresBadToolNamesInTheAnswer) {
  const std::string name = "mcp.server/tool";
  const auto call = to_converse(
      user_says("\"hi\"", R"(,"tools":[{"name":"mcp.server/tool","input_schema":{"type":"object"}}])"));
  ASSERT_TRUE(call);
  const std::string wire(call->notes.tool_names.wire(name));
  EXPECT_NE(wire, name);
  EXPECT_NE(call->wire.body.find("\"" + wire + "\""), std::string::npos);
  const auto decoder = bedrock_converse_provider().stream_decoder(call->notes);
  std::vector<Event> events;
  ASSERT_TRUE(decoder->feed(
      test::frames(
          {{"contentBlockStart",
            R"({"contentBlockIndex":0,"start":{"toolUse":{"toolUseId":"t","name":")" + wire + R"("}}})"}}),
      events));
  EXPECT_EQ(std::get<BlockStart>(events[1]).tool_name, name);
}

TEST(ConverseProvider, SendsThinkingToClaudeAndGivesItTheRoomItNeeds) {
  const auto call = to_converse(user_says(
      "\"hi\"", R"(,"thinking":{"type":"enabled","budget_tokens":2048},"temperature":0.2,"top_k":3)"));
  EXPECT_EQ(body_of(call),
            R"({"messages":[{"role":"user","content":[{"text":"hi"}]}],"inferenceConfig":{"maxTokens":2057},)"
            R"("additionalModelRequestFields":{"thinking":{"type":"enabled","budget_tokens":2048}}})");
  EXPECT_NE(records_of(call).find("dropped;/temperature;0.2>"), std::string::npos);
  EXPECT_NE(records_of(call).find("dropped;/top_k;3>"), std::string::npos);
}

TEST(ConverseProvider, AsksOthersToReasonInTheirWords) {
  const Capabilities effort = caps(&Capabilities::thinking, ThinkingMode::effort);
  const std::string body =
      R"({"model":"m","reasoning_effort":"high","messages":[{"role":"user","content":"a"}]})";
  const auto nova = test::encode_for(bedrock_converse_provider(), test::openai_chat(body),
                                     "amazon.nova-2-lite-v1:0", effort);
  EXPECT_NE(body_of(nova).find(R"({"reasoningConfig":{"type":"enabled","maxReasoningEffort":"high"}})"),
            std::string::npos);
  const auto oss = test::encode_for(bedrock_converse_provider(), test::openai_chat(body),
                                    "openai.gpt-oss-20b-1:0", effort);
  EXPECT_NE(body_of(oss).find(R"({"reasoning_effort":"high"})"), std::string::npos);
  const auto unknown =
      test::encode_for(bedrock_converse_provider(), test::openai_chat(body), "amazon.nova-lite-v1:0");
  EXPECT_EQ(records_of(unknown), "dropped;/reasoning");
}

TEST(ConverseProvider, SendsSignedThinkingToClaudeOnly) {
  const std::string body = R"({"model":"m","max_tokens":9,"messages":[{"role":"user","content":"a"},
    {"role":"assistant","content":[{"type":"thinking","thinking":"t","signature":"s"},
      {"type":"redacted_thinking","data":"QUJD"},{"type":"text","text":"b"}]},)"
                           R"({"role":"user","content":"c"}]})";
  const std::string claude = body_of(to_converse(body));
  EXPECT_NE(claude.find(R"({"reasoningContent":{"reasoningText":{"text":"t","signature":"s"}}},)"
                        R"({"reasoningContent":{"redactedContent":"QUJD"}})"),
            std::string::npos)
      << claude;
  const auto nova = to_converse(body, "amazon.nova-pro-v1:0");
  EXPECT_EQ(body_of(nova).find("reasoningContent"), std::string::npos);
  EXPECT_NE(records_of(nova).find("signature_dropped"), std::string::npos);
}

TEST(ConverseProvider, PutsCachePointsBehindWhatTheyMark) {
  const std::string body = R"({"model":"m","max_tokens":9,
    "system":[{"type":"text","text":"s","cache_control":{"type":"ephemeral",)"
                           R"("ttl":"1h"}}],
    "tools":[{"name":"f","input_schema":{"type":"object"},)"
                           R"("cache_control":{"type":"ephemeral","ttl":"1h"}}],
    "messages":[{"role":"user","content":[{"type":"text","text":"a",)"
                           R"("cache_control":{"type":"ephemeral","ttl":"5m"}}]}]})";
  const std::string claude = body_of(to_converse(body));
  EXPECT_NE(claude.find(R"("system":[{"text":"s"},{"cachePoint":{"type":"default","ttl":"1h"}}])"),
            std::string::npos)
      << claude;
  EXPECT_NE(claude.find(R"("content":[{"text":"a"},{"cachePoint":{"type":"default"}}])"), std::string::npos);
  EXPECT_NE(claude.find(R"(}}},{"cachePoint":{"type":"default","ttl":"1h"}}]})"), std::string::npos);
  for (const std::string_view without : {"anthropic.claude-v2:1", "meta.llama3-8b-instruct-v1:0"}) {
    const auto call = to_converse(body, without);
    EXPECT_EQ(body_of(call).find("cachePoint"), std::string::npos);
    EXPECT_NE(records_of(call).find("cache_dropped"), std::string::npos);
  }
  EXPECT_NE(body_of(to_converse(body, "arn:aws:bedrock:us-east-1:1:application-inference-profile/abc"))
                .find("cachePoint"),
            std::string::npos);
}

TEST(ConverseProvider, AsksForASchemaByToolOrInItsOwnField) {
  const std::string body =
      R"({"model":"m","messages":[{"role":"user","content":"a"}],"response_format":{"type":"json_schema",
    "json_schema":{"name":"r","schema":{"type":"object"}}}})";
  const auto tool = test::encode_for(bedrock_converse_provider(), test::openai_chat(body));
  EXPECT_EQ(tool->notes.json_tool, "json_output");
  EXPECT_NE(
      body_of(tool).find(
          R"("inputSchema":{"json":{"type":"object"}}}}],"toolChoice":{"tool":{"name":"json_output"}}})"),
      std::string::npos)
      << body_of(tool);
  const auto native = test::encode_for(bedrock_converse_provider(), test::openai_chat(body), test::kClaude,
                                       caps(&Capabilities::json_schema, JsonSchemaSupport::native));
  EXPECT_NE(
      body_of(native).find(R"("outputConfig":{"textFormat":{"type":"json_schema",)"
                           R"("structure":{"jsonSchema":{"schema":"{\"type\":\"object\"}","name":"r"}}}})"),
      std::string::npos)
      << body_of(native);
  const auto instruct = test::encode_for(bedrock_converse_provider(), test::openai_chat(body), test::kClaude,
                                         caps(&Capabilities::tools, false));
  EXPECT_NE(body_of(instruct).find("Answer with one JSON object"), std::string::npos);
}

TEST(ConverseProvider, SendsOnlyMetadataThatTheServiceTakes) {
  const auto call =
      test::encode_for(bedrock_converse_provider(), test::openai_chat(R"({"model":"m","user":"a|b",
    "metadata":{"ok":"v 1","bad{":"x"},"messages":[{"role":"user","content":"a"}]})"));
  EXPECT_NE(body_of(call).find(R"("requestMetadata":{"ok":"v 1"})"), std::string::npos) << body_of(call);
  EXPECT_EQ(records_of(call), "dropped;/metadata;bad{>, dropped;/user;user>");
}

// What a Converse client said comes out as it went in, modulo order and the names of defaults.
TEST(ConverseProvider, GivesAConverseRequestBack) {
  const std::string body = R"({"system":[{"text":"s"}],"messages":[{"role":"user","content":[{"text":"hi"},)"
                           R"({"image":{"format":"png","source":{"bytes":"AAAA"}}}]}],)"
                           R"("inferenceConfig":{"maxTokens":5,"temperature":0.5},)"
                           R"("toolConfig":{"tools":[{"toolSpec":{"name":"f",)"
                           R"("inputSchema":{"json":{"type":"object"}}}}],"toolChoice":{"any":{}}},)"
                           R"("additionalModelRequestFields":{"x":{"y":1.0}},"requestMetadata":{"a":"b"},)"
                           R"("serviceTier":{"type":"flex"},"guardrailConfig":{"guardrailIdentifier":"g",)"
                           R"("guardrailVersion":"1"}})";
  const auto call = test::encode_for(bedrock_converse_provider(), test::converse_chat(body));
  EXPECT_EQ(body_of(call), body);
  EXPECT_EQ(records_of(call), "");
}

TEST(ConverseProvider, PassesTheClientsBytesWithinAFamily) {
  const ClientCall call = test::model_call(
      bedrock_converse_client(), R"({ "messages":[{"role":"user","content":[{"text":"hi"}]}], "new": 1.0 })");
  const auto request = bedrock_converse_client().decode_request(call);
  ASSERT_TRUE(request);
  const Capabilities any;
  const auto& codec = bedrock_converse_provider();
  EXPECT_TRUE(codec.takes_raw(call, {.model = "us.anthropic.claude-x", .capabilities = &any}));
  EXPECT_FALSE(codec.takes_raw(call, {.model = "amazon.nova-pro-v1:0", .capabilities = &any}));
  const auto raw =
      codec.splice_request(call, *request, {.model = "us.anthropic.claude-x", .capabilities = &any});
  EXPECT_EQ(raw->wire.body, R"({ "messages":[{"role":"user","content":[{"text":"hi"}]}], "new": 1.0 })");
  EXPECT_EQ(raw->wire.path, "/model/us.anthropic.claude-x/converse");
}

TEST(ConverseProvider, CountsForTheModelBehindAProfile) {
  const CountTokens count{test::messages_chat(user_says("\"hi\""))};
  const auto call =
      test::encode_for(bedrock_converse_provider(), count, "us.anthropic.claude-3-5-sonnet-20241022-v2:0");
  EXPECT_EQ(call->wire.path, "/model/anthropic.claude-3-5-sonnet-20241022-v2%3A0/count-tokens");
  EXPECT_EQ(body_of(call), fmt::format(R"({{"input":{{"converse":{{{}}}}}}})", kHi));
  const Headers headers;
  const auto events = bedrock_converse_provider().decode_answer(
      {.headers = &headers, .body = R"({"inputTokens":12})"}, call->notes);
  EXPECT_EQ(std::get<UsageReport>(events->at(0)).usage.in_uncached, 12);
}

TEST(ConverseProvider, KeepsMarksAndCitationsOfItsOwnAndReportsThemElsewhere) {
  const Chat chat = test::converse_chat(R"({"messages":[
    {"role":"user","content":[{"guardContent":{"text":{"text":"guarded"}}}]},
    {"role":"assistant","content":[
      {"citationsContent":{"content":[{"text":"cited"}],"citations":[{"title":"t"}]}}]},
    {"role":"user","content":[{"text":"go on"}]}]})");
  const auto same = test::encode_for(bedrock_converse_provider(), chat);
  ASSERT_TRUE(same);
  EXPECT_NE(same->wire.body.find(R"({"guardContent":{"text":{"text":"guarded"}}})"), std::string::npos);
  EXPECT_NE(same->wire.body.find(R"("citations":[{"title":"t"}])"), std::string::npos);
  EXPECT_TRUE(same->notes.fidelity.empty());
  const Capabilities plain;
  const auto other =
      anthropic_messages_provider().encode_request(chat, {.model = "m", .capabilities = &plain});
  ASSERT_TRUE(other);
  EXPECT_NE(other->wire.body.find(R"("text":"guarded")"), std::string::npos);
  const std::string records = other->notes.fidelity.header_value();
  EXPECT_NE(records.find("coerced_string;/messages/0/content;guardContent>plain"), std::string::npos)
      << records;
  EXPECT_NE(records.find("coerced_string;/messages/1/content;citationsContent>plain"), std::string::npos)
      << records;
}

TEST(ConverseProvider, SendsInstructionsThatOnlyItsOwnDialectReads) {
  const std::string system = R"("system":[{"newKind":{"a":1.0}},{"text":"s"}])";
  const auto call = test::encode_for(
      bedrock_converse_provider(),
      test::converse_chat(R"({"messages":[{"role":"user","content":[{"text":"a"}]}],)" + system + "}"));
  EXPECT_NE(test::body_of(call).find(system), std::string::npos) << test::body_of(call);
}

TEST(ConverseProvider, RefusesDocumentsThatItWouldHaveToFetch) {
  for (const std::string_view source :
       {R"({"type":"url","url":"https://example.com/a.pdf"})", R"({"type":"file","file_id":"file_1"})"}) {
    const auto call = test::to_converse(fmt::format(
        R"({{"model":"m","max_tokens":9,"messages":[{{"role":"user","content":[{{"type":"document",)"
        R"("source":{}}}]}}]}})",
        source));
    ASSERT_FALSE(call) << test::body_of(call);
    EXPECT_EQ(call.error().kind, ErrorKind::unsupported);
    EXPECT_NE(call.error().message.find("send its bytes"), std::string::npos) << call.error().message;
  }
}

// The body of a Nova model is written here: a caller's field of the same name would stand in it twice.
TEST(ConverseProvider, KeepsModelFieldsOutOfTheMembersOfNovasBody) {
  for (const std::string key : {"schemaVersion", "system", "messages", "inferenceConfig", "toolConfig"}) {
    const Chat chat = test::converse_chat(fmt::format(
        R"({{"messages":[{{"role":"user","content":[{{"text":"a"}}]}}],"additionalModelRequestFields":)"
        R"({{"{}":{{"mine":1,"x":2}},"other":3}}}})",
        key));
    const auto call = test::encode_for(bedrock_invoke_provider(), chat, "amazon.nova-lite-v1:0");
    EXPECT_EQ(test::body_of(call).find("mine"), std::string::npos) << test::body_of(call);
    EXPECT_NE(test::body_of(call).find(R"("other":3)"), std::string::npos) << test::body_of(call);
    EXPECT_TRUE(JsonDoc::parse(test::body_of(call))) << test::body_of(call);
    EXPECT_NE(test::records_of(call).find("dropped;"), std::string::npos);
  }
}

}  // namespace
}  // namespace weir
