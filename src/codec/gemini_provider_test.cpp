// The provider half of Google's dialect: requests out, answers, streams and errors in.
#include <gtest/gtest.h>

#include "codec/gemini_test_util.h"
#include "codec/replay_test_util.h"

namespace weir {
namespace {

using test::body_of;
using test::caps;
using test::gemini_call;
using test::gemini_chat;
using test::openai_to_gemini;
using test::records_of;
using test::to_gemini;

// The value of a member of the encoded body, as it stands there.
std::string sent(const Result<EncodedCall>& call, std::string_view key) {
  const Result<JsonDoc> parsed = JsonDoc::parse(body_of(call));
  return parsed ? std::string(parsed->root()[key].raw()) : body_of(call);
}

std::string with_fields(std::string_view fields) {
  return fmt::format(R"({{"model":"m","messages":[{{"role":"user","content":"hi"}}]{}}})", fields);
}

TEST(GeminiProvider, EncodesAPlainRequest) {
  const auto call = openai_to_gemini(
      R"({"model":"m","messages":[{"role":"system","content":"Brief."},{"role":"user","content":"hi"},
          {"role":"assistant","content":"yo"},{"role":"user","content":"a"},{"role":"user","content":"b"}],
          "temperature":0.5,"top_p":0.25,"max_tokens":9,"stop":["x"],"seed":3,"n":2,"frequency_penalty":1,
          "presence_penalty":0.5,"logprobs":true,"top_logprobs":2})");
  EXPECT_EQ(
      body_of(call),
      R"({"systemInstruction":{"parts":[{"text":"Brief."}]},"contents":[{"role":"user",)"
      R"("parts":[{"text":"hi"}]},)"
      R"({"role":"model","parts":[{"text":"yo"}]},{"role":"user","parts":[{"text":"a"},{"text":"b"}]}],)"
      R"("generationConfig":{"maxOutputTokens":9,"candidateCount":2,"stopSequences":["x"],"temperature":0.5,)"
      R"("topP":0.25,"frequencyPenalty":1,"presencePenalty":0.5,"seed":3,"responseLogprobs":true,)"
      R"("logprobs":2}})");
  EXPECT_EQ(call->wire.path, "/models/gemini-up:generateContent");
  EXPECT_EQ(records_of(call), "");
  EXPECT_EQ(openai_to_gemini(with_fields(R"(,"stream":true)"))->wire.path,
            "/models/gemini-up:streamGenerateContent?alt=sse");
}

TEST(GeminiProvider, SendsResultsAloneAndInTheOrderOfTheCalls) {
  const auto call = openai_to_gemini(R"({"model":"m","messages":[{"role":"user","content":"go"},
    {"role":"assistant","tool_calls":[{"id":"a","type":"function","function":{"name":"f",
        "arguments":"{\"x\":1.0}"}},
                                      {"id":"b","type":"function","function":{"name":"g","arguments":""}}]},
    {"role":"tool","tool_call_id":"b","content":"plain"},
    {"role":"tool","tool_call_id":"a","content":"{\"n\":1}"},
    {"role":"user","content":"and?"}]})",
                                     caps(&Capabilities::thinking, ThinkingMode::budget));
  EXPECT_EQ(sent(call, "contents"),
            R"([{"role":"user","parts":[{"text":"go"}]},)"
            R"({"role":"model","parts":[{"functionCall":{"id":"a","name":"f","args":{"x":1.0}}},)"
            R"({"functionCall":{"id":"b","name":"g","args":{}}}]},)"
            R"({"role":"user","parts":[{"functionResponse":{"id":"a","name":"f","response":{"n":1}}},)"
            R"({"functionResponse":{"id":"b","name":"g","response":{"output":"plain"}}}]},)"
            R"({"role":"user","parts":[{"text":"and?"}]}])");
}

TEST(GeminiProvider, RefusesCallsWithoutResultsAndResultsOfNoCall) {
  const auto open = openai_to_gemini(R"({"model":"m","messages":[{"role":"user","content":"go"},
    {"role":"assistant","tool_calls":[{"id":"a","type":"function","function":{"name":"f","arguments":"{}"}}]},
    {"role":"user","content":"and?"}]})");
  ASSERT_FALSE(open);
  EXPECT_EQ(open.error().kind, ErrorKind::bad_request);
  EXPECT_NE(open.error().message.find("a have no result"), std::string::npos);
  const auto orphan = openai_to_gemini(
      R"({"model":"m","messages":[{"role":"user","content":"go"},{"role":"tool","tool_call_id":"z",)"
      R"("content":"x"}]})");
  ASSERT_FALSE(orphan);
  EXPECT_EQ(orphan.error().kind, ErrorKind::bad_request);
}

