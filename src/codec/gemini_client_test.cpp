// The client half of Google's dialect: requests in, answers and streams out.
#include <gtest/gtest.h>

#include "codec/gemini_test_util.h"
#include "codec/replay_test_util.h"

namespace weir {
namespace {

using test::gemini_call;
using test::gemini_chat;

template <class T>
const T& block_at(const Chat& chat, size_t message, size_t block) {
  return std::get<T>(chat.messages.at(message).content.at(block).body);
}

TEST(GeminiClient, ReadsARequestInBothSpellings) {
  for (const std::string_view body : {R"({"systemInstruction":{"parts":[{"text":"Be brief."}]},
            "contents":[{"role":"user","parts":[{"text":"hi"},{"inlineData":{"mimeType":"image/png",
        "data":"aGk="}}]}],
            "generationConfig":{"maxOutputTokens":5,"topP":0.5,"topK":40.0,"stopSequences":["x"],
        "candidateCount":2,
                                "responseLogprobs":true,"logprobs":3,"seed":7,"presencePenalty":1,
        "frequencyPenalty":2,
                                "temperature":0.25,"mediaResolution":"MEDIA_RESOLUTION_LOW"},
            "safetySettings":[],"labels":{"team":"mill"}})",
                                      R"({"system_instruction":{"parts":[{"text":"Be brief."}]},
            "contents":[{"role":"user","parts":[{"text":"hi"},{"inline_data":{"mime_type":"image/png",
        "data":"aGk="}}]}],
            "generation_config":{"max_output_tokens":5,"top_p":0.5,"top_k":40.0,"stop_sequences":["x"],
        "candidate_count":2,
                                "response_logprobs":true,"logprobs":3,"seed":7,"presence_penalty":1,
        "frequency_penalty":2,
                                "temperature":0.25,"media_resolution":"MEDIA_RESOLUTION_LOW"},
            "safety_settings":[],"labels":{"team":"mill"}})"}) {
    const Chat chat = gemini_chat(std::string(body));
    EXPECT_EQ(chat.model, "gemini-x");
    ASSERT_EQ(chat.messages.size(), 2u);
    EXPECT_EQ(chat.messages[0].role, Role::system);
    EXPECT_EQ(block_at<TextBlock>(chat, 0, 0).text, "Be brief.");
    EXPECT_EQ(block_at<ImageBlock>(chat, 1, 1).media.base64, "aGk=");
    EXPECT_EQ(chat.max_tokens, 5);
    EXPECT_EQ(chat.top_p, 0.5);
    EXPECT_EQ(chat.top_k, 40);
    EXPECT_EQ(chat.choices, 2);
    EXPECT_EQ(chat.top_logprobs, 3);
    EXPECT_EQ(chat.logprobs, true);
    EXPECT_EQ(chat.seed, 7);
    EXPECT_EQ(chat.presence_penalty, 1);
    EXPECT_EQ(chat.frequency_penalty, 2);
    EXPECT_EQ(chat.temperature, 0.25);
    ASSERT_EQ(chat.extras.size(), 2u);
    EXPECT_EQ(chat.extras[0].key, "generationConfig.mediaResolution");
    EXPECT_EQ(chat.extras[1].key, "safetySettings");
    ASSERT_EQ(chat.metadata.size(), 1u);
    EXPECT_EQ(chat.metadata[0].value, "mill");
  }
}

