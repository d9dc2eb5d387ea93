// Answers in OpenAI's chat dialect: the exact chunks and bodies that clients get (clients.md 2.2).
#include <gtest/gtest.h>

#include "codec/anthropic_test_util.h"
#include "codec/replay_test_util.h"

namespace weir {
namespace {

constexpr std::string_view kHead =
    R"({"id":"chatcmpl-1","object":"chat.completion.chunk","created":7,"model":"gpt",)";

const Start kStart{.id = "chatcmpl-1", .model = "gpt", .created_s = 7};

Usage usage(int64_t input, int64_t output, std::optional<int64_t> cached = {},
            std::optional<int64_t> reasoning = {}) {
  Usage made;
  made.in_uncached = input;
  made.cache_read = cached;
  made.out_text = output;
  made.out_reasoning = reasoning;
  return made;
}

std::string encode(const std::vector<Event>& events, bool includes_usage = false,
                   const ClientCodec& codec = openai_chat_client()) {
  Chat chat;
  chat.includes_usage = includes_usage;
  const Request request = chat;
  const AnswerContext context = test::answer_context(request);
  return test::encode_stream(*codec.stream_encoder(context), events);
}

// One chunk of one choice as it must be.
std::string chunk(std::string_view delta, std::string_view finish = "null", std::string_view tail = "",
                  int index = 0) {
  return fmt::format(
      "data: {}\"choices\":[{{\"index\":{},\"delta\":{},\"logprobs\":null,\"finish_reason\":{}}}]{}}}\n\n",
      kHead, index, delta, finish, tail);
}

TEST(OpenAiStreamEncoder, WritesTextWithTheRoleInTheFirstChunkOnly) {
  EXPECT_EQ(encode({kStart, BlockStart{}, Delta{.text = "a\n"}, Delta{.text = "b"}, BlockEnd{},
                    UsageReport{usage(3, 2)}, Finish{}, End{}}),
            chunk(R"({"role":"assistant","content":"a\n"})") + chunk(R"({"content":"b"})") +
                chunk("{}", R"("stop")") + "data: [DONE]\n\n");
}

TEST(OpenAiStreamEncoder, WritesNoChunkForADeltaThatSaysNothing) {
  EXPECT_EQ(encode({kStart, BlockStart{}, Delta{}, Delta{.text = "a"}, Delta{}, BlockEnd{}, Finish{}, End{}}),
            chunk(R"({"role":"assistant","content":"a"})") + chunk("{}", R"("stop")") + "data: [DONE]\n\n");
}

TEST(OpenAiStreamEncoder, WritesUsageLastAndNullBeforeWhenAskedFor) {
  EXPECT_EQ(
      encode({kStart, UsageReport{usage(3, 2, 4, 1)}, BlockStart{}, Delta{.text = "a"},
              Finish{.reason = StopReason::length}, End{}},
             true),
      chunk(R"({"role":"assistant","content":"a"})", "null", R"(,"usage":null)") +
          chunk("{}", R"("length")", R"(,"usage":null)") +
          fmt::format("data: {}{}\n\ndata: [DONE]\n\n", kHead,
                      R"("choices":[],"usage":{"prompt_tokens":7,"completion_tokens":3,"total_tokens":10,)"
                      R"("prompt_tokens_details":{"cached_tokens":4,"audio_tokens":0},)"
                      R"("completion_tokens_details":{"reasoning_tokens":1,"audio_tokens":0,)"
                      R"("accepted_prediction_tokens":0,"rejected_prediction_tokens":0}}})"));
}

TEST(OpenAiStreamEncoder, CountsToolCallsAloneAndGivesEmptyOnesAnObject) {
  EXPECT_EQ(
      encode({kStart, BlockStart{}, Delta{.text = "a"}, BlockEnd{},
              BlockStart{.index = 1, .kind = BlockKind::tool_call, .tool_id = "c", .tool_name = "f"},
              Delta{.index = 1, .text = "{\"x\":1}"},
              BlockStart{.index = 2, .kind = BlockKind::tool_call, .tool_id = "d", .tool_name = "g"},
              BlockEnd{.index = 1}, BlockEnd{.index = 2}, Finish{.reason = StopReason::tool}, End{}}),
      chunk(R"({"role":"assistant","content":"a"})") +
          chunk(
              R"({"tool_calls":[{"index":0,"id":"c","type":"function","function":{"name":"f","arguments":""}}]})") +
          chunk(R"({"tool_calls":[{"index":0,"function":{"arguments":"{\"x\":1}"}}]})") +
          chunk(
              R"({"tool_calls":[{"index":1,"id":"d","type":"function","function":{"name":"g","arguments":""}}]})") +
          chunk(R"({"tool_calls":[{"index":1,"function":{"arguments":"{}"}}]})") +
          chunk("{}", R"("tool_calls")") + "data: [DONE]\n\n");
}

