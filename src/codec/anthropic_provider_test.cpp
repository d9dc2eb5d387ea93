#include <gtest/gtest.h>

#include "codec/anthropic_test_util.h"

namespace weir {
namespace {

using test::body_of;
using test::caps;
using test::records_of;
using test::to_anthropic;

constexpr std::string_view kTool =
    R"("tools":[{"type":"function","function":{"name":"f","description":"d","parameters":{"type":"object"}}}])";

// A request of OpenAI's dialect with these messages and further fields.
std::string openai(std::string_view messages, std::string_view more = "") {
  return fmt::format(R"({{"model":"m","max_tokens":100,"messages":[{}]{}{}}})", messages,
                     more.empty() ? "" : ",", more);
}
const std::string kHi = R"({"role":"user","content":"hi"})";

// The part of the body from `key` on.
std::string from_key(const Result<EncodedCall>& call, std::string_view key) {
  const std::string body = body_of(call);
  const size_t at = body.find(fmt::format("\"{}\":", key));
  return at == std::string::npos ? "no " + std::string(key) + " in " + body : body.substr(at);
}
bool has_key(const Result<EncodedCall>& call, std::string_view key) {
  return body_of(call).find(fmt::format("\"{}\":", key)) != std::string::npos;
}

TEST(AnthropicProvider, WritesAPlainRequest) {
  const auto call =
      to_anthropic(openai(R"({"role":"system","content":"S"},{"role":"user","content":"hi"},)"
                          R"({"role":"assistant","content":"yo"},{"role":"user","content":"b"})",
                          R"("temperature":0.5,"stop":"END","user":"u1","stream":true)"));
  EXPECT_EQ(
      body_of(call),
      R"({"model":"claude","max_tokens":100,"stream":true,"system":[{"type":"text","text":"S"}],"messages":[)"
      R"({"role":"user","content":[{"type":"text","text":"hi"}]},)"
      R"({"role":"assistant","content":[{"type":"text","text":"yo"}]},)"
      R"({"role":"user","content":[{"type":"text","text":"b"}]}],)"
      R"("temperature":0.5,"stop_sequences":["END"],"metadata":{"user_id":"u1"}})");
  EXPECT_EQ(call->wire.path, "/v1/messages");
  EXPECT_EQ(call->wire.headers.get_or("anthropic-version", ""), "2023-06-01");
  EXPECT_EQ(call->wire.headers.get_or("accept", ""), "text/event-stream");
  EXPECT_TRUE(call->notes.fidelity.empty()) << records_of(call);
  EXPECT_TRUE(call->notes.is_streamed);
}

TEST(AnthropicProvider, SaysThatArgumentsAreAnObject) {
  const auto call =
      to_anthropic(openai(kHi, R"("tools":[{"type":"function","function":{"name":"f","parameters":{}}}])"));
  EXPECT_NE(body_of(call).find(R"("name":"f","input_schema":{"type":"object","properties":{}}})"),
            std::string::npos)
      << body_of(call);
}

Capabilities vertex() {
  Capabilities made;
  made.quirks.vertex_anthropic = true;
  return made;
}

TEST(AnthropicProvider, OnVertexThePathNamesTheModelAndTheBodyTheVersion) {
  const std::string hi = openai(kHi, R"("stream":true)");
  const auto streamed = to_anthropic(hi, vertex());
  EXPECT_EQ(streamed->wire.path, "/publishers/anthropic/models/claude:streamRawPredict");
  EXPECT_EQ(body_of(streamed),
            R"({"anthropic_version":"vertex-2023-10-16","max_tokens":100,"stream":true,"messages":[)"
            R"({"role":"user","content":[{"type":"text","text":"hi"}]}]})");
  EXPECT_EQ(to_anthropic(openai(kHi), vertex())->wire.path, "/publishers/anthropic/models/claude:rawPredict");
}

TEST(AnthropicProvider, OnVertexTheRawWaySplicesModelAndVersion) {
  const Capabilities capabilities = vertex();
  const auto spliced = [&](std::string body, Operation operation = Operation::chat) {
    ClientCall call = test::client_call(Dialect::anthropic_messages, std::move(body));
    const ClientCodec& codec =
        operation == Operation::chat ? anthropic_messages_client() : anthropic_count_tokens_client();
    const Request request = codec.decode_request(call).value();
    auto made = anthropic_messages_provider().splice_request(
        call, request, {.model = "claude@1", .capabilities = &capabilities});
    return made ? made->wire.path + " " + made->wire.body : made.error().message;
  };
  const std::string path = "/publishers/anthropic/models/claude@1:rawPredict ";
  const std::string rest = R"("max_tokens": 9, "messages": [{"role":"user","content":"hi"}])";
  EXPECT_EQ(spliced(R"({ "model" : "m", )" + rest + "}"),
            path + R"({ "anthropic_version":"vertex-2023-10-16", )" + rest + "}");
  EXPECT_EQ(spliced("{" + rest + R"(, "model":"m"})"),
            path + "{" + rest + R"(, "anthropic_version":"vertex-2023-10-16"})");
  // A client that names a version of its own: one version stays, the model goes with its comma.
  EXPECT_EQ(spliced(R"({"anthropic_version":"x","model":"m",)" + rest + "}"),
            path + R"({"anthropic_version":"vertex-2023-10-16",)" + rest + "}");
  EXPECT_EQ(spliced(R"({"anthropic_version":"x",)" + rest + R"( , "model":"m"})"),
            path + R"({"anthropic_version":"vertex-2023-10-16",)" + rest + "}");
  EXPECT_EQ(spliced(R"({"model":"m","messages":[{"role":"user","content":"hi"}]})", Operation::count_tokens),
            "/publishers/anthropic/models/count-tokens:rawPredict "
            R"({"model":"claude@1","anthropic_version":"vertex-2023-10-16",)"
            R"("messages":[{"role":"user","content":"hi"}]})");
}

TEST(AnthropicProvider, PutsToolResultsFirstInTheOrderOfTheirCalls) {
  const auto call = to_anthropic(openai(
      R"({"role":"user","content":"go"},{"role":"assistant","content":"","tool_calls":[)"
      R"({"id":"a","type":"function","function":{"name":"f","arguments":""}},)"
      R"({"id":"b.1","type":"function","function":{"name":"f","arguments":"{\"x\": 1.0}"}},)"
      R"({"id":"c","type":"function","function":{"name":"f","arguments":"{\"cut"}}]},)"
      R"({"role":"tool","tool_call_id":"c","content":"3"},{"role":"tool","tool_call_id":"b.1","content":"2"},)"
      R"({"role":"tool","tool_call_id":"stray","content":"?"},{"role":"tool","tool_call_id":"a","content":""},)"
      R"({"role":"user","content":"and?"})",
      kTool));
  const std::string body = body_of(call);
  const size_t id = body.find("\"id\":\"b_1_");
  ASSERT_NE(id, std::string::npos) << body;
  const std::string renamed = body.substr(id + 6, 12);
  EXPECT_NE(
      body.find(R"({"role":"assistant","content":[{"type":"tool_use","id":"a","name":"f","input":{}},)"
                R"({"type":"tool_use","id":")" +
                renamed + R"(","name":"f","input":{"x": 1.0}},)" +
                R"({"type":"tool_use","id":"c","name":"f","input":{"_raw":"{\"cut"}}]},)"
                R"({"role":"user","content":[{"type":"tool_result","tool_use_id":"a"},)"
                R"({"type":"tool_result","tool_use_id":")" +
                renamed + R"(","content":"2"},)" +
                R"({"type":"tool_result","tool_use_id":"c","content":"3"},{"type":"text","text":"and?"}]}])"),
      std::string::npos)
      << body;
  EXPECT_NE(records_of(call).find("dropped;/messages"), std::string::npos) << records_of(call);
  EXPECT_NE(records_of(call).find("coerced_string"), std::string::npos);
}

