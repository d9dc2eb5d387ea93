// OpenAI's legacy completions, both halves of the client.
#include <fmt/core.h>
#include <gtest/gtest.h>

#include "codec/anthropic_test_util.h"
#include "codec/replay_test_util.h"

namespace weir {
namespace {

constexpr std::string_view kPrompt = R"("model":"m","prompt":"Once")";

Result<Request> decode(std::string_view fields) {
  return openai_completions_client().decode_request(
      test::client_call(Dialect::openai_chat, fmt::format("{{{}}}", fields)));
}

// The chat of a request that must decode; `fields` follow the prompt.
Chat chat_with(std::string_view fields) {
  const Result<Request> request = decode(fmt::format("{},{}", kPrompt, fields));
  EXPECT_TRUE(request) << fields << (request ? "" : request.error().message);
  return request ? std::get<Chat>(*request) : Chat{};
}

TEST(OpenAiCompletions, ReadEveryField) {
  EXPECT_TRUE(chat_with(R"("stream":true)").is_streamed);
  EXPECT_FALSE(chat_with(R"("stream":null)").is_streamed);
  EXPECT_TRUE(chat_with(R"("stream_options":{"include_usage":true})").includes_usage);
  EXPECT_FALSE(chat_with(R"("stream_options":null)").includes_usage);
  EXPECT_EQ(chat_with(R"("max_tokens":4)").max_tokens, 4);
  EXPECT_EQ(chat_with(R"("temperature":0.25)").temperature, 0.25);
  EXPECT_EQ(chat_with(R"("top_p":0.5)").top_p, 0.5);
  EXPECT_EQ(chat_with(R"("frequency_penalty":0.75)").frequency_penalty, 0.75);
  EXPECT_EQ(chat_with(R"("presence_penalty":1.25)").presence_penalty, 1.25);
  EXPECT_EQ(chat_with(R"("seed":7)").seed, 7);
  EXPECT_EQ(chat_with(R"("n":2)").choices, 2);
  EXPECT_EQ(chat_with(R"("stop":"a")").stop, std::vector<std::string_view>{"a"});
  EXPECT_EQ(chat_with(R"("stop":["a","b"])").stop, (std::vector<std::string_view>{"a", "b"}));
  EXPECT_TRUE(chat_with(R"("stop":null)").stop.empty());
  EXPECT_TRUE(chat_with(R"("echo":true)").echoes_prompt);
  EXPECT_EQ(chat_with(R"("user":"u")").end_user, "u");
  const Chat other = chat_with(R"("suffix":"x")");
  ASSERT_EQ(other.extras.size(), 1U);
  EXPECT_EQ(other.extras[0].key, "suffix");
  EXPECT_EQ(other.model, "m");
}

TEST(OpenAiCompletions, NameTheFieldThatIsOfAnotherType) {
  for (const std::string key :
       {"model", "prompt", "stream", "stream_options", "max_tokens", "temperature", "top_p",
        "frequency_penalty", "presence_penalty", "seed", "n", "stop", "echo", "user"}) {
    const std::string_view wrong = key == "stream_options" ? "5" : "{}";
    const Result<Request> request =
        decode(fmt::format(R"("{}":{}{})", key, wrong, key == "model" ? "" : R"(,"model":"m")"));
    ASSERT_FALSE(request) << key;
    EXPECT_EQ(request.error().path, key);
  }
}

TEST(OpenAiCompletions, LeavePromptsThatAreNoTextToServersThatHaveTheEndpoint) {
  constexpr std::array<std::pair<std::string_view, size_t>, 5> kPrompts = {
      {{R"(["a","b"])", 2}, {"[1,2,3]", 1}, {"[[1,2],[3]]", 2}, {"[7]", 1}, {R"([["a"]])", 1}}};
  for (const auto& [prompt, count] : kPrompts) {
    const Result<Request> request = decode(fmt::format(R"("prompt":{},"model":"m","seed":7)", prompt));
    ASSERT_TRUE(request) << prompt;
    const Chat& chat = std::get<Chat>(*request);
    ASSERT_TRUE(chat.only_raw) << prompt;
    EXPECT_EQ(chat.only_raw->path, "prompt");
    EXPECT_EQ(chat.only_raw->http_status(), 400);
    EXPECT_EQ(chat.seed, 7) << "the rest is read";
    EXPECT_EQ(chat.messages.at(0).content.size(), count) << prompt;
  }
  const Chat one = std::get<Chat>(decode(R"("prompt":["a"],"model":"m")").value());
  EXPECT_FALSE(one.only_raw);
  EXPECT_EQ(std::get<TextBlock>(one.messages.at(0).content.at(0).body).text, "a");
  for (const std::string_view wrong : {"[]", "[{}]", "[\"a\",{}]", "5"})
    EXPECT_FALSE(decode(fmt::format(R"("prompt":{},"model":"m")", wrong))) << wrong;
}

// A context outlives its encoder, and a request its context.
struct Asked {
  explicit Asked(std::string_view fields) : request(chat_with(fields)) {}
  std::string stream(const std::vector<Event>& events) const {
    return test::encode_stream(*openai_completions_client().stream_encoder(context), events);
  }
  const Request request;
  const AnswerContext context = test::answer_context(request);
};

constexpr std::string_view kHead =
    R"(data: {"id":"cmpl-1","object":"text_completion","created":7,"model":"gpt",)";
const Start kStart{.id = "cmpl-1", .model = "gpt", .created_s = 7};

std::string text_chunk(std::string_view text, std::string_view finish, std::string_view tail) {
  return fmt::format(
      "{}\"choices\":[{{\"text\":\"{}\",\"index\":0,\"logprobs\":null,\"finish_reason\":{}}}]{}}}\n\n", kHead,
      text, finish, tail);
}

TEST(OpenAiCompletions, StreamThePromptTheTextAndTheUsage) {
  const Asked asked(R"("stream":true,"echo":true,"stream_options":{"include_usage":true})");
  UsageReport report;
  report.usage.in_uncached = 3;
  report.usage.out_text = 2;
  const std::string out = asked.stream(
      {kStart, BlockStart{}, Delta{.text = "a"}, Finish{.reason = StopReason::length}, report, End{}});
  const std::string_view tail = R"(,"usage":null)";
  EXPECT_TRUE(out.starts_with(text_chunk("Once", "null", tail) + text_chunk("a", "null", tail) +
                              text_chunk("", R"("length")", tail) + std::string(kHead) +
                              R"("choices":[],"usage":{"prompt_tokens":3,"completion_tokens":2,)"))
      << out;
  EXPECT_TRUE(out.ends_with("}\n\ndata: [DONE]\n\n")) << out;
}

TEST(OpenAiCompletions, StreamNothingButText) {
  const Asked asked(R"("stream":true)");
  EXPECT_EQ(
      asked.stream({kStart, BlockStart{.kind = BlockKind::thinking}, Delta{.text = "hm"}, BlockEnd{},
                    BlockStart{.index = 1}, Delta{.index = 1, .kind = DeltaKind::citation, .text = "{}"}}),
      "");
  EXPECT_EQ(asked.stream({Ping{}}), ": keep-alive\n\n");
  const auto encoder = openai_completions_client().stream_encoder(asked.context);
  std::string out;
  encoder->fail(make_error(ErrorKind::upstream_error, "broken"), out);
  EXPECT_TRUE(out.starts_with(R"(data: {"error":{"message":"broken",)")) << out;
}

TEST(OpenAiCompletions, AnswerWholeWithModelTextsAndUsage) {
  const Asked asked(R"("echo":true)");
  Answer answer;
  answer.start = kStart;
  answer.choices.resize(2);
  answer.choices[0].blocks.push_back({.kind = BlockKind::thinking, .text = "hm"});
  answer.choices[0].blocks.push_back({.text = " upon"});
  answer.choices[1].finish.reason = StopReason::length;
  answer.usage.in_uncached = 3;
  const std::string body = openai_completions_client().encode_answer(answer, asked.context).body;
  EXPECT_TRUE(body.starts_with(
      R"({"id":"cmpl-1","object":"text_completion","created":7,"model":"gpt","choices":[)"
      R"({"text":"Once upon","index":0,"logprobs":null,"finish_reason":"stop"},)"
      R"({"text":"Once","index":1,"logprobs":null,"finish_reason":"length"}],"usage":{"prompt_tokens":3,)"))
      << body;
  EXPECT_TRUE(JsonDoc::parse(body)) << body;
  answer.start = {};
  const Result<JsonDoc> parsed =
      JsonDoc::parse(openai_completions_client().encode_answer(answer, asked.context).body);
  ASSERT_TRUE(parsed);
  EXPECT_EQ(parsed->root()["model"].string_or(""), asked.context.model);
  EXPECT_EQ(parsed->root()["created"].int_or(0), asked.context.created_s);
  EXPECT_EQ(parsed->root()["id"].string_or("").substr(0, 5), "cmpl-");
}

}  // namespace
}  // namespace weir