TEST(GeminiClient, ReadsPartsOfEveryKind) {
  const Chat chat = gemini_chat(R"({"contents":[{"role":"model","parts":[
      {"text":"hmm","thought":true,"thoughtSignature":"c2ln"},
      {"text":"","thoughtSignature":"_-8"},
      {"functionCall":{"id":"c1","name":"f","args":{"a":1.0}},"thoughtSignature":"Zg=="},
      {"executableCode":{"language":"PYTHON","code":"1"}}]},
    {"role":"user","parts":[{"functionResponse":{"id":"c1","name":"f","response":{"output":"15"}}},
      {"fileData":{"mimeType":"application/pdf","fileUri":"gs://b/x.pdf"}},
      {"fileData":{"mimeType":"video/mp4",
        "fileUri":"https://generativelanguage.googleapis.com/v1beta/files/q"}},
      {"inlineData":{"mimeType":"audio/mpeg","data":"aGk="}},
      {"fileData":{"mimeType":"video/mp4","fileUri":"gs://b/v"},"videoMetadata":{"fps":1}},
      {}]}]})");
  const auto& thought = block_at<ThinkingBlock>(chat, 0, 0);
  EXPECT_EQ(thought.text, "hmm");
  EXPECT_EQ(thought.signature, "c2ln");
  EXPECT_EQ(thought.issuer, Dialect::gemini);
  EXPECT_EQ(block_at<ThinkingBlock>(chat, 0, 1).signature, "/+8=") << "the standard alphabet, padded";
  EXPECT_EQ(block_at<ToolCallBlock>(chat, 0, 2).arguments, R"({"a":1.0})");
  EXPECT_EQ(block_at<ToolCallBlock>(chat, 0, 2).signature, "Zg==");
  EXPECT_EQ(block_at<UnknownBlock>(chat, 0, 3).type, "executableCode");
  const auto& result = block_at<ToolResultBlock>(chat, 1, 0);
  EXPECT_EQ(result.call_id, "c1");
  EXPECT_EQ(std::get<TextBlock>(result.content.at(0).body).text, "15");
  EXPECT_EQ(block_at<DocumentBlock>(chat, 1, 1).media.url, "gs://b/x.pdf");
  EXPECT_NE(block_at<VideoBlock>(chat, 1, 2).media.file_id, "");
  EXPECT_EQ(block_at<AudioBlock>(chat, 1, 3).format, "mp3");
  EXPECT_EQ(block_at<UnknownBlock>(chat, 1, 4).type, "videoMetadata");
  EXPECT_EQ(chat.messages[1].content.size(), 5u);
}

TEST(GeminiClient, MatchesResultsByNameAndOrderWhereThereAreNoIds) {
  const Chat chat = gemini_chat(R"({"contents":[
    {"role":"user","parts":[{"text":"go"}]},
    {"role":"model","parts":[{"functionCall":{"name":"f","args":{}}},{"functionCall":{"name":"g"}},
                             {"functionCall":{"name":"f","args":{}}}]},
    {"role":"function","parts":[{"functionResponse":{"name":"f","response":{"n":1}}},
                            {"functionResponse":{"name":"f","response":{"error":"no"}}},
                            {"functionResponse":{"name":"g","response":{}}}]}]})");
  const auto id = [&](size_t i) { return block_at<ToolCallBlock>(chat, 1, i).id; };
  EXPECT_NE(id(0), id(2));
  EXPECT_EQ(block_at<ToolResultBlock>(chat, 2, 0).call_id, id(0));
  EXPECT_EQ(block_at<ToolResultBlock>(chat, 2, 1).call_id, id(2));
  EXPECT_EQ(block_at<ToolResultBlock>(chat, 2, 2).call_id, id(1));
  EXPECT_TRUE(block_at<ToolResultBlock>(chat, 2, 1).is_error);
  EXPECT_EQ(std::get<TextBlock>(block_at<ToolResultBlock>(chat, 2, 0).content.at(0).body).text, R"({"n":1})");
}

TEST(GeminiClient, ReadsToolsAndTheirChoice) {
  const Chat chat = gemini_chat(R"({"contents":[{"parts":[{"text":"x"}]}],
    "tools":[{"functionDeclarations":[
      {"name":"f","description":"d","parameters":{"type":"OBJECT","properties":{"b":{"type":"STRING",
        "nullable":true},
         "a":{"type":"INTEGER"}},"propertyOrdering":["a","b"]}},
      {"name":"g","parametersJsonSchema":{"type":"object"}}]},{"google_search":{}}],
    "toolConfig":{"functionCallingConfig":{"mode":"ANY","allowedFunctionNames":["f"]},
        "retrievalConfig":{"x":1}}})");
  ASSERT_EQ(chat.tools.size(), 3u);
  EXPECT_EQ(chat.tools[0].schema.text,
            R"({"type":"object","properties":{"a":{"type":"integer"},"b":{"type":["string","null"]}}})");
  EXPECT_EQ(chat.tools[1].schema.text, R"({"type":"object"})");
  EXPECT_EQ(chat.tools[2].kind, ToolKind::server);
  EXPECT_EQ(chat.tools[2].raw.text, R"({"googleSearch":{}})");
  EXPECT_EQ(chat.tool_choice->mode, ToolChoiceMode::named);
  EXPECT_EQ(chat.tool_choice->name, "f");
  EXPECT_EQ(chat.extras.at(0).key, "toolConfig.retrievalConfig");
}

