// The client half of Converse: requests in, answers and errors out.
#include <gtest/gtest.h>

#include "codec/bedrock_test_util.h"
#include "codec/replay_test_util.h"

namespace weir {
namespace {

using test::converse_chat;
using test::decode_with;
using test::error_of;

const Request kRequest = Chat{};

AnswerContext context() {
  AnswerContext made{.exchange_id = "ex_01J", .model = "m", .request = &kRequest};
  made.elapsed_ms = [] { return int64_t{17}; };
  return made;
}

std::string encode_stream(const std::vector<Event>& events, const AnswerContext& with) {
  const auto encoder = bedrock_converse_stream_client().stream_encoder(with);
  return test::describe_frames(test::encode_stream(*encoder, events));
}

TEST(ConverseClient, ReadsEverySetting) {
  const Chat chat = converse_chat(R"({
    "messages": [{"role": "user", "content": [{"text": "hi"}]}],
    "system": [{"text": "be brief"}, {"cachePoint": {"type": "default", "ttl": "1h"}}],
    "inferenceConfig": {"maxTokens": 9, "temperature": 0.5, "topP": 0.75, "stopSequences": ["x", "y"]},
    "additionalModelRequestFields": {"top_k": 5, "thinking": {"type": "enabled", "budget_tokens": 1024},
      "anthropic_beta": ["a", "b"], "other": [1.0]},
    "requestMetadata": {"team": "mill"}, "serviceTier": {"type": "priority"},
    "guardrailConfig": {"guardrailIdentifier": "g"}, "performanceConfig": {"latency": "optimized"}})");
  EXPECT_EQ(chat.model, test::kClaude);
  EXPECT_FALSE(chat.is_streamed);
  EXPECT_EQ(chat.max_tokens, 9);
  EXPECT_EQ(chat.temperature, 0.5);
  EXPECT_EQ(chat.top_p, 0.75);
  EXPECT_EQ(chat.top_k, 5);
  EXPECT_EQ(chat.stop, (std::vector<std::string_view>{"x", "y"}));
  EXPECT_EQ(chat.reasoning.budget_tokens, 1024);
  EXPECT_EQ(chat.service_tier, "priority");
  ASSERT_EQ(chat.metadata.size(), 1u);
  EXPECT_EQ(chat.metadata[0].value, "mill");
  ASSERT_EQ(chat.messages.size(), 2u);
  EXPECT_EQ(chat.messages[0].role, Role::system);
  EXPECT_EQ(chat.messages[0].content[0].cache->ttl, CacheTtl::one_hour);
  std::string extras;
  for (const ExtraField& extra : chat.extras)
    extras += std::string(extra.key) + "=" + std::string(extra.raw.text) + ";";
  EXPECT_EQ(extras,
            "anthropic-beta=\"a,b\";additionalModelRequestFields.other=[1.0];guardrailConfig={"
            "\"guardrailIdentifier\": "
            "\"g\"};performanceConfig={\"latency\": \"optimized\"};");
}

TEST(ConverseClient, ReadsReasoningInEachFamilysWords) {
  const auto fields = [](std::string text) {
    return converse_chat(
        R"({"messages":[{"role":"user","content":[{"text":"a"}]}],"additionalModelRequestFields":)" + text +
        "}");
  };
  EXPECT_EQ(fields(R"({"reasoning_effort":"low"})").reasoning.effort, EffortLevel::low);
  EXPECT_EQ(fields(R"({"output_config":{"effort":"high"}})").reasoning.effort, EffortLevel::high);
  EXPECT_EQ(
      fields(R"({"reasoningConfig":{"type":"enabled","maxReasoningEffort":"medium"}})").reasoning.effort,
      EffortLevel::medium);
  EXPECT_TRUE(fields(R"({"reasoningConfig":{"type":"disabled"}})").reasoning.is_disabled);
  EXPECT_TRUE(fields(R"({"thinking":{"type":"adaptive"}})").reasoning.is_adaptive);
  EXPECT_EQ(fields(R"({"inferenceConfig":{"topK":7}})").top_k, 7);
  EXPECT_EQ(fields(R"({"inferenceConfig":{"topK":7,"x":1}})").extras.size(), 1u) << "kept whole";
}

TEST(ConverseClient, ReadsEveryKindOfContent) {
  const Chat chat = converse_chat(R"({"messages": [
    {"role": "user", "content": [{"text": "look"}, {"image": {"format": "jpeg",)"
                                  R"( "source": {"bytes": "AAAA"}}},
      {"document": {"format": "pdf", "name": "plan", "source": {"bytes": "BBBB"},)"
                                  R"( "citations": {"enabled": true}}},
      {"document": {"format": "txt", "name": "note", "source": {"text": "words"}}},
      {"video": {"format": "three_gp", "source": {"bytes": "CCCC"}}},
      {"image": {"format": "png", "source": {"s3Location": {"uri": "s3://b/x"}}}},
      {"guardContent": {"text": {"text": "guarded", "qualifiers": ["query"]}}},
      {"cachePoint": {"type": "default"}}]},
    {"role": "assistant", "content": [
      {"reasoningContent": {"reasoningText": {"text": "hmm", "signature": "s1"}}},
      {"reasoningContent": {"redactedContent": "EEEE"}},
      {"citationsContent": {"content": [{"text": "a"}, {"text": "b"}],)"
                                  R"( "citations": []}},
      {"toolUse": {"toolUseId": "t1", "name": "f", "input": {"n": 1.0}}}]},
    {"role": "user", "content": [{"toolResult": {"toolUseId": "t1", "status": "error",
      "content": [{"text": "no"}, {"json": {"a": 1.0}}]}}]}]})");
  const auto& user = chat.messages[0].content;
  ASSERT_EQ(user.size(), 7u);
  EXPECT_EQ(std::get<ImageBlock>(user[1].body).media.mime, "image/jpeg");
  EXPECT_EQ(std::get<DocumentBlock>(user[2].body).media.base64, "BBBB");
  EXPECT_EQ(std::get<DocumentBlock>(user[2].body).title, "plan");
  EXPECT_TRUE(std::get<DocumentBlock>(user[2].body).wants_citations);
  EXPECT_EQ(std::get<DocumentBlock>(user[3].body).text, "words");
  EXPECT_EQ(std::get<VideoBlock>(user[4].body).media.mime, "video/3gpp");
  EXPECT_EQ(std::get<UnknownBlock>(user[5].body).type, "image") << "only Bedrock reads its buckets";
  EXPECT_EQ(std::get<TextBlock>(user[6].body).text, "guarded");
  EXPECT_TRUE(user[6].cache);
  const auto& assistant = chat.messages[1].content;
  EXPECT_EQ(std::get<ThinkingBlock>(assistant[0].body).signature, "s1");
  EXPECT_EQ(std::get<ThinkingBlock>(assistant[0].body).issuer, Dialect::bedrock_converse);
  EXPECT_EQ(std::get<RedactedThinkingBlock>(assistant[1].body).data, "EEEE");
  EXPECT_EQ(std::get<TextBlock>(assistant[2].body).text, "ab");
  EXPECT_EQ(std::get<ToolCallBlock>(assistant[3].body).arguments, R"({"n": 1.0})");
  const auto& result = std::get<ToolResultBlock>(chat.messages[2].content[0].body);
  EXPECT_TRUE(result.is_error);
  EXPECT_EQ(std::get<TextBlock>(result.content[1].body).text, R"({"a": 1.0})");
}

TEST(ConverseClient, ReadsADocumentOfSeveralTextsAsOneTextToo) {
  const Chat chat =
      converse_chat(R"({"messages":[{"role":"user","content":[{"document":{"format":"txt","name":"n",)"
                    R"("source":{"content":[{"text":"a"},{"text":"b"}]}}}]}]})");
  const auto& document = std::get<DocumentBlock>(chat.messages.at(0).content.at(0).body);
  EXPECT_EQ(document.text, "a\nb");
  EXPECT_EQ(document.parts, (std::vector<std::string_view>{"a", "b"}));
}

TEST(ConverseClient, ReadsToolsAndTheChoice) {
  const Chat chat = converse_chat(R"({"messages": [{"role": "user", "content": [{"text": "a"}]}],
    "toolConfig": {"tools": [
      {"toolSpec": {"name": "f", "description": "d", "inputSchema": {"json": {"type": "object"}}}},
      {"cachePoint": {"type": "default"}}, {"systemTool": {"name": "nova_grounding"}}],
      "toolChoice": {"tool": {"name": "f"}}}})");
  ASSERT_EQ(chat.tools.size(), 2u);
  EXPECT_EQ(chat.tools[0].schema.text, R"({"type": "object"})");
  EXPECT_TRUE(chat.tools[0].cache);
  EXPECT_EQ(chat.tools[1].kind, ToolKind::server);
  EXPECT_EQ(chat.tools[1].name, "nova_grounding");
  EXPECT_EQ(chat.tool_choice->mode, ToolChoiceMode::named);
  EXPECT_EQ(chat.tool_choice->name, "f");
}

TEST(ConverseClient, ReadsTheSchemaOutOfItsString) {
  const Chat chat = converse_chat(R"({"messages": [{"role": "user", "content": [{"text": "a"}]}],
    "outputConfig": {"textFormat": {"type": "json_schema", "structure": {"jsonSchema":
      {"name": "river", "schema": "{\"type\":\"object\"}"}}}}})");
  EXPECT_EQ(chat.format.kind, FormatKind::json_schema);
  EXPECT_EQ(chat.format.schema.text, R"({"type":"object"})");
  EXPECT_EQ(chat.format.name, "river");
}