TEST(GeminiProvider, SendsErrorsAndMediaOfResults) {
  const Chat chat =
      test::messages_chat(R"({"model":"m","max_tokens":9,"messages":[{"role":"user","content":"go"},
    {"role":"assistant","content":[{"type":"tool_use","id":"t","name":"f","input":{}}]},
    {"role":"user","content":[{"type":"tool_result","tool_use_id":"t","is_error":true,"content":[
      {"type":"text","text":"no"},{"type":"image","source":{"type":"base64","media_type":"image/png",
        "data":"aGk="}}]}]}]})");
  const auto call = to_gemini(chat, caps(&Capabilities::thinking, ThinkingMode::budget));
  const std::string contents = sent(call, "contents");
  EXPECT_NE(contents.find(
                R"("response":{"error":"no\n[attachment below]"}}}]},{"role":"user","parts":[{"inlineData")"),
            std::string::npos)
      << contents;
  EXPECT_EQ(records_of(call),
            "reordered;/messages/2/content;tool_result>user_turn, "
            "synthesised;/messages/3/content;>a_space_beside_the_image");
}

TEST(GeminiProvider, EchoesSignaturesAndStandsInForMissingOnes) {
  const std::string history = R"({"contents":[{"role":"user","parts":[{"text":"go"}]},
    {"role":"model","parts":[{"text":"","thoughtSignature":"AA=="},
      {"functionCall":{"id":"1","name":"f","args":{}},"thoughtSignature":"U0lH"},
        {"functionCall":{"id":"2","name":"f","args":{}}}]},
    {"role":"user","parts":[{"functionResponse":{"id":"1","name":"f","response":{}}},
                            {"functionResponse":{"id":"2","name":"f","response":{}}}]}]})";
  const auto call = to_gemini(gemini_chat(history), caps(&Capabilities::thinking, ThinkingMode::effort));
  const std::string contents = sent(call, "contents");
  EXPECT_NE(contents.find(
                R"({"text":"","thoughtSignature":"AA=="},{"functionCall":{"id":"1","name":"f","args":{}},)"
                R"("thoughtSignature":"U0lH"},{"functionCall":{"id":"2","name":"f","args":{}}}])"),
            std::string::npos)
      << contents;
  EXPECT_EQ(records_of(call), "");

  const std::string foreign = R"({"model":"m","messages":[{"role":"user","content":"go"},
    {"role":"assistant","tool_calls":[{"id":"a","type":"function","function":{"name":"f","arguments":"{}"}},
                                      {"id":"b","type":"function","function":{"name":"f","arguments":"{}"}}]},
    {"role":"tool","tool_call_id":"a","content":"x"},{"role":"tool","tool_call_id":"b","content":"x"}]})";
  const auto stood_in = openai_to_gemini(foreign, caps(&Capabilities::thinking, ThinkingMode::effort));
  const std::string sent_contents = sent(stood_in, "contents");
  EXPECT_NE(sent_contents.find(R"("args":{}},"thoughtSignature":"skip_thought_signature_validator"},)"
                               R"({"functionCall":{"id":"b","name":"f","args":{}}}])"),
            std::string::npos)
      << sent_contents;
  EXPECT_NE(records_of(stood_in).find("synthesised;/messages/1/content;signature_of_f"), std::string::npos);
  const auto budget = openai_to_gemini(foreign, caps(&Capabilities::thinking, ThinkingMode::budget));
  EXPECT_EQ(body_of(budget).find("thoughtSignature"), std::string::npos);
}

TEST(GeminiProvider, DropsThoughtsOfOthers) {
  const Chat chat =
      test::messages_chat(R"({"model":"m","max_tokens":9,"messages":[{"role":"user","content":"go"},
    {"role":"assistant","content":[{"type":"thinking","thinking":"hm","signature":"S"},
      {"type":"redacted_thinking","data":"D"},{"type":"text","text":"yo"}]},{"role":"user",
        "content":"x"}]})");
  const auto call = to_gemini(chat);
  EXPECT_EQ(body_of(call).find("hm"), std::string::npos);
  EXPECT_EQ(records_of(call),
            "signature_dropped;/messages/1/content;thinking>, "
            "thinking_dropped;/messages/1/content;redacted_thinking>");
}