TEST(GeminiClient, ReadsFormatAndThinking) {
  const auto with = [](std::string config) {
    return gemini_chat(R"({"contents":[{"parts":[{"text":"x"}]}],"generationConfig":)" + config + "}");
  };
  const Chat schema =
      with(R"({"responseMimeType":"application/json","responseSchema":{"type":"ARRAY","minItems":"2"}})");
  EXPECT_EQ(schema.format.kind, FormatKind::json_schema);
  EXPECT_EQ(schema.format.schema.text, R"({"type":"array","minItems":2})");
  EXPECT_EQ(
      with(R"({"responseJsonSchema":{"type":"object"},"responseMimeType":"application/json"})").format.kind,
      FormatKind::json_schema);
  EXPECT_EQ(with(R"({"responseMimeType":"application/json"})").format.kind, FormatKind::json_object);
  EXPECT_TRUE(with(R"({"thinkingConfig":{"thinkingBudget":0}})").reasoning.is_disabled);
  EXPECT_TRUE(with(R"({"thinkingConfig":{"thinkingBudget":-1}})").reasoning.is_adaptive);
  EXPECT_EQ(
      with(R"({"thinkingConfig":{"thinkingBudget":512,"includeThoughts":true}})").reasoning.budget_tokens,
      512);
  EXPECT_EQ(with(R"({"thinking_config":{"thinking_level":"LOW"}})").reasoning.effort, EffortLevel::low);
  const Chat any_level = with(R"({"thinkingConfig":{"thinkingLevel":"THINKING_LEVEL_UNSPECIFIED"}})");
  EXPECT_FALSE(any_level.reasoning.effort);
  EXPECT_FALSE(any_level.only_raw);
}

TEST(GeminiClient, NamesTheFieldThatIsWrong) {
  const auto path_of = [](std::string body) {
    const Result<Request> request = test::decode_gemini(std::move(body));
    return request ? "fine" : request.error().path;
  };
  EXPECT_EQ(path_of(R"({})"), "contents");
  EXPECT_EQ(path_of(R"({"contents":[]})"), "contents");
  EXPECT_EQ(path_of(R"({"contents":[{"parts":[{"text":1}]}]})"), "contents[0].parts[0].text");
  EXPECT_EQ(path_of(R"({"contents":[{"parts":[{"text":"a"}]}],"generationConfig":{"maxOutputTokens":-1}})"),
            "generationConfig.maxOutputTokens");
  EXPECT_EQ(path_of(R"({"contents":[{"parts":[{"functionCall":{}}]}]})"),
            "contents[0].parts[0].functionCall.name");
}

TEST(GeminiClient, TakesTheModelOfThePathWithItsFolderAndPublisher) {
  const std::string body = R"({"contents":[{"parts":[{"text":"x"}]}]})";
  const auto model = [&](std::string path) {
    return std::string(
        model_of(*gemini_generate_client().decode_request(gemini_call(body, std::move(path)))));
  };
  EXPECT_EQ(model("/v1beta/tunedModels/gemini-x:generateContent"), "tunedModels/gemini-x");
  EXPECT_EQ(model("/v1beta1/publishers/google/models/gemini-x:generateContent"), "gemini-x");
  EXPECT_EQ(model("/v1beta1/publishers/openai/models/gemini-x:generateContent"), "openai/gemini-x");
}

TEST(GeminiClient, CountsTheTokensOfEitherForm) {
  for (const std::string_view body :
       {R"({"contents":[{"parts":[{"text":"x"}]}]})",
        R"({"generateContentRequest":{"model":"models/gemini-x","contents":[{"parts":[{"text":"x"}]}]}})"}) {
    const auto request = gemini_count_tokens_client().decode_request(gemini_call(std::string(body)));
    ASSERT_TRUE(request) << request.error().message;
    EXPECT_EQ(std::get<CountTokens>(*request).chat.messages.size(), 1u);
  }
  Answer answer;
  answer.usage.in_uncached = 9;
  EXPECT_EQ(gemini_count_tokens_client().encode_answer(answer, {}).body, R"({"totalTokens":9})");
}

