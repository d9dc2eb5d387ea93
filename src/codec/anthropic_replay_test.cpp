// Every recorded answer and stream of the dialect: it decodes, however it is cut, and what it says survives
// being written again for clients of both dialects.
#include <gtest/gtest.h>
#include <map>

#include "codec/anthropic_test_util.h"
#include "codec/replay_test_util.h"

namespace weir {
namespace {

using test::normal_json;
using test::Recording;

const Request kRequest = Chat{};

// Streams that end in an error by what they hold: an answer that was begun twice, and one that was cut off.
const std::map<std::string, std::string> kBroken = {
    {"duplicate-message-start.chunks.txt", ""},
    {"spliced-message-start.chunks.txt", "upstream_malformed"},
};

std::string name_of(const Recording& recording) {
  return recording.file.substr(recording.file.rfind('/') + 1);
}

bool is_message_stream(const Recording& recording) {
  return recording.is_stream() && recording.body.find("\"message_start\"") != std::string::npos;
}

bool is_message(const Recording& recording) {
  return !recording.is_stream() && recording.body.find("\"stop_reason\"") != std::string::npos;
}

// Some files hold the answers of several requests, one after the other.
std::string first_answer(std::string body) {
  const size_t stop = body.find("\"message_stop\"");
  if (stop != std::string::npos) body.resize(std::min(body.size(), body.find("\n\n", stop) + 2));
  return body;
}

std::vector<Recording> all_recordings() {
  std::vector<Recording> all = test::recordings("llm-anthropic/");
  for (Recording& recording : test::recordings("vercel-ai/anthropic/")) all.push_back(std::move(recording));
  for (Recording& recording : all) {
    if (is_message_stream(recording)) recording.body = first_answer(std::move(recording.body));
  }
  return all;
}

// What an answer says, in words that both dialects have. Texts are joined: OpenAI's dialect has one.
std::string gist(const Answer& answer, bool is_anthropic) {
  std::string text;
  std::string thinking;
  std::string rest;
  for (const AnswerBlock& block : answer.choices.at(0).blocks) {
    if (block.kind == BlockKind::text) text += block.text;
    if (block.kind == BlockKind::thinking) thinking += block.text;
    if (block.kind == BlockKind::tool_call && (is_anthropic || block.tool_kind != ToolKind::server)) {
      rest += fmt::format("call {} {} {}\n", block.tool_id, block.tool_name, normal_json(block.text));
    }
    if (!is_anthropic) continue;
    for (const std::string& citation : block.citations) rest += "citation " + normal_json(citation) + "\n";
    if (!block.signature.empty()) rest += "signature " + block.signature + "\n";
    if (block.kind == BlockKind::redacted_thinking) rest += "redacted " + block.text + "\n";
    if (block.kind == BlockKind::unknown) rest += "unknown " + normal_json(block.raw) + "\n";
  }
  const Finish& finish = answer.choices[0].finish;
  return fmt::format("text {}\nthinking {}\n{}finish {} {}\nin {} out {} read {} write {} reasoning {}", text,
                     thinking, rest, to_string(finish.reason), is_anthropic ? finish.stop_sequence : "",
                     answer.usage.input_total(), answer.usage.output_total(),
                     answer.usage.cache_read.value_or(0),
                     answer.usage.cache_write_5m.value_or(0) + answer.usage.cache_write_1h.value_or(0),
                     answer.usage.out_reasoning.value_or(0));
}

// OpenAI's dialect has fewer finish reasons, and an answer with calls has always stopped for them.
Answer as_openai_says(Answer answer) {
  StopReason& reason = answer.choices.at(0).finish.reason;
  for (const AnswerBlock& block : answer.choices[0].blocks) {
    const bool is_call = block.kind == BlockKind::tool_call && block.tool_kind != ToolKind::server;
    if (is_call && reason == StopReason::end) reason = StopReason::tool;
  }
  switch (reason) {
    case StopReason::context_full:
      reason = StopReason::length;
      break;
    case StopReason::refusal:
    case StopReason::guardrail:
      reason = StopReason::filter;
      break;
    case StopReason::stop_sequence:
    case StopReason::pause:
    case StopReason::bad_tool:
    case StopReason::other:
      reason = StopReason::end;
      break;
    case StopReason::end:
    case StopReason::length:
    case StopReason::tool:
    case StopReason::filter:
      break;
  }
  return answer;
}

Answer decode_stream(const ProviderCodec& codec, std::string_view body) {
  const auto decoder = codec.stream_decoder({});
  const test::Decoded decoded = test::decode_whole(*decoder, body);
  EXPECT_EQ(decoded.error, "");
  return test::fold(decoded.events);
}

Answer decode_body(const ProviderCodec& codec, std::string_view body) {
  const Headers headers;
  const auto events = codec.decode_answer({.headers = &headers, .body = body}, {});
  EXPECT_TRUE(events) << (events ? "" : events.error().message);
  if (events) return test::fold(*events);
  Answer nothing;
  nothing.choices.resize(1);
  return nothing;
}

// Writes the answer for clients of both dialects, streamed and whole, and reads it again.
void expect_survives(const std::vector<Event>& events) {
  Chat chat;
  chat.includes_usage = true;
  const Request request = chat;
  const AnswerContext context = test::answer_context(request);
  const Answer answer = test::fold(events);
  const std::string expected = gist(answer, true);
  const std::string in_openai = gist(as_openai_says(answer), false);

  const auto& anthropic = anthropic_messages_client();
  const auto& from_anthropic = anthropic_messages_provider();
  EXPECT_EQ(
      gist(decode_stream(from_anthropic, test::encode_stream(*anthropic.stream_encoder(context), events)),
           true),
      expected);
  EXPECT_EQ(gist(decode_body(from_anthropic, anthropic.encode_answer(answer, context).body), true), expected);

  const auto& openai = openai_chat_client();
  const auto& from_openai = openai_chat_provider();
  EXPECT_EQ(
      gist(decode_stream(from_openai, test::encode_stream(*openai.stream_encoder(context), events)), false),
      in_openai);
  EXPECT_EQ(gist(decode_body(from_openai, openai.encode_answer(answer, context).body), false), in_openai);
}

TEST(AnthropicReplay, StreamsDecodeTheSameHoweverTheyAreCut) {
  size_t count = 0;
  for (const Recording& recording : all_recordings()) {
    if (!is_message_stream(recording)) continue;
    SCOPED_TRACE(recording.file);
    ++count;
    const auto decoder = anthropic_messages_provider().stream_decoder({});
    const auto fresh = decoder->clone();
    const test::Decoded whole = test::decode_whole(*decoder, recording.body);
    const auto broken = kBroken.find(name_of(recording));
    if (broken == kBroken.end()) {
      EXPECT_EQ(whole.error, "");
      EXPECT_EQ(whole.forwarded, recording.body);
      EXPECT_TRUE(test::fold(whole.events).is_complete);
    } else {
      EXPECT_EQ(whole.error.substr(0, broken->second.size()), broken->second);
    }
    test::expect_same_however_cut(*fresh, recording.body, whole);
  }
  if (count == 0) GTEST_SKIP() << "no recordings beside the repository; set WEIR_SHARED_DIR";
  EXPECT_GT(count, 40u);
}

TEST(AnthropicReplay, StreamsSurviveBeingWrittenForClientsOfBothDialects) {
  size_t count = 0;
  for (const Recording& recording : all_recordings()) {
    if (!is_message_stream(recording) || kBroken.contains(name_of(recording))) continue;
    SCOPED_TRACE(recording.file);
    ++count;
    const auto decoder = anthropic_messages_provider().stream_decoder({});
    expect_survives(test::decode_whole(*decoder, recording.body).events);
  }
  if (count == 0) GTEST_SKIP() << "no recordings beside the repository; set WEIR_SHARED_DIR";
}

TEST(AnthropicReplay, WholeAnswersSurviveBeingWrittenForClientsOfBothDialects) {
  size_t count = 0;
  for (const Recording& recording : all_recordings()) {
    if (!is_message(recording)) continue;
    SCOPED_TRACE(recording.file);
    ++count;
    const Headers headers;
    const auto events =
        anthropic_messages_provider().decode_answer({.headers = &headers, .body = recording.body}, {});
    ASSERT_TRUE(events) << events.error().message;
    expect_survives(*events);
  }
  if (count == 0) GTEST_SKIP() << "no recordings beside the repository; set WEIR_SHARED_DIR";
  EXPECT_GT(count, 25u);
}

// The recordings' usage, added up by hand from the files themselves.
TEST(AnthropicReplay, UsageIsWhatTheRecordingStates) {
  size_t count = 0;
  for (const Recording& recording : all_recordings()) {
    if (!is_message(recording)) continue;
    SCOPED_TRACE(recording.file);
    ++count;
    const Result<JsonDoc> parsed = JsonDoc::parse(recording.body);
    ASSERT_TRUE(parsed);
    const JsonValue usage = parsed->root()["usage"];
    const Usage decoded = decode_body(anthropic_messages_provider(), recording.body).usage;
    EXPECT_EQ(decoded.input_total(), usage["input_tokens"].int_or(0) +
                                         usage["cache_read_input_tokens"].int_or(0) +
                                         usage["cache_creation_input_tokens"].int_or(0));
    EXPECT_EQ(decoded.output_total(), usage["output_tokens"].int_or(0));
  }
  if (count == 0) GTEST_SKIP() << "no recordings beside the repository; set WEIR_SHARED_DIR";
}

}  // namespace
}  // namespace weir