TEST(OpenAiStreamEncoder, NamesTheRoleOnceWhereACallIsTheFirst) {
  EXPECT_EQ(encode({kStart, BlockStart{.kind = BlockKind::tool_call, .tool_id = "c", .tool_name = "f"},
                    Delta{.text = "{}"}, BlockEnd{}, Finish{.reason = StopReason::tool}, End{}}),
            chunk(R"({"role":"assistant","content":null,"tool_calls":[{"index":0,"id":"c","type":"function",)"
                  R"("function":{"name":"f","arguments":""}}]})") +
                chunk(R"({"tool_calls":[{"index":0,"function":{"arguments":"{}"}}]})") +
                chunk("{}", R"("tool_calls")") + "data: [DONE]\n\n");
}

TEST(OpenAiStreamEncoder, WritesThinkingAndItsSignedCopy) {
  EXPECT_EQ(encode({kStart, BlockStart{.kind = BlockKind::thinking}, Delta{.text = "h"},
                    Delta{.kind = DeltaKind::signature, .text = "s"}, BlockEnd{}, End{}}),
            chunk(R"({"role":"assistant","content":null,"reasoning_content":"h"})") +
                chunk(R"({"thinking_blocks":[{"type":"thinking","thinking":"h","signature":"s"}]})") +
                "data: [DONE]\n\n");
}

TEST(OpenAiStreamEncoder, WritesThinkingUnderBothNamesWhereThatIsWanted) {
  EXPECT_EQ(encode({kStart, BlockStart{.kind = BlockKind::thinking}, Delta{.text = "h"}, BlockEnd{},
                    BlockStart{.index = 1}, Delta{.index = 1, .text = "a"}, End{}},
                   false, openai_chat_client_with_reasoning()),
            chunk(R"({"role":"assistant","content":null,"reasoning_content":"h","reasoning":"h"})") +
                chunk(R"({"content":"a"})") + "data: [DONE]\n\n");
}

TEST(OpenAiStreamEncoder, SaysStopForARefusalInItsOwnFieldAndContentFilterElsewhere) {
  const Finish refused{.reason = StopReason::refusal};
  EXPECT_EQ(encode({kStart, BlockStart{.kind = BlockKind::refusal}, Delta{.text = "no"}, refused, End{}}),
            chunk(R"({"role":"assistant","content":null,"refusal":"no"})") + chunk("{}", R"("stop")") +
                "data: [DONE]\n\n");
  EXPECT_EQ(encode({kStart, BlockStart{}, Delta{.text = "no"}, refused, End{}}),
            chunk(R"({"role":"assistant","content":"no"})") + chunk("{}", R"("content_filter")") +
                "data: [DONE]\n\n");
}

TEST(OpenAiStreamEncoder, NamesTheStopSequenceThatMatchedInTheLastChunk) {
  const Finish stopped{.reason = StopReason::stop_sequence, .stop_sequence = "\n\n"};
  EXPECT_EQ(encode({kStart, BlockStart{}, Delta{.text = "a"}, stopped, End{}}),
            chunk(R"({"role":"assistant","content":"a"})") + chunk("{}", R"("stop","stop_reason":"\n\n")") +
                "data: [DONE]\n\n");
}

TEST(OpenAiAnswerEncoder, NamesTheStopSequenceThatMatched) {
  const Request request = Chat{};
  Answer answer = test::fold({kStart, BlockStart{}, Delta{.text = "a"}, Finish{}, End{}});
  const auto body = [&](const ClientCodec& codec) {
    return codec.encode_answer(answer, test::answer_context(request)).body;
  };
  EXPECT_EQ(body(openai_chat_client()).find("stop_reason"), std::string::npos);
  answer.choices[0].finish = {.reason = StopReason::stop_sequence, .stop_sequence = "END"};
  for (const ClientCodec* codec : {&openai_chat_client(), &openai_completions_client()})
    EXPECT_NE(body(*codec).find(R"("finish_reason":"stop","stop_reason":"END"})"), std::string::npos);
}