TEST(GeminiClient, EmbedsOneTextOrMany) {
  const auto one = gemini_embed_client().decode_request(gemini_call(
      R"({"content":{"parts":[{"text":"a"}]},"taskType":"RETRIEVAL_QUERY","outputDimensionality":8,)"
      R"("title":"t"})"));
  ASSERT_TRUE(one) << one.error().message;
  const auto& embed = std::get<Embed>(*one);
  EXPECT_EQ(embed.purpose, "search_query");
  EXPECT_EQ(embed.dimensions, 8);
  EXPECT_EQ(embed.extras.at(0).key, "title");
  const auto many = gemini_batch_embed_client().decode_request(
      gemini_call(R"({"requests":[{"model":"models/gemini-x","content":{"parts":[{"text":"a"}]}},)"
                  R"({"content":{"parts":[{"text":"b"}]}}]})"));
  ASSERT_TRUE(many) << many.error().message;
  EXPECT_EQ(std::get<Embed>(*many).inputs.size(), 2u);
  Answer answer;
  answer.payload = Payload{.id = {}, .model = {}, .body = EmbedAnswer{.vectors = {{0.5F, 1}, {2, 3}}}};
  answer.usage.in_uncached = 4;
  EXPECT_EQ(gemini_batch_embed_client().encode_answer(answer, {}).body,
            R"({"embeddings":[{"values":[0.5,1]},{"values":[2,3]}],"usageMetadata":{"promptTokenCount":4,)"
            R"("totalTokenCount":4}})");
  EXPECT_EQ(gemini_embed_client().encode_answer(answer, {}).body.substr(0, 31),
            R"({"embedding":{"values":[0.5,1]})");
}

// ---- Answers

std::vector<Event> rich_events() {
  return {Start{.id = "r1", .model = "m1"},
          BlockStart{.index = 0, .kind = BlockKind::thinking},
          Delta{.index = 0, .text = "hm"},
          Delta{.index = 0, .kind = DeltaKind::signature, .text = "U0lH", .dialect = Dialect::gemini},
          BlockEnd{.index = 0},
          BlockStart{.index = 1},
          Delta{.index = 1, .text = "Hello"},
          Delta{.index = 1,
                .kind = DeltaKind::citation,
                .text = R"({"citationSource":{"uri":"u"}})",
                .dialect = Dialect::gemini},
          BlockEnd{.index = 1},
          BlockStart{.index = 2, .kind = BlockKind::tool_call, .tool_id = "t1", .tool_name = "f"},
          Delta{.index = 2, .text = "{\"a\""},
          Delta{.index = 2, .text = ":1}"},
          BlockEnd{.index = 2},
          BlockStart{.index = 3, .kind = BlockKind::image, .data = "image/jpeg"},
          Delta{.index = 3, .text = "aGk="},
          BlockEnd{.index = 3},
          Finish{.reason = StopReason::tool},
          UsageReport{test::usage_of(7, 3, 5, 2)},
          End{}};
}

constexpr std::string_view kRichParts =
    R"([{"text":"hm","thought":true,"thoughtSignature":"U0lH"},{"text":"Hello"},)"
    R"({"functionCall":{"id":"t1","name":"f","args":{"a":1}}},{"inlineData":{"mimeType":"image/jpeg",)"
    R"("data":"aGk="}}])";
constexpr std::string_view kRichUsage =
    R"("usageMetadata":{"promptTokenCount":10,"candidatesTokenCount":5,"totalTokenCount":17,)"
    R"("cachedContentTokenCount":3,"thoughtsTokenCount":2},"modelVersion":"m1","responseId":"r1"})";

TEST(GeminiClient, WritesAWholeAnswer) {
  const Request request = Chat{};
  AnswerFolder folder;
  for (Event event : rich_events()) {
    if (auto* start = std::get_if<BlockStart>(&event)) start->dialect = Dialect::gemini;
    folder.add(event);
  }
  const ClientReply reply =
      gemini_generate_client().encode_answer(folder.answer(), test::answer_context(request));
  EXPECT_EQ(reply.body,
            fmt::format(R"({{"candidates":[{{"content":{{"parts":{},"role":"model"}},"finishReason":"STOP",)"
                        R"("index":0,"citationMetadata":{{"citationSources":[{{"uri":"u"}}]}}}}],{})",
                        kRichParts, kRichUsage));
}