TEST(AnthropicProvider, RefusesCallsWithoutAResultNamingThem) {
  const std::string calls = R"({"role":"user","content":"go"},{"role":"assistant","tool_calls":[)"
                            R"({"id":"a1","type":"function","function":{"name":"f","arguments":"{}"}},)"
                            R"({"id":"b2","type":"function","function":{"name":"f","arguments":"{}"}}]})";
  const auto one =
      to_anthropic(openai(calls + R"(,{"role":"tool","tool_call_id":"a1","content":"1"})", kTool));
  ASSERT_FALSE(one);
  EXPECT_EQ(one.error().kind, ErrorKind::bad_request);
  EXPECT_NE(one.error().message.find("tool calls b2 have"), std::string::npos) << one.error().message;
  const auto none = to_anthropic(openai(calls, kTool));
  ASSERT_FALSE(none);
  EXPECT_NE(none.error().message.find("a1, b2"), std::string::npos) << none.error().message;
}

TEST(AnthropicProvider, MergesTurnsHoistsSystemAndDropsEmptyText) {
  const auto call = to_anthropic(openai(
      R"({"role":"user","content":"a"},{"role":"user","name":"Bob","content":"b"},)"
      R"({"role":"assistant","content":" "},{"role":"developer","content":"D"},{"role":"user","content":"c"})"));
  EXPECT_EQ(
      from_key(call, "system"),
      R"("system":[{"type":"text","text":"D"}],"messages":[{"role":"user","content":[{"type":"text","text":"a"},)"
      R"({"type":"text","text":"b"},{"type":"text","text":"c"}]}]})");
  EXPECT_EQ(records_of(call),
            "dropped;/messages/1/name;Bob>, merged;/messages/1;user>, "
            "dropped;/messages/2/content;white_space>, "
            "reordered;/messages/3;developer>system");
  EXPECT_FALSE(to_anthropic(openai(R"({"role":"user","content":""})")));
  EXPECT_FALSE(to_anthropic(openai(R"({"role":"system","content":"S"})")));
}

