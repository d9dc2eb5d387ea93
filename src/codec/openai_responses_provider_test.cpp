// Requests for providers of the Responses dialect: encoded from the IR, and the client's own bytes spliced.
#include <gtest/gtest.h>

#include "codec/openai_responses_test_util.h"

namespace weir {
namespace {

using test::body_of;
using test::caps;
using test::records_of;
using test::to_responses;

// The request as the provider gets it, which the vendor's document has nothing against.
Result<EncodedCall> encode(const Request& request, const Capabilities& capabilities = {}) {
  Result<EncodedCall> call = to_responses(request, capabilities);
  const test::OpenApiSchemas* schemas = test::OpenApiSchemas::openai();
  if (call && schemas) EXPECT_EQ(schemas->problems("CreateResponse", call->wire.body), "") << call->wire.body;
  return call;
}

Result<EncodedCall> from_messages(std::string_view rest, const Capabilities& capabilities = {}) {
  return encode(test::messages_chat(fmt::format(R"({{"model":"c",{}}})", rest)), capabilities);
}

Result<EncodedCall> from_openai(std::string_view rest, const Capabilities& capabilities = {}) {
  return encode(test::openai_chat(fmt::format(R"({{"model":"c",{}}})", rest)), capabilities);
}

constexpr std::string_view kHi = R"("messages":[{"role":"user","content":"hi"}])";

// What a request of one member more than a greeting says, and what is reported.
std::string said(std::string_view member, const Capabilities& capabilities = {}) {
  return body_of(from_openai(fmt::format("{},{}", kHi, member), capabilities));
}

TEST(ResponsesProvider, BringsTheTemperatureIntoTheModelsRange) {
  Capabilities low;
  low.temperature = TemperatureRange{.min = 0, .max = 1};
  const Result<EncodedCall> call = from_openai(fmt::format(R"({},"temperature":1.7)", kHi), low);
  EXPECT_NE(body_of(call).find(R"("temperature":1,)"), std::string::npos) << body_of(call);
  EXPECT_NE(records_of(call).find("clamped;/temperature;1.7>1"), std::string::npos) << records_of(call);
}

TEST(ResponsesProvider, BringsStrictSchemasIntoTheFormThatStrictnessDemands) {
  const auto tool = [](std::string_view schema) {
    return from_messages(fmt::format(
        R"("max_tokens":99,{},"tools":[{{"name":"f","strict":true,"input_schema":{}}}])", kHi, schema));
  };
  const auto closed =
      tool(R"({"type":"object","properties":{"a":{"type":"string","minLength":2}},"required":["a"]})");
  EXPECT_NE(body_of(closed).find(
                R"("parameters":{"type":"object","properties":{"a":{"type":"string","description":)"
                R"("minLength: 2."}},"required":["a"],"additionalProperties":false},"strict":true)"),
            std::string::npos)
      << body_of(closed);
  EXPECT_NE(records_of(closed).find("schema_downleveled;/tools/0/parameters/additionalProperties"),
            std::string::npos);
  // What may be left out cannot be strict.
  const auto loose = tool(R"({"type":"object","properties":{"a":{}}})");
  EXPECT_NE(body_of(loose).find(R"("parameters":{"type":"object","properties":{"a":{}}},"strict":false)"),
            std::string::npos)
      << body_of(loose);
  EXPECT_EQ(records_of(loose), "schema_downleveled;/tools/0/parameters;strict>not_strict");
  const std::string format =
      said(R"("response_format":{"type":"json_schema","json_schema":{"name":"n","strict":true,)"
           R"("schema":{"type":"object","properties":{}}}})");
  EXPECT_NE(format.find(R"("schema":{"type":"object","properties":{},"additionalProperties":false},)"
                        R"("strict":true)"),
            std::string::npos)
      << format;
}

TEST(ResponsesProvider, WritesAMessagesRequestOfAnthropics) {
  const Result<EncodedCall> call = from_messages(
      R"("max_tokens":99,"stream":true,"system":"be kind","temperature":0.5,"top_k":5,"stop_sequences":["a"],)"
      R"("metadata":{"user_id":"u1"},"tools":[{"name":"f","description":"d","input_schema":{"type":"object"}}],)"
      R"("tool_choice":{"type":"any","disable_parallel_tool_use":true},)"
      R"("messages":[{"role":"user","content":"hi"},{"role":"assistant","content":[)"
      R"({"type":"thinking","thinking":"hm","signature":"SIG"},{"type":"text","text":"yes"},)"
      R"({"type":"tool_use","id":"t1","name":"f","input":{"a":1}}]},)"
      R"({"role":"user","content":[{"type":"tool_result","tool_use_id":"t1","is_error":true,"content":"bad"},)"
      R"({"type":"text","text":"go on"}]}])");
  EXPECT_EQ(
      body_of(call),
      R"({"model":"gpt","instructions":"be kind","input":[{"type":"message","role":"user","content":"hi"},)"
      R"({"type":"message","role":"assistant","content":"yes"},{"type":"function_call","call_id":"t1",)"
      R"("name":"f","arguments":"{\"a\":1}"},{"type":"function_call_output","call_id":"t1","output":"bad",)"
      R"("status":"incomplete"},{"type":"message","role":"user","content":"go on"}],)"
      R"("tools":[{"type":"function","name":"f","description":"d","parameters":{"type":"object"},)"
      R"("strict":false}],"tool_choice":"required","parallel_tool_calls":false,"stream":true,)"
      R"("max_output_tokens":99,"temperature":0.5,"store":false,"safety_identifier":"u1"})");
  const std::string records = records_of(call);
  for (const std::string_view lost :
       {"dropped;/top_k", "emulated;/stop", "signature_dropped;/messages/2/content"})
    EXPECT_NE(records.find(lost), std::string::npos) << records;
  EXPECT_EQ(call->wire.path, "/responses");
  EXPECT_EQ(call->wire.headers.get("accept"), "text/event-stream");
}

TEST(ResponsesProvider, WritesAChatCompletionsRequest) {
  EXPECT_EQ(
      body_of(from_openai(
          R"("messages":[{"role":"developer","content":"rules"},{"role":"user","content":[)"
          R"({"type":"text","text":"look"},{"type":"image_url","image_url":{"url":"data:image/png;base64,AAAA"}},)"
          R"({"type":"image_url","image_url":{"url":"https://x.example/a.png","detail":"low"}},)"
          R"({"type":"file","file":{"filename":"a.pdf","file_data":"data:application/pdf;base64,QUJD"}}]},)"
          R"({"role":"assistant","content":"a","refusal":"no"},{"role":"user","content":"b"}],)"
          R"("response_format":{"type":"json_schema","json_schema":{"name":"n","schema":{"type":"object",)"
          R"("properties":{}},"strict":true}},"verbosity":"low","reasoning_effort":"low","max_completion_tokens":5,)"
          R"("prompt_cache_key":"k","service_tier":"flex","logprobs":true,"top_logprobs":2)")),
      R"({"model":"gpt","input":[{"type":"message","role":"developer","content":"rules"},)"
      R"({"type":"message","role":"user","content":[{"type":"input_text","text":"look"},)"
      R"({"type":"input_image","image_url":"data:image/png;base64,AAAA","detail":"auto"},)"
      R"({"type":"input_image","image_url":"https://x.example/a.png","detail":"low"},)"
      R"({"type":"input_file","filename":"a.pdf","file_data":"data:application/pdf;base64,QUJD"}]},)"
      R"({"type":"message","role":"assistant","id":"msg_2_0","status":"completed","content":[)"
      R"({"type":"output_text","text":"a","annotations":[],"logprobs":[]},{"type":"refusal","refusal":"no"}]},)"
      R"({"type":"message","role":"user","content":"b"}],"text":{"format":{"type":"json_schema","name":"n",)"
      R"("schema":{"type":"object","properties":{},"additionalProperties":false},"strict":true},)"
      R"("verbosity":"low"},"reasoning":{"effort":"low"},)"
      R"("max_output_tokens":16,"top_logprobs":2,"store":false,"include":["reasoning.encrypted_content",)"
      R"("message.output_text.logprobs"],"prompt_cache_key":"k","service_tier":"flex"})");
}

TEST(ResponsesProvider, GivesBackItsOwnReasoning) {
  const std::string_view input =
      R"("input":[{"type":"message","role":"user","content":"go"},{"type":"reasoning","id":"rs_1",)"
      R"("summary":[{"type":"summary_text","text":"hm"}],"encrypted_content":"SEALED"},)"
      R"({"type":"function_call","call_id":"c1","name":"f","arguments":"{}"},)"
      R"({"type":"function_call_output","call_id":"c1","output":"x"}])";
  const Result<EncodedCall> call = encode(test::responses_chat(input));
  EXPECT_NE(body_of(call).find(input), std::string::npos) << body_of(call);
  EXPECT_EQ(records_of(call), "");
}

TEST(ResponsesProvider, GivesPlainReasoningToServersThatTakeIt) {
  Capabilities open;
  open.quirks.reasoning_content = true;
  const std::string_view input =
      R"("input":[{"type":"reasoning","id":"rs_1","summary":[],"content":[{"type":"reasoning_text","text":"hm"}]},)"
      R"({"type":"message","role":"assistant","content":"a"}])";
  EXPECT_NE(body_of(encode(test::responses_chat(input), open)).find(input), std::string::npos);
  const Result<EncodedCall> closed = encode(test::responses_chat(input));
  EXPECT_EQ(body_of(closed).find("reasoning_text"), std::string::npos);
  EXPECT_NE(records_of(closed).find("thinking_dropped"), std::string::npos);
}

TEST(ResponsesProvider, SaysThatASignatureIsLostWhereTheTextGoes) {
  Capabilities open;
  open.quirks.reasoning_content = true;
  const Result<EncodedCall> call = test::to_responses(
      test::messages_chat(
          R"({"model":"m","max_tokens":99,"messages":[{"role":"user","content":"q"},{"role":"assistant",)"
          R"("content":[{"type":"thinking","thinking":"hm","signature":"s"},{"type":"text","text":"b"}]},)"
          R"({"role":"user","content":"r"}]})"),
      open);
  EXPECT_NE(body_of(call).find(R"({"type":"reasoning_text","text":"hm"})"), std::string::npos)
      << body_of(call);
  EXPECT_EQ(records_of(call), "signature_dropped;/messages/1/content;thinking>its_text");
}

TEST(ResponsesProvider, TakesBackWhatItWroteItself) {
  const std::string_view rest =
      R"("instructions":"be kind","input":[{"type":"message","role":"user","content":[)"
      R"({"type":"input_text","text":"a"},{"type":"input_file","file_url":"https://x.example/a.pdf"}]},)"
      R"({"type":"web_search_call","id":"ws_1","status":"completed","action":{"type":"search","query":"q"}},)"
      R"({"type":"custom_tool_call","call_id":"c2","name":"patch","input":"*** Begin"},)"
      R"({"type":"custom_tool_call_output","call_id":"c2","output":[{"type":"input_text","text":"ok"},)"
      R"({"type":"input_image","image_url":"data:image/png;base64,AAAA","detail":"auto"}]},)"
      R"({"type":"item_reference","id":"rs_5"}],)"
      R"("tools":[{"type":"custom","name":"patch","format":{"type":"grammar","syntax":"lark",)"
      R"("definition":"start: X"}},{"type":"web_search","search_context_size":"low"}],)"
      R"("tool_choice":{"type":"allowed_tools","mode":"required","tools":[{"type":"custom","name":"patch"},)"
      R"({"type":"web_search"}]},"reasoning":{"effort":"high","summary":"detailed"},)"
      R"("previous_response_id":"resp_1","stream":true,"max_output_tokens":99,"store":true,)"
      R"("include":["reasoning.encrypted_content","web_search_call.action.sources"],"truncation":"auto")";
  const Result<EncodedCall> call = encode(test::responses_chat(rest));
  EXPECT_EQ(body_of(call), fmt::format(R"({{"model":"gpt",{}}})", rest));
  EXPECT_EQ(records_of(call), "");
}

TEST(ResponsesProvider, RenamesToolsThatItsModelsCannotCall) {
  const Result<EncodedCall> call = from_messages(
      R"("max_tokens":99,"tools":[{"name":"srv.tool","input_schema":{"type":"object"}}],)"
      R"("tool_choice":{"type":"tool","name":"srv.tool"},"messages":[{"role":"user","content":"hi"}])");
  ASSERT_TRUE(call);
  const std::string wire(call->notes.tool_names.wire("srv.tool"));
  EXPECT_TRUE(wire.starts_with("srv_tool_"));
  EXPECT_NE(body_of(call).find(fmt::format(R"("tool_choice":{{"type":"function","name":"{}"}})", wire)),
            std::string::npos)
      << body_of(call);
  const Headers headers;
  const auto events = openai_responses_provider().decode_answer(
      {.headers = &headers,
       .body = fmt::format(R"({{"status":"completed","output":[{{"type":"function_call","call_id":"c",)"
                           R"("name":"{}","arguments":"{{}}"}}]}})",
                           wire)},
      call->notes);
  ASSERT_TRUE(events);
  EXPECT_EQ(test::fold(*events).choices[0].blocks[0].tool_name, "srv.tool");
}

TEST(ResponsesProvider, CarriesCustomToolsOfTheOtherDialectOfTheVendor) {
  EXPECT_NE(
      said(R"("tools":[{"type":"custom","custom":{"name":"p","description":"d","format":{"type":"grammar",)"
           R"("grammar":{"syntax":"regex","definition":"a+"}}}}],"tool_choice":{"type":"allowed_tools",)"
           R"("allowed_tools":{"mode":"auto","tools":[{"type":"function","function":{"name":"p"}}]}})")
          .find(
              R"("tools":[{"type":"custom","name":"p","description":"d","format":{"type":"grammar",)"
              R"("syntax":"regex","definition":"a+"}}],"tool_choice":{"type":"allowed_tools","mode":"auto",)"
              R"("tools":[{"type":"custom","name":"p"}]})"),
      std::string::npos);
}

TEST(ResponsesProvider, RefusesToolsThatOtherVendorsRun) {
  const Result<EncodedCall> call =
      from_messages(R"("max_tokens":99,"tools":[{"type":"web_search_20250305","name":"web_search"}],)"
                    R"("messages":[{"role":"user","content":"hi"}])");
  ASSERT_FALSE(call);
  EXPECT_EQ(call.error().kind, ErrorKind::unsupported);
  EXPECT_EQ(call.error().path, "tools");
}

TEST(ResponsesProvider, RefusesWhatItHasNoFormFor) {
  const Result<EncodedCall> audio = from_openai(
      R"("messages":[{"role":"user","content":[{"type":"input_audio","input_audio":{"data":"AAAA",)"
      R"("format":"wav"}}]}])");
  ASSERT_FALSE(audio);
  EXPECT_EQ(audio.error().kind, ErrorKind::unsupported);
  const Result<EncodedCall> several = from_openai(fmt::format(R"({},"n":2)", kHi));
  ASSERT_FALSE(several);
  EXPECT_EQ(several.error().path, "n");
}

TEST(ResponsesProvider, ReportsEachFieldThatItCannotTake) {
  const std::pair<std::string_view, std::string_view> rows[] = {
      {R"("stop":["a"])", "emulated;/stop;stop>watched_by_Weir"},
      {R"("seed":1)", "dropped;/seed;1>"},
      {R"("frequency_penalty":1)", "dropped;/frequency_penalty;1>"},
      {R"("presence_penalty":1)", "dropped;/presence_penalty;1>"},
      {R"("logit_bias":{})", "dropped;/logit_bias"},
      {R"("max_tokens":3)", "clamped;/max_tokens;3>16"},
  };
  for (const auto& [member, record] : rows) {
    EXPECT_EQ(records_of(from_openai(fmt::format("{},{}", kHi, member))), record) << member;
  }
}

TEST(ResponsesProvider, FitsTheModelsAbilities) {
  const Capabilities fixed = caps(&Capabilities::allows_sampling, false);
  EXPECT_EQ(records_of(from_openai(fmt::format(R"({},"temperature":0.5,"top_p":0.5)", kHi), fixed)),
            "dropped;/temperature;0.5>, dropped;/top_p;0.5>");
  EXPECT_NE(said(R"("temperature":1)", fixed).find(R"("temperature":1)"), std::string::npos);
  EXPECT_NE(
      said(R"("max_tokens":999)", caps(&Capabilities::output_max, 50)).find(R"("max_output_tokens":50)"),
      std::string::npos);
  EXPECT_EQ(
      said(R"("reasoning_effort":"high")", caps(&Capabilities::thinking, ThinkingMode::none)).find("effort"),
      std::string::npos);
  EXPECT_NE(said(R"("reasoning_effort":"max")",
                 caps(&Capabilities::effort_levels, EffortSet{EffortLevel::low, EffortLevel::high}))
                .find(R"("reasoning":{"effort":"high"})"),
            std::string::npos);
  EXPECT_NE(said(R"("response_format":{"type":"json_schema","json_schema":{"name":"n","schema":{}}})",
                 caps(&Capabilities::json_schema, JsonSchemaSupport::none))
                .find(R"("format":{"type":"json_object"})"),
            std::string::npos);
  EXPECT_NE(said(R"("store":false)", caps(&Capabilities::thinking, ThinkingMode::effort))
                .find(R"("store":false,"include":["reasoning.encrypted_content"])"),
            std::string::npos);
}

TEST(ResponsesProvider, TurnsBudgetsIntoEfforts) {
  const auto effort = [](int budget) {
    const std::string body = body_of(from_messages(fmt::format(
        R"("max_tokens":30000,"thinking":{{"type":"enabled","budget_tokens":{}}},{})", budget, kHi)));
    const size_t at = body.find(R"("effort":")");
    return at == std::string::npos ? body : body.substr(at + 10, body.find('"', at + 10) - at - 10);
  };
  EXPECT_EQ(effort(1024), "low");
  EXPECT_EQ(effort(8192), "medium");
  EXPECT_EQ(effort(20000), "high");
}

// Anthropic's API shows thinking unless told not to; OpenAI's shows a summary only when asked.
TEST(ResponsesProvider, AsksForASummaryWhereTheCallersDialectShowsThinking) {
  const auto body = [](std::string_view display) {
    return body_of(from_messages(fmt::format(
        R"("max_tokens":30000,"thinking":{{"type":"enabled","budget_tokens":1024{}}},{})", display, kHi)));
  };
  EXPECT_NE(body("").find(R"("reasoning":{"effort":"low","summary":"auto"})"), std::string::npos) << body("");
  EXPECT_EQ(body(R"(,"display":"omitted")").find("summary"), std::string::npos);
  EXPECT_EQ(body_of(from_openai(fmt::format(R"("reasoning_effort":"low",{})", kHi))).find("summary"),
            std::string::npos);
}

TEST(ResponsesProvider, ShortensIdsOfCallsAlike) {
  const std::string id(80, 'x');
  const std::string body = body_of(from_openai(fmt::format(
      R"("messages":[{{"role":"user","content":"hi"}},{{"role":"assistant","tool_calls":[{{"id":"{}",)"
      R"("type":"function","function":{{"name":"f","arguments":"[1"}}}}]}},)"
      R"({{"role":"tool","tool_call_id":"{}","content":"x"}}])",
      id, id)));
  EXPECT_EQ(body.find(id), std::string::npos);
  const size_t first = body.find(std::string(55, 'x') + "_");
  ASSERT_NE(first, std::string::npos);
  EXPECT_NE(body.find(body.substr(first, 64), first + 64), std::string::npos) << body;
  EXPECT_NE(body.find(R"("arguments":"{\"_raw\":\"[1\"}")"), std::string::npos) << "a call that was cut off";
}

TEST(ResponsesProvider, CountsTokensByTheFieldsOfThePrompt) {
  const Result<Request> request = openai_responses_input_tokens_client().decode_request(test::client_call(
      Dialect::openai_responses,
      R"({"model":"m","instructions":"i","input":"hi","max_output_tokens":99,"store":true,"temperature":1,)"
      R"("reasoning":{"effort":"low"},"tools":[{"type":"function","name":"f","parameters":null,"strict":null}]})"));
  ASSERT_TRUE(request);
  const Result<EncodedCall> call = to_responses(*request);
  EXPECT_EQ(body_of(call),
            R"({"model":"gpt","instructions":"i","input":[{"type":"message","role":"user","content":"hi"}],)"
            R"("tools":[{"type":"function","name":"f","parameters":null,"strict":null}],)"
            R"("reasoning":{"effort":"low"}})");
  EXPECT_EQ(call->wire.path, "/responses/input_tokens");
  const Headers headers;
  const auto events = openai_responses_provider().decode_answer(
      {.headers = &headers, .body = R"({"object":"response.input_tokens","input_tokens":11})"}, call->notes);
  ASSERT_TRUE(events);
  EXPECT_EQ(test::fold(*events).usage.input_total(), 11);
}

TEST(ResponsesProvider, SplicesOnlyTheModelIntoTheClientsBytes) {
  const ClientCall client =
      test::client_call(Dialect::openai_responses,
                        R"({ "input" : "hi", "model":"mine", "brand_new": [1.0, 1e400] , "stream":true})");
  const Result<Request> request = openai_responses_client().decode_request(client);
  ASSERT_TRUE(request);
  const Capabilities capabilities;
  const Result<EncodedCall> call = openai_responses_provider().splice_request(
      client, *request, {.model = "gpt", .capabilities = &capabilities});
  EXPECT_EQ(body_of(call), R"({ "input" : "hi", "model":"gpt", "brand_new": [1.0, 1e400] , "stream":true})");
  EXPECT_EQ(call->wire.path, "/responses");
  EXPECT_TRUE(call->notes.is_streamed);
}

TEST(ResponsesProvider, SaysHowMuchOfTheReasoningIsShown) {
  const auto summary = [](std::string_view reasoning) {
    const auto call =
        to_responses(test::responses_chat(fmt::format(R"("input":"hi","reasoning":{})", reasoning)));
    const Result<JsonDoc> parsed = JsonDoc::parse(body_of(call));
    EXPECT_TRUE(parsed) << body_of(call);
    return parsed ? std::string(parsed->root()["reasoning"]["summary"].string_or("none")) : "";
  };
  for (const std::string word : {"auto", "concise", "detailed"}) {
    EXPECT_EQ(summary(fmt::format(R"({{"summary":"{}"}})", word)), word);
    EXPECT_EQ(summary(fmt::format(R"({{"generate_summary":"{}"}})", word)), word);
  }
  EXPECT_EQ(summary(R"({"generate_summary":"detailed","summary":"concise"})"), "concise");
  EXPECT_EQ(summary(R"({"effort":"low"})"), "none");
}

TEST(ResponsesProvider, TurnsReasoningOffWhereTheModelCan) {
  const Request request = test::responses_chat(R"("input":"hi","reasoning":{"effort":"none"})");
  const auto can = to_responses(
      request, caps(&Capabilities::effort_levels, EffortSet{EffortLevel::off, EffortLevel::low}));
  EXPECT_NE(body_of(can).find(R"("reasoning":{"effort":"none"})"), std::string::npos) << body_of(can);
  const auto cannot = to_responses(request, caps(&Capabilities::effort_levels, EffortSet{EffortLevel::low}));
  EXPECT_EQ(body_of(cannot).find("none"), std::string::npos) << body_of(cannot);
  EXPECT_NE(test::records_of(cannot).find("dropped"), std::string::npos);
}

TEST(ResponsesProvider, ReadsWhenAnAnswerWasMade) {
  const Headers headers;
  const auto events = openai_responses_provider().decode_answer(
      {.headers = &headers,
       .body = R"({"id":"resp_1","object":"response","created_at":1700000001,"model":"up",)"
               R"("service_tier":"flex","status":"completed","output":[{"type":"message","id":"msg_1",)"
               R"("role":"assistant","status":"completed","content":[{"type":"output_text","text":"a",)"
               R"("annotations":[]}]}]})"},
      {});
  ASSERT_TRUE(events) << events.error().message;
  const Start start = test::fold(*events).start;
  EXPECT_EQ(start.created_s, 1'700'000'001);
  EXPECT_EQ(start.id, "resp_1");
  EXPECT_EQ(start.model, "up");
  EXPECT_EQ(start.service_tier, "flex");
}

// Whether thoughts are shown is asked for in words of its own.
TEST(ResponsesProvider, TakesHowThinkingIsShown) {
  const Chat chat = test::messages_chat(
      R"({"model":"m","max_tokens":4096,"thinking":{"type":"enabled","budget_tokens":2048,"display":"summarized"},)"
      R"("messages":[{"role":"user","content":"a"}]})");
  const Capabilities reasons = test::caps(&Capabilities::thinking, ThinkingMode::effort);
  const auto call =
      openai_responses_provider().encode_request(chat, {.model = "gpt-5", .capabilities = &reasons});
  ASSERT_TRUE(call) << call.error().message;
  EXPECT_EQ(call->notes.fidelity.header_value().find("display"), std::string::npos)
      << call->notes.fidelity.header_value();
}

TEST(ResponsesProvider, HasNothingToSayOfReasoningThatNobodyAskedFor) {
  const Chat chat =
      test::messages_chat(R"({"model":"m","max_tokens":99,"messages":[{"role":"user","content":"a"}]})");
  const Capabilities plain = test::caps(&Capabilities::thinking, ThinkingMode::none);
  const auto call =
      openai_responses_provider().encode_request(chat, {.model = "gpt", .capabilities = &plain});
  ASSERT_TRUE(call) << call.error().message;
  EXPECT_EQ(call->notes.fidelity.header_value(), "");
}

}  // namespace
}  // namespace weir