TEST(GeminiClient, StreamsEventsThatDecodeToTheSameAnswer) {
  const Request request = Chat{};
  const auto encoder = gemini_stream_client().stream_encoder(test::answer_context(request));
  const std::string stream = test::encode_stream(*encoder, rich_events());
  EXPECT_TRUE(stream.starts_with(
      "data: {\"candidates\":[{\"content\":{\"parts\":[{\"text\":\"hm\",\"thought\":true}]"))
      << stream;
  EXPECT_EQ(stream.find("[DONE]"), std::string::npos);
  const auto decoder = gemini_provider().stream_decoder({});
  const test::Decoded decoded = test::decode_whole(*decoder, stream);
  ASSERT_EQ(decoded.error, "");
  const Answer answer = test::fold(decoded.events);
  const auto& blocks = answer.choices.at(0).blocks;
  ASSERT_EQ(blocks.size(), 5u) << "the citation leaves with the end, in a text of its own";
  EXPECT_EQ(blocks[0].text, "hm");
  EXPECT_EQ(blocks[0].signature, "U0lH");
  EXPECT_EQ(blocks[1].text, "Hello");
  EXPECT_EQ(blocks[2].text, R"({"a":1})");
  EXPECT_EQ(blocks[2].tool_id, "t1");
  EXPECT_EQ(blocks[3].raw, "image/jpeg");
  EXPECT_EQ(blocks[4].citations.size(), 1u);
  EXPECT_EQ(answer.choices[0].finish.reason, StopReason::tool);
  Usage usage = test::usage_of(7, 3, 5, 2);
  usage.stated_total = 17;
  EXPECT_EQ(answer.usage, usage);
}

// Google's Python SDK splits a stream at the line ends that Python knows, and reads each line as JSON.
TEST(GeminiClient, StreamsOnlyWhatGooglesPythonSdkReads) {
  const Request request = Chat{};
  const auto encoder = gemini_stream_client().stream_encoder(test::answer_context(request));
  std::string out;
  encoder->encode(Start{}, out);
  encoder->encode(Ping{}, out);
  encoder->keep_alive(out);
  EXPECT_EQ(out, "\r\n\r\n");
  encoder->encode(BlockStart{}, out);
  encoder->encode(Delta{.text = "a\xE2\x80\xA8"
                                "b\xC2\x85\xE2\x80\xA9"},
                  out);
  EXPECT_NE(out.find(R"("text":"a\u2028b\u0085\u2029")"), std::string::npos) << out;
}

TEST(GeminiClient, StreamsAJsonArrayWithoutAltSse) {
  const ClientCall call = gemini_call("{}", "/v1beta/models/x:streamGenerateContent");
  const ClientCodec& array = gemini_stream_client().for_call(call);
  EXPECT_FALSE(array.allows_raw());
  EXPECT_EQ(array.stream_content_type(), "application/json; charset=UTF-8");
  EXPECT_EQ(&gemini_stream_client().for_call(gemini_call("{}", "/p", "key=1&alt=sse")),
            &gemini_stream_client());
  const Request request = Chat{};
  const auto encoder = array.stream_encoder(test::answer_context(request));
  std::string out;
  encoder->keep_alive(out);
  out += test::encode_stream(*encoder, rich_events());
  const auto parsed = JsonDoc::parse(out);
  ASSERT_TRUE(parsed) << out;
  EXPECT_TRUE(parsed->root().is_array());
  EXPECT_EQ(out.find("}\r\n"), std::string::npos) << "only a comma ends a line: " << out;
  const Headers headers;
  const auto events = gemini_provider().decode_answer({.headers = &headers, .body = out}, {});
  ASSERT_TRUE(events) << events.error().message;
  EXPECT_EQ(test::fold(*events).choices.at(0).blocks.at(1).text, "Hello");

  const auto failing = array.stream_encoder(test::answer_context(request));
  std::string failed;
  failing->encode(BlockStart{}, failed);
  failing->encode(Delta{.text = "x"}, failed);
  failing->fail(make_error(ErrorKind::upstream_truncated, "cut"), failed);
  EXPECT_TRUE(JsonDoc::parse(failed)) << failed;
}

