// Samples: requests, answers, streams and errors with all that each codec makes of them, in tests/samples.
// A sample is a list of sections. What is given ("request", "answer", "events of", "error") is followed by
// what must come of it: as it was decoded, as each target is sent it, as each client gets it.
// WEIR_WRITE_SAMPLES=1 writes what comes now in place of what was expected: for whoever changed a codec on
// purpose, and reads the difference before it is committed.
#include <algorithm>
#include <filesystem>
#include <fstream>
#include <gtest/gtest.h>
#include <map>

#include "codec/codecs.h"
#include "codec/coverage.h"
#include "codec/gemini.h"
#include "codec/openai.h"
#include "codec/openai_responses.h"
#include "codec/rerank.h"
#include "codec/sample_parse_test_util.h"
#include "codec/sample_test_util.h"
#include "codec/sample_variants_test_util.h"

namespace weir {
namespace {

namespace fs = std::filesystem;

constexpr std::string_view kFolder = "tests/samples";

// The codecs of clients beside those that codecs.h names by their dialect: "gemini:tokens".
const ClientCodec& client_named(std::string_view name) {
  static const std::map<std::string, const ClientCodec*, std::less<>> kOthers = {
      {"openai_chat:completions", &openai_completions_client()},
      {"openai_chat:embeddings", &openai_embeddings_client()},
      {"openai_chat:rerank", &rerank_client()},
      {"openai_responses:tokens", &openai_responses_input_tokens_client()},
      {"anthropic_messages:tokens", &anthropic_count_tokens_client()},
      {"bedrock_converse:tokens", &bedrock_count_tokens_client()},
      {"gemini:tokens", &gemini_count_tokens_client()},
      {"gemini:embed", &gemini_embed_client()},
      {"gemini:batch_embed", &gemini_batch_embed_client()}};
  if (const auto found = kOthers.find(name); found != kOthers.end()) return *found->second;
  const std::string_view base = name.substr(0, name.find(':'));
  const auto dialect = dialect_from_string(base);
  EXPECT_TRUE(dialect) << name;
  return chat_client_codec(dialect.value_or(Dialect::openai_chat), name.ends_with(":stream"));
}

bool speaks_frames(const ClientCodec& codec) {
  return codec.dialect() == Dialect::bedrock_converse || codec.dialect() == Dialect::bedrock_invoke;
}

// Runs the sections of a sample in their order; what is given stays until the next of its kind.
class SampleRun {
 public:
  // What the section should say.
  std::string run(const test::SampleSection& section) {
    using Step = std::string (SampleRun::*)(const test::SampleSection&);
    static const std::map<std::string, Step, std::less<>> kSteps = {
        {"request", &SampleRun::take_request}, {"decoded", &SampleRun::decoded},
        {"to", &SampleRun::encoded},           {"raw", &SampleRun::spliced},
        {"variants", &SampleRun::variants},    {"answer", &SampleRun::take_answer},
        {"events", &SampleRun::take_stream},   {"members", &SampleRun::members},
        {"error", &SampleRun::take_error},     {"reply", &SampleRun::reply},
        {"coverage", &SampleRun::covered},     {"stream", &SampleRun::stream}};
    const auto step = kSteps.find(section.verb);
    if (step == kSteps.end()) return "no such section\n";
    return (this->*step->second)(section);
  }

 private:
  // ---- Requests

  ClientCall call_of(const std::string& body) const {
    ClientCall call = test::client_call(Dialect::openai_chat, body, message_.headers);
    call.path = given_.has("path") ? path_ : std::string_view();
    call.query = query_;
    call.path_model = given_.option("model", "");
    return call;
  }

  Result<Request> decode(const std::string& body) const {
    ClientCall call = call_of(body);
    if (!call.body) return fail(ErrorKind::bad_request, "no JSON");
    const ClientCodec& codec = client_named(given_.name).for_call(call);
    call.dialect = codec.dialect();
    return codec.decode_request(call);
  }