TEST(AnthropicProvider, StripsOrRefusesAPrefill) {
  const std::string body = openai(kHi + R"(,{"role":"assistant","content":"Sure: \n"})");
  EXPECT_NE(body_of(to_anthropic(body)).find(R"({"type":"text","text":"Sure:"})"), std::string::npos);
  const auto refused = to_anthropic(body, caps(&Capabilities::prefill, false));
  ASSERT_FALSE(refused);
  EXPECT_EQ(refused.error().kind, ErrorKind::unsupported);
}

TEST(AnthropicProvider, FillsClampsAndLimits) {
  const std::string without = R"({"model":"m","messages":[{"role":"user","content":"hi"}]})";
  EXPECT_EQ(from_key(to_anthropic(without), "max_tokens").substr(0, 17), R"("max_tokens":4096)");
  EXPECT_EQ(records_of(to_anthropic(without)), "synthesised;/max_tokens;>4096");
  EXPECT_EQ(from_key(to_anthropic(without, caps(&Capabilities::output_max, 777)), "max_tokens").substr(0, 16),
            R"("max_tokens":777)");
  EXPECT_EQ(
      from_key(to_anthropic(openai(kHi), caps(&Capabilities::output_max, 50)), "max_tokens").substr(0, 15),
      R"("max_tokens":50)");
  const auto hot = to_anthropic(openai(kHi, R"("temperature":1.7,"top_p":0.5)"),
                                caps(&Capabilities::allows_temp_and_top_p, false));
  EXPECT_EQ(from_key(hot, "temperature"), R"("temperature":1})");
  EXPECT_EQ(records_of(hot), "clamped;/temperature;1.7>1, dropped;/top_p;0.5>");
  EXPECT_EQ(from_key(to_anthropic(openai(kHi, R"("stop":["\n","a"])")), "stop_sequences"),
            R"("stop_sequences":["a"]})");
  const auto lost = to_anthropic(openai(
      kHi, R"("seed":1,"logprobs":true,"frequency_penalty":0.5,"presence_penalty":0,"logit_bias":{"1":2})"));
  EXPECT_EQ(records_of(lost),
            "dropped;/frequency_penalty;0.5>, dropped;/seed;1>, dropped;/logprobs, dropped;/logit_bias");
  EXPECT_EQ(to_anthropic(openai(kHi, R"("n":2)")).error().kind, ErrorKind::unsupported);
}

TEST(AnthropicProvider, WritesToolsAndTheirChoice) {
  const auto choice = [](std::string_view more) {
    return from_key(to_anthropic(openai(kHi, fmt::format("{},{}", kTool, more))), "tools");
  };
  const std::string tools = R"("tools":[{"name":"f","description":"d","input_schema":{"type":"object"}}])";
  EXPECT_EQ(choice(R"("tool_choice":"auto")"), tools + R"(,"tool_choice":{"type":"auto"}})");
  EXPECT_EQ(choice(R"("tool_choice":"required")"), tools + R"(,"tool_choice":{"type":"any"}})");
  EXPECT_EQ(choice(R"("tool_choice":"none")"), tools + R"(,"tool_choice":{"type":"none"}})");
  EXPECT_EQ(choice(R"("tool_choice":{"type":"function","function":{"name":"f"}})"),
            tools + R"(,"tool_choice":{"type":"tool","name":"f"}})");
  EXPECT_EQ(choice(R"("parallel_tool_calls":false)"),
            tools + R"(,"tool_choice":{"type":"auto","disable_parallel_tool_use":true}})");
  EXPECT_EQ(choice(R"("parallel_tool_calls":true)"), tools + "}");
  const auto forced = to_anthropic(openai(kHi, fmt::format(R"({},"tool_choice":"required")", kTool)),
                                   caps(&Capabilities::forced_tool, false));
  EXPECT_EQ(from_key(forced, "tool_choice"), R"("tool_choice":{"type":"auto"}})");
  EXPECT_TRUE(forced->notes.fidelity.has_warnings());
}