TEST(GeminiClient, KeepsForeignSignaturesAndBlocksToItself) {
  const Request request = Chat{};
  const std::vector<Event> events = {
      BlockStart{.index = 0, .kind = BlockKind::thinking, .dialect = Dialect::anthropic_messages},
      Delta{.index = 0, .text = "hm"},
      Delta{.index = 0, .kind = DeltaKind::signature, .text = "SIG", .dialect = Dialect::anthropic_messages},
      BlockEnd{.index = 0},
      BlockStart{
          .index = 1, .kind = BlockKind::unknown, .data = "{}", .dialect = Dialect::anthropic_messages},
      BlockEnd{.index = 1},
      Finish{},
      End{}};
  const auto encoder = gemini_stream_client().stream_encoder(test::answer_context(request));
  const std::string stream = test::encode_stream(*encoder, events);
  EXPECT_EQ(stream.find("SIG"), std::string::npos);
  AnswerFolder folder;
  for (const Event& event : events) folder.add(event);
  const std::string whole =
      gemini_generate_client().encode_answer(folder.answer(), test::answer_context(request)).body;
  EXPECT_EQ(whole.find("SIG"), std::string::npos);
  EXPECT_NE(whole.find(R"("parts":[{"text":"hm","thought":true}])"), std::string::npos) << whole;
}

TEST(GeminiClient, SaysWhyAnAnswerStopped) {
  const Request request = Chat{};
  const auto word = [&](StopReason reason, std::string native = {}) {
    Answer answer;
    answer.choices.resize(1);
    answer.choices[0].finish = {.reason = reason, .native = std::move(native)};
    const std::string body =
        gemini_generate_client().encode_answer(answer, test::answer_context(request)).body;
    const auto parsed = JsonDoc::parse(body);
    return std::string(parsed->root()["candidates"].at(0)["finishReason"].string_or(""));
  };
  EXPECT_EQ(word(StopReason::end), "STOP");
  EXPECT_EQ(word(StopReason::tool), "STOP");
  EXPECT_EQ(word(StopReason::stop_sequence), "STOP");
  EXPECT_EQ(word(StopReason::length, "max_tokens"), "MAX_TOKENS");
  EXPECT_EQ(word(StopReason::context_full), "MAX_TOKENS");
  EXPECT_EQ(word(StopReason::filter), "SAFETY");
  EXPECT_EQ(word(StopReason::filter, "RECITATION"), "RECITATION");
  EXPECT_EQ(word(StopReason::bad_tool), "MALFORMED_FUNCTION_CALL");
  EXPECT_EQ(word(StopReason::other), "OTHER");
}

TEST(GeminiClient, WritesErrorsInGooglesForm) {
  Error error = make_error(ErrorKind::upstream_rate_limited, "later", "contents[0]");
  error.retry_after_ms = 1500;
  const ClientReply reply = gemini_generate_client().encode_error(error, "req_1");
  EXPECT_EQ(reply.status, 429);
  EXPECT_EQ(reply.headers.get_or("retry-after", ""), "2");
  EXPECT_EQ(reply.body,
            R"({"error":{"code":429,"message":"later","status":"RESOURCE_EXHAUSTED","details":[)"
            R"({"@type":"type.googleapis.com/google.rpc.BadRequest",)"
            R"("fieldViolations":[{"field":"contents[0]","description":"later"}]},)"
            R"({"@type":"type.googleapis.com/google.rpc.ErrorInfo","reason":"UPSTREAM_RATE_LIMITED",)"
            R"("domain":"weir"},)"
            R"({"@type":"type.googleapis.com/google.rpc.RetryInfo","retryDelay":"1.500s"}]}})");
  const Headers headers;
  const Error again =
      gemini_provider().decode_error({.status = 429, .headers = &headers, .body = reply.body}, 0);
  EXPECT_EQ(again.kind, ErrorKind::upstream_rate_limited);
  EXPECT_EQ(again.retry_after_ms, 1500);
}

}  // namespace
}  // namespace weir