  std::string take_request(const test::SampleSection& section) {
    given_ = section;
    message_ = test::sample_message(section.text);
    path_ = section.option("path", "");
    query_ = section.option("query", "");
    request_ = decode(message_.body);
    notes_ = {};
    if (request_) {
      notes_.operation = operation_of(*request_);
      notes_.is_streamed = is_streamed(*request_);
    }
    return section.text;
  }

  std::string decoded(const test::SampleSection&) {
    return request_ ? test::describe(*request_) : test::describe(request_.error());
  }

  std::string encoded(const test::SampleSection& section) {
    if (!request_) return "no request\n";
    const Capabilities caps = test::sample_capabilities(section);
    const std::string model = section.option("model", "up");
    const ProviderCodec& codec = provider_codec(*dialect_from_string(section.name));
    const Result<EncodedCall> call = codec.encode_request(*request_, {.model = model, .capabilities = &caps});
    if (call) notes_ = call->notes;
    return test::describe(call);
  }

  std::string spliced(const test::SampleSection& section) {
    if (!request_) return "no request\n";
    const Capabilities caps = test::sample_capabilities(section);
    const std::string model = section.option("model", "up");
    const ClientCall call = call_of(message_.body);
    const ProviderCodec& codec = provider_codec(*dialect_from_string(section.name));
    const TargetModel target{.model = model, .capabilities = &caps};
    if (!codec.takes_raw(call, target)) return "not the raw way\n";
    const Result<EncodedCall> made = codec.splice_request(call, *request_, target);
    if (made) notes_ = made->notes;
    return test::describe(made);
  }

  std::string variants(const test::SampleSection&) {
    return test::describe_variants(message_.body, [this](const std::string& body) -> std::string {
      const Result<Request> request = decode(body);
      if (request) return "";
      const Error& error = request.error();
      const bool is_told = error.message.find(error.path) != std::string::npos && !error.path.empty();
      return error.path + (is_told ? "" : " (not told)");
    });
  }

  std::string covered(const test::SampleSection& section) {
    const Capabilities caps = test::sample_capabilities(section);
    const std::string model = section.option("model", "up");
    const Dialect client = *dialect_from_string(section.option("client", ""));
    std::string out;
    for (const FeatureSupport& one : coverage(client, provider_codec(*dialect_from_string(section.name)),
                                              {.model = model, .capabilities = &caps}))
      out += fmt::format("{}: {} {}\n", one.feature, to_string(one.support), one.how);
    return out;
  }

  // ---- Answers

  CallNotes notes_of(const test::SampleSection& section) const {
    CallNotes notes = notes_;
    if (section.has("json_tool")) notes.json_tool = section.option("json_tool", "");
    if (section.has("custom")) notes.custom_tools.make().insert(section.option("custom", ""));
    if (section.has("embeddings")) notes.operation = Operation::embeddings;
    if (section.has("rerank")) notes.operation = Operation::rerank;
    if (section.has("completion")) notes.operation = Operation::text_completion;
    if (section.has("tokens")) notes.operation = Operation::count_tokens;
    if (section.has("renamed")) notes.tool_names.add(section.option("renamed", ""), "the.tool");
    if (section.has("apart")) notes.counts_reasoning_apart = true;
    notes.is_raw = section.has("raw");
    notes.strips_usage = section.has("strips");
    return notes;
  }

  Result<std::vector<Event>> decode_answer(const std::string& body) const {
    const ProviderCodec& codec = provider_codec(*dialect_from_string(given_.name));
    const test::WireReplyText reply{body, message_.headers};
    return codec.decode_answer(reply.reply(200), notes_of(given_));
  }

  void take(Result<std::vector<Event>> events) {
    failure_.reset();
    events_.clear();
    if (events) {
      events_ = std::move(*events);
    } else {
      failure_ = events.error();
    }
  }