TEST(ConverseClient, NamesTheFieldThatIsWrong) {
  const auto error = [](std::string body) {
    return error_of(decode_with(bedrock_converse_client(), std::move(body)));
  };
  EXPECT_EQ(error(R"({})"), "messages: messages is missing: an array of messages");
  EXPECT_EQ(error(R"({"system":[{"text":"a"}]})").substr(0, 8), "messages");
  EXPECT_EQ(error(R"({"messages":[{"role":"user","content":[{"text":1}]}]})").substr(0, 27),
            "messages[0].content[0].text");
  EXPECT_EQ(error(R"({"messages":[{"role":"user","content":[{"text":"a","image":{}}]}]})").substr(0, 22),
            "messages[0].content[0]");
  EXPECT_EQ(
      error(R"({"messages":[{"role":"user","content":[{"text":"a"}]}],"inferenceConfig":{"maxTokens":-1}})")
          .substr(0, 25),
      "inferenceConfig.maxTokens");
  EXPECT_EQ(
      error(R"({"messages":[{"role":"user","content":[{"text":"a"}]}],"toolConfig":{"tools":[{"toolSpec":
      {"name":"f"}}]}})")
          .substr(0, 41),
      "toolConfig.tools[0].toolSpec.inputSchema:");
}

TEST(ConverseClient, TakesAKeptPromptWithoutMessages) {
  EXPECT_TRUE(decode_with(bedrock_converse_client(), R"({"promptVariables":{"a":{"text":"b"}}})",
                          "arn:aws:bedrock:us-east-1:1:prompt/ABCDEFGHIJ:1"));
}