TEST(OpenAiEncoder, SaysThatACallOfAToolWentWrong) {
  const Finish spoilt{.reason = StopReason::bad_tool, .native = "MALFORMED_FUNCTION_CALL"};
  const std::string_view detail =
      R"("finish_reason":"stop","error":{"message":"the model called a tool in a )"
      R"(way that cannot be read; ask it again","type":)";
  const std::string stream = encode({kStart, spoilt, End{}});
  EXPECT_NE(stream.find(detail), std::string::npos) << stream;
  const Request request = Chat{};
  const std::string whole =
      openai_chat_client()
          .encode_answer(test::fold({kStart, spoilt, End{}}), test::answer_context(request))
          .body;
  EXPECT_NE(whole.find(detail), std::string::npos) << whole;
  EXPECT_NE(whole.find(R"("code":"bad_tool_call"})"), std::string::npos) << whole;
  EXPECT_EQ(encode({kStart, Finish{.reason = StopReason::other}, End{}}).find("error"), std::string::npos);
}

TEST(OpenAiStreamEncoder, KeepsChoicesApart) {
  EXPECT_EQ(encode({kStart, BlockStart{.choice = 1}, Delta{.choice = 1, .text = "b"}, BlockStart{},
                    Delta{.text = "a"}, Finish{.choice = 1}, Finish{}, End{}}),
            chunk(R"({"role":"assistant","content":"b"})", "null", "", 1) +
                chunk(R"({"role":"assistant","content":"a"})") + chunk("{}", R"("stop")", "", 1) +
                chunk("{}", R"("stop")") + "data: [DONE]\n\n");
}

TEST(OpenAiStreamEncoder, NamesTheTierInItsOwnWordsOrNotAtAll) {
  const auto tier = [](std::string_view word) {
    return encode(
        {Start{.id = "chatcmpl-1", .service_tier = std::string(word)}, BlockStart{}, Delta{.text = "a"}});
  };
  EXPECT_NE(tier("standard").find(R"("service_tier":"default")"), std::string::npos);
  EXPECT_NE(tier("flex").find(R"("service_tier":"flex")"), std::string::npos);
  EXPECT_EQ(tier("on_demand").find("service_tier"), std::string::npos);
}

TEST(OpenAiStreamEncoder, EndsAFailureWithItsErrorAndNoEndMarker) {
  const Request request = Chat{};
  const AnswerContext context = test::answer_context(request);
  const auto encoder = openai_chat_client().stream_encoder(context);
  std::string out;
  encoder->fail(make_error(ErrorKind::upstream_truncated, "cut \"off\""), out);
  EXPECT_EQ(out,
            "data: {\"error\":{\"message\":\"cut \\\"off\\\"\",\"type\":\"api_error\",\"param\":null,"
            "\"code\":\"upstream_error\"}}\n\n");
  out.clear();
  encoder->keep_alive(out);
  EXPECT_EQ(out, ": keep-alive\n\n");
}

TEST(OpenAiAnswerEncoder, WritesThinkingUnderBothNamesWhereThatIsWanted) {
  Answer answer;
  answer.choices.emplace_back().blocks.push_back({.kind = BlockKind::thinking, .text = "h"});
  const Request request = Chat{};
  const AnswerContext context = test::answer_context(request);
  const ClientReply reply = openai_chat_client_with_reasoning().encode_answer(answer, context);
  EXPECT_NE(reply.body.find(R"("reasoning_content":"h","reasoning":"h")"), std::string::npos) << reply.body;
}

