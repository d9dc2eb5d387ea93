// Requests for providers of OpenAI's chat dialect: encoded from the IR, and the client's own bytes spliced.
#include <gtest/gtest.h>

#include "codec/anthropic_test_util.h"
#include "codec/openai_responses_test_util.h"

namespace weir {
namespace {

using test::body_of;
using test::records_of;

Result<EncodedCall> encode(const Chat& chat, const Capabilities& capabilities = {}) {
  return openai_chat_provider().encode_request(chat, {.model = "gpt", .capabilities = &capabilities});
}

// A Messages request of Anthropic's dialect; `rest` follows the model.
Result<EncodedCall> from_messages(std::string_view rest, const Capabilities& capabilities = {}) {
  return encode(test::messages_chat(fmt::format(R"({{"model":"c",{}}})", rest)), capabilities);
}

Result<EncodedCall> from_openai(std::string_view rest, const Capabilities& capabilities = {}) {
  return encode(test::openai_chat(fmt::format(R"({{"model":"c",{}}})", rest)), capabilities);
}

constexpr std::string_view kHi = R"("messages":[{"role":"user","content":"hi"}])";

Capabilities quirks(bool Quirks::* quirk) {
  Capabilities made;
  made.quirks.*quirk = true;
  return made;
}

TEST(OpenAiChatProvider, WritesAMessagesRequestOfAnthropics) {
  const Result<EncodedCall> call = from_messages(
      R"("max_tokens":9,"stream":true,"system":"be kind","temperature":0.5,"top_k":5,)"
      R"("stop_sequences":["a","b","c","d","e"],"metadata":{"user_id":"u1"},)"
      R"("tools":[{"name":"f","description":"d","input_schema":{"type":"object"}}],)"
      R"("tool_choice":{"type":"any","disable_parallel_tool_use":true},)"
      R"("messages":[{"role":"user","content":"hi"},{"role":"assistant","content":[)"
      R"({"type":"text","text":"yes"},{"type":"tool_use","id":"t1","name":"f","input":{"a":1}}]},)"
      R"({"role":"user","content":[{"type":"tool_result","tool_use_id":"t1","is_error":true,"content":"bad"},)"
      R"({"type":"text","text":"go on"}]}])");
  EXPECT_EQ(
      body_of(call),
      R"({"model":"gpt","messages":[{"role":"system","content":"be kind"},{"role":"user","content":"hi"},)"
      R"({"role":"assistant","content":"yes","tool_calls":[{"id":"t1","type":"function","function":)"
      R"({"name":"f","arguments":"{\"a\":1}"}}]},)"
      R"({"role":"tool","tool_call_id":"t1","content":"ERROR: bad"},{"role":"user","content":"go on"}],)"
      R"("stream":true,"stream_options":{"include_usage":true},"max_tokens":9,"stop":["a","b","c","d"],)"
      R"("temperature":0.5,"tools":[{"type":"function","function":{"name":"f","description":"d",)"
      R"("parameters":{"type":"object"}}}],"tool_choice":"required","parallel_tool_calls":false,"user":"u1"})");
  const std::string records = records_of(call);
  EXPECT_NE(records.find("dropped;/top_k"), std::string::npos) << records;
  EXPECT_NE(records.find("clamped;/stop"), std::string::npos) << records;
  EXPECT_NE(records.find("emulated;/messages/"), std::string::npos) << records;
  EXPECT_EQ(call->wire.path, "/chat/completions");
  EXPECT_EQ(call->wire.headers.get("accept"), "text/event-stream");
}

TEST(OpenAiChatProvider, MovesImagesOfResultsIntoAUserMessage) {
  const Result<EncodedCall> call = from_messages(
      R"("max_tokens":9,"messages":[{"role":"user","content":[{"type":"tool_result","tool_use_id":"t",)"
      R"("content":[{"type":"image","source":{"type":"base64","media_type":"image/png","data":"AAAA"}}]}]}])");
  EXPECT_NE(body_of(call).find(R"({"role":"tool","tool_call_id":"t","content":"[attachment below]"},)"
                               R"({"role":"user","content":[{"type":"image_url","image_url":)"
                               R"({"url":"data:image/png;base64,AAAA"}}]})"),
            std::string::npos)
      << body_of(call);
}

