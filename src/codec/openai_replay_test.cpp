// Every recorded answer and stream of OpenAI's chat dialect, of all the vendors that speak it: it decodes,
// however it is cut, to what a plain reading of the file gives, and that survives being written again for
// clients of both dialects.
#include <gtest/gtest.h>
#include <map>

#include "codec/anthropic_test_util.h"
#include "codec/replay_test_util.h"

namespace weir {
namespace {

using test::normal_json;
using test::Recording;

constexpr JsonLimits kLenient{.rejects_duplicate_keys = false, .replaces_lone_surrogates = true};

// What an answer says, as one comparable text.
struct Gist {
  std::string text;
  std::string thinking;
  std::vector<std::pair<std::string, std::string>> calls;  // name, arguments
  std::string finish;
  int64_t input = 0;
  int64_t output = 0;

  std::string words() const {
    std::string out = fmt::format("text {}\nthinking {}\n", text, thinking);
    for (const auto& [name, arguments] : calls)
      out += fmt::format("call {} {}\n", name, normal_json(arguments));
    return out + fmt::format("finish {} in {} out {}", finish, input, output);
  }
};

// A reading of the file that knows nothing of the decoder: a message and a delta have the same keys.
class PlainReading {
 public:
  void add(JsonValue chunk) {
    const JsonValue choice = chunk["choices"].at(0);
    const JsonValue message = choice["message"].is_object() ? choice["message"] : choice["delta"];
    text_of(choice["text"].is_string() ? choice["text"] : message["content"], gist_.text);
    text_of(message["reasoning_content"].is_string() ? message["reasoning_content"] : message["reasoning"],
            gist_.thinking);
    size_t position = 0;
    for (const JsonValue call : message["tool_calls"]) {
      const auto index = static_cast<size_t>(call["index"].int_or(static_cast<int64_t>(position++)));
      if (gist_.calls.size() <= index) gist_.calls.resize(index + 1);
      auto& [name, arguments] = gist_.calls[index];
      if (name.empty()) name = call["function"]["name"].string_or("");
      arguments += call["function"]["arguments"].string_or("");
    }
    if (choice["finish_reason"].is_string()) native_ = choice["finish_reason"].string_or("");
    const JsonValue usage = chunk["usage"].is_object() ? chunk["usage"] : chunk["x_groq"]["usage"];
    if (!usage.is_object()) return;
    gist_.input = usage["prompt_tokens"].int_or(0);
    gist_.output = usage["total_tokens"].int_or(0) - gist_.input;
  }

  Gist gist() const {
    const std::map<std::string, std::string> kReasons = {
        {"stop", "end"}, {"length", "length"}, {"tool_calls", "tool"}, {"content_filter", "filter"}};
    Gist read = gist_;
    read.finish = kReasons.contains(native_) ? kReasons.at(native_) : "unknown " + native_;
    return read;
  }

 private:
  void text_of(JsonValue value, std::string& into) {
    if (value.is_string()) into += value.string_or("");
    if (!value.is_array()) return;
    for (const JsonValue part : value) {
      if (part["type"].string_or("") != "thinking") {
        text_of(part["text"], into);
      } else {
        for (const JsonValue inner : part["thinking"]) text_of(inner["text"], gist_.thinking);
      }
    }
  }