TEST(OpenAiAnswerEncoder, WritesEveryRequiredKey) {
  Answer answer;
  answer.start = {.id = "msg_1", .model = "gpt", .service_tier = "standard"};
  AnswerChoice& choice = answer.choices.emplace_back();
  choice.blocks.push_back({.kind = BlockKind::thinking, .text = "h"});
  choice.blocks.push_back({.text = "a"});
  choice.blocks.push_back({.text = "b"});
  choice.blocks.push_back({.kind = BlockKind::tool_call, .tool_id = "c", .tool_name = "f"});
  choice.finish.reason = StopReason::tool;
  answer.usage = usage(1, 2);
  const Request request = Chat{};
  const ClientReply reply = openai_chat_client().encode_answer(answer, test::answer_context(request));
  EXPECT_EQ(reply.status, 200);
  EXPECT_EQ(
      reply.body,
      R"({"id":"chatcmpl-01J","object":"chat.completion","created":1760000000,"model":"gpt","choices":[)"
      R"({"index":0,"message":{"role":"assistant","content":"ab","refusal":null,"reasoning_content":"h",)"
      R"("tool_calls":[{"id":"c","type":"function","function":{"name":"f","arguments":"{}"}}]},)"
      R"("logprobs":null,"finish_reason":"tool_calls"}],"usage":{"prompt_tokens":1,"completion_tokens":2,)"
      R"("total_tokens":3,"prompt_tokens_details":{"cached_tokens":0,"audio_tokens":0},)"
      R"("completion_tokens_details":{"reasoning_tokens":0,"audio_tokens":0,)"
      R"("accepted_prediction_tokens":0,"rejected_prediction_tokens":0}},"service_tier":"default",)"
      R"("system_fingerprint":null})");
}

TEST(OpenAiAnswerEncoder, WritesContentAsNullForCallsAlone) {
  Answer answer;
  answer.choices.emplace_back().blocks.push_back(
      {.kind = BlockKind::tool_call, .text = "{}", .tool_id = "c", .tool_name = "f"});
  const Request request = Chat{};
  EXPECT_NE(openai_chat_client()
                .encode_answer(answer, test::answer_context(request))
                .body.find(R"("message":{"role":"assistant","content":null,"refusal":null,"tool_calls")"),
            std::string::npos);
}

TEST(OpenAiErrorEncoder, WritesAllFourKeysAndWhenToComeBack) {
  Error error = make_error(ErrorKind::bad_request, "n is at least 1");
  error.path = "n";
  ClientReply reply = openai_chat_client().encode_error(error, "req_1");
  EXPECT_EQ(reply.status, 400);
  EXPECT_EQ(
      reply.body,
      R"({"error":{"message":"n is at least 1","type":"invalid_request_error","param":"n","code":null}})");
  EXPECT_FALSE(reply.headers.get("retry-after"));

  error = make_error(ErrorKind::rate_limited, "slow down");
  error.retry_after_ms = 1500;
  reply = openai_chat_client().encode_error(error, "req_1");
  EXPECT_EQ(reply.status, 429);
  EXPECT_EQ(reply.headers.get("retry-after"), "2");
  EXPECT_FALSE(reply.headers.get("x-should-retry"));
  error.retry_after_ms = 61'000;
  EXPECT_EQ(openai_chat_client().encode_error(error, "").headers.get("x-should-retry"), "false");
  error = make_error(ErrorKind::budget_exceeded, "spent");
  EXPECT_EQ(openai_chat_client().encode_error(error, "").headers.get("x-should-retry"), "false");
}

TEST(OpenAiErrorEncoder, HasWordsForEveryKind) {
  for (int kind = 0; kind <= static_cast<int>(ErrorKind::upstream_truncated); ++kind) {
    const Error error = make_error(static_cast<ErrorKind>(kind), "text");
    const Result<JsonDoc> body = JsonDoc::parse(openai_chat_client().encode_error(error, "").body);
    ASSERT_TRUE(body);
    EXPECT_FALSE(body->root()["error"]["type"].string_or("").empty()) << to_string(error.kind);
    EXPECT_EQ(body->root()["error"].size(), 4U);
  }
}

TEST(OpenAiErrorEncoder, TellsALimitOfTheWholeFromAProviderThatIsSlow) {
  const auto body = [](ErrorKind kind) {
    return openai_chat_client().encode_error(make_error(kind, "late"), "").body;
  };
  EXPECT_NE(body(ErrorKind::timeout).find(R"("type":"timeout","param":null,"code":"timeout")"),
            std::string::npos)
      << body(ErrorKind::timeout);
  EXPECT_NE(body(ErrorKind::upstream_timeout).find(R"("code":"upstream_timeout")"), std::string::npos);
}