  // The given text, and behind a line of dashes what it was decoded to.
  static std::string with_outcome(std::string_view given, const std::string& outcome) {
    return fmt::format("{}----\n{}", given, outcome);
  }
  static std::string given_part(const std::string& text) {
    const size_t dashes = text.find("----\n");
    return text.substr(0, dashes);
  }

  std::string take_answer(const test::SampleSection& section) {
    const std::string given = given_part(section.text);
    given_ = section;
    message_ = test::sample_message(given);
    take(decode_answer(message_.body));
    return with_outcome(given, failure_ ? test::describe(*failure_) : test::describe_fully(events_));
  }

  std::string members(const test::SampleSection&) {
    const std::string whole = test::describe_fully(events_);
    return test::describe_variants(message_.body, [&](const std::string& body) -> std::string {
      const Result<std::vector<Event>> events = decode_answer(body);
      if (!events) return std::string(to_string(events.error().kind));
      return test::describe_fully(*events) == whole ? "" : "differs";
    });
  }

  // A body as the wire has it: frames are written as lines of their type and payload ("chunk": what is in
  // its bytes).
  static std::string wire_body(std::string_view dialect, const std::string& text) {
    if (dialect != "bedrock_converse" && dialect != "bedrock_invoke") return text;
    std::string out;
    for (const std::string_view line : split(text, '\n')) {
      const auto pair = split_once(line, ' ');
      if (!pair) continue;
      if (pair->first == "chunk") {
        out += test::chunks({std::string(pair->second)});
      } else if (pair->first == "chunk!") {
        append_bedrock_event(out, "chunk", pair->second);
      } else if (pair->first.starts_with("error:")) {
        append_sample_error(out, pair->first.substr(6), pair->second);
      } else if (pair->first.starts_with("exception:")) {
        append_sample_exception(out, pair->first.substr(10), pair->second);
      } else {
        append_bedrock_event(out, pair->first, pair->second);
      }
    }
    return out;
  }

  static void append_sample_error(std::string& out, std::string_view code, std::string_view message) {
    const std::array<EventStreamHeader, 3> headers = {{{.name = ":error-code", .text = code},
                                                       {.name = ":error-message", .text = message},
                                                       {.name = ":message-type", .text = "error"}}};
    EXPECT_TRUE(append_event_stream(out, headers, ""));
  }

  static void append_sample_exception(std::string& out, std::string_view type, std::string_view payload) {
    const std::array<EventStreamHeader, 3> headers = {{{.name = ":exception-type", .text = type},
                                                       {.name = ":content-type", .text = "application/json"},
                                                       {.name = ":message-type", .text = "exception"}}};
    EXPECT_TRUE(append_event_stream(out, headers, payload));
  }

  std::string take_stream(const test::SampleSection& section) {
    const std::string given = given_part(section.text);
    const std::string body = wire_body(section.name, given);
    const ProviderCodec& codec = provider_codec(*dialect_from_string(section.name));
    CallNotes notes = notes_of(section);
    notes.is_streamed = true;
    const auto decoder = codec.stream_decoder(notes);
    const auto bytewise = decoder->clone();
    failure_.reset();
    events_.clear();
    std::string forwarded;
    Result<void> done = decoder->feed(body, events_);
    forwarded += decoder->forwardable();
    const size_t before_end = events_.size();
    if (done) {
      done = decoder->finish(events_);
      forwarded += decoder->forwardable();
    }
    std::string outcome;
    for (size_t i = 0; i < events_.size(); ++i) {
      if (i == before_end) outcome += "at the body's end\n";
      outcome += test::describe_fully(events_[i]);
    }
    if (!done) {
      failure_ = done.error();
      outcome += test::describe(done.error());
    }
    expect_same_bytewise(*bytewise, body, test::describe(events_));
    const bool is_text = body == given;
    if (forwarded != body && is_text) outcome += "forwards\n" + forwarded;
    return with_outcome(given, outcome);
  }

