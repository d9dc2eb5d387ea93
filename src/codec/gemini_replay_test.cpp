// Every recorded answer and stream of the dialect: it decodes, however it is cut, and what it says survives
// being written again for clients of every dialect that there is.
#include <array>
#include <gtest/gtest.h>
#include <iostream>
#include <map>
#include <set>

#include "codec/gemini_test_util.h"
#include "codec/replay_test_util.h"

namespace weir {
namespace {

using test::Recording;

// What those that are no answer end in.
const std::map<std::string, std::string> kFailures = {
    {"streaming-failure-empty-content.txt", "upstream_truncated"},
    {"streaming-failure-error-mid-stream.txt", "upstream_error"},
    {"streaming-failure-invalid-json.txt", "upstream_malformed"},
    {"streaming-failure-malformed-content.txt", "upstream_truncated"},
    // Old, and without a word on its end.
    {"streaming-success-quotes-escaped.txt", "upstream_truncated"},
    {"unary-failure-empty-content.json", "upstream_malformed"},
    {"unary-failure-invalid-response.json", "upstream_malformed"},
    {"unary-failure-malformed-content.json", "upstream_malformed"},
};

enum class Kind : uint8_t { stream, answer, embeddings, count, error, other };

std::string name_of(const Recording& recording) {
  return recording.file.substr(recording.file.rfind('/') + 1);
}

Kind kind_of(const Recording& recording) {
  const auto has = [&](std::string_view text) { return recording.body.find(text) != std::string::npos; };
  const auto in = [&](std::string_view text) { return recording.file.find(text) != std::string::npos; };
  // Other APIs of the vendor: interactions, live translation, images, lists of models.
  if (in("/interactions/") || in("speech-translation") || in("/schema/") || in("cli_gemini_models"))
    return Kind::other;
  if (in("generate-images") && !has("\"error\"")) return Kind::other;
  if (recording.is_stream() && recording.body.starts_with("data:")) return Kind::stream;
  if (recording.body.starts_with("<") || has("\"error\": {")) return Kind::error;
  if (has("\"embeddings\"") || has("\"embedding\"")) return Kind::embeddings;
  if (has("\"totalTokens\"")) return Kind::count;
  return Kind::answer;
}

std::vector<Recording> all_of(Kind kind) {
  std::vector<Recording> found;
  for (const std::string_view folder :
       {"gemini-vertexai/", "llm-gemini/", "vercel-ai/google/", "vercel-ai/google-vertex/"}) {
    for (Recording& recording : test::recordings(folder)) {
      if (kind_of(recording) == kind) found.push_back(std::move(recording));
    }
  }
  return found;
}

std::string failure_of(const Recording& recording) {
  const auto found = kFailures.find(name_of(recording));
  return found == kFailures.end() ? "" : found->second;
}

std::string compact_json(std::string_view text) {
  const Result<JsonDoc> parsed = JsonDoc::parse(std::string(text), {.replaces_lone_surrogates = true});
  if (!parsed) return "not JSON: " + std::string(text);
  std::string out;
  JsonWriter json(out);
  const std::function<void(JsonValue)> write = [&](JsonValue value) {
    if (value.is_object()) {
      json.begin_object();
      for (const JsonValue member : value) {
        json.key(member.key());
        write(member);
      }
      json.end_object();
    } else if (value.is_array()) {
      json.begin_array();
      for (const JsonValue element : value) write(element);
      json.end_array();
    } else if (value.is_string()) {
      json.value(value.string_or(""));
    } else {
      json.raw(value.raw());
    }
  };
  write(parsed->root());
  return out;
}

// Grounding is told again and again while it grows: the last is the whole.
std::string citations_of(const AnswerChoice& choice) {
  std::multiset<std::string> sources;
  std::map<std::string, std::string> last;
  for (const AnswerBlock& block : choice.blocks) {
    for (const std::string& citation : block.citations) {
      const std::string text = compact_json(citation);
      if (text.starts_with("{\"citationSource\"")) {
        sources.insert(text);
      } else {
        last[text.substr(0, text.find(':'))] = text;
      }
    }
  }
  std::string out;
  for (const std::string& source : sources) out += source + "\n";
  for (const auto& [key, text] : last) out += text + "\n";
  return out;
}

enum class Words : uint8_t { shared, own };  // what all dialects can say; all of it

std::string gist(const Answer& answer, Words words) {
  std::string text;
  std::string thinking;
  std::string rest;
  for (const AnswerBlock& block : answer.choices.at(0).blocks) {
    if (block.kind == BlockKind::text) text += block.text;
    if (block.kind == BlockKind::thinking) thinking += block.text;
    if (block.kind == BlockKind::tool_call)
      rest += fmt::format("call {} {} {}\n", block.tool_id, block.tool_name, compact_json(block.text));
    if (words == Words::shared) continue;
    if (!block.signature.empty()) rest += "signature " + block.signature + "\n";
    if (block.kind == BlockKind::unknown) rest += "unknown " + compact_json(block.raw) + "\n";
    if (block.kind == BlockKind::image) rest += fmt::format("image {} {}\n", block.raw, block.text);
  }
  if (words == Words::own) rest += citations_of(answer.choices[0]);
  const Usage& usage = answer.usage;
  return fmt::format("text {}\nthinking {}\n{}finish {}\nin {} out {} read {} reasoning {}", text, thinking,
                     rest, to_string(answer.choices[0].finish.reason), usage.input_total(),
                     usage.output_total(), usage.cache_read.value_or(0), usage.out_reasoning.value_or(0));
}

// Finishes in the words that a dialect has.
Answer with_finish(Answer answer, const std::map<StopReason, StopReason>& words) {
  StopReason& reason = answer.choices.at(0).finish.reason;
  if (const auto found = words.find(reason); found != words.end()) reason = found->second;
  return answer;
}

const std::map<StopReason, StopReason> kOpenAiWords = {{StopReason::other, StopReason::end},
                                                       {StopReason::bad_tool, StopReason::end}};
const std::map<StopReason, StopReason> kAnthropicWords = {{StopReason::other, StopReason::end},
                                                          {StopReason::bad_tool, StopReason::end},
                                                          {StopReason::filter, StopReason::refusal}};

Answer read_stream(const ProviderCodec& codec, std::string_view body) {
  const auto decoder = codec.stream_decoder({});
  const test::Decoded decoded = test::decode_whole(*decoder, body);
  EXPECT_EQ(decoded.error, "") << body;
  return test::fold(decoded.events);
}

Answer read_body(const ProviderCodec& codec, std::string_view body) {
  const Headers headers;
  const auto events = codec.decode_answer({.headers = &headers, .body = body}, {});
  EXPECT_TRUE(events) << (events ? "" : events.error().message) << body;
  if (events) return test::fold(*events);
  Answer nothing;
  nothing.choices.resize(1);
  return nothing;
}

void expect_survives(const std::vector<Event>& events) {
  Chat chat;
  chat.includes_usage = true;
  const Request request = chat;
  AnswerContext context = test::answer_context(request);
  context.input_tokens_estimate.reset();  // it would stand where the recording states no usage
  const Answer answer = test::fold(events);

  struct Row {
    const ClientCodec& client;
    const ProviderCodec& provider;
    Words words;
    const std::map<StopReason, StopReason>& finishes;
  };
  static const std::map<StopReason, StopReason> kAll;
  const std::array rows = {
      Row{openai_chat_client(), openai_chat_provider(), Words::shared, kOpenAiWords},
      Row{anthropic_messages_client(), anthropic_messages_provider(), Words::shared, kAnthropicWords},
      Row{gemini_stream_client(), gemini_provider(), Words::own, kAll},
  };
  for (const Row& row : rows) {
    SCOPED_TRACE(to_string(row.client.dialect()));
    const std::string expected = gist(with_finish(answer, row.finishes), row.words);
    const auto encoder = row.client.stream_encoder(context);
    const std::string stream = test::encode_stream(*encoder, events);
    EXPECT_EQ(gist(read_stream(row.provider, stream), row.words), expected);
    EXPECT_EQ(gist(read_body(row.provider, row.client.encode_answer(answer, context).body), row.words),
              expected);
  }
}

void tell(std::string_view what, size_t count) {
  std::cerr << "  replayed " << count << " " << what << "\n";
}

TEST(GeminiReplay, StreamsDecodeTheSameHoweverTheyAreCut) {
  const std::vector<Recording> all = all_of(Kind::stream);
  if (all.empty()) GTEST_SKIP() << "no recordings beside the repository; set WEIR_SHARED_DIR";
  for (const Recording& recording : all) {
    SCOPED_TRACE(recording.file);
    const auto decoder = gemini_provider().stream_decoder({});
    const auto fresh = decoder->clone();
    const test::Decoded whole = test::decode_whole(*decoder, recording.body);
    const std::string failure = failure_of(recording);
    EXPECT_EQ(whole.error.substr(0, whole.error.find(':')), failure);
    if (failure.empty()) {
      EXPECT_EQ(whole.forwarded.substr(0, recording.body.size()), recording.body);
    }
    test::expect_same_however_cut(*fresh, recording.body, whole);
  }
  tell("streams in any cut", all.size());
  EXPECT_GT(all.size(), 40u);
}

TEST(GeminiReplay, StreamsSurviveBeingWrittenForClientsOfEveryDialect) {
  size_t count = 0;
  for (const Recording& recording : all_of(Kind::stream)) {
    if (!failure_of(recording).empty()) continue;
    SCOPED_TRACE(recording.file);
    ++count;
    const auto decoder = gemini_provider().stream_decoder({});
    expect_survives(test::decode_whole(*decoder, recording.body).events);
  }
  if (count == 0) GTEST_SKIP() << "no recordings beside the repository; set WEIR_SHARED_DIR";
  tell("streams through every dialect", count);
}

TEST(GeminiReplay, WholeAnswersSurviveBeingWrittenForClientsOfEveryDialect) {
  const std::vector<Recording> all = all_of(Kind::answer);
  if (all.empty()) GTEST_SKIP() << "no recordings beside the repository; set WEIR_SHARED_DIR";
  const Headers headers;
  for (const Recording& recording : all) {
    SCOPED_TRACE(recording.file);
    const auto events = gemini_provider().decode_answer({.headers = &headers, .body = recording.body}, {});
    EXPECT_EQ(events ? "" : std::string(to_string(events.error().kind)), failure_of(recording));
    if (events) expect_survives(*events);
  }
  tell("whole answers through every dialect", all.size());
  EXPECT_GT(all.size(), 60u);
}

// The recordings' own totals, where they state all of their parts.
TEST(GeminiReplay, UsageIsWhatTheRecordingStates) {
  size_t count = 0;
  for (const Recording& recording : all_of(Kind::answer)) {
    const Result<JsonDoc> parsed = JsonDoc::parse(recording.body, {.replaces_lone_surrogates = true});
    if (!parsed || !parsed->root()["usageMetadata"]["candidatesTokenCount"]) continue;
    SCOPED_TRACE(recording.file);
    ++count;
    const JsonValue usage = parsed->root()["usageMetadata"];
    const Usage decoded = read_body(gemini_provider(), recording.body).usage;
    EXPECT_EQ(decoded.input_total(),
              usage["promptTokenCount"].int_or(0) + usage["toolUsePromptTokenCount"].int_or(0));
    EXPECT_EQ(decoded.output_total(),
              usage["candidatesTokenCount"].int_or(0) + usage["thoughtsTokenCount"].int_or(0));
  }
  if (count == 0) GTEST_SKIP() << "no recordings beside the repository; set WEIR_SHARED_DIR";
  tell("usages", count);
}

TEST(GeminiReplay, ErrorsEmbeddingsAndCountsDecode) {
  const Headers headers;
  size_t errors = 0;
  for (const Recording& recording : all_of(Kind::error)) {
    SCOPED_TRACE(recording.file);
    ++errors;
    const Result<JsonDoc> parsed = JsonDoc::parse(recording.body);
    const int64_t code = parsed ? parsed->root()["error"]["code"].int_or(0) : 404;
    const Error error = gemini_provider().decode_error(
        {.status = static_cast<int>(code), .headers = &headers, .body = recording.body}, 0);
    EXPECT_FALSE(error.message.empty());
    const bool is_about_key = recording.body.find("API_KEY_INVALID") != std::string::npos;
    if (is_about_key) EXPECT_EQ(error.kind, ErrorKind::upstream_auth);
    if (code == 403) EXPECT_EQ(error.kind, ErrorKind::forbidden);
    if (code == 404 && parsed) EXPECT_EQ(error.kind, ErrorKind::model_not_found);
    if (code == 429) EXPECT_EQ(error.kind, ErrorKind::upstream_rate_limited);
  }
  size_t embeddings = 0;
  CallNotes notes;
  notes.operation = Operation::embeddings;
  for (const Recording& recording : all_of(Kind::embeddings)) {
    SCOPED_TRACE(recording.file);
    ++embeddings;
    const auto events = gemini_provider().decode_answer({.headers = &headers, .body = recording.body}, notes);
    ASSERT_TRUE(events) << events.error().message;
    EXPECT_FALSE(std::get<EmbedAnswer>(test::fold(*events).payload->body).vectors.empty());
  }
  size_t counts = 0;
  notes.operation = Operation::count_tokens;
  for (const Recording& recording : all_of(Kind::count)) {
    SCOPED_TRACE(recording.file);
    ++counts;
    const auto events = gemini_provider().decode_answer({.headers = &headers, .body = recording.body}, notes);
    ASSERT_TRUE(events) << events.error().message;
    EXPECT_GT(test::fold(*events).usage.input_total(), 0);
  }
  if (errors == 0) GTEST_SKIP() << "no recordings beside the repository; set WEIR_SHARED_DIR";
  tell("errors", errors);
  tell("embeddings", embeddings);
  tell("token counts", counts);
  tell("of other APIs, left out", all_of(Kind::other).size());
}

}  // namespace
}  // namespace weir