TEST(AnthropicProvider, MakesNamesLegalAndCustomToolsFunctions) {
  const auto call = to_anthropic(openai(
      kHi,
      R"("tools":[{"type":"function","function":{"name":"srv.tool"}},{"type":"custom","custom":{"name":"patch"}}],)"
      R"("tool_choice":{"type":"function","function":{"name":"srv.tool"}})"));
  const std::string wire(call->notes.tool_names.wire("srv.tool"));
  EXPECT_EQ(wire.substr(0, 9), "srv_tool_");
  EXPECT_EQ(from_key(call, "tools"),
            R"("tools":[{"name":")" + wire + R"(","input_schema":{"type":"object","properties":{}}},)" +
                R"({"name":"patch","input_schema":{"type":"object","properties":{"input":{"type":"string"}},)"
                R"("required":["input"]}}],"tool_choice":{"type":"tool","name":")" +
                wire + R"("}})");
  EXPECT_EQ(*call->notes.custom_tools, (std::set<std::string, std::less<>>{"patch"}));
  EXPECT_FALSE(to_anthropic(openai(kHi, R"("tools":[{"type":"web_search"}])")));
}

TEST(AnthropicProvider, DeclaresTheToolsOfAHistoryThatOffersNone) {
  const auto call = to_anthropic(openai(
      R"({"role":"user","content":"go"},{"role":"assistant","tool_calls":[{"id":"a","type":"function",)"
      R"("function":{"name":"f","arguments":"{}"}}]},{"role":"tool","tool_call_id":"a","content":"1"})"));
  EXPECT_EQ(
      from_key(call, "tools"),
      R"("tools":[{"name":"f","input_schema":{"type":"object","properties":{}}}],"tool_choice":{"type":"none"}})");
  EXPECT_EQ(records_of(call), "synthesised;/tools;>1_of_the_history");
}

TEST(AnthropicProvider, AsksForASchemaNativelyByAToolOrInWords) {
  const std::string body = openai(
      kHi,
      R"("response_format":{"type":"json_schema","json_schema":{"name":"n","schema":{"type":"object"}}})");
  EXPECT_EQ(from_key(to_anthropic(body, caps(&Capabilities::json_schema, JsonSchemaSupport::native)),
                     "output_config"),
            R"("output_config":{"format":{"type":"json_schema",)"
            R"("schema":{"type":"object","additionalProperties":false}}}})");
  const auto forced = to_anthropic(body, caps(&Capabilities::json_schema, JsonSchemaSupport::tool));
  EXPECT_EQ(
      from_key(forced, "tools"),
      R"("tools":[{"name":"json_output","description":"Gives the answer. Call it once, with the whole answer.",)"
      R"("input_schema":{"type":"object"}}],"tool_choice":{"type":"tool","name":"json_output"}})");
  EXPECT_EQ(forced->notes.json_tool, "json_output");
  const auto instructed = to_anthropic(body, caps(&Capabilities::json_schema, JsonSchemaSupport::none));
  EXPECT_NE(from_key(instructed, "system").find(R"(valid against this JSON schema:\n{\"type\":\"object\"})"),
            std::string::npos)
      << body_of(instructed);
  EXPECT_TRUE(instructed->notes.json_tool.empty());
  const auto object = to_anthropic(openai(kHi, R"("response_format":{"type":"json_object"})"));
  EXPECT_TRUE(has_key(object, "system"));
  EXPECT_EQ(records_of(object), "emulated;/response_format;json_object>instruction");
}

TEST(AnthropicProvider, LetsACallerOfToolsAndASchemaHaveBoth) {
  const Capabilities capabilities = caps(&Capabilities::json_schema, JsonSchemaSupport::tool);
  const std::string format = R"("response_format":{"type":"json_schema","json_schema":{"name":"n"}})";
  const auto both = to_anthropic(openai(kHi, fmt::format("{},{}", kTool, format)), capabilities);
  EXPECT_EQ(from_key(both, "tool_choice"), R"("tool_choice":{"type":"any"}})");
  const auto named = to_anthropic(
      openai(kHi, fmt::format(R"({},{},"tool_choice":{{"type":"function","function":{{"name":"f"}}}})", kTool,
                              format)),
      capabilities);
  EXPECT_EQ(from_key(named, "tool_choice"), R"("tool_choice":{"type":"tool","name":"f"}})");
  EXPECT_TRUE(named->notes.json_tool.empty());
}

TEST(AnthropicProvider, RaisesABudgetToTheLeastThatTheModelTakes) {
  Chat chat = test::openai_chat(openai(kHi));
  chat.reasoning.budget_tokens = 512;
  const auto budgeted = [&](const Capabilities& capabilities) {
    return anthropic_messages_provider().encode_request(chat,
                                                        {.model = "claude", .capabilities = &capabilities});
  };
  const auto call = budgeted(caps(&Capabilities::thinking, ThinkingMode::budget));
  EXPECT_NE(body_of(call).find(R"("thinking":{"type":"enabled","budget_tokens":1024})"), std::string::npos)
      << body_of(call);
  EXPECT_NE(records_of(call).find("clamped;/thinking;budget_512>budget_1024"), std::string::npos)
      << records_of(call);
  EXPECT_NE(body_of(budgeted(caps(&Capabilities::thinking, ThinkingMode::budget,
                                  &Capabilities::thinking_budget_min, 256)))
                .find(R"("budget_tokens":512})"),
            std::string::npos);
}