  static void expect_same_bytewise(StreamDecoder& decoder, std::string_view body, const std::string& whole) {
    test::Decoded decoded;
    for (size_t i = 0; i < body.size(); ++i) test::feed(decoder, body.substr(i, 1), decoded);
    test::finish(decoder, decoded);
    EXPECT_EQ(test::describe(decoded.events), whole) << "one byte at a time";
  }

  std::string take_error(const test::SampleSection& section) {
    const std::string given = given_part(section.text);
    const test::SampleMessage message = test::sample_message(given);
    const ProviderCodec& codec = provider_codec(*dialect_from_string(section.name));
    const int status = std::stoi(section.option("status", "500"));
    const test::WireReplyText reply{message.body, message.headers};
    events_.clear();
    failure_ = codec.decode_error(reply.reply(status), 1'760'000'000'000'000'000);
    return with_outcome(given, test::describe(*failure_));
  }

  // ---- Clients

  AnswerContext context() {
    AnswerContext made{.exchange_id = "ex_01J",
                       .created_s = 1'760'000'000,
                       .model = "asked",
                       .request = request_ ? &*request_ : &no_request_,
                       .api_version = {},
                       .input_tokens_estimate = 33};
    made.elapsed_ms = [] { return int64_t{17}; };
    return made;
  }

  std::string reply(const test::SampleSection& section) {
    const ClientCodec& codec = client_named(section.name);
    if (failure_) return test::describe(codec.encode_error(*failure_, "req_1"));
    return test::describe(codec.encode_answer(test::fold(events_), context()));
  }

  std::string stream(const test::SampleSection& section) {
    const bool has_one_codec = section.name.find(':') != std::string::npos;
    const ClientCodec& codec = client_named(section.name + (has_one_codec ? "" : ":stream"));
    const AnswerContext with = context();
    const auto encoder = codec.stream_encoder(with);
    std::string out = test::encode_stream(*encoder, events_);
    if (failure_) encoder->fail(*failure_, out);
    if (section.has("alive")) encoder->keep_alive(out);
    out = speaks_frames(codec) ? test::describe_frames(out) : out;
    return out.ends_with('\n') ? out : out + "\n";
  }

  test::SampleSection given_;
  test::SampleMessage message_;
  std::string path_;
  std::string query_;
  Result<Request> request_ = fail(ErrorKind::bad_request, "none");
  const Request no_request_ = Chat{};
  CallNotes notes_;
  std::vector<Event> events_;
  std::optional<Error> failure_;
};

std::vector<fs::path> all_samples() {
  std::vector<fs::path> found;
  if (!fs::exists(kFolder)) return found;  // then gtest reports a suite without instances
  for (const fs::directory_entry& entry : fs::directory_iterator(kFolder)) {
    if (entry.path().extension() == ".txt") found.push_back(entry.path());
  }
  std::sort(found.begin(), found.end());
  return found;
}

class Samples : public testing::TestWithParam<fs::path> {};

TEST_P(Samples, ComeOutAsWritten) {
  test::Sample sample = test::read_sample(GetParam());
  ASSERT_FALSE(sample.sections.empty()) << "no section";
  const bool writes = std::getenv("WEIR_WRITE_SAMPLES") != nullptr;
  SampleRun run;
  for (test::SampleSection& section : sample.sections) {
    std::string made = run.run(section);
    if (!writes) EXPECT_EQ(made, section.text) << "== " << section.head;
    section.text = std::move(made);
  }
  if (writes) std::ofstream(GetParam(), std::ios::binary) << test::write_sample(sample);
}

INSTANTIATE_TEST_SUITE_P(Codec, Samples, testing::ValuesIn(all_samples()),
                         [](const testing::TestParamInfo<fs::path>& info) {
                           return info.param.stem().string();
                         });

}  // namespace
}  // namespace weir