TEST(GeminiProvider, DeclaresAllFunctionsInOneTool) {
  const auto call = openai_to_gemini(with_fields(R"(,"tools":[
    {"type":"function","function":{"name":"srv/a b","description":"d",
      "parameters":{"type":"object","properties":{"a":{"type":"string"}}}}},
    {"type":"function","function":{"name":"none","parameters":{"type":"object","properties":{}}}},
    {"type":"custom","custom":{"name":"free"}}],
    "tool_choice":{"type":"function","function":{"name":"srv/a b"}},"parallel_tool_calls":false)"));
  const std::string wire = call->notes.tool_names.wire("srv/a b").data();
  EXPECT_TRUE(wire.starts_with("srv_a_b_")) << wire;
  EXPECT_EQ(
      sent(call, "tools"),
      fmt::format(R"([{{"functionDeclarations":[{{"name":"{}","description":"d","parametersJsonSchema":)"
                  R"({{"type":"object","properties":{{"a":{{"type":"string"}}}}}}}},{{"name":"none"}},)"
                  R"({{"name":"free","parametersJsonSchema":{{"type":"object",)"
                  R"("properties":{{"input":{{"type":"string"}}}},)"
                  R"("required":["input"]}}}}]}}])",
                  wire));
  EXPECT_EQ(
      sent(call, "toolConfig"),
      fmt::format(R"({{"functionCallingConfig":{{"mode":"ANY","allowedFunctionNames":["{}"]}}}})", wire));
  EXPECT_NE(records_of(call).find("dropped;/parallel_tool_calls"), std::string::npos);
  EXPECT_EQ(*call->notes.custom_tools, (std::set<std::string, std::less<>>{"free"}));
  const auto openapi = openai_to_gemini(
      with_fields(R"(,"tools":[{"type":"function","function":{"name":"f","parameters":{"type":"object",)"
                  R"("properties":{"n":{"enum":[1,2]}}}}}],"tool_choice":"required")"),
      caps(&Capabilities::openapi_schema, true));
  EXPECT_NE(
      sent(openapi, "tools")
          .find(R"("parameters":{"type":"object","properties":{"n":{"type":"string","enum":["1","2"]}}})"),
      std::string::npos)
      << sent(openapi, "tools");
  ASSERT_EQ(openapi->notes.restores->size(), 1u);
  EXPECT_TRUE(openapi->notes.restores->contains("f"));
}

TEST(GeminiProvider, RefusesToolsThatOthersRun) {
  const auto call = openai_to_gemini(with_fields(R"(,"tools":[{"type":"web_search"}])"));
  ASSERT_FALSE(call);
  EXPECT_EQ(call.error().kind, ErrorKind::unsupported);
  const auto own =
      to_gemini(gemini_chat(R"({"contents":[{"parts":[{"text":"x"}]}],"tools":[{"googleSearch":{}}]})"));
  EXPECT_EQ(sent(own, "tools"), R"([{"googleSearch":{}}])");
}

TEST(GeminiProvider, KeepsARequestOfItsOwnDialect) {
  const auto call = to_gemini(gemini_chat(
      R"({"contents":[{"role":"user","parts":[{"text":"x"},{"fileData":{"mimeType":"video/mp4",
        "fileUri":"gs://b/v"}}]}],
          "generationConfig":{"speechConfig":{"a":1},"thinkingConfig":{"thinkingBudget":64}},
          "toolConfig":{"retrievalConfig":{}},"safetySettings":[{"c":1}],
        "cachedContent":"cachedContents/1"})"));
  EXPECT_EQ(
      body_of(call),
      R"({"contents":[{"role":"user","parts":[{"text":"x"},{"fileData":{"mimeType":"video/mp4",)"
      R"("fileUri":"gs://b/v"}}]}],)"
      R"("toolConfig":{"retrievalConfig":{}},"generationConfig":{"thinkingConfig":{"thinkingBudget":64,)"
      R"("includeThoughts":true},"speechConfig":{"a":1}},"safetySettings":[{"c":1}],)"
      R"("cachedContent":"cachedContents/1"})");
}

TEST(GeminiProvider, SaysEachFieldOfItsOwnOnce) {
  const auto call = to_gemini(gemini_chat(
      R"({"contents":[{"parts":[{"text":"x"}]}],"generationConfig":{"responseMimeType":"text/x.enum",)"
      R"("responseSchema":{"type":"STRING","enum":["a","b"]},"speechConfig":{"a":1},"speech_config":{"a":2}}})"));
  EXPECT_EQ(sent(call, "generationConfig"),
            R"({"responseJsonSchema":{"type":"string","enum":["a","b"]},"responseMimeType":"text/x.enum",)"
            R"("speechConfig":{"a":1}})");
}

TEST(GeminiProvider, AsksForAFormat) {
  const std::string format =
      R"(,"response_format":{"type":"json_schema","json_schema":{"name":"n","schema":{"type":"array",)"
      R"("items":{"type":"string"}}}})";
  const auto call = openai_to_gemini(with_fields(format));
  EXPECT_EQ(
      sent(call, "generationConfig"),
      R"({"responseMimeType":"application/json","responseJsonSchema":{"type":"object","properties":{"value":)"
      R"({"type":"array","items":{"type":"string"}}},"required":["value"]}})");
  ASSERT_EQ(call->notes.restores->size(), 1u);
  EXPECT_EQ(
      sent(openai_to_gemini(with_fields(R"(,"response_format":{"type":"json_object"})")), "generationConfig"),
      R"({"responseMimeType":"application/json"})");
  const auto old = openai_to_gemini(with_fields(format), caps(&Capabilities::openapi_schema, true));
  EXPECT_NE(body_of(old).find(R"("responseSchema":{)"), std::string::npos);

  // The answer is unwrapped, whole and streamed.
  const std::string answer =
      R"({"candidates":[{"content":{"parts":[{"text":"{\"value\": [\"a\""},{"text":", \"b\"]}"}]},)"
      R"("finishReason":"STOP"}]})";
  const Headers headers;
  const auto events = gemini_provider().decode_answer({.headers = &headers, .body = answer}, call->notes);
  ASSERT_TRUE(events) << events.error().message;
  EXPECT_EQ(test::fold(*events).choices.at(0).blocks.at(0).text, R"(["a", "b"])");
  const auto decoder = gemini_provider().stream_decoder(call->notes);
  EXPECT_EQ(test::fold(test::decode_whole(*decoder, "data: " + answer + "\n\n").events)
                .choices.at(0)
                .blocks.at(0)
                .text,
            R"(["a", "b"])");
}