TEST(ConverseClient, TheEndpointDecidesWhetherItStreams) {
  const auto request = decode_with(bedrock_converse_stream_client(),
                                   R"({"messages":[{"role":"user","content":[{"text":"a"}]}]})");
  ASSERT_TRUE(request);
  EXPECT_TRUE(std::get<Chat>(*request).is_streamed);
}

std::vector<Event> rich_events() {
  const Dialect own = Dialect::bedrock_converse;
  return {
      Start{.id = "x", .model = "m"},
      BlockStart{.index = 0, .kind = BlockKind::thinking, .dialect = own},
      Delta{.index = 0, .text = "hmm", .dialect = own},
      Delta{.index = 0, .kind = DeltaKind::signature, .text = "sig", .dialect = own},
      BlockEnd{.index = 0},
      BlockStart{.index = 1, .kind = BlockKind::redacted_thinking, .data = "QUJD", .dialect = own},
      BlockEnd{.index = 1},
      BlockStart{.index = 2, .dialect = own},
      Delta{.index = 2, .text = "Hi", .dialect = own},
      BlockStart{.index = 3, .kind = BlockKind::tool_call, .tool_id = "t1", .tool_name = "f", .dialect = own},
      Delta{.index = 3, .text = "{\"a\":1.0}", .dialect = own},
      Delta{.index = 2, .text = "!", .dialect = own},
      BlockEnd{.index = 2},
      BlockEnd{.index = 3},
      Finish{.reason = StopReason::tool},
      test::usage_report(10, 7, 3, 2),
      End{}};
}