TEST(AnthropicProvider, TurnsAnEffortIntoWhatTheModelTakes) {
  const auto with = [](std::string_view effort, const Capabilities& capabilities,
                       std::string_view more = "") {
    return to_anthropic(openai(kHi, fmt::format(R"("reasoning_effort":"{}"{})", effort, more)), capabilities);
  };
  const Capabilities budget =
      caps(&Capabilities::output_max, 64'000, &Capabilities::thinking, ThinkingMode::budget);
  const auto high = with("high", budget);
  EXPECT_NE(body_of(high).find(R"("thinking":{"type":"enabled","budget_tokens":16384})"), std::string::npos);
  EXPECT_EQ(from_key(high, "max_tokens").substr(0, 18), R"("max_tokens":16484)");
  const Capabilities small =
      caps(&Capabilities::output_max, 4000, &Capabilities::thinking, ThinkingMode::budget);
  EXPECT_NE(body_of(with("high", small)).find(R"("budget_tokens":3900})"), std::string::npos);
  EXPECT_EQ(from_key(with("high", small), "max_tokens").substr(0, 17), R"("max_tokens":4000)");
  const Capabilities tiny =
      caps(&Capabilities::output_max, 1000, &Capabilities::thinking, ThinkingMode::budget);
  EXPECT_FALSE(has_key(with("low", tiny), "thinking")) << body_of(with("low", tiny));
  const Capabilities adaptive = caps(&Capabilities::thinking, ThinkingMode::adaptive);
  EXPECT_EQ(from_key(with("minimal", adaptive), "thinking"),
            R"("thinking":{"type":"adaptive"},"output_config":{"effort":"low"}})");
  EXPECT_EQ(from_key(with("none", adaptive), "thinking"), R"("thinking":{"type":"disabled"}})");
  EXPECT_FALSE(has_key(with("none", caps(&Capabilities::thinking, ThinkingMode::adaptive,
                                         &Capabilities::thinking_forced, true)),
                       "thinking"));
  EXPECT_FALSE(has_key(with("high", caps(&Capabilities::thinking, ThinkingMode::none)), "thinking"));
  const auto rules = with(
      "low", budget, fmt::format(R"(,"temperature":0.2,"top_p":0.5,"tool_choice":"required",{})", kTool));
  EXPECT_FALSE(has_key(rules, "temperature"));
  EXPECT_FALSE(has_key(rules, "top_p"));
  EXPECT_NE(body_of(rules).find(R"("tool_choice":{"type":"auto"})"), std::string::npos);
}

TEST(AnthropicProvider, SaysInItsOwnWordHowMuchOfTheThinkingIsShown) {
  const Capabilities capabilities = caps(&Capabilities::thinking, ThinkingMode::budget);
  const auto shown = [&](std::string_view word) {
    Chat chat = test::openai_chat(openai(kHi));
    chat.max_tokens = 9000;
    chat.reasoning.budget_tokens = 2000;
    chat.reasoning.display = word;
    const auto call = anthropic_messages_provider().encode_request(
        chat, {.model = "claude", .capabilities = &capabilities});
    return from_key(call, "display");
  };
  for (const std::string_view word : {"auto", "concise", "detailed", "summarized"}) {
    EXPECT_EQ(shown(word), R"("display":"summarized"}})") << word;
  }
  EXPECT_EQ(shown("omitted"), R"("display":"omitted"}})");
}

TEST(AnthropicProvider, KeepsOnlyItsOwnSignaturesAndThinksOnlyWithThem) {
  const std::string loop =
      R"({"role":"user","content":"go"},{"role":"assistant",%,"tool_calls":[{"id":"a","type":"function",)"
      R"("function":{"name":"f","arguments":"{}"}}]},{"role":"tool","tool_call_id":"a","content":"1"})";
  const auto with = [&](std::string_view field) {
    std::string messages = loop;
    messages.replace(messages.find('%'), 1, field);
    return to_anthropic(openai(messages, fmt::format(R"({},"reasoning_effort":"low")", kTool)),
                        caps(&Capabilities::thinking, ThinkingMode::budget));
  };
  const auto bare = with(R"("reasoning_content":"hm")");
  EXPECT_FALSE(has_key(bare, "budget_tokens"));
  EXPECT_EQ(body_of(bare).find("hm"), std::string::npos);
  const auto is_signed = with(R"("thinking_blocks":[{"type":"thinking","thinking":"hm","signature":"s"}])");
  EXPECT_TRUE(has_key(is_signed, "budget_tokens"));
  EXPECT_NE(
      body_of(is_signed).find(R"([{"type":"thinking","thinking":"hm","signature":"s"},{"type":"tool_use")"),
      std::string::npos);
}

TEST(AnthropicProvider, TakesImagesByWhatTheirBytesSay) {
  const auto image = [](std::string_view url, const Capabilities& capabilities = {}) {
    return to_anthropic(
        openai(fmt::format(
            R"({{"role":"user","content":[{{"type":"image_url","image_url":{{"url":"{}"}}}}]}})", url)),
        capabilities);
  };
  const auto source = [](const Result<EncodedCall>& call) { return from_key(call, "source").substr(0, 60); };
  EXPECT_EQ(source(image("data:image/jpeg;base64,iVBORw0KGgoAAAAN")).substr(0, 58),
            R"("source":{"type":"base64","media_type":"image/png","data":)");
  EXPECT_NE(body_of(image("data:image/png;base64,R0lGODlhAQABAAAA")).find("image/gif"), std::string::npos);
  EXPECT_EQ(source(image("https://x/y.png")), R"("source":{"type":"url","url":"https://x/y.png"}}]}]})");
  EXPECT_EQ(source(image("HTTPS://x/y.png")), R"("source":{"type":"url","url":"HTTPS://x/y.png"}}]}]})");
  EXPECT_NE(body_of(image("data:application/pdf;base64,JVBERi0xLjQK")).find(R"({"type":"document","source")"),
            std::string::npos);
  EXPECT_EQ(image("gs://b/c.png").error().kind, ErrorKind::unsupported);
  EXPECT_EQ(image("https://x/y.png", caps(&Capabilities::image_url, false)).error().kind,
            ErrorKind::unsupported);
  EXPECT_EQ(image("data:image/tiff;base64,AAAAAAAA").error().kind, ErrorKind::unsupported);
  EXPECT_EQ(image("https://x/y.png", caps(&Capabilities::vision, false)).error().kind,
            ErrorKind::unsupported);
  EXPECT_FALSE(to_anthropic(openai(
      R"({"role":"user","content":[{"type":"input_audio","input_audio":{"data":"AAAA","format":"wav"}}]})")));
}

TEST(AnthropicProvider, KeepsFourCacheMarkers) {
  std::string messages =
      R"({"role":"system","content":[{"type":"text","text":"s","cache_control":{"type":"ephemeral","ttl":"1h"}}]})";
  for (int i = 0; i < 5; ++i) {
    messages += fmt::format(
        R"(,{{"role":"user","content":[{{"type":"text","text":"{}","cache_control":{{"type":"ephemeral","ttl":"1h"}}}}]}})",
        i);
  }
  const auto call = to_anthropic(openai(messages));
  const std::string body = body_of(call);
  size_t count = 0;
  for (size_t at = body.find("cache_control"); at != std::string::npos;
       at = body.find("cache_control", at + 1))
    ++count;
  EXPECT_EQ(count, 4u) << body;
  EXPECT_NE(body.find(R"("text":"s","cache_control":{"type":"ephemeral","ttl":"1h"}})"), std::string::npos);
  EXPECT_NE(body.find(R"("text":"4","cache_control":{"type":"ephemeral","ttl":"1h"}})"), std::string::npos);
  EXPECT_EQ(body.find(R"("text":"1","cache_control")"), std::string::npos);
  EXPECT_EQ(
      body_of(to_anthropic(openai(messages), caps(&Capabilities::cache_control, CacheControl::automatic)))
          .find("cache_control"),
      std::string::npos);
}

TEST(AnthropicProvider, ShortensAnHourOfCachingWhereThereIsNone) {
  const auto call = to_anthropic(
      openai(
          R"({"role":"user","content":[{"type":"text","text":"a","cache_control":{"type":"ephemeral","ttl":"1h"}}]})"),
      caps(&Capabilities::cache_ttl_1h, false));
  EXPECT_NE(body_of(call).find(R"("cache_control":{"type":"ephemeral","ttl":"5m"})"), std::string::npos);
  EXPECT_EQ(records_of(call), "clamped;/messages;cache_ttl_1h>5m");
}

TEST(AnthropicProvider, GivesItsOwnDialectBackWhole) {
  const std::string body =
      R"({"model":"claude","max_tokens":2000,"messages":[{"role":"user","content":[{"type":"text","text":"hi"},)"
      R"({"type":"document","source":{"type":"text","media_type":"text/plain","data":"words"},"title":"T",)"
      R"("citations":{"enabled":true}},{"type":"search_result","source":"s"}]}],)"
      R"("tools":[{"name":"f","input_schema":{"type":"object"},"eager_input_streaming":true},)"
      R"({"type":"web_search_20250305","name":"web_search"}],"thinking":{"type":"enabled","budget_tokens":1024},)"
      R"("output_config":{"effort":"high","task_budget":{"n":2}},"mcp_servers":[{"url":"u"}]})";
  const Result<Request> request = test::decode_messages(body, {{"anthropic-beta", "mcp-1"}});
  ASSERT_TRUE(request);
  const Capabilities capabilities;
  const auto call = anthropic_messages_provider().encode_request(
      *request, {.model = "claude", .capabilities = &capabilities});
  EXPECT_EQ(body_of(call), body);
  EXPECT_EQ(call->wire.headers.get_or("anthropic-beta", ""), "mcp-1");
  EXPECT_TRUE(call->notes.fidelity.empty()) << records_of(call);
}

// The vendors differ in what a limit of nothing means; this one does not take it.
TEST(AnthropicProvider, RefusesALimitOfNothingOnlyWhereItWritesIt) {
  const std::string body = R"({"model":"m","max_tokens":0,"messages":[{"role":"user","content":"a"}]})";
  const Capabilities capabilities;
  const TargetModel target{.model = "m", .capabilities = &capabilities};
  const ClientCall client = test::client_call(Dialect::anthropic_messages, body);
  const Result<Request> request = anthropic_messages_client().decode_request(client);
  ASSERT_TRUE(request) << request.error().message;
  const auto written = anthropic_messages_provider().encode_request(*request, target);
  ASSERT_FALSE(written);
  EXPECT_EQ(written.error().kind, ErrorKind::unsupported);
  EXPECT_EQ(written.error().path, "max_tokens");
  const auto passed = anthropic_messages_provider().splice_request(client, *request, target);
  ASSERT_TRUE(passed);
  EXPECT_EQ(passed->wire.bytes(), body);
  const Request openai =
      test::openai_chat(R"({"model":"m","max_tokens":0,"messages":[{"role":"user","content":"a"}]})");
  const auto sent = openai_chat_provider().encode_request(openai, target);
  ASSERT_TRUE(sent);
  EXPECT_NE(sent->wire.body.find(R"("max_tokens":0)"), std::string::npos) << sent->wire.body;
}

TEST(AnthropicProvider, SplicesOnlyTheModel) {
  const ClientCall client = test::client_call(
      Dialect::anthropic_messages,
      "{ \"model\" : \"weir-name\", \"max_tokens\": 1.0e1,\n "
      "\"messages\":[{\"role\":\"user\",\"content\":\"a\"}], \"x\": 1}",
      {{"anthropic-version", "2026-10-21"}, {"anthropic-beta", "b-1"}, {"authorization", "Bearer secret"}});
  const Result<Request> request = anthropic_messages_client().decode_request(client);
  ASSERT_TRUE(request) << request.error().message;
  const Capabilities capabilities;
  const auto call = anthropic_messages_provider().splice_request(
      client, *request, {.model = "claude \"x\"", .capabilities = &capabilities});
  ASSERT_TRUE(call);
  EXPECT_EQ(call->wire.bytes(),
            "{ \"model\" : \"claude \\\"x\\\"\", \"max_tokens\": 1.0e1,\n "
            "\"messages\":[{\"role\":\"user\",\"content\":"
            "\"a\"}], \"x\": 1}");
  EXPECT_EQ(call->wire.headers.get_or("anthropic-version", ""), "2026-10-21");
  EXPECT_EQ(call->wire.headers.get_or("anthropic-beta", ""), "b-1");
  EXPECT_FALSE(call->wire.headers.contains("authorization"));
}

TEST(AnthropicProvider, CountsTokensOfTheSameConversation) {
  Request request = CountTokens{test::openai_chat(openai(kHi, R"("temperature":0.1,"stop":"x")"))};
  const Capabilities capabilities;
  const auto call = anthropic_messages_provider().encode_request(
      request, {.model = "claude", .capabilities = &capabilities});
  ASSERT_TRUE(call);
  EXPECT_EQ(call->wire.path, "/v1/messages/count_tokens");
  EXPECT_EQ(call->wire.bytes(),
            R"({"model":"claude","messages":[{"role":"user","content":[{"type":"text","text":"hi"}]}]})");
  EXPECT_FALSE(
      anthropic_messages_provider().encode_request(Embed{}, {.model = "c", .capabilities = &capabilities}));
}

TEST(AnthropicProvider, BringsNativeSchemasIntoTheFormThatIsEnforced) {
  const auto call = to_anthropic(R"({"model":"m","messages":[{"role":"user","content":"hi"}],
      "response_format":{"type":"json_schema","json_schema":{"name":"n",
      "schema":{"type":"object","properties":{"a":{"type":"array","minItems":3,"items":{"type":"string"}},
      "b":{"type":"integer","minimum":1},
        "c":{"$ref":"#/$defs/C"}},"$defs":{"C":{"type":"string","pattern":"x"}}}}}})",
                                 caps(&Capabilities::json_schema, JsonSchemaSupport::native));
  EXPECT_NE(
      body_of(call).find(R"("schema":{"type":"object","properties":{"a":{"type":"array",)"
                         R"("items":{"type":"string"},"description":"minItems: 3."},)"
                         R"("b":{"type":"integer","description":"minimum: 1."},"c":{"$ref":"#/$defs/C"}},)"
                         R"("additionalProperties":false,)"
                         R"("$defs":{"C":{"type":"string","description":"pattern: \"x\"."}}}})"),
      std::string::npos)
      << body_of(call);
  EXPECT_NE(records_of(call).find("schema_downleveled;/response_format/schema/properties/a/minItems"),
            std::string::npos)
      << records_of(call);
}