TEST(GeminiProvider, AsksForThinkingByBudgetOrLevel) {
  const auto config = [](std::string_view fields, const Capabilities& capabilities) {
    return sent(openai_to_gemini(with_fields(fields), capabilities), "generationConfig");
  };
  const Capabilities budget = caps(&Capabilities::thinking, ThinkingMode::budget);
  EXPECT_EQ(config(R"(,"reasoning_effort":"medium")", budget),
            R"({"thinkingConfig":{"thinkingBudget":8192,"includeThoughts":true}})");
  EXPECT_EQ(config(R"(,"reasoning_effort":"none")", budget), R"({"thinkingConfig":{"thinkingBudget":0}})");
  EXPECT_EQ(config(R"(,"reasoning_effort":"none")",
                   caps(&Capabilities::thinking, ThinkingMode::budget, &Capabilities::thinking_forced, true,
                        &Capabilities::thinking_budget_min, 128)),
            R"({"thinkingConfig":{"thinkingBudget":128}})");
  const Capabilities levels = caps(&Capabilities::thinking, ThinkingMode::effort);
  EXPECT_EQ(config(R"(,"reasoning_effort":"high")", levels),
            R"({"thinkingConfig":{"thinkingLevel":"high","includeThoughts":true}})");
  EXPECT_EQ(config(R"(,"reasoning_effort":"none")", levels),
            R"({"thinkingConfig":{"thinkingLevel":"minimal"}})");
  Capabilities pro = levels;
  pro.effort_levels = EffortSet{EffortLevel::low, EffortLevel::high};
  EXPECT_EQ(config(R"(,"reasoning_effort":"none")", pro), R"({"thinkingConfig":{"thinkingLevel":"low"}})");
  EXPECT_EQ(config(R"(,"reasoning_effort":"high")", caps(&Capabilities::thinking, ThinkingMode::none)), "{}");
  // The bound on the answer makes room for the thoughts.
  const auto raised = openai_to_gemini(with_fields(R"(,"reasoning_effort":"low","max_tokens":100)"), budget);
  EXPECT_NE(body_of(raised).find(R"("maxOutputTokens":1124)"), std::string::npos) << body_of(raised);
  EXPECT_NE(records_of(raised).find("clamped;/max_tokens;100>1124"), std::string::npos);
  const auto capped =
      openai_to_gemini(with_fields(R"(,"reasoning_effort":"low","max_tokens":100)"),
                       caps(&Capabilities::thinking, ThinkingMode::budget, &Capabilities::output_max, 1000));
  EXPECT_NE(body_of(capped).find(R"("maxOutputTokens":1000)"), std::string::npos);
}

TEST(GeminiProvider, ReportsWhatItCannotSay) {
  const auto call = openai_to_gemini(
      with_fields(
          R"(,"temperature":3,"stop":["1","2","3"],"user":"u","seed":5000000000,"logit_bias":{"1":2})"),
      caps(&Capabilities::stop_max, 2));
  EXPECT_EQ(records_of(call),
            "clamped;/stop;3>2, clamped;/temperature;3>2, clamped;/seed;5000000000>705032704, "
            "dropped;/logit_bias, dropped;/user");
}

