// Every recorded answer and stream of the Responses dialect, of all the vendors that speak it: it decodes,
// however it is cut, to what a plain reading of the file gives, and that survives being written again for
// clients of three dialects.
#include <gtest/gtest.h>

#include "codec/openai_responses_test_util.h"

namespace weir {
namespace {

using test::normal_json;
using test::Recording;

constexpr JsonLimits kLenient{.rejects_duplicate_keys = false, .replaces_lone_surrogates = true};

// What an answer says, as comparable lines; `rest` is what only its own dialect has words for.
struct Gist {
  std::string text;
  std::string thinking;
  std::string calls;
  std::string finish;
  std::string usage;
  std::string rest;

  std::string shared() const {
    return fmt::format("text {}\nthinking {}\n{}finish {}\n{}", text, thinking, calls, finish, usage);
  }
  std::string all() const { return shared() + "\n" + rest; }
};

std::string usage_line(int64_t input, int64_t output, int64_t read, int64_t reasoning) {
  return fmt::format("in {} out {} read {} reasoning {}", input, output, read, reasoning);
}

Gist gist_of(const Answer& answer) {
  Gist gist;
  for (const AnswerBlock& block : answer.choices.at(0).blocks) {
    if (block.kind == BlockKind::text) gist.text += block.text;
    if (block.kind == BlockKind::thinking) gist.thinking += block.text;
    if (block.kind == BlockKind::tool_call) {
      const bool is_custom = block.tool_kind == ToolKind::custom;
      gist.calls += fmt::format("call {} {} {}\n", block.tool_id, block.tool_name,
                                is_custom ? block.text : normal_json(block.text));
    }
    for (const std::string& citation : block.citations)
      gist.rest += "citation " + normal_json(citation) + "\n";
    if (block.kind == BlockKind::thinking) gist.rest += fmt::format("reasoning {}\n", block.signature);
    if (block.kind == BlockKind::unknown) gist.rest += "item " + normal_json(block.raw) + "\n";
    if (block.kind == BlockKind::image) gist.rest += "image " + block.text + "\n";
  }
  gist.finish = to_string(answer.choices[0].finish.reason);
  gist.usage = usage_line(answer.usage.input_total(), answer.usage.output_total(),
                          answer.usage.cache_read.value_or(0), answer.usage.out_reasoning.value_or(0));
  return gist;
}

// The same from the response object itself, read without the codec.
Gist gist_of(JsonValue response) {
  Gist gist;
  bool has_calls = false;
  for (const JsonValue item : response["output"]) {
    const std::string_view type = item["type"].string_or("");
    if (type == "message") {
      for (const JsonValue part : item["content"]) {
        gist.text += part["text"].string_or("");
        for (const JsonValue annotation : part["annotations"])
          gist.rest += "citation " + normal_json(annotation.raw()) + "\n";
      }
    } else if (type == "reasoning") {
      std::string text;
      for (const std::string_view key : {"summary", "content"}) {
        for (const JsonValue part : item[key])
          text += (text.empty() ? "" : "\n\n") + std::string(part["text"].string_or(""));
      }
      const std::string_view sealed = item["encrypted_content"].string_or("");
      gist.thinking += text;
      if (!text.empty() || !sealed.empty()) gist.rest += fmt::format("reasoning {}\n", sealed);
    } else if (type == "function_call" || type == "custom_tool_call") {
      has_calls = true;
      const bool is_custom = type == "custom_tool_call";
      const std::string_view said = item[is_custom ? "input" : "arguments"].string_or("");
      gist.calls += fmt::format("call {} {} {}\n", item["call_id"].string_or(""), item["name"].string_or(""),
                                is_custom ? std::string(said) : normal_json(said));
    } else if (type == "image_generation_call" && item["result"].is_string()) {
      gist.rest += "image " + std::string(item["result"].string_or("")) + "\n";
    } else {
      gist.rest += "item " + normal_json(item.raw()) + "\n";
    }
  }
  const bool is_cut = response["status"].string_or("") == "incomplete";
  gist.finish = is_cut ? "length" : has_calls ? "tool" : "end";
  const JsonValue usage = response["usage"];
  gist.usage = usage_line(usage["input_tokens"].int_or(0), usage["output_tokens"].int_or(0),
                          usage["input_tokens_details"]["cached_tokens"].int_or(0),
                          usage["output_tokens_details"]["reasoning_tokens"].int_or(0));
  return gist;
}

bool is_responses_stream(const Recording& recording) {
  return recording.is_stream() && recording.body.find("\"response.created\"") != std::string::npos;
}

bool is_response(const Recording& recording) {
  const Result<JsonDoc> parsed = JsonDoc::parse(recording.body, kLenient);
  return !recording.is_stream() && parsed && parsed->root()["output"].is_array();
}

// Some files hold the answers of several requests, one after the other.
std::string first_answer(std::string body) {
  const size_t end = body.find("\"response.completed\"");
  if (end != std::string::npos) body.resize(std::min(body.size(), body.find("\n\n", end) + 2));
  return body;
}

std::vector<Recording> all_recordings() {
  std::vector<Recording> all;
  for (const std::string_view folder : {"vercel-ai/openai/src/responses/", "vercel-ai/open-responses/",
                                        "vercel-ai/azure/", "vercel-ai/xai/src/responses/"}) {
    for (Recording& recording : test::recordings(folder)) all.push_back(std::move(recording));
  }
  for (Recording& recording : all) {
    if (is_responses_stream(recording)) recording.body = first_answer(std::move(recording.body));
  }
  return all;
}

std::string name_of(const Recording& recording) {
  return recording.file.substr(recording.file.rfind('/') + 1);
}

// How a stream ends that ends in an error; "" for the others.
std::string expected_error(const Recording& recording) {
  if (name_of(recording) == "openai-error.1.chunks.txt") return "upstream_quota";
  // Its first line lacks a brace.
  if (name_of(recording) == "parallel-tool-call-wrapper.1.chunks.txt") return "upstream_malformed";
  return "";
}

// The response of the stream's last event.
std::string last_response(std::string_view body) {
  const std::vector<std::string> events = test::event_data(body);
  for (auto data = events.rbegin(); data != events.rend(); ++data) {
    const Result<JsonDoc> parsed = JsonDoc::parse(*data, kLenient);
    if (parsed && parsed->root()["response"].is_object())
      return std::string(parsed->root()["response"].raw());
  }
  return "{}";
}

Answer decode_stream(const ProviderCodec& codec, std::string_view body) {
  const auto decoder = codec.stream_decoder({});
  const test::Decoded decoded = test::decode_whole(*decoder, body);
  EXPECT_EQ(decoded.error, "");
  Answer answer = test::fold(decoded.events);
  if (answer.choices.empty()) answer.choices.resize(1);
  return answer;
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

// Writes the answer for clients of three dialects, streamed and whole, and reads it again.
void expect_survives(const std::vector<Event>& events) {
  Chat chat;
  chat.includes_usage = true;
  const Request request = chat;
  AnswerContext context = test::answer_context(request);
  context.input_tokens_estimate.reset();  // it would stand where the recording states no usage
  const Answer answer = test::fold(events);
  const Gist expected = gist_of(answer);

  const auto& own = openai_responses_client();
  const std::string stream = test::encode_stream(*own.stream_encoder(context), events);
  EXPECT_EQ(gist_of(decode_stream(openai_responses_provider(), stream)).all(), expected.all());
  const std::string whole = own.encode_answer(answer, context).body;
  EXPECT_EQ(gist_of(decode_body(openai_responses_provider(), whole)).all(), expected.all());
  EXPECT_EQ(normal_json(last_response(stream)), normal_json(whole));

  const std::pair<const ClientCodec*, const ProviderCodec*> others[] = {
      {&openai_chat_client(), &openai_chat_provider()},
      {&anthropic_messages_client(), &anthropic_messages_provider()}};
  for (const auto& [client, provider] : others) {
    SCOPED_TRACE(to_string(client->dialect()));
    const std::string streamed = test::encode_stream(*client->stream_encoder(context), events);
    // Free text of a custom tool is JSON elsewhere.
    const bool has_custom = expected.calls.find("SELECT") != std::string::npos;
    if (has_custom && client->dialect() != Dialect::openai_chat) continue;
    EXPECT_EQ(gist_of(decode_stream(*provider, streamed)).shared(), expected.shared());
    EXPECT_EQ(gist_of(decode_body(*provider, client->encode_answer(answer, context).body)).shared(),
              expected.shared());
  }
}

TEST(ResponsesReplay, StreamsDecodeTheSameHoweverTheyAreCut) {
  size_t count = 0;
  size_t errors = 0;
  for (const Recording& recording : all_recordings()) {
    if (!is_responses_stream(recording)) continue;
    SCOPED_TRACE(recording.file);
    ++count;
    const auto decoder = openai_responses_provider().stream_decoder({});
    const auto fresh = decoder->clone();
    const test::Decoded whole = test::decode_whole(*decoder, recording.body);
    const std::string expected = expected_error(recording);
    EXPECT_EQ(whole.error.substr(0, expected.size()), expected) << whole.error;
    if (expected.empty()) {
      EXPECT_EQ(whole.error, "");
      EXPECT_EQ(whole.forwarded, recording.body);
      EXPECT_TRUE(test::fold(whole.events).is_complete);
    } else {
      ++errors;
    }
    test::expect_same_however_cut(*fresh, recording.body, whole);
  }
  if (count == 0) GTEST_SKIP() << "no recordings beside the repository; set WEIR_SHARED_DIR";
  fmt::print("responses: {} recorded streams, {} of them end in an error\n", count, errors);
  EXPECT_GT(count, 40u);
}

TEST(ResponsesReplay, StreamsSayWhatTheirLastEventSays) {
  size_t count = 0;
  for (const Recording& recording : all_recordings()) {
    if (!is_responses_stream(recording) || !expected_error(recording).empty()) continue;
    // Its authors shortened the text in every event but the last.
    if (name_of(recording) == "openai-shell-container.1.chunks.txt") continue;
    SCOPED_TRACE(recording.file);
    ++count;
    const std::string response = last_response(recording.body);
    const Result<JsonDoc> parsed = JsonDoc::parse(response, kLenient);
    ASSERT_TRUE(parsed);
    const Gist expected = gist_of(parsed->root());
    EXPECT_EQ(gist_of(decode_stream(openai_responses_provider(), recording.body)).shared(),
              expected.shared());
  }
  if (count == 0) GTEST_SKIP() << "no recordings beside the repository; set WEIR_SHARED_DIR";
}

TEST(ResponsesReplay, StreamsSurviveBeingWrittenForClientsOfThreeDialects) {
  size_t count = 0;
  for (const Recording& recording : all_recordings()) {
    if (!is_responses_stream(recording) || !expected_error(recording).empty()) continue;
    SCOPED_TRACE(recording.file);
    ++count;
    const auto decoder = openai_responses_provider().stream_decoder({});
    expect_survives(test::decode_whole(*decoder, recording.body).events);
  }
  if (count == 0) GTEST_SKIP() << "no recordings beside the repository; set WEIR_SHARED_DIR";
}

TEST(ResponsesReplay, WholeAnswersSayWhatTheFileSaysAndSurvive) {
  size_t count = 0;
  for (const Recording& recording : all_recordings()) {
    if (!is_response(recording)) continue;
    SCOPED_TRACE(recording.file);
    ++count;
    const Result<JsonDoc> parsed = JsonDoc::parse(recording.body, kLenient);
    ASSERT_TRUE(parsed);
    const Headers headers;
    const auto events =
        openai_responses_provider().decode_answer({.headers = &headers, .body = recording.body}, {});
    ASSERT_TRUE(events) << events.error().message;
    EXPECT_EQ(gist_of(test::fold(*events)).all(), gist_of(parsed->root()).all());
    expect_survives(*events);
  }
  if (count == 0) GTEST_SKIP() << "no recordings beside the repository; set WEIR_SHARED_DIR";
  fmt::print("responses: {} recorded whole answers\n", count);
  EXPECT_GT(count, 40u);
}

TEST(ResponsesReplay, ErrorBodiesAreUnderstood) {
  size_t count = 0;
  for (const Recording& recording : all_recordings()) {
    const Result<JsonDoc> parsed = JsonDoc::parse(recording.body, kLenient);
    if (recording.is_stream() || !parsed || !parsed->root()["error"].is_object() || parsed->root()["output"])
      continue;
    SCOPED_TRACE(recording.file);
    ++count;
    const bool is_quota = name_of(recording) == "openai-error.1.json";
    const Headers headers;
    const Error error = openai_responses_provider().decode_error(
        {.status = is_quota ? 429 : 400, .headers = &headers, .body = recording.body}, 0);
    EXPECT_EQ(error.kind, is_quota ? ErrorKind::upstream_quota : ErrorKind::bad_request);
    EXPECT_EQ(error.path, parsed->root()["error"]["param"].string_or(""));
  }
  if (count == 0) GTEST_SKIP() << "no recordings beside the repository; set WEIR_SHARED_DIR";
  fmt::print("responses: {} recorded error bodies\n", count);
}

// Streams whose bytes pass as they are still tell their finish and usage.
TEST(ResponsesReplay, TheRawWayTellsTheSameEnd) {
  CallNotes notes;
  notes.is_raw = true;
  size_t count = 0;
  for (const Recording& recording : all_recordings()) {
    if (!is_responses_stream(recording) || !expected_error(recording).empty()) continue;
    SCOPED_TRACE(recording.file);
    ++count;
    const auto decoder = openai_responses_provider().stream_decoder(notes);
    const test::Decoded raw = test::decode_whole(*decoder, recording.body);
    EXPECT_EQ(raw.error, "");
    EXPECT_EQ(raw.forwarded, recording.body);
    Answer answer = test::fold(raw.events);
    ASSERT_FALSE(answer.choices.empty());
    const Answer decoded = decode_stream(openai_responses_provider(), recording.body);
    EXPECT_EQ(answer.choices[0].finish.reason, decoded.choices[0].finish.reason);
    EXPECT_EQ(answer.usage, decoded.usage);
  }
  if (count == 0) GTEST_SKIP() << "no recordings beside the repository; set WEIR_SHARED_DIR";
}

}  // namespace
}  // namespace weir