TEST(AnthropicProvider, NamesAVersionForClientsThatDoNot) {
  const auto version = [](Headers headers) {
    const ClientCall client = test::client_call(
        Dialect::anthropic_messages,
        R"({"model":"m","max_tokens":9,"messages":[{"role":"user","content":"hi"}]})", std::move(headers));
    const Request request = anthropic_messages_client().decode_request(client).value();
    const Capabilities any;
    const auto call =
        anthropic_messages_provider().splice_request(client, request, {.model = "m", .capabilities = &any});
    std::string found;
    for (const HeaderField field : call->wire.headers) {
      if (field.name == "anthropic-version") found.append(field.value).append(";");
    }
    return found;
  };
  EXPECT_EQ(version({}), "2023-06-01;");
  EXPECT_EQ(version({{"anthropic-version", "2024-01-01"}}), "2024-01-01;");
}

TEST(AnthropicProvider, ReportsAnEffortThatTheModelDoesNotHave) {
  const auto records = [](std::string_view effort, const Capabilities& capabilities) {
    return records_of(
        to_anthropic(openai(kHi, fmt::format(R"("reasoning_effort":"{}")", effort)), capabilities));
  };
  const Capabilities usual = caps(&Capabilities::thinking, ThinkingMode::adaptive);
  EXPECT_NE(records("minimal", usual).find("minimal>low"), std::string::npos) << records("minimal", usual);
  EXPECT_NE(records("xhigh", usual).find("xhigh>high"), std::string::npos) << records("xhigh", usual);
  EXPECT_EQ(records("medium", usual), "");
  const Capabilities high_only = caps(&Capabilities::thinking, ThinkingMode::adaptive,
                                      &Capabilities::effort_levels, EffortSet{EffortLevel::high});
  EXPECT_NE(records("low", high_only).find("low>high"), std::string::npos) << records("low", high_only);
}

