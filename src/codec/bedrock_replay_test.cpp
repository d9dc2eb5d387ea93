// Every recorded answer and stream of Bedrock's: it decodes, however it is cut, and what it says survives
// being written again for clients of every dialect.
#include <gtest/gtest.h>

#include "codec/bedrock_test_util.h"
#include "codec/codecs.h"
#include "codec/replay_test_util.h"

namespace weir {
namespace {

using test::normal_json;
using test::Recording;

struct Case {
  Recording recording;
  bool is_converse = false;
  bool is_stream = false;
};

// A line of a `.chunks.txt` is one event, called by its only member.
std::string frames_of_lines(std::string_view sse) {
  std::vector<test::Frame> list;
  for (const std::string_view line : test::split_on(sse, '\n')) {
    if (!line.starts_with("data: ")) continue;
    const Result<JsonDoc> parsed = JsonDoc::parse(std::string(line.substr(6)));
    if (!parsed || parsed->root().size() == 0) continue;
    const JsonValue event = *parsed->root().begin();
    list.push_back({std::string(event.key()), std::string(event.raw())});
  }
  return test::frames(list);
}

std::vector<Case> all_cases() {
  std::vector<Case> all;
  for (Recording& recording : test::recordings("openinference-bedrock/")) {
    const std::string& path = recording.path;
    if (!path.starts_with("/model/")) continue;
    const bool is_converse = path.find("/converse") != std::string::npos;
    const bool is_stream = path.find("stream", path.rfind('/')) != std::string::npos;
    all.push_back({std::move(recording), is_converse, is_stream});
  }
  for (Recording& recording : test::recordings("vercel-ai/amazon-bedrock/")) {
    if (recording.file.find("rerank") != std::string::npos) continue;
    const bool is_stream = recording.file.ends_with(".chunks.txt");
    if (is_stream) recording.body = frames_of_lines(recording.body);
    all.push_back({std::move(recording), true, is_stream});
  }
  return all;
}

bool is_good(const Case& one) {
  return one.recording.status == 0 || one.recording.status == 200;
}

const ProviderCodec& codec_of(const Case& one) {
  return one.is_converse ? bedrock_converse_provider() : bedrock_invoke_provider();
}

std::vector<Event> events_of(const Case& one) {
  if (one.is_stream) {
    const auto decoder = codec_of(one).stream_decoder({});
    const test::Decoded decoded = test::decode_whole(*decoder, one.recording.body);
    EXPECT_EQ(decoded.error, "");
    EXPECT_EQ(decoded.forwarded, one.recording.body);
    return decoded.events;
  }
  const Headers none;
  const auto events = codec_of(one).decode_answer({.headers = &none, .body = one.recording.body}, {});
  EXPECT_TRUE(events) << (events ? "" : events.error().message);
  return events ? *events : std::vector<Event>{};
}

// The reasons that all dialects tell apart.
std::string_view coarse(StopReason reason) {
  switch (reason) {
    case StopReason::length:
    case StopReason::context_full:
      return "length";
    case StopReason::tool:
      return "tool";
    case StopReason::refusal:
    case StopReason::filter:
    case StopReason::guardrail:
      return "filter";
    default:
      return "end";
  }
}

std::string gist(const Answer& answer, bool with_thinking) {
  std::string text;
  std::string thinking;
  std::string calls;
  if (answer.choices.empty()) return "nothing";
  for (const AnswerBlock& block : answer.choices[0].blocks) {
    if (block.kind == BlockKind::text) text += block.text;
    if (block.kind == BlockKind::thinking) thinking += block.text + "/" + block.signature;
    if (block.kind == BlockKind::tool_call)
      calls += fmt::format("{} {} {}\n", block.tool_id, block.tool_name, normal_json(block.text));
  }
  const bool has_calls = !calls.empty() && coarse(answer.choices[0].finish.reason) == "end";
  return fmt::format("{}\n{}\n{}{} {} {} {}", text, with_thinking ? thinking : "", calls,
                     has_calls ? "tool" : coarse(answer.choices[0].finish.reason), answer.usage.input_total(),
                     answer.usage.output_total(), answer.is_complete);
}

Answer again(const ProviderCodec& codec, std::string_view body, bool is_stream) {
  if (is_stream) {
    const auto decoder = codec.stream_decoder({});
    const test::Decoded decoded = test::decode_whole(*decoder, body);
    EXPECT_EQ(decoded.error, "");
    return test::fold(decoded.events);
  }
  const Headers none;
  const auto events = codec.decode_answer({.headers = &none, .body = body}, {});
  EXPECT_TRUE(events) << (events ? "" : events.error().message);
  return events ? test::fold(*events) : Answer{};
}

struct Pair {
  std::string_view name;
  const ClientCodec& client;
  const ProviderCodec& provider;
};

std::vector<Pair> pairs() {
  return {{"openai", openai_chat_client(), openai_chat_provider()},
          {"anthropic", anthropic_messages_client(), anthropic_messages_provider()},
          {"responses", chat_client_codec(Dialect::openai_responses, false),
           provider_codec(Dialect::openai_responses)},
          {"gemini", chat_client_codec(Dialect::gemini, false), provider_codec(Dialect::gemini)},
          {"converse", bedrock_converse_client(), bedrock_converse_provider()},
          {"invoke", bedrock_invoke_client(), bedrock_invoke_provider()}};
}

void expect_survives(const std::vector<Event>& events) {
  const Request request = Chat{};
  AnswerContext context = test::answer_context(request);
  context.input_tokens_estimate.reset();  // it would stand where the recording states no usage
  const Answer answer = test::fold(events);
  for (const Pair& pair : pairs()) {
    SCOPED_TRACE(pair.name);
    // Signatures are Anthropic's, whoever serves its models: OpenAI's and Google's dialects do not hand them
    // out.
    const bool with_thinking = pair.name != "openai" && pair.name != "responses" && pair.name != "gemini";
    const std::string expected = gist(answer, with_thinking);
    EXPECT_EQ(
        gist(again(pair.provider, pair.client.encode_answer(answer, context).body, false), with_thinking),
        expected);
    const std::string stream = test::encode_stream(*pair.client.stream_encoder(context), events);
    EXPECT_EQ(gist(again(pair.provider, stream, true), with_thinking), expected);
  }
}

TEST(BedrockReplay, EveryAnswerSurvivesBeingWrittenForClientsOfAllDialects) {
  size_t replies = 0;
  size_t streams = 0;
  for (const Case& one : all_cases()) {
    if (!is_good(one)) continue;
    SCOPED_TRACE(one.recording.file);
    (one.is_stream ? streams : replies)++;
    const std::vector<Event> events = events_of(one);
    EXPECT_TRUE(test::fold(events).is_complete);
    expect_survives(events);
  }
  if (replies + streams == 0) GTEST_SKIP() << "no recordings beside the repository; set WEIR_SHARED_DIR";
  fmt::print("{} replies and {} streams of Bedrock's\n", replies, streams);
  EXPECT_GT(replies, 40u);
  EXPECT_GT(streams, 20u);
}

TEST(BedrockReplay, StreamsDecodeTheSameHoweverTheyAreCut) {
  size_t count = 0;
  for (const Case& one : all_cases()) {
    if (!is_good(one) || !one.is_stream) continue;
    SCOPED_TRACE(one.recording.file);
    ++count;
    const auto fresh = codec_of(one).stream_decoder({});
    const auto decoder = fresh->clone();
    const test::Decoded whole = test::decode_whole(*decoder, one.recording.body);
    EXPECT_EQ(whole.error, "");
    test::expect_same_however_cut(*fresh, one.recording.body, whole);
  }
  if (count == 0) GTEST_SKIP() << "no recordings beside the repository; set WEIR_SHARED_DIR";
}

// On the raw way fewer events are decoded, and every byte passes.
TEST(BedrockReplay, TheRawWayPassesEveryByteAndStillSeesUsageAndEnd) {
  size_t count = 0;
  CallNotes notes;
  notes.is_raw = true;
  for (const Case& one : all_cases()) {
    if (!is_good(one) || !one.is_stream) continue;
    SCOPED_TRACE(one.recording.file);
    ++count;
    const auto decoder = codec_of(one).stream_decoder(notes);
    const test::Decoded raw = test::decode_whole(*decoder, one.recording.body);
    EXPECT_EQ(raw.error, "");
    EXPECT_EQ(raw.forwarded, one.recording.body);
    const Answer answer = test::fold(raw.events);
    const Answer full = test::fold(events_of(one));
    EXPECT_EQ(answer.usage, full.usage);
    EXPECT_TRUE(answer.is_complete);
  }
  if (count == 0) GTEST_SKIP() << "no recordings beside the repository; set WEIR_SHARED_DIR";
}

TEST(BedrockReplay, UsageIsWhatTheRecordingStates) {
  size_t count = 0;
  for (const Case& one : all_cases()) {
    if (!is_good(one) || one.is_stream || !one.is_converse) continue;
    SCOPED_TRACE(one.recording.file);
    const Result<JsonDoc> parsed = JsonDoc::parse(one.recording.body);
    ASSERT_TRUE(parsed);
    const JsonValue usage = parsed->root()["usage"];
    const Usage decoded = test::fold(events_of(one)).usage;
    EXPECT_EQ(decoded.in_uncached.value_or(0), usage["inputTokens"].int_or(0));
    EXPECT_EQ(decoded.output_total(), usage["outputTokens"].int_or(0));
    ++count;
  }
  if (count == 0) GTEST_SKIP() << "no recordings beside the repository; set WEIR_SHARED_DIR";
}

TEST(BedrockReplay, ErrorsKeepTheirMeaning) {
  size_t count = 0;
  for (const Case& one : all_cases()) {
    if (is_good(one)) continue;
    SCOPED_TRACE(one.recording.file);
    ++count;
    const Headers none;
    const Error error = codec_of(one).decode_error(
        {.status = one.recording.status, .headers = &none, .body = one.recording.body}, 0);
    EXPECT_EQ(to_string(error.kind), to_string(ErrorKind::model_not_found)) << error.message;
    EXPECT_FALSE(error.message.empty());
  }
  if (count == 0) GTEST_SKIP() << "no recordings beside the repository; set WEIR_SHARED_DIR";
  fmt::print("{} errors of Bedrock's\n", count);
}

}  // namespace
}  // namespace weir