TEST(GeminiProvider, SendsMedia) {
  const auto call = openai_to_gemini(
      R"({"model":"m","messages":[{"role":"user","content":[
        {"type":"image_url","image_url":{"url":"data:image/jpeg;base64,iVBORw0KGgo=","detail":"low"}},
        {"type":"file","file":{"file_data":"data:application/pdf;base64,JVBERi0x","filename":"a.pdf"}},
        {"type":"input_audio","input_audio":{"data":"aGk=","format":"mp3"}}]}]})");
  EXPECT_EQ(sent(call, "contents"),
            R"([{"role":"user","parts":[{"inlineData":{"mimeType":"image/png","data":"iVBORw0KGgo="}},)"
            R"({"inlineData":{"mimeType":"application/pdf","data":"JVBERi0x"}},)"
            R"({"inlineData":{"mimeType":"audio/mp3","data":"aGk="}}]}])");
  EXPECT_EQ(sent(call, "generationConfig"), R"({"mediaResolution":"MEDIA_RESOLUTION_LOW"})");
  const std::string url = R"({"model":"m","messages":[{"role":"user","content":[{"type":"image_url",)"
                          R"("image_url":{"url":"https://e.x/a.png"}}]}]})";
  const auto refused = openai_to_gemini(url, caps(&Capabilities::image_url, false));
  ASSERT_FALSE(refused);
  EXPECT_EQ(refused.error().kind, ErrorKind::unsupported);
  EXPECT_EQ(refused.error().path, "messages[0].content");
  EXPECT_NE(body_of(openai_to_gemini(url)).find(R"("fileUri":"https://e.x/a.png")"), std::string::npos);
}

TEST(GeminiProvider, SpeaksVertexToo) {
  Capabilities vertex;
  vertex.quirks.vertex_shapes = true;
  const auto labels = openai_to_gemini(with_fields(R"(,"user":"Ann@x","metadata":{"Team":"mill"})"), vertex);
  EXPECT_EQ(sent(labels, "labels").find(R"("user":"ann_x")") == std::string::npos, false) << body_of(labels);
  const Request count = CountTokens{test::openai_chat(with_fields(""))};
  const auto flat = to_gemini(count, vertex);
  EXPECT_EQ(body_of(flat), R"({"contents":[{"role":"user","parts":[{"text":"hi"}]}]})");
  EXPECT_EQ(flat->wire.path, "/models/gemini-up:countTokens");
  EXPECT_EQ(body_of(to_gemini(count)),
            R"({"generateContentRequest":{"model":"models/gemini-up","contents":[{"role":"user",)"
            R"("parts":[{"text":"hi"}]}]}})");
  Embed embed;
  embed.inputs = {"a"};
  embed.purpose = "search_query";
  embed.dimensions = 3;
  const auto predict = to_gemini(embed, vertex);
  EXPECT_EQ(predict->wire.path, "/models/gemini-up:predict");
  EXPECT_EQ(body_of(predict), R"({"instances":[{"content":"a","task_type":"RETRIEVAL_QUERY"}],)"
                              R"("parameters":{"outputDimensionality":3}})");
  EXPECT_EQ(body_of(to_gemini(embed)),
            R"({"requests":[{"model":"models/gemini-up","content":{"parts":[{"text":"a"}]},)"
            R"("taskType":"RETRIEVAL_QUERY","outputDimensionality":3}]})");
}

TEST(GeminiProvider, SplicesTheModelIntoPathAndBody) {
  const Capabilities capabilities;
  const TargetModel target{.model = "gemini up", .capabilities = &capabilities};
  const auto splice = [&](const ClientCodec& codec, const ClientCall& call) {
    return gemini_provider().splice_request(call, *codec.decode_request(call), target);
  };
  const std::string body = R"({ "contents" : [{"parts":[{"text":"x"}]}], "unknown":1.0 })";
  const auto chat =
      splice(gemini_stream_client(), gemini_call(body, "/v1/models/x:streamGenerateContent", "alt=sse"));
  EXPECT_EQ(body_of(chat), body);
  EXPECT_EQ(chat->wire.path, "/models/gemini%20up:streamGenerateContent?alt=sse");
  const auto batch =
      splice(gemini_batch_embed_client(),
             gemini_call(R"({"requests":[{"model":"models/x","content":{"parts":[{"text":"a"}]}}]})",
                         "/v1beta/models/x:batchEmbedContents"));
  EXPECT_EQ(body_of(batch),
            R"({"requests":[{"model":"models/gemini up","content":{"parts":[{"text":"a"}]}}]})");
  EXPECT_EQ(batch->wire.path, "/models/gemini%20up:batchEmbedContents");
  EXPECT_EQ(splice(gemini_embed_client(),
                   gemini_call(R"({"content":{"parts":[{"text":"a"}]}})", "/v1/models/x:embedContent"))
                ->wire.path,
            "/models/gemini%20up:embedContent");
}

// ---- Answers

Result<std::vector<Event>> decode(std::string_view body, const CallNotes& notes = {}) {
  static const Headers headers;
  return gemini_provider().decode_answer({.headers = &headers, .body = body}, notes);
}

TEST(GeminiProvider, DecodesAnAnswer) {
  const auto events = decode(R"({"candidates":[{"content":{"role":"model","parts":[
      {"text":"hm","thought":true},{"text":"Hel"},{"text":"lo"},{"functionCall":{"id":"i","name":"f",
        "args":{"b":1.0}},"thoughtSignature":"S"},
      {"functionCall":{"name":"g"}},{"executableCode":{"code":"1"}},
        {"inlineData":{"mimeType":"image/png","data":"aGk="}},
      {"text":"","thoughtSignature":"T"}]},"finishReason":"STOP","groundingMetadata":{"q":1},
      "citationMetadata":{"citations":[{"uri":"u"}]}}],
      "usageMetadata":{"promptTokenCount":20,"cachedContentTokenCount":5,"candidatesTokenCount":4,
        "thoughtsTokenCount":3,
        "toolUsePromptTokenCount":2,"totalTokenCount":29,"promptTokensDetails":[{"modality":"AUDIO",
        "tokenCount":6}]},
      "modelVersion":"m","responseId":"r","createTime":"2025-05-05T21:30:47.262229Z"})");
  ASSERT_TRUE(events) << events.error().message;
  const Answer answer = test::fold(*events);
  EXPECT_EQ(answer.start.created_s, 1'746'480'647);
  const auto& blocks = answer.choices.at(0).blocks;
  ASSERT_EQ(blocks.size(), 8u);
  EXPECT_EQ(blocks[0].kind, BlockKind::thinking);
  EXPECT_EQ(blocks[1].text, "Hello");
  EXPECT_EQ(blocks[2].tool_id, "i");
  EXPECT_EQ(blocks[2].text, R"({"b":1.0})");
  EXPECT_EQ(blocks[2].signature, "S");
  EXPECT_EQ(blocks[3].text, "{}");
  EXPECT_TRUE(blocks[3].tool_id.starts_with("call_")) << blocks[3].tool_id;
  EXPECT_EQ(blocks[4].raw, R"({"executableCode":{"code":"1"}})");
  EXPECT_EQ(blocks[5].text, "aGk=");
  EXPECT_EQ(blocks[6].signature, "T");
  EXPECT_EQ(blocks[7].citations, (std::vector<std::string>{R"({"citationSource":{"uri":"u"}})",
                                                           R"({"groundingMetadata":{"q":1}})"}));
  EXPECT_EQ(answer.choices[0].finish.reason, StopReason::tool);
  Usage usage = test::usage_of(9, 5, 4, 3);
  usage.tool_prompt = 2;
  usage.in_audio = 6;
  usage.stated_total = 29;
  EXPECT_EQ(answer.usage, usage);
}