  Gist gist_;
  std::string native_;
};

Gist gist_of(const Answer& answer) {
  Gist said;
  for (const AnswerBlock& block : answer.choices.at(0).blocks) {
    if (block.kind == BlockKind::text) said.text += block.text;
    if (block.kind == BlockKind::thinking) said.thinking += block.text;
    if (block.kind == BlockKind::tool_call) said.calls.emplace_back(block.tool_name, block.text);
  }
  said.finish = to_string(answer.choices[0].finish.reason);
  said.input = answer.usage.input_total();
  said.output = answer.usage.output_total();
  return said;
}

bool has_choices(std::string_view json) {
  const Result<JsonDoc> parsed = JsonDoc::parse(std::string(json), kLenient);
  return parsed && parsed->root()["choices"].is_array();
}

std::string_view data_of(std::string_view event) {
  constexpr std::string_view kData = "data: ";
  return event.starts_with(kData) ? event.substr(kData.size()) : std::string_view();
}

bool is_chat_stream(const Recording& recording) {
  return recording.is_stream() && has_choices(data_of(test::split_on(recording.body, '\n')[0]));
}

bool is_chat_reply(const Recording& recording) {
  return !recording.is_stream() && has_choices(recording.body);
}

std::vector<Recording> chosen(bool (*is_chosen)(const Recording&)) {
  std::vector<Recording> all;
  for (Recording& recording : test::recordings("vercel-ai/")) {
    if (is_chosen(recording)) all.push_back(std::move(recording));
  }
  return all;
}

Gist plain_reading(const Recording& recording) {
  PlainReading reading;
  for (const std::string_view line : test::split_on(recording.body, '\n')) {
    if (!recording.is_stream() || data_of(line).empty()) continue;
    const Result<JsonDoc> parsed = JsonDoc::parse(std::string(data_of(line)), kLenient);
    EXPECT_TRUE(parsed);
    if (parsed) reading.add(parsed->root());
  }
  if (!recording.is_stream()) {
    const Result<JsonDoc> parsed = JsonDoc::parse(recording.body, kLenient);
    EXPECT_TRUE(parsed);
    if (parsed) reading.add(parsed->root());
  }
  return reading.gist();
}

std::vector<Event> events_of(const ProviderCodec& codec, std::string_view body, bool is_stream) {
  if (is_stream) {
    const auto decoder = codec.stream_decoder({});
    test::Decoded decoded = test::decode_whole(*decoder, body);
    EXPECT_EQ(decoded.error, "");
    return std::move(decoded.events);
  }
  const Headers headers;
  Result<std::vector<Event>> events = codec.decode_answer({.headers = &headers, .body = body}, {});
  EXPECT_TRUE(events) << (events ? "" : events.error().message);
  return events ? std::move(*events) : std::vector<Event>{};
}

std::string read_again(const ProviderCodec& codec, std::string_view body, bool is_stream) {
  const Answer answer = test::fold(events_of(codec, body, is_stream));
  return answer.choices.empty() ? "nothing" : gist_of(answer).words();
}

// Writes the answer for clients of both dialects, streamed and whole, and reads it again.
void expect_survives(const std::vector<Event>& events) {
  Chat chat;
  chat.includes_usage = true;
  const Request request = chat;
  const AnswerContext context = test::answer_context(request);
  const Answer answer = test::fold(events);
  ASSERT_FALSE(answer.choices.empty());
  const Gist expected = gist_of(answer);

  const auto& openai = openai_chat_client();
  const auto& from_openai = openai_chat_provider();
  EXPECT_EQ(read_again(from_openai, test::encode_stream(*openai.stream_encoder(context), events), true),
            expected.words());
  EXPECT_EQ(read_again(from_openai, openai.encode_answer(answer, context).body, false), expected.words());

  // Anthropic's word for a filtered answer is that the model refused.
  Gist in_anthropic = expected;
  if (in_anthropic.finish == "filter") in_anthropic.finish = "refusal";
  const auto& anthropic = anthropic_messages_client();
  const auto& from_anthropic = anthropic_messages_provider();
  EXPECT_EQ(read_again(from_anthropic, test::encode_stream(*anthropic.stream_encoder(context), events), true),
            in_anthropic.words());
  EXPECT_EQ(read_again(from_anthropic, anthropic.encode_answer(answer, context).body, false),
            in_anthropic.words());
}

void expect_what_it_says(const std::vector<Recording>& recordings) {
  for (const Recording& recording : recordings) {
    SCOPED_TRACE(recording.file);
    const std::vector<Event> events =
        events_of(openai_chat_provider(), recording.body, recording.is_stream());
    const Answer answer = test::fold(events);
    ASSERT_FALSE(answer.choices.empty());
    EXPECT_TRUE(answer.is_complete);
    EXPECT_EQ(gist_of(answer).words(), plain_reading(recording).words());
    expect_survives(events);
  }
}

#define WEIR_NEEDS_RECORDINGS(recordings) \
  if ((recordings).empty()) GTEST_SKIP() << "no recordings beside the repository; set WEIR_SHARED_DIR"

TEST(OpenAiReplay, WholeAnswersSayWhatTheFileSaysAndSurviveBothDialects) {
  const std::vector<Recording> replies = chosen(&is_chat_reply);
  WEIR_NEEDS_RECORDINGS(replies);
  expect_what_it_says(replies);
  fmt::print("{} whole answers replayed\n", replies.size());
  EXPECT_GE(replies.size(), 25U);
}

TEST(OpenAiReplay, StreamsSayWhatTheFileSaysAndSurviveBothDialects) {
  const std::vector<Recording> streams = chosen(&is_chat_stream);
  WEIR_NEEDS_RECORDINGS(streams);
  expect_what_it_says(streams);
  fmt::print("{} streams replayed\n", streams.size());
  EXPECT_GE(streams.size(), 20U);
}

TEST(OpenAiReplay, StreamsDecodeTheSameHoweverTheyAreCut) {
  const std::vector<Recording> streams = chosen(&is_chat_stream);
  WEIR_NEEDS_RECORDINGS(streams);
  for (const Recording& recording : streams) {
    SCOPED_TRACE(recording.file);
    const auto decoder = openai_chat_provider().stream_decoder({});
    const auto fresh = decoder->clone();
    const test::Decoded whole = test::decode_whole(*decoder, recording.body);
    EXPECT_EQ(whole.error, "");
    // The files hold no end marker; clients wait for one.
    EXPECT_EQ(whole.forwarded, recording.body + "data: [DONE]\n\n");
    test::expect_same_however_cut(*fresh, recording.body, whole);
  }
}

TEST(OpenAiReplay, RecordedErrorsAreReadAsErrors) {
  size_t count = 0;
  for (const Recording& recording : test::recordings("vercel-ai/openai/src/chat/")) {
    if (!recording.file.ends_with("-error.json")) continue;
    ++count;
    const Headers headers;
    const Error error =
        openai_chat_provider().decode_error({.status = 400, .headers = &headers, .body = recording.body}, 0);
    EXPECT_EQ(error.kind, ErrorKind::bad_request);
    EXPECT_FALSE(error.message.empty());
    EXPECT_FALSE(error.path.empty());
  }
  if (count == 0) GTEST_SKIP() << "no recordings beside the repository; set WEIR_SHARED_DIR";
}

}  // namespace
}  // namespace weir