TEST(OpenAiChatProvider, KeepsTheResultsOfATurnTogetherBeforeTheirImages) {
  const Result<EncodedCall> call = encode(
      test::responses_chat(R"("input":[{"type":"function_call","call_id":"a","name":"f","arguments":"{}"},)"
                           R"({"type":"function_call","call_id":"b","name":"f","arguments":"{}"},)"
                           R"({"type":"function_call_output","call_id":"a","output":[{"type":"input_image",)"
                           R"("image_url":"data:image/png;base64,AAAA"}]},)"
                           R"({"type":"function_call_output","call_id":"b","output":"two"}])"));
  EXPECT_NE(body_of(call).find(R"({"role":"tool","tool_call_id":"a","content":"[attachment below]"},)"
                               R"({"role":"tool","tool_call_id":"b","content":"two"},)"
                               R"({"role":"user","content":[{"type":"image_url","image_url":)"
                               R"({"url":"data:image/png;base64,AAAA"}}]}])"),
            std::string::npos)
      << body_of(call);
}

TEST(OpenAiChatProvider, BringsTheTemperatureIntoTheModelsRange) {
  Capabilities low;
  low.temperature = TemperatureRange{.min = 0, .max = 1};
  const std::string asked = fmt::format(R"({},"temperature":1.7)", kHi);
  const Result<EncodedCall> call = from_openai(asked, low);
  EXPECT_NE(body_of(call).find(R"("temperature":1)"), std::string::npos) << body_of(call);
  EXPECT_EQ(records_of(call), "clamped;/temperature;1.7>1");
  EXPECT_NE(body_of(from_openai(asked)).find(R"("temperature":1.7)"), std::string::npos)
      << "nothing is known";
  EXPECT_EQ(records_of(from_openai(fmt::format(R"({},"temperature":0.5)", kHi), low)), "");
}