TEST(GeminiProvider, TurnsNamesCustomToolsAndLiteralsBack) {
  CallNotes notes;
  notes.tool_names.add("wire", "my tool");
  notes.custom_tools.make() = {"free"};
  notes.restores.make()["my tool"].literals = {{.pointer = "/n", .text = "1", .json = "1"}};
  const auto events =
      decode(R"({"candidates":[{"content":{"parts":[{"functionCall":{"name":"wire","args":{"n":"1"}}},
      {"functionCall":{"name":"free","args":{"input":"text"}}}]},"finishReason":"STOP"}]})",
             notes);
  ASSERT_TRUE(events);
  const Answer answer = test::fold(*events);
  EXPECT_EQ(answer.choices[0].blocks[0].tool_name, "my tool");
  EXPECT_EQ(answer.choices[0].blocks[0].text, R"({"n":1})");
  EXPECT_EQ(answer.choices[0].blocks[1].text, "text");
  EXPECT_EQ(answer.choices[0].blocks[1].tool_kind, ToolKind::custom);
}

TEST(GeminiProvider, DecodesLogprobsAsOpenAiShapesThem) {
  const auto events = decode(R"({"candidates":[{"content":{"parts":[{"text":"é"}]},"finishReason":"STOP",
      "logprobsResult":{"chosenCandidates":[{"token":"é","tokenId":1,"logProbability":-0.5}],
                        "topCandidates":[{"candidates":[{"token":"e","logProbability":-2}]}]}}]})");
  ASSERT_TRUE(events);
  EXPECT_EQ(test::fold(*events).choices[0].logprobs,
            std::vector<std::string>{
                R"([{"token":"é","logprob":-0.5,"bytes":[195,169],"top_logprobs":[{"token":"e",)"
                R"("logprob":-2,"bytes":[101]}]}])"});
}

TEST(GeminiProvider, TellsWhyAnAnswerStopped) {
  const auto stop = [](std::string_view reason) {
    const auto events = decode(fmt::format(
        R"({{"candidates":[{{"content":{{"parts":[{{"text":"x"}}]}},"finishReason":"{}"}}]}})", reason));
    return events ? test::fold(*events).choices[0].finish.reason : StopReason::pause;
  };
  EXPECT_EQ(stop("STOP"), StopReason::end);
  EXPECT_EQ(stop("MAX_TOKENS"), StopReason::length);
  for (const std::string_view word : {"SAFETY", "RECITATION", "BLOCKLIST", "PROHIBITED_CONTENT", "SPII",
                                      "IMAGE_SAFETY", "IMAGE_PROHIBITED_CONTENT", "IMAGE_RECITATION"})
    EXPECT_EQ(stop(word), StopReason::filter) << word;
  for (const std::string_view word : {"MALFORMED_FUNCTION_CALL", "UNEXPECTED_TOOL_CALL",
                                      "TOO_MANY_TOOL_CALLS", "MISSING_THOUGHT_SIGNATURE"})
    EXPECT_EQ(stop(word), StopReason::bad_tool) << word;
  for (const std::string_view word : {"LANGUAGE", "OTHER", "NO_IMAGE", "SOMETHING_NEW"})
    EXPECT_EQ(stop(word), StopReason::other) << word;
  const auto blocked = decode(R"({"promptFeedback":{"blockReason":"SAFETY"}})");
  ASSERT_TRUE(blocked);
  EXPECT_EQ(test::fold(*blocked).choices.at(0).finish.reason, StopReason::filter);
  for (const std::string_view body :
       {R"({"candidates":[{"content":{}}]})", R"({"candidates":[]})", R"({"x":1})", "[]", "7", ""}) {
    const auto events = decode(body);
    ASSERT_FALSE(events) << body;
    EXPECT_EQ(events.error().kind, ErrorKind::upstream_malformed) << body;
  }
}

