#include "codec/openai_opaque.h"

#include <fmt/core.h>
#include <gtest/gtest.h>

#include "codec/openai.h"

namespace weir {
namespace {

ClientCall call_with(std::string_view body) {
  ClientCall call;
  call.body = std::make_shared<const JsonDoc>(JsonDoc::parse(std::string(body)).value());
  return call;
}

Result<Request> decode(OpaqueTask task, std::string_view body) {
  return opaque_client(task).decode_request(call_with(body));
}

// The bytes that go out for the model "m".
std::string spliced(OpaqueTask task, std::string_view body) {
  const ClientCall call = call_with(body);
  const Request request = opaque_client(task).decode_request(call).value();
  const Capabilities capabilities;
  const EncodedCall encoded =
      openai_chat_provider()
          .splice_request(call, request, {.model = "m", .capabilities = &capabilities})
          .value();
  return std::string(encoded.wire.bytes());
}

struct Metered {
  std::string bytes;
  std::vector<Event> events;
  std::optional<Usage> usage;
};
Metered meter(OpaqueTask task, std::string_view body, size_t cut, bool is_event_stream = false,
              CallNotes notes = {}) {
  notes.operation = Operation::opaque;
  notes.task = task;
  notes.is_event_stream = is_event_stream;
  const std::unique_ptr<StreamDecoder> decoder = openai_chat_provider().stream_decoder(notes);
  Metered metered;
  for (const std::string_view piece : {body.substr(0, cut), body.substr(cut)}) {
    if (piece.empty()) continue;
    EXPECT_TRUE(decoder->feed(piece, metered.events));
    metered.bytes += decoder->forwardable();
  }
  EXPECT_TRUE(decoder->finish(metered.events));
  metered.bytes += decoder->forwardable();
  for (const Event& event : metered.events) {
    if (const auto* report = std::get_if<UsageReport>(&event)) metered.usage = report->usage;
  }
  return metered;
}

TEST(OpaqueClient, ReadsTheModelAndWhetherEventsWereAskedFor) {
  const Result<Request> plain = decode(OpaqueTask::speech, R"({"input":"hi","model":"tts-1"})");
  ASSERT_TRUE(plain) << plain.error().message;
  EXPECT_EQ(model_of(*plain), "tts-1");
  EXPECT_EQ(operation_name(*plain), "speech");
  EXPECT_FALSE(std::get<Opaque>(*plain).is_streamed);
  EXPECT_TRUE(std::get<Opaque>(decode(OpaqueTask::speech, R"({"model":"m","stream_format":"sse"})").value())
                  .is_streamed);
  EXPECT_TRUE(std::get<Opaque>(decode(OpaqueTask::image_generation, R"({"model":"m","stream":true})").value())
                  .is_streamed);
}

TEST(OpaqueClient, RefusesABodyWithoutAModelWhereTheVendorHasNoDefault) {
  for (const std::string_view body : {R"({"input":"hi"})", R"({"model":""})", R"({"model":null})"}) {
    const Result<Request> request = decode(OpaqueTask::speech, body);
    ASSERT_FALSE(request) << body;
    EXPECT_EQ(request.error().path, "model");
  }
  EXPECT_FALSE(decode(OpaqueTask::speech, R"({"model":7})"));
  EXPECT_FALSE(decode(OpaqueTask::speech, "[]"));
  EXPECT_FALSE(decode(OpaqueTask::moderation, "[]")) << "though it has a model by default";
  EXPECT_EQ(model_of(decode(OpaqueTask::moderation, R"({"input":"hi"})").value()), "omni-moderation-latest");
}

TEST(OpaqueClient, ExchangesNothingButTheModelsName) {
  EXPECT_EQ(spliced(OpaqueTask::speech, R"({ "input": "\u00e9", "model" : "a/tts", "speed":1.50 })"),
            R"({ "input": "\u00e9", "model" : "m", "speed":1.50 })");
  EXPECT_EQ(spliced(OpaqueTask::speech, R"({"model":"m"})"), R"({"model":"m"})");
  EXPECT_EQ(spliced(OpaqueTask::moderation, R"({ "input":"x"})"), R"({"model":"m", "input":"x"})");
  EXPECT_EQ(spliced(OpaqueTask::moderation, "{}"), R"({"model":"m"})");
  EXPECT_EQ(spliced(OpaqueTask::moderation, R"({"model":null,"input":"x"})"), R"({"model":"m","input":"x"})");
}

TEST(OpaqueClient, AsksAtTheTasksOwnPathForWhatTheClientAccepts) {
  constexpr std::array<std::pair<OpaqueTask, std::string_view>, 7> kPaths = {
      {{OpaqueTask::moderation, "/moderations"},
       {OpaqueTask::speech, "/audio/speech"},
       {OpaqueTask::transcription, "/audio/transcriptions"},
       {OpaqueTask::translation, "/audio/translations"},
       {OpaqueTask::image_generation, "/images/generations"},
       {OpaqueTask::image_edit, "/images/edits"},
       {OpaqueTask::image_variation, "/images/variations"}}};
  const Capabilities capabilities;
  for (const auto& [task, path] : kPaths) {
    ClientCall call = call_with(R"({"model":"x","stream":true})");
    const Request request = opaque_client(task).decode_request(call).value();
    const auto splice = [&] {
      return splice_opaque(call, std::get<Opaque>(request), {.model = "m", .capabilities = &capabilities});
    };
    const EncodedCall usual = splice();
    EXPECT_EQ(usual.wire.path, path);
    EXPECT_EQ(usual.wire.headers.get_or("content-type", ""), "application/json");
    EXPECT_EQ(usual.wire.headers.get_or("accept", ""), "*/*");
    EXPECT_EQ(usual.notes.operation, Operation::opaque);
    EXPECT_EQ(usual.notes.task, task);
    EXPECT_TRUE(usual.notes.is_streamed);
    call.headers.add("accept", "audio/mpeg");
    EXPECT_EQ(splice().wire.headers.get_or("accept", ""), "audio/mpeg");
  }
}

class Form final : public ClientForm {
 public:
  std::optional<uint64_t> size() const override { return 0; }
  bool is_whole() const override { return true; }
  bool can_restart() const override { return true; }
  void restart() override {}
  Task<std::string_view> read(Scope&) override { co_return std::string_view(); }
  std::string_view model() const override { return "whisper"; }
  void set_model(std::string_view) override {}
  std::string_view content_type() const override { return "multipart/form-data; boundary=b"; }
};

TEST(OpaqueClient, TakesTheModelOfAFormAndSendsItAsItIs) {
  Form form;
  ClientCall call;
  call.form = &form;
  const Request request = opaque_client(OpaqueTask::transcription).decode_request(call).value();
  EXPECT_EQ(model_of(request), "whisper");
  const Capabilities capabilities;
  const EncodedCall encoded =
      splice_opaque(call, std::get<Opaque>(request), {.model = "m", .capabilities = &capabilities});
  EXPECT_EQ(encoded.wire.headers.get_or("content-type", ""), "multipart/form-data; boundary=b");
  EXPECT_EQ(encoded.wire.bytes(), "");
}

// Nothing came at all: the answer has begun and ended all the same.
TEST(OpaqueMeter, BeginsAnAnswerWithoutBytes) {
  const Metered metered = meter(OpaqueTask::speech, "", 0);
  ASSERT_EQ(metered.events.size(), 2U);
  EXPECT_TRUE(std::holds_alternative<Payload>(metered.events.front()));
  EXPECT_TRUE(std::holds_alternative<End>(metered.events.back()));
}

TEST(OpaqueMeter, ReadsALastEventWithoutALineBreak) {
  const Metered metered =
      meter(OpaqueTask::speech, R"(data: {"type":"speech.audio.done","usage":{"input_tokens":3}})", 9, true);
  ASSERT_TRUE(metered.usage);
  EXPECT_EQ(metered.usage->in_uncached, 3);
}

TEST(OpaqueMeter, PassesEveryByteAndReadsTheUsageHoweverTheyAreCut) {
  const std::string body =
      R"({"data":[{"b64_json":"AAAA"}],"usage":{"input_tokens":30,"output_tokens":272,"total_tokens":302,)"
      R"("input_tokens_details":{"image_tokens":20,"text_tokens":10}}})";
  for (size_t cut = 0; cut <= body.size(); ++cut) {
    const Metered metered = meter(OpaqueTask::image_edit, body, cut);
    EXPECT_EQ(metered.bytes, body);
    ASSERT_TRUE(metered.usage) << cut;
    EXPECT_EQ(metered.usage->in_uncached, 10);
    EXPECT_EQ(metered.usage->in_image, 20);
    EXPECT_EQ(metered.usage->out_image, 272);
    EXPECT_TRUE(std::holds_alternative<Payload>(metered.events.front()));
    EXPECT_TRUE(std::holds_alternative<End>(metered.events.back()));
  }
}

TEST(OpaqueMeter, ReadsTheUsageOfTheLastEventHoweverTheyAreCut) {
  const std::string body =
      "event: transcript.text.delta\ndata: {\"type\":\"transcript.text.delta\",\"delta\":\"usage\"}\n\n"
      ": comment\ndata:{\"type\":\"transcript.text.done\",\"usage\":{\"type\":\"tokens\",\"input_tokens\":14,"
      "\"input_token_details\":{\"text_tokens\":4,\"audio_tokens\":10},\"output_tokens\":45}}\r\n\r\n";
  for (size_t cut = 0; cut <= body.size(); ++cut) {
    const Metered metered = meter(OpaqueTask::transcription, body, cut, true);
    EXPECT_EQ(metered.bytes, body);
    ASSERT_TRUE(metered.usage) << cut;
    EXPECT_EQ(metered.usage->in_uncached, 4);
    EXPECT_EQ(metered.usage->in_audio, 10);
    EXPECT_EQ(metered.usage->out_text, 45);
  }
}

TEST(OpaqueMeter, CountsTheTokensOfSpeechAsAudio) {
  const Metered metered = meter(OpaqueTask::speech,
                                "data: {\"type\":\"speech.audio.done\",\"usage\":{\"input_tokens\":14,"
                                "\"output_tokens\":101,\"total_tokens\":115}}\n\n",
                                0, true);
  ASSERT_TRUE(metered.usage);
  EXPECT_EQ(metered.usage->in_uncached, 14);
  EXPECT_EQ(metered.usage->out_audio, 101);
  EXPECT_FALSE(metered.usage->out_text);
}

TEST(OpaqueMeter, ReportsNothingWhereNothingIsStated) {
  for (const std::string_view body :
       {"\xff\xfb\x90 sound", "", "plain text", R"({"text":"hi"})", R"({"usage":null})",
        R"({"usage":{"type":"duration","seconds":"9s"},"duration":null})", R"({"duration":-1})",
        R"({"duration":1e300})", R"({"duration":"nan"})", R"({"duration":"-1"})", R"({"duration":""})",
        R"({"usage":{"input_tokens":1)"}) {
    const Metered metered = meter(OpaqueTask::transcription, body, 0);
    EXPECT_FALSE(metered.usage) << body;
    EXPECT_EQ(metered.bytes, body);
    ASSERT_EQ(metered.events.size(), 2u);
  }
}

// A part that is larger than the whole is a mistake of the provider: no bucket may be negative.
TEST(OpaqueMeter, MeasuresSoundInMillisecondsWhereItsLengthIsStated) {
  const std::pair<std::string_view, int64_t> kCases[] = {
      {R"({"text":"hi","usage":{"type":"duration","seconds":9}})", 9'000},
      {R"({"task":"transcribe","duration":8.470000267028809,"text":"hi","segments":[{"duration":3}]})",
       8'470},
      {R"({"duration":8.47,"usage":{"type":"duration","seconds":9}})", 9'000},
      {R"({"duration":0})", 0},
      // As some servers send it.
      {R"({"task":"transcribe","language":"english","duration":"8.47","text":"hi"})", 8'470},
      {R"({"usage":{"type":"duration","seconds":"9"}})", 9'000}};
  for (const auto& [body, ms] : kCases) {
    for (const OpaqueTask task : {OpaqueTask::transcription, OpaqueTask::translation}) {
      const Metered metered = meter(task, body, body.size() / 2);
      ASSERT_TRUE(metered.usage) << body;
      EXPECT_EQ(metered.usage->in_sound_ms, ms);
      EXPECT_FALSE(metered.usage->in_uncached);
    }
    EXPECT_FALSE(meter(OpaqueTask::moderation, body, 0).usage);
  }
  const Metered tokens = meter(
      OpaqueTask::transcription,
      R"({"duration":9,"usage":{"type":"tokens","input_tokens":14,"output_tokens":45,"total_tokens":59}})",
      7);
  ASSERT_TRUE(tokens.usage);
  EXPECT_EQ(tokens.usage->in_uncached, 14);
  EXPECT_FALSE(tokens.usage->in_sound_ms) << "billed by the token";
}

TEST(OpaqueMeter, CountsTheCharactersOfSpeechAsSoonAsThereIsSound) {
  const ClientCall call = call_with(R"({"model":"tts-1","input":"Grüße \u00e9"})");
  const Request request = opaque_client(OpaqueTask::speech).decode_request(call).value();
  const Capabilities any;
  const CallNotes notes =
      openai_chat_provider().splice_request(call, request, {.model = "m", .capabilities = &any})->notes;
  EXPECT_EQ(notes.input_characters, 7);
  const Metered sound = meter(OpaqueTask::speech, "\xff\xfb\x90", 1, false, notes);
  ASSERT_TRUE(sound.usage);
  EXPECT_EQ(sound.usage->in_characters, 7);
  CallNotes speech = notes;
  speech.operation = Operation::opaque;
  speech.task = OpaqueTask::speech;
  std::vector<Event> first;
  EXPECT_TRUE(openai_chat_provider().stream_decoder(speech)->feed("\xff", first));
  ASSERT_EQ(first.size(), 2U) << "before the end";
  EXPECT_EQ(std::get<UsageReport>(first[1]).usage.in_characters, 7);
  const Metered stated =
      meter(OpaqueTask::speech,
            "data: {\"type\":\"speech.audio.done\",\"usage\":{\"input_tokens\":4,\"output_tokens\":9}}\n\n",
            0, true, notes);
  ASSERT_TRUE(stated.usage);
  EXPECT_FALSE(stated.usage->in_characters) << "billed by the token";
  const Metered unstated =
      meter(OpaqueTask::speech, "data: {\"type\":\"speech.audio.done\"}\n\n", 0, true, notes);
  ASSERT_TRUE(unstated.usage);
  EXPECT_EQ(unstated.usage->in_characters, 7);
}

TEST(OpaqueMeter, CountsImagesWhereNoTokensAreStated) {
  const std::string body =
      R"({"created":1,"data":[{"b64_json":"QUJD\"{","meta":{"a":[{}]}}, {"url":"u"}],"other":[{},{}]})";
  for (size_t cut = 0; cut <= body.size(); ++cut) {
    const Metered metered = meter(OpaqueTask::image_edit, body, cut);
    ASSERT_TRUE(metered.usage) << cut;
    EXPECT_EQ(metered.usage->images, 2) << cut;
  }
  EXPECT_FALSE(meter(OpaqueTask::image_generation, R"({"data":[]})", 0).usage);
  EXPECT_FALSE(meter(OpaqueTask::moderation, body, 0).usage);
}

TEST(OpaqueMeter, TellsTheTokensOfImagesFromThoseOfText) {
  const auto usage_of = [](std::string_view usage) {
    return *meter(OpaqueTask::image_generation, fmt::format(R"({{"data":[{{}}],"usage":{}}})", usage), 0)
                .usage;
  };
  const Usage images = usage_of(
      R"({"input_tokens":50,"input_tokens_details":{"text_tokens":10,"image_tokens":40},"output_tokens":90})");
  EXPECT_EQ(images.in_uncached, 10);
  EXPECT_EQ(images.in_image, 40);
  EXPECT_EQ(images.out_image, 90);
  EXPECT_FALSE(images.out_text);
  EXPECT_FALSE(images.images) << "billed by the token";
  const Usage both = usage_of(
      R"({"input_tokens":5,"output_tokens":90,"output_tokens_details":{"image_tokens":80,"text_tokens":10}})");
  EXPECT_EQ(both.out_image, 80);
  EXPECT_EQ(both.out_text, 10);
  EXPECT_EQ(usage_of(R"({"output_tokens":9,"output_tokens_details":{"text_tokens":99}})").out_image, 0);
  EXPECT_EQ(usage_of(R"({"output_tokens":-9,"output_tokens_details":{"text_tokens":1}})").out_image, 0)
      << "there is nothing below zero";
}

TEST(OpaqueMeter, TakesTheWholeWhereThePartsDoNotMakeItUp) {
  const Metered metered = meter(
      OpaqueTask::image_edit, R"({"usage":{"input_tokens":5,"input_tokens_details":{"image_tokens":9}}})", 0);
  ASSERT_TRUE(metered.usage);
  EXPECT_EQ(metered.usage->in_uncached, 5);
  EXPECT_FALSE(metered.usage->in_image);
}

}  // namespace
}  // namespace weir