TEST(OpenAiCompletionsEncoder, WritesTextChunksAndEchoesThePrompt) {
  const std::string out = encode({Start{.id = "cmpl-1", .model = "m", .created_s = 7}, BlockStart{},
                                  Delta{.text = "a"}, Finish{}, End{}},
                                 false, openai_completions_client());
  EXPECT_EQ(
      out,
      "data: {\"id\":\"cmpl-1\",\"object\":\"text_completion\",\"created\":7,\"model\":\"m\",\"choices\":"
      "[{\"text\":\"a\",\"index\":0,\"logprobs\":null,\"finish_reason\":null}]}\n\n"
      "data: {\"id\":\"cmpl-1\",\"object\":\"text_completion\",\"created\":7,\"model\":\"m\",\"choices\":"
      "[{\"text\":\"\",\"index\":0,\"logprobs\":null,\"finish_reason\":\"stop\"}]}\n\ndata: [DONE]\n\n");
}

TEST(OpenAiEmbeddingsEncoder, WritesFloatsOrBase64AsAsked) {
  Answer answer;
  answer.payload = Payload{.id = {}, .model = "e", .body = EmbedAnswer{.vectors = {{1, 2}}}};
  answer.usage.in_uncached = 3;
  Embed embed;
  const auto body = [&](bool as_base64) {
    embed.wants_base64 = as_base64;
    const Request request = embed;
    return openai_embeddings_client().encode_answer(answer, test::answer_context(request)).body;
  };
  const std::string tail = R"(}],"model":"e","usage":{"prompt_tokens":3,"total_tokens":3}})";
  const std::string head = R"({"object":"list","data":[{"object":"embedding","index":0,"embedding":)";
  EXPECT_EQ(body(false), head + "[1,2]" + tail);
  EXPECT_EQ(body(true), head + R"("AACAPwAAAEA=")" + tail);
}

TEST(OpenAiEncoder, GivesPicturesWhole) {
  const Request request = Chat{};
  const AnswerContext context{.exchange_id = "ex_1", .model = "m", .request = &request};
  const std::vector<Event> events = {BlockStart{.kind = BlockKind::image, .data = "image/jpeg"},
                                     Delta{.text = "aG"},
                                     Delta{.text = "k="},
                                     BlockEnd{},
                                     Finish{},
                                     End{}};
  constexpr std::string_view images =
      R"("images":[{"type":"image_url","image_url":{"url":"data:image/jpeg;base64,aGk="}}])";
  const auto encoder = openai_chat_client().stream_encoder(context);
  std::string stream;
  AnswerFolder folder;
  for (const Event& event : events) {
    encoder->encode(event, stream);
    folder.add(event);
  }
  EXPECT_NE(stream.find(R"("delta":{"role":"assistant","images")"), std::string::npos) << stream;
  EXPECT_NE(stream.find(images), std::string::npos) << stream;
  EXPECT_EQ(stream.find("\"content\":\"aG"), std::string::npos);
  const std::string whole = openai_chat_client().encode_answer(folder.answer(), context).body;
  EXPECT_NE(whole.find(images), std::string::npos) << whole;
}

TEST(OpenAiEncoder, SaysWhoSpeaksWithACitationThatComesFirst) {
  const std::string out = encode(
      {Start{.id = "chatcmpl-1"}, BlockStart{},
       Delta{.kind = DeltaKind::citation,
             .text = R"({"type":"web_search_result_location","url":"https://x.example","cited_text":"c"})",
             .dialect = Dialect::anthropic_messages},
       BlockEnd{}, Finish{}, End{}});
  EXPECT_NE(out.find(R"("delta":{"role":"assistant",)"), std::string::npos) << out;
  EXPECT_NE(out.find("https://x.example"), std::string::npos) << out;
}

TEST(OpenAiEncoder, StreamsTheFingerprintAndHiddenThinking) {
  const std::string out = encode(
      {Start{.id = "chatcmpl-1", .model = "gpt", .created_s = 7, .system_fingerprint = "fp_1"},
       BlockStart{
           .kind = BlockKind::redacted_thinking, .data = "hidden", .dialect = Dialect::anthropic_messages},
       BlockEnd{}, Finish{}, End{}});
  EXPECT_NE(out.find(R"("thinking_blocks":[{"type":"redacted_thinking","data":"hidden"}])"),
            std::string::npos)
      << out;
  EXPECT_NE(out.find(R"("system_fingerprint":"fp_1")"), std::string::npos) << out;
}

}  // namespace
}  // namespace weir