TEST(OpenAiChatProvider, WrapsArgumentsThatAreNoObject) {
  const auto arguments = [](std::string_view text) {
    return body_of(from_openai(fmt::format(
        R"("messages":[{{"role":"assistant","tool_calls":[{{"id":"c","function":{{"name":"f","arguments":"{}"}}}}]}}])",
        text)));
  };
  EXPECT_NE(arguments("").find(R"("arguments":"{}")"), std::string::npos);
  EXPECT_NE(arguments(R"({\"a\": 1})").find(R"("arguments":"{\"a\": 1}")"), std::string::npos);
  EXPECT_NE(arguments(R"({\"a)").find(R"("arguments":"{\"_raw\":\"{\\\"a\"}")"), std::string::npos);
  EXPECT_NE(arguments("[1]").find(R"("arguments":"{\"value\":[1]}")"), std::string::npos);
}

TEST(OpenAiChatProvider, MakesNineCharacterIdsThatStillMeet) {
  const std::string body =
      body_of(from_openai(R"("messages":[{"role":"assistant","tool_calls":[)"
                          R"({"id":"call_long_1","function":{"name":"f","arguments":"{}"}},)"
                          R"({"id":"abcDEF123","function":{"name":"f","arguments":"{}"}}]},)"
                          R"({"role":"tool","tool_call_id":"call_long_1","content":"x"},)"
                          R"({"role":"tool","tool_call_id":"abcDEF123","content":"y"}])",
                          quirks(&Quirks::tool_call_id_9)));
  const Result<JsonDoc> parsed = JsonDoc::parse(body);
  ASSERT_TRUE(parsed) << body;
  const JsonValue messages = parsed->root()["messages"];
  const std::string_view made = messages.at(0)["tool_calls"].at(0)["id"].string_or("");
  EXPECT_EQ(made.size(), 9U);
  EXPECT_EQ(made.find_first_not_of("0123456789abcdef"), std::string_view::npos);
  EXPECT_EQ(messages.at(1)["tool_call_id"].string_or(""), made);
  EXPECT_EQ(messages.at(2)["tool_call_id"].string_or(""), "abcDEF123");
}

TEST(OpenAiChatProvider, LetsTheSidesTakeTurns) {
  const Result<EncodedCall> call =
      from_openai(R"("messages":[{"role":"system","content":"s"},{"role":"system","content":"t"},)"
                  R"({"role":"user","content":"a"},{"role":"user","content":"b"},)"
                  R"({"role":"assistant","content":"c"},{"role":"system","content":"late"},)"
                  R"({"role":"user","content":"d"}])",
                  quirks(&Quirks::strict_alternation));
  EXPECT_NE(body_of(call).find(
                R"("messages":[{"role":"system","content":"s"},{"role":"system","content":"t"},)"
                R"({"role":"user","content":[{"type":"text","text":"a"},{"type":"text","text":"b"}]},)"
                R"({"role":"assistant","content":"c"},)"
                R"({"role":"user","content":[{"type":"text","text":"late"},{"type":"text","text":"d"}]}])"),
            std::string::npos)
      << body_of(call);
  EXPECT_NE(records_of(call).find("merged;/messages/3"), std::string::npos) << records_of(call);
  EXPECT_NE(records_of(call).find("emulated;/messages/5/role"), std::string::npos) << records_of(call);
}

TEST(OpenAiChatProvider, MarksAPrefillWhereTheServerWantsIt) {
  const std::string_view messages =
      R"("messages":[{"role":"user","content":"a"},{"role":"assistant","content":"b"}])";
  EXPECT_NE(body_of(from_openai(messages, quirks(&Quirks::prefill_needs_prefix))).find(R"("prefix":true)"),
            std::string::npos);
  EXPECT_EQ(body_of(from_openai(messages)).find("prefix"), std::string::npos);
}

TEST(OpenAiChatProvider, SendsThinkingBackInTheServersForm) {
  const auto thought = [](const Capabilities& capabilities) {
    return from_openai(R"("messages":[{"role":"assistant","content":"b","reasoning_content":"hm"}])",
                       capabilities);
  };
  EXPECT_NE(body_of(thought(quirks(&Quirks::reasoning_content))).find(R"("reasoning_content":"hm")"),
            std::string::npos);
  EXPECT_NE(body_of(thought(quirks(&Quirks::reasoning_field))).find(R"("reasoning":"hm")"),
            std::string::npos);
  EXPECT_NE(body_of(thought(quirks(&Quirks::thinking_parts)))
                .find(R"("content":[{"type":"thinking","thinking":[{"type":"text","text":"hm"}]},)"
                      R"({"type":"text","text":"b"}])"),
            std::string::npos);
  EXPECT_EQ(body_of(thought({})).find("hm"), std::string::npos);
  EXPECT_NE(records_of(thought({})).find("thinking_dropped"), std::string::npos);
}

TEST(OpenAiChatProvider, SendsSealedThinkingBackToServersThatHandItOn) {
  const std::string_view turn =
      R"("max_tokens":9,"messages":[{"role":"user","content":"q"},{"role":"assistant","content":[)"
      R"({"type":"thinking","thinking":"hm","signature":"s"},{"type":"redacted_thinking","data":"d"},)"
      R"({"type":"text","text":"b"}]}])";
  Capabilities hands_on = quirks(&Quirks::thinking_blocks);
  const auto sealed = from_messages(turn, hands_on);
  EXPECT_NE(body_of(sealed).find(R"("content":"b","thinking_blocks":[{"type":"thinking","thinking":"hm",)"
                                 R"("signature":"s"},{"type":"redacted_thinking","data":"d"}])"),
            std::string::npos)
      << body_of(sealed);
  EXPECT_EQ(records_of(sealed).find("thinking"), std::string::npos) << records_of(sealed);
  const auto usual = from_messages(turn, {});
  EXPECT_EQ(body_of(usual).find("thinking_blocks"), std::string::npos);
  EXPECT_NE(records_of(usual).find("thinking_dropped"), std::string::npos);
  // What nobody has signed is words, and those of another vendor's are its own.
  hands_on.quirks.reasoning_content = true;
  const auto plain =
      from_openai(R"("messages":[{"role":"assistant","content":"b","reasoning_content":"hm"}])", hands_on);
  EXPECT_EQ(body_of(plain).find("thinking_blocks"), std::string::npos);
  EXPECT_NE(body_of(plain).find(R"("reasoning_content":"hm")"), std::string::npos);
}

TEST(OpenAiChatProvider, SaysThatASignatureIsLostWhereTheTextGoes) {
  const auto said = [](std::string_view thinking, bool Quirks::* quirk) {
    const std::string turn =
        fmt::format(R"("max_tokens":9,"messages":[{{"role":"user","content":"q"}},{{"role":"assistant",)"
                    R"("content":[{{"type":"thinking","thinking":"{}","signature":"s"}},)"
                    R"({{"type":"text","text":"b"}}]}},{{"role":"user","content":"r"}}])",
                    thinking);
    return records_of(from_messages(turn, quirk ? quirks(quirk) : Capabilities{}));
  };
  for (bool Quirks::* quirk : {&Quirks::reasoning_content, &Quirks::reasoning_field, &Quirks::thinking_parts})
    EXPECT_EQ(said("hm", quirk), "signature_dropped;/messages/1/content;thinking>its_text");
  EXPECT_EQ(said("", &Quirks::reasoning_content), "signature_dropped;/messages/1/content;thinking>");
  EXPECT_EQ(said("hm", nullptr), "thinking_dropped;/messages/1/content;thinking>");
  EXPECT_EQ(said("", nullptr), "signature_dropped;/messages/1/content;thinking>");
  EXPECT_EQ(said("hm", &Quirks::thinking_blocks), "");
}

TEST(OpenAiChatProvider, KeepsCacheMarkersOnlyWhereTheyAreTaken) {
  const std::string_view marked =
      R"("max_tokens":1,"messages":[{"role":"user","content":[{"type":"text","text":"a",)"
      R"("cache_control":{"type":"ephemeral","ttl":"1h"}}]}])";
  const Capabilities markers = test::caps(&Capabilities::cache_control, CacheControl::markers);
  EXPECT_NE(body_of(from_messages(marked, markers))
                .find(R"({"type":"text","text":"a","cache_control":{"type":"ephemeral","ttl":"1h"}})"),
            std::string::npos);
  EXPECT_NE(body_of(from_messages(marked)).find(R"("content":"a")"), std::string::npos);
  EXPECT_NE(records_of(from_messages(marked)).find("cache_dropped"), std::string::npos);
}

TEST(OpenAiChatProvider, MapsServiceTiers) {
  const auto tier = [](std::string_view anthropic) {
    return from_messages(fmt::format(R"("max_tokens":1,"service_tier":"{}",{})", anthropic, kHi));
  };
  EXPECT_NE(body_of(tier("auto")).find(R"("service_tier":"auto")"), std::string::npos);
  EXPECT_NE(body_of(tier("standard_only")).find(R"("service_tier":"default")"), std::string::npos);
  EXPECT_EQ(body_of(tier("lunar")).find("service_tier"), std::string::npos);
  EXPECT_NE(records_of(tier("lunar")).find("dropped;/service_tier"), std::string::npos);
}

TEST(OpenAiChatProvider, FollowsTheTargetsLimitsAndNames) {
  Capabilities caps = test::caps(&Capabilities::output_max, 50, &Capabilities::max_tokens_field,
                                 MaxTokensField::max_completion_tokens, &Capabilities::allows_sampling, false,
                                 &Capabilities::system_role, SystemRole::developer);
  const Result<EncodedCall> call =
      from_openai(R"("max_tokens":99,"temperature":0.5,"messages":[{"role":"system","content":"s"}])", caps);
  EXPECT_EQ(body_of(call),
            R"({"model":"gpt","messages":[{"role":"developer","content":"s"}],"max_completion_tokens":50})");
  EXPECT_NE(records_of(call).find("clamped;/max_tokens;99>50"), std::string::npos) << records_of(call);
  EXPECT_NE(records_of(call).find("dropped;/temperature"), std::string::npos) << records_of(call);
  const Result<EncodedCall> without = from_openai(fmt::format(R"("logprobs":true,"top_logprobs":2,{})", kHi),
                                                  test::caps(&Capabilities::logprobs_max, 0));
  EXPECT_EQ(body_of(without).find("logprobs"), std::string::npos) << body_of(without);
  EXPECT_NE(records_of(without).find("dropped;/logprobs"), std::string::npos) << records_of(without);
  const std::string mistral =
      body_of(from_openai(fmt::format(R"("seed":3,{})", kHi), quirks(&Quirks::seed_is_random_seed)));
  EXPECT_NE(mistral.find(R"("random_seed":3)"), std::string::npos);
}

TEST(OpenAiChatProvider, RefusesAnotherVendorsServerTools) {
  const Result<EncodedCall> call = from_messages(fmt::format(
      R"("max_tokens":1,"tools":[{{"type":"web_search_20250305","name":"web_search"}}],{})", kHi));
  ASSERT_FALSE(call);
  EXPECT_EQ(call.error().kind, ErrorKind::unsupported);
}

// ---- The raw way

std::string spliced(std::string body, const Capabilities& capabilities = {}, bool* strips = nullptr,
                    const ClientCodec& codec = openai_chat_client()) {
  const ClientCall client = test::client_call(Dialect::openai_chat, std::move(body));
  const Result<Request> request = codec.decode_request(client);
  EXPECT_TRUE(request) << (request ? "" : request.error().message);
  if (!request) return {};
  const Result<EncodedCall> call = openai_chat_provider().splice_request(
      client, *request, {.model = "gpt\"x", .capabilities = &capabilities});
  EXPECT_TRUE(call);
  if (!call) return {};
  EXPECT_TRUE(JsonDoc::parse(std::string(call->wire.bytes()))) << call->wire.bytes();
  if (strips) *strips = call->notes.strips_usage;
  return std::string(call->wire.bytes());
}

TEST(OpenAiSplice, ReplacesTheModelAlone) {
  EXPECT_EQ(spliced("{ \"x\" : 1.50,\n \"model\"\t:  \"m\" , \"messages\":[ "
                    "{\"role\":\"user\",\"content\":\"\\u0041\"} ]}"),
            "{ \"x\" : 1.50,\n \"model\"\t:  \"gpt\\\"x\" , \"messages\":[ "
            "{\"role\":\"user\",\"content\":\"\\u0041\"} ]}");
}

TEST(OpenAiSplice, AsksForUsageAndRemembersThatTheClientDidNot) {
  const std::string rest = R"("model":"m","messages":[{"role":"user","content":"a"}],"stream":true)";
  bool strips = false;
  const auto options = [&](std::string_view tail) {
    const std::string body = spliced("{" + rest + std::string(tail) + "}", {}, &strips);
    const Result<JsonDoc> parsed = JsonDoc::parse(body);
    return parsed ? std::string(parsed->root()["stream_options"].raw()) : body;
  };
  EXPECT_EQ(options(""), R"({"include_usage":true})");
  EXPECT_TRUE(strips);
  EXPECT_EQ(options(R"(,"stream_options":{})"), R"({"include_usage":true})");
  EXPECT_TRUE(strips);
  EXPECT_EQ(options(R"(,"stream_options" : null )"), R"({"include_usage":true})");
  EXPECT_TRUE(strips);
  EXPECT_EQ(options(R"(,"stream_options": { "include_obfuscation":false })"),
            R"({"include_usage":true, "include_obfuscation":false })");
  EXPECT_TRUE(strips);
  EXPECT_EQ(options(R"(,"stream_options":{ "include_usage" : false})"), R"({ "include_usage" : true})");
  EXPECT_TRUE(strips);
  EXPECT_EQ(options(R"(,"stream_options":{"include_usage":true})"), R"({"include_usage":true})");
  EXPECT_FALSE(strips);
  EXPECT_EQ(spliced("{" + rest + "}", quirks(&Quirks::no_stream_options), &strips).find("stream_options"),
            std::string::npos);
  EXPECT_FALSE(strips);
}

TEST(OpenAiSplice, RenamesTheLimitForServersThatKnowOneName) {
  const Capabilities newer =
      test::caps(&Capabilities::max_tokens_field, MaxTokensField::max_completion_tokens);
  const Capabilities older = test::caps(&Capabilities::max_tokens_field, MaxTokensField::max_tokens);
  const std::string messages = R"("model":"m","messages":[{"role":"user","content":"a"}])";
  EXPECT_NE(spliced("{" + messages + R"(,"max_tokens" : 5})", newer).find(R"("max_completion_tokens" : 5)"),
            std::string::npos);
  EXPECT_NE(spliced(R"({"max_completion_tokens":5,)" + messages + "}", older).find(R"({"max_tokens":5,)"),
            std::string::npos);
  const std::string both = spliced("{" + messages + R"(,"max_tokens":5,"max_completion_tokens":6})", newer);
  EXPECT_NE(both.find(R"("max_tokens":5,"max_completion_tokens":6)"), std::string::npos);
  EXPECT_NE(
      spliced(R"({"model":"m","prompt":"a","max_tokens":5})", newer, nullptr, openai_completions_client())
          .find(R"("prompt":"a","max_tokens":5)"),
      std::string::npos)
      << "the older endpoint knows one name";
}

TEST(OpenAiSplice, KnowsWhatItAsksFor) {
  const ClientCall client = test::client_call(Dialect::openai_chat, R"({"model":"m","prompt":"a"})");
  const Result<Request> request = openai_completions_client().decode_request(client);
  ASSERT_TRUE(request);
  const Capabilities any;
  const auto call =
      openai_chat_provider().splice_request(client, *request, {.model = "gpt", .capabilities = &any});
  ASSERT_TRUE(call);
  EXPECT_EQ(call->wire.path, "/completions");
  EXPECT_EQ(call->notes.operation, Operation::text_completion);
}

TEST(OpenAiEmbeddings, AreAskedForAsBase64AndReadInAnyOrder) {
  Embed embed;
  embed.inputs = {"a", "b"};
  embed.dimensions = 2;
  const Capabilities capabilities;
  const Result<EncodedCall> call =
      openai_chat_provider().encode_request(embed, {.model = "e", .capabilities = &capabilities});
  EXPECT_EQ(body_of(call), R"({"model":"e","input":["a","b"],"encoding_format":"base64","dimensions":2})");
  const Headers headers;
  CallNotes notes;
  notes.operation = Operation::embeddings;
  const auto decode = [&](std::string_view body) {
    return openai_chat_provider().decode_answer({.headers = &headers, .body = body}, notes);
  };
  const auto events = decode(R"({"model":"e","usage":{"prompt_tokens":3,"total_tokens":3},"data":[)"
                             R"({"index":1,"embedding":"AACAPwAAAEA="},{"index":0,"embedding":[0.5,0]}]})");
  ASSERT_TRUE(events) << events.error().message;
  const auto& answer = std::get<EmbedAnswer>(std::get<Payload>(events->at(0)).body);
  EXPECT_EQ(answer.vectors, (std::vector<std::vector<float>>{{0.5F, 0}, {1, 2}}));
  EXPECT_EQ(std::get<UsageReport>(events->at(1)).usage.input_total(), 3);
  for (const std::string_view body :
       {"", "{}", R"({"data":[{"index":1,"embedding":[1]}]})", R"({"data":[{"index":-1,"embedding":[1]}]})",
        R"({"data":[{"embedding":["x"]}]})"}) {
    const auto refused = decode(body);
    ASSERT_FALSE(refused) << body;
    EXPECT_EQ(refused.error().kind, ErrorKind::upstream_malformed);
  }
}

TEST(OpenAiChatProvider, CarriesWhatOnlyTheVendorsDialectsHaveInCommon) {
  const Result<EncodedCall> call = encode(test::responses_chat(
      R"("input":"hi","text":{"verbosity":"low"},"prompt_cache_key":"k",)"
      R"("tools":[{"type":"custom","name":"p","description":"d","format":{"type":"grammar","syntax":"lark",)"
      R"("definition":"start: X"}}],"tool_choice":{"type":"allowed_tools","mode":"required","tools":[)"
      R"({"type":"custom","name":"p"}]})"));
  EXPECT_EQ(body_of(call),
            R"({"model":"gpt","messages":[{"role":"user","content":"hi"}],"tools":[{"type":"custom",)"
            R"("custom":{"name":"p","description":"d","format":{"type":"grammar","grammar":)"
            R"({"syntax":"lark","definition":"start: X"}}}}],"tool_choice":{"type":"allowed_tools",)"
            R"("allowed_tools":{"mode":"required","tools":[{"type":"custom","custom":{"name":"p"}}]}},)"
            R"("verbosity":"low","prompt_cache_key":"k"})");
  EXPECT_EQ(records_of(call), "");
}

TEST(OpenAiChatProvider, CarriesTheListOfAllowedTools) {
  const Result<EncodedCall> call = from_openai(fmt::format(
      R"({},"tools":[{{"type":"function","function":{{"name":"f"}}}}],"tool_choice":{{"type":"allowed_tools",)"
      R"("allowed_tools":{{"mode":"auto","tools":[{{"type":"function","function":{{"name":"f"}}}}]}}}})",
      kHi));
  EXPECT_NE(
      body_of(call).find(R"("tool_choice":{"type":"allowed_tools","allowed_tools":{"mode":"auto","tools":)"
                         R"([{"type":"function","function":{"name":"f"}}]}})"),
      std::string::npos)
      << body_of(call);
}

TEST(OpenAiChatProvider, BringsStrictSchemasIntoTheFormThatStrictnessDemands) {
  const auto call = from_openai(
      fmt::format(R"({},"tools":[{{"type":"function","function":{{"name":"f","strict":true,"parameters":)"
                  R"({{"type":"object","properties":{{"a":{{"oneOf":[{{"type":"string","minLength":2}}]}}}},)"
                  R"("required":["a"]}}}}}}])",
                  kHi));
  EXPECT_NE(
      body_of(call).find(R"("parameters":{"type":"object","properties":{"a":{"anyOf":[{"type":"string",)"
                         R"("description":"minLength: 2."}]}},"required":["a"],)"
                         R"("additionalProperties":false},"strict":true)"),
      std::string::npos)
      << body_of(call);
  EXPECT_NE(records_of(call).find("schema_downleveled;/tools/0/parameters/additionalProperties"),
            std::string::npos);
  // What may be left out cannot be strict.
  const std::string_view optional =
      R"("response_format":{"type":"json_schema","json_schema":{"name":"n","strict":true,)"
      R"("schema":{"type":"object","properties":{"a":{}}}}})";
  const auto loose = from_openai(fmt::format("{},{}", kHi, optional));
  EXPECT_NE(body_of(loose).find(R"("schema":{"type":"object","properties":{"a":{}}},"strict":false)"),
            std::string::npos)
      << body_of(loose);
  EXPECT_EQ(records_of(loose), "schema_downleveled;/response_format/schema;strict>not_strict");
  // Nor can what refers to nothing.
  constexpr std::string_view kNowhere =
      R"("response_format":{"type":"json_schema","json_schema":{"name":"n","strict":true,"schema":)"
      R"({"type":"object","properties":{"a":{"$ref":"#/$defs/B"}},"required":["a"]}}})";
  const auto nowhere = from_openai(fmt::format("{},{}", kHi, kNowhere));
  EXPECT_NE(body_of(nowhere).find(R"({"$ref":"#/$defs/B"}},"required":["a"]},"strict":false)"),
            std::string::npos)
      << body_of(nowhere);
  EXPECT_EQ(records_of(nowhere), "schema_downleveled;/response_format/schema;strict>not_strict");
}

TEST(OpenAiChatProvider, SaysAllRefusalsOfATurn) {
  Chat chat;
  chat.model = "m";
  Message message;
  message.role = Role::assistant;
  for (const std::string_view words : {"No.", "Really not."})
    message.content.push_back({.body = RefusalBlock{words}, .cache = {}, .pointer = {}});
  chat.messages.push_back(message);
  EXPECT_NE(body_of(encode(chat)).find(R"("refusal":"No.\nReally not.")"), std::string::npos);
}

TEST(OpenAiChatProvider, RefusesFilesOfOtherStores) {
  const auto error = [](const Result<EncodedCall>& call) {
    return call ? std::string("none") : call.error().path + ": " + call.error().message;
  };
  EXPECT_EQ(error(from_messages(
                R"("max_tokens":9,"messages":[{"role":"user","content":[{"type":"text",)"
                R"("text":"hi"},{"type":"document","source":{"type":"file","file_id":"file_1"}}]}])")),
            "messages[0].content[1]: the file file_1 is stored by another provider than this model's, which "
            "cannot read it: send its bytes");
  const auto own =
      from_openai(R"("messages":[{"role":"user","content":[{"type":"file","file":{"file_id":"file-1"}}]}])");
  EXPECT_NE(body_of(own).find(R"({"type":"file","file":{"file_id":"file-1"}})"), std::string::npos);
  const auto images = from_messages(
      R"("max_tokens":9,"messages":[{"role":"assistant","content":[{"type":"tool_use","id":"t","name":"f",)"
      R"("input":{}}]},{"role":"user","content":[{"type":"tool_result","tool_use_id":"t","content":[)"
      R"({"type":"image","source":{"type":"file","file_id":"file_2"}}]}]}])");
  EXPECT_EQ(error(images).substr(0, error(images).find(':')), "messages[1].content[0].content[0]");
}

TEST(OpenAiChatProvider, PassesOnTheDialectsOwnFields) {
  const auto call = from_openai(fmt::format(R"({},"logit_bias":{{"5":-100}},"brand_new":[1.0])", kHi));
  EXPECT_NE(body_of(call).find(R"("logit_bias":{"5":-100})"), std::string::npos) << body_of(call);
  EXPECT_NE(body_of(call).find(R"("brand_new":[1.0])"), std::string::npos) << body_of(call);
  EXPECT_EQ(records_of(call), "");
}

TEST(OpenAiChatProvider, WatchesForStopsThatTheModelDoesNotTake) {
  const std::string rest = fmt::format(R"({},"stop":["a","b"])", kHi);
  const auto call = from_openai(rest, test::caps(&Capabilities::allows_stop, false));
  EXPECT_EQ(body_of(call).find(R"("stop")"), std::string::npos) << body_of(call);
  EXPECT_EQ(call->notes.stops, (std::vector<std::string>{"a", "b"}));
  const auto usual = from_openai(rest);
  EXPECT_NE(body_of(usual).find(R"("stop":["a","b"])"), std::string::npos) << body_of(usual);
  EXPECT_TRUE(usual->notes.stops.empty());
  EXPECT_EQ(usual->notes.sent_stops, (std::vector<std::string>{"a", "b"}));
}

TEST(OpenAiChatProvider, PutsTheTextsOfAResultOnLinesOfTheirOwn) {
  const auto call = from_messages(
      R"("max_tokens":9,"messages":[{"role":"user","content":"go"},{"role":"assistant","content":[)"
      R"({"type":"tool_use","id":"t","name":"f","input":{}}]},{"role":"user","content":[)"
      R"({"type":"tool_result","tool_use_id":"t","content":[{"type":"text","text":"x"},)"
      R"({"type":"text","text":"y"},{"type":"image","source":{"type":"base64","media_type":"image/png",)"
      R"("data":"iVBORw0KGgo="}}]}]}])");
  EXPECT_NE(body_of(call).find(R"("content":"x\ny\n[attachment below]")"), std::string::npos)
      << body_of(call);
}

TEST(OpenAiSplice, MakesTextsOfTheMetadata) {
  EXPECT_EQ(spliced(fmt::format(R"({{"model":"m","metadata":{{"a":"t","n":5}},{}}})", kHi)),
            fmt::format(R"({{"model":"gpt\"x","metadata":{{"a":"t","n":"5"}},{}}})", kHi));
}

}  // namespace
}  // namespace weir