TEST(ConverseClient, WritesAWholeAnswer) {
  const ClientReply reply = bedrock_converse_client().encode_answer(test::fold(rich_events()), context());
  EXPECT_EQ(reply.status, 200);
  EXPECT_EQ(reply.body,
            R"({"output":{"message":{"role":"assistant",)"
            R"("content":[{"reasoningContent":{"reasoningText":{"text":"hmm","signature":"sig"}}},)"
            R"({"reasoningContent":{"redactedContent":"QUJD"}},{"text":"Hi!"},)"
            R"({"toolUse":{"toolUseId":"t1","name":"f","input":{"a":1.0}}}]}},)"
            R"("stopReason":"tool_use","usage":{"inputTokens":10,"outputTokens":7,"totalTokens":22,)"
            R"("cacheReadInputTokens":3,"cacheWriteInputTokens":2},)"
            R"("metrics":{"latencyMs":17}})");
}

TEST(ConverseClient, StreamsOneBlockAtATimeAndTheStopBeforeTheUsage) {
  EXPECT_EQ(encode_stream(rich_events(), context()),
            R"(messageStart {"role":"assistant"}
contentBlockDelta {"contentBlockIndex":0,"delta":{"reasoningContent":{"text":"hmm"}}}
contentBlockDelta {"contentBlockIndex":0,)"
            R"("delta":{"reasoningContent":{"signature":"sig"}}}
contentBlockStop {"contentBlockIndex":0}
contentBlockDelta {"contentBlockIndex":1,)"
            R"("delta":{"reasoningContent":{"redactedContent":"QUJD"}}}
contentBlockStop {"contentBlockIndex":1}
contentBlockDelta {"contentBlockIndex":2,"delta":{"text":"Hi"}}
contentBlockDelta {"contentBlockIndex":2,"delta":{"text":"!"}}
contentBlockStop {"contentBlockIndex":2}
contentBlockStart {"contentBlockIndex":3,"start":{"toolUse":{"toolUseId":"t1",)"
            R"("name":"f"}}}
contentBlockDelta {"contentBlockIndex":3,"delta":{"toolUse":{"input":"{\"a\":1.0}"}}}
contentBlockStop {"contentBlockIndex":3}
messageStop {"stopReason":"tool_use"}
metadata {"usage":{"inputTokens":10,"outputTokens":7,"totalTokens":22,)"
            R"("cacheReadInputTokens":3,"cacheWriteInputTokens":2},"metrics":{"latencyMs":17}}
)");
}

// Readers keep the blocks in an array: an index that nothing came for would be a hole in it.
TEST(ConverseClient, CountsOnlyBlocksOfWhichSomethingIsSent) {
  const std::vector<Event> events = {BlockStart{.index = 0, .kind = BlockKind::thinking},
                                     BlockEnd{.index = 0},
                                     BlockStart{.index = 1, .kind = BlockKind::text},
                                     Delta{.index = 1, .text = "Hi"},
                                     BlockEnd{.index = 1},
                                     End{}};
  const std::string stream = encode_stream(events, context());
  EXPECT_TRUE(
      stream.starts_with("messageStart {\"role\":\"assistant\"}\n"
                         "contentBlockDelta {\"contentBlockIndex\":0,\"delta\":{\"text\":\"Hi\"}}\n"
                         "contentBlockStop {\"contentBlockIndex\":0}\nmessageStop"))
      << stream;
}

TEST(ConverseClient, KeepsASignatureOfAnotherVendorAway) {
  std::vector<Event> events = rich_events();
  std::get<BlockStart>(events[1]).dialect = Dialect::gemini;
  std::get<Delta>(events[3]).dialect = Dialect::gemini;
  EXPECT_EQ(encode_stream(events, context()).find("sig"), std::string::npos);
  const std::string whole = bedrock_converse_client().encode_answer(test::fold(events), context()).body;
  // The folder takes the dialect of the block.
  EXPECT_EQ(whole.find("\"sig\""), std::string::npos);
}

TEST(ConverseClient, CitesNothingInThoughts) {
  const std::string stream = encode_stream(
      {Start{}, BlockStart{.kind = BlockKind::thinking}, Delta{.text = "hm"},
       Delta{.kind = DeltaKind::citation, .text = R"({"title":"t"})", .dialect = Dialect::bedrock_converse},
       BlockEnd{}, Finish{}, End{}},
      context());
  EXPECT_NE(stream.find("hm"), std::string::npos) << stream;
  EXPECT_EQ(stream.find("citation"), std::string::npos) << stream;
}

TEST(ConverseClient, SaysWhichStopSequenceMatchedWhenAsked) {
  Chat chat;
  chat.extras.push_back({.dialect = Dialect::bedrock_converse,
                         .key = "additionalModelResponseFieldPaths",
                         .raw = {R"(["/stop_sequence"])"}});
  const Request request = chat;
  AnswerContext with = context();
  with.request = &request;
  const std::vector<Event> events = {
      Start{}, Finish{.reason = StopReason::stop_sequence, .stop_sequence = "x"}, End{}};
  EXPECT_NE(bedrock_converse_client()
                .encode_answer(test::fold(events), with)
                .body.find(R"("additionalModelResponseFields":{"stop_sequence":"x"})"),
            std::string::npos);
  EXPECT_EQ(bedrock_converse_client().encode_answer(test::fold(events), context()).body.find("additional"),
            std::string::npos);
}

TEST(ConverseClient, CutsAHugeDeltaIntoMessagesThatFit) {
  std::string text;
  while (text.size() < 600'000) text += "é";
  const std::vector<Event> events = {Start{}, BlockStart{}, Delta{.text = text}, BlockEnd{}, Finish{}, End{}};
  const auto encoder = bedrock_converse_stream_client().stream_encoder(context());
  const std::string bytes = test::encode_stream(*encoder, events);
  const auto decoder = bedrock_converse_provider().stream_decoder({});
  const test::Decoded decoded = test::decode_whole(*decoder, bytes);
  EXPECT_EQ(decoded.error, "");
  EXPECT_EQ(test::fold(decoded.events).choices.at(0).blocks.at(0).text, text);
}

TEST(ConverseClient, KeepsAliveAndFailsInMessagesOfTheStream) {
  const auto encoder = bedrock_converse_stream_client().stream_encoder(context());
  std::string out;
  encoder->encode(Ping{}, out);
  EXPECT_EQ(out, "");
  encoder->keep_alive(out);
  encoder->fail(make_error(ErrorKind::upstream_rate_limited, "later"), out);
  EXPECT_EQ(test::describe_frames(out), "ping {}\nthrottlingException {\"message\":\"later\"}\n");
}

TEST(ConverseClient, WritesErrorsAsTheServiceDoes) {
  struct Row {
    ErrorKind kind;
    int status;
    std::string_view type;
  };
  for (const Row& row : {Row{ErrorKind::bad_request, 400, "ValidationException"},
                         Row{ErrorKind::context_too_long, 400, "ValidationException"},
                         Row{ErrorKind::method_not_allowed, 405, "ValidationException"},
                         Row{ErrorKind::body_too_large, 413, "ValidationException"},
                         Row{ErrorKind::unsupported_media_type, 415, "ValidationException"},
                         Row{ErrorKind::unauthenticated, 403, "UnrecognizedClientException"},
                         Row{ErrorKind::forbidden, 403, "AccessDeniedException"},
                         Row{ErrorKind::model_not_found, 404, "ResourceNotFoundException"},
                         Row{ErrorKind::rate_limited, 429, "ThrottlingException"},
                         Row{ErrorKind::budget_exceeded, 400, "ServiceQuotaExceededException"},
                         Row{ErrorKind::upstream_timeout, 408, "ModelTimeoutException"},
                         Row{ErrorKind::upstream_overloaded, 503, "ServiceUnavailableException"},
                         Row{ErrorKind::upstream_auth, 500, "InternalServerException"}}) {
    const ClientReply reply = bedrock_converse_client().encode_error(make_error(row.kind, "why"), "req_1");
    EXPECT_EQ(reply.status, row.status) << row.type;
    EXPECT_EQ(reply.headers.get_or("x-amzn-errortype", ""), row.type);
    EXPECT_EQ(reply.headers.get_or("x-amzn-requestid", ""), "req_1");
    EXPECT_EQ(reply.body, R"({"message":"why"})");
  }
  Error error = make_error(ErrorKind::unauthenticated, "why");
  error.code = "InvalidSignatureException";
  EXPECT_EQ(bedrock_converse_client().encode_error(error, "req_1").headers.get("x-amzn-errortype"),
            "InvalidSignatureException")
      << "what is wrong with a signature has a name of its own";
}

TEST(ConverseClient, NamesEveryFieldThatIsOfAnotherType) {
  for (const std::string key : {"messages", "inferenceConfig", "toolConfig", "additionalModelRequestFields",
                                "outputConfig", "requestMetadata", "serviceTier", "system"}) {
    const std::string_view others =
        key == "messages" ? "" : R"(,"messages":[{"role":"user","content":[{"text":"a"}]}])";
    for (const std::string_view wrong : {"5", R"("x")"}) {
      const auto request =
          test::decode_with(bedrock_converse_client(), fmt::format(R"({{"{}":{}{}}})", key, wrong, others));
      ASSERT_FALSE(request) << key;
      EXPECT_EQ(request.error().kind, ErrorKind::bad_request) << key;
      EXPECT_TRUE(request.error().path.starts_with(key)) << request.error().path;
    }
  }
}

TEST(ConverseClient, KeepsModelFieldsThatItCannotRead) {
  for (const std::string_view field :
       {R"("anthropic_beta":["a",1])", R"("anthropic_beta":[])", R"("anthropic_beta":"a")",
        R"("reasoning_effort":"huge")", R"("reasoningConfig":{"type":"other"})", R"("top_k":"5")",
        R"("inferenceConfig":{"topK":1,"other":2})", R"("output_config":{"effort":"huge"})"}) {
    const Chat chat = test::converse_chat(fmt::format(
        R"({{"messages":[{{"role":"user","content":[{{"text":"a"}}]}}],"additionalModelRequestFields":{{{}}}}})",
        field));
    ASSERT_EQ(chat.extras.size(), 1U) << field;
    EXPECT_EQ(chat.extras[0].dialect, Dialect::bedrock_converse) << field;
    EXPECT_TRUE(chat.extras[0].key.starts_with("additionalModelRequestFields.")) << chat.extras[0].key;
    EXPECT_FALSE(chat.reasoning.is_set()) << field;
    EXPECT_FALSE(chat.top_k) << field;
  }
}

}  // namespace
}  // namespace weir