std::string event_of(std::string_view parts, std::string_view rest = {}) {
  return fmt::format("data: {{\"candidates\":[{{\"content\":{{\"parts\":[{}]}}{}}}]}}\r\n\r\n", parts, rest);
}

test::Decoded stream(std::string_view body) {
  const auto decoder = gemini_provider().stream_decoder({});
  return test::decode_whole(*decoder, body);
}

TEST(GeminiProvider, JoinsTextsAndWaitsForTheFinish) {
  const test::Decoded decoded =
      stream(event_of(R"({"text":"a"})", R"(,"finishReason":"STOP")") + event_of(R"({"text":"b"})") +
             event_of(R"({"functionCall":{"id":"1","name":"f","args":{}}})") +
             event_of(R"({"text":""})", R"(,"finishReason":"STOP")"));
  EXPECT_EQ(decoded.error, "");
  EXPECT_EQ(test::describe(decoded.events),
            "start  \nblock 0 kind=0   0 \ndelta 0 0 a\ndelta 0 0 b\nend of block 0\n"
            "block 1 kind=1 1 f 0 \ndelta 1 0 {}\nend of block 1\nfinish tool  STOP\nend\n");
}

TEST(GeminiProvider, KeepsCandidatesApart) {
  const test::Decoded decoded = stream(
      "data: "
      "{\"candidates\":[{\"index\":0,\"content\":{\"parts\":[{\"text\":\"a\"}]}},{\"index\":1,\"content\":"
      "{\"parts\":[{\"text\":\"b\"}]}}]}\n\ndata: "
      "{\"candidates\":[{\"index\":1,\"content\":{\"parts\":[{\"text\":\"d\"}]},"
      "\"finishReason\":\"STOP\"},{\"index\":0,\"content\":{\"parts\":[{\"text\":\"c\"}]},\"finishReason\":"
      "\"MAX_TOKENS\"}]}\n\n");
  ASSERT_EQ(decoded.error, "");
  const Answer answer = test::fold(decoded.events);
  EXPECT_EQ(answer.choices.at(0).blocks.at(0).text, "ac");
  EXPECT_EQ(answer.choices.at(1).blocks.at(0).text, "bd");
  EXPECT_EQ(answer.choices[0].finish.reason, StopReason::length);
}

TEST(GeminiProvider, BuildsArgumentsThatComeInPieces) {
  const test::Decoded decoded =
      stream(event_of(R"({"functionCall":{"name":"f","willContinue":true},"thoughtSignature":"S"})") +
             event_of(R"({"functionCall":{"partialArgs":[{"jsonPath":"$.a[0].b","stringValue":"x",)"
                      R"("willContinue":true}],"willContinue":true}})") +
             event_of(R"({"functionCall":{"partialArgs":[{"jsonPath":"$.a[0].b","stringValue":"y"},)"
                      R"({"jsonPath":"$['c d']","numberValue":0.50},)"
                      R"({"jsonPath":"$.a[1]","nullValue":null},{"jsonPath":"$.t","boolValue":true},)"
                      R"({"jsonPath":"bad"}],"willContinue":true}})") +
             event_of(R"({"functionCall":{}})") +
             event_of(R"({"functionCall":{"name":"g"}})", R"(,"finishReason":"STOP")"));
  ASSERT_EQ(decoded.error, "");
  const Answer answer = test::fold(decoded.events);
  const auto& blocks = answer.choices.at(0).blocks;
  ASSERT_EQ(blocks.size(), 2u);
  EXPECT_EQ(blocks[0].text, R"({"a":[{"b":"xy"},null],"c d":0.50,"t":true})");
  EXPECT_EQ(blocks[0].signature, "S");
  EXPECT_EQ(blocks[1].tool_name, "g");
}

TEST(GeminiProvider, FailsStreamsThatBreakOff) {
  EXPECT_EQ(stream(event_of(R"({"text":"a"})")).error.substr(0, 18), "upstream_truncated");
  EXPECT_EQ(stream("").error.substr(0, 18), "upstream_truncated");
  EXPECT_EQ(stream("data: {\"this\":1}\n\n").error.substr(0, 18), "upstream_malformed");
  EXPECT_EQ(stream("data: {oops\n\n").error.substr(0, 18), "upstream_malformed");
  const std::string good = event_of(R"({"text":"a"})", R"(,"finishReason":"STOP")");
  const test::Decoded bare = stream(
      good + "{\n \"error\": {\"code\": 503, \"message\": \"busy\", \"status\": \"UNAVAILABLE\"}\n}\n");
  EXPECT_EQ(bare.error, "upstream_overloaded: busy");
  EXPECT_EQ(bare.forwarded, good) << "what is no event is not passed on";
  EXPECT_EQ(
      stream(good +
             "[{\"error\": {\"code\": 429, \"message\": \"slow\", \"status\": \"RESOURCE_EXHAUSTED\"}}]")
          .error,
      "upstream_rate_limited: slow");
  EXPECT_EQ(stream("data: {\"error\":{\"code\":500,\"message\":\"oh\",\"status\":\"INTERNAL\"}}\n\n").error,
            "upstream_error: oh");
}