Result<EncodedCall> with_document(DocumentBlock document) {
  Chat chat;
  chat.max_tokens = 9;
  chat.messages.push_back({.role = Role::user, .content = {}, .name = {}});
  chat.messages[0].content.push_back({.body = std::move(document), .cache = {}, .pointer = {}});
  const Capabilities any;
  return anthropic_messages_provider().encode_request(chat, {.model = "claude", .capabilities = &any});
}

TEST(AnthropicProvider, SendsTextDocumentsAsTheirText) {
  DocumentBlock document;
  document.media = {.base64 = "aMOpIQ==", .mime = "text/plain"};
  document.title = "t";
  document.context = "where it is from";
  EXPECT_NE(body_of(with_document(document))
                .find(R"({"type":"document","source":{"type":"text","media_type":"text/plain","data":"hé!"},)"
                      R"("title":"t","context":"where it is from"})"),
            std::string::npos)
      << body_of(with_document(document));
  for (const std::string_view bytes : {"//4=", "%%%%"}) {
    document.media.base64 = bytes;
    const auto call = with_document(document);
    ASSERT_FALSE(call) << body_of(call);
    EXPECT_EQ(call.error().kind, ErrorKind::unsupported);
  }
}

TEST(AnthropicProvider, SendsResultsOfSeveralBlocksWhole) {
  const auto call = to_anthropic(openai(
      R"({"role":"user","content":"go"},{"role":"assistant","content":"","tool_calls":[)"
      R"({"id":"a","type":"function","function":{"name":"f","arguments":"{}"}}]},)"
      R"({"role":"tool","tool_call_id":"a","content":[{"type":"text","text":"x"},{"type":"text","text":"y"}]})"));
  EXPECT_NE(body_of(call).find(R"({"type":"tool_result","tool_use_id":"a","content":[)"
                               R"({"type":"text","text":"x"},{"type":"text","text":"y"}]})"),
            std::string::npos)
      << body_of(call);
  EXPECT_TRUE(JsonDoc::parse(body_of(call))) << body_of(call);
}

}  // namespace
}  // namespace weir