Error decode_failure(int status, std::string_view body) {
  static const Headers headers;
  return gemini_provider().decode_error({.status = status, .headers = &headers, .body = body}, 0);
}

TEST(GeminiProvider, ClassifiesErrors) {
  const auto kind = [](int status, std::string_view word, std::string_view message,
                       std::string_view details = "[]") {
    return decode_failure(
               status, fmt::format(R"({{"error":{{"code":{},"message":"{}","status":"{}","details":{}}}}})",
                                   status, message, word, details))
        .kind;
  };
  EXPECT_EQ(kind(400, "INVALID_ARGUMENT", "bad"), ErrorKind::bad_request);
  EXPECT_EQ(kind(400, "INVALID_ARGUMENT", "The input token count (9) exceeds the maximum"),
            ErrorKind::context_too_long);
  EXPECT_EQ(kind(400, "INVALID_ARGUMENT", "API key not valid",
                 R"([{"@type":"x/google.rpc.ErrorInfo","reason":"API_KEY_INVALID"}])"),
            ErrorKind::upstream_auth);
  EXPECT_EQ(kind(401, "UNAUTHENTICATED", "x"), ErrorKind::upstream_auth);
  EXPECT_EQ(kind(403, "PERMISSION_DENIED", "x"), ErrorKind::forbidden);
  EXPECT_EQ(kind(404, "NOT_FOUND", "models/x is not found"), ErrorKind::model_not_found);
  EXPECT_EQ(kind(429, "RESOURCE_EXHAUSTED", "slow"), ErrorKind::upstream_rate_limited);
  EXPECT_EQ(kind(500, "INTERNAL", "x"), ErrorKind::upstream_error);
  EXPECT_EQ(kind(503, "UNAVAILABLE", "x"), ErrorKind::upstream_overloaded);
  EXPECT_EQ(kind(504, "DEADLINE_EXCEEDED", "x"), ErrorKind::upstream_timeout);
  const std::string_view retry = R"([{"@type":"x/google.rpc.RetryInfo","retryDelay":"34.4s"}])";
  EXPECT_EQ(kind(429, "RESOURCE_EXHAUSTED", "You exceeded your current quota", retry),
            ErrorKind::upstream_rate_limited);
  EXPECT_EQ(kind(429, "RESOURCE_EXHAUSTED", "You exceeded your current quota",
                 R"([{"@type":"x/google.rpc.QuotaFailure","violations":[{"quotaId":"RequestsPerDay"}]},)"
                 R"({"@type":"x/google.rpc.RetryInfo","retryDelay":"34.4s"}])"),
            ErrorKind::upstream_quota);
  const Error error = decode_failure(
      429, fmt::format(
               R"([{{"error":{{"code":429,"message":"slow","status":"RESOURCE_EXHAUSTED","details":{}}}}}])",
               retry));
  EXPECT_EQ(error.retry_after_ms, 34'400);
  EXPECT_EQ(decode_failure(502, "<html>oops</html>").kind, ErrorKind::upstream_error);
  EXPECT_EQ(decode_failure(503, "").kind, ErrorKind::upstream_overloaded);
}

TEST(GeminiProvider, DecodesCountsAndEmbeddings) {
  CallNotes notes;
  notes.operation = Operation::count_tokens;
  EXPECT_EQ(
      test::fold(*decode(R"({"totalTokens":31,"cachedContentTokenCount":1})", notes)).usage.input_total(),
      31);
  EXPECT_FALSE(decode(R"({})", notes));
  notes.operation = Operation::embeddings;
  for (const std::string_view body :
       {R"({"embeddings":[{"values":[0.5,1]}],"usageMetadata":{"promptTokenCount":4}})",
        R"({"embedding":{"values":[0.5,1]},"usageMetadata":{"promptTokenCount":4}})",
        R"({"predictions":[{"embeddings":{"values":[0.5,1],"statistics":{"token_count":4}}}]})"}) {
    const Answer answer = test::fold(*decode(body, notes));
    EXPECT_EQ(std::get<EmbedAnswer>(answer.payload->body).vectors,
              (std::vector<std::vector<float>>{{0.5F, 1}}));
    EXPECT_EQ(answer.usage.in_uncached, 4);
  }
  EXPECT_FALSE(decode(R"({"embeddings":[{"values":["x"]}]})", notes));
}

}  // namespace
}  // namespace weir
