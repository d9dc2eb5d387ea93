#include "codec/openai_opaque.h"

#include <algorithm>
#include <array>
#include <charconv>
#include <cmath>
#include <fmt/core.h>

#include "base/json.h"
#include "base/text.h"
#include "codec/json_member_tap.h"
#include "codec/openai.h"
#include "codec/openai_decode.h"
#include "codec/provider_json.h"

namespace weir {
namespace {

constexpr size_t kUsageBytesMax = 16 * kKiB;

// By OpaqueTask.
struct TaskRow {
  std::string_view path;
  std::string_view default_model;  // what the vendor takes when the body names none; empty: it must name one
};
constexpr std::array<TaskRow, 7> kTasks = {{
    {"/moderations", "omni-moderation-latest"},
    {"/audio/speech", ""},
    {"/audio/transcriptions", ""},
    {"/audio/translations", ""},
    {"/images/generations", ""},
    {"/images/edits", ""},
    {"/images/variations", ""},
}};

const TaskRow& row_of(OpaqueTask task) {
  return kTasks[static_cast<size_t>(task)];
}

class OpaqueClient final : public ClientCodec {
 public:
  explicit OpaqueClient(OpaqueTask task) : task_(task) {}
  Dialect dialect() const override { return Dialect::openai_chat; }

  Result<Request> decode_request(const ClientCall& call) const override {
    Opaque opaque;
    opaque.task = task_;
    if (call.form) {
      opaque.model = call.form->model();
      return opaque;
    }
    opaque.arena->hold(call.body);
    const JsonValue root = call.body->root();
    TRY(root.expect(JsonType::object));
    const JsonValue model = root["model"];
    opaque.model = model.is_absent() ? row_of(task_).default_model : TRY(model.as_string());
    // Speech says it by its own field.
    opaque.is_streamed = root["stream"].bool_or(false) || root["stream_format"].string_or("") == "sse";
    if (opaque.model.empty())
      return fail(ErrorKind::bad_request, "model is missing: name the model to use", "model");
    return opaque;
  }

  // Answers are never encoded: they pass as bytes. An error within a stream of events has this form.
  std::unique_ptr<StreamEncoder> stream_encoder(AnswerContext context) const override {
    return openai_chat_client().stream_encoder(std::move(context));
  }
  ClientReply encode_answer(const Answer& answer, const AnswerContext& context) const override {
    return openai_chat_client().encode_answer(answer, context);
  }
  ClientReply encode_error(const Error& error, std::string_view request_id) const override {
    return openai_chat_client().encode_error(error, request_id);
  }

 private:
  const OpaqueTask task_;
};

std::optional<int64_t> count_in(JsonValue object, std::initializer_list<std::string_view> names) {
  for (const std::string_view name : names) {
    if (const std::optional<int64_t> count = count_of(object[name])) return count;
  }
  return std::nullopt;
}

bool makes_images(OpaqueTask task) {
  return task == OpaqueTask::image_generation || task == OpaqueTask::image_edit ||
         task == OpaqueTask::image_variation;
}

bool listens(OpaqueTask task) {
  return task == OpaqueTask::transcription || task == OpaqueTask::translation;
}

// Both spellings of the vendor and of those who follow it. Of images all output is their tokens, unless the
// details say otherwise.
Usage decode_usage(JsonValue stated, OpaqueTask task) {
  Usage usage;
  const std::optional<int64_t> input = count_in(stated, {"input_tokens", "prompt_tokens"});
  const std::optional<int64_t> output = count_in(stated, {"output_tokens", "completion_tokens"});
  for (const std::string_view name :
       {"input_tokens_details", "input_token_details", "prompt_tokens_details"}) {
    const JsonValue details = stated[name];
    if (!usage.in_audio) usage.in_audio = count_in(details, {"audio_tokens"});
    if (!usage.in_image) usage.in_image = count_in(details, {"image_tokens"});
  }
  if (input) usage.in_uncached = *input - usage.in_audio.value_or(0) - usage.in_image.value_or(0);
  if (usage.in_uncached.value_or(0) < 0) {  // the parts do not make up the whole: the whole counts
    usage = {};
    usage.in_uncached = input;
  }
  if (!makes_images(task)) {
    (task == OpaqueTask::speech ? usage.out_audio : usage.out_text) = output;
    return usage;
  }
  const std::optional<int64_t> text = count_in(stated["output_tokens_details"], {"text_tokens"});
  const int64_t text_tokens = std::clamp<int64_t>(text.value_or(0), 0, output.value_or(0));
  if (text_tokens > 0) usage.out_text = text_tokens;
  if (output) usage.out_image = *output - text_tokens;
  return usage;
}

double number_in(std::string_view text, double otherwise) {
  double number = otherwise;
  const auto [end, failed] = std::from_chars(text.data(), text.data() + text.size(), number);
  return failed == std::errc() && end == text.data() + text.size() ? number : otherwise;
}

// Seconds, a number or the text of one, as whole milliseconds. Nothing for what is no time that a file of
// sound could last.
std::optional<int64_t> ms_of(JsonValue seconds) {
  constexpr double kSecondsMax = 1e9;
  const double value = seconds.is_string() ? number_in(seconds.string_or(""), -1) : seconds.double_or(-1);
  if (!(value >= 0 && value <= kSecondsMax)) return std::nullopt;
  return std::llround(value * 1000);
}

// The `usage` of the events of a stream, each a JSON object on one line; the last one counts.
class EventTap {
 public:
  void feed(std::string_view bytes) {
    while (!bytes.empty()) {
      const size_t line_end = bytes.find('\n');
      take_line_part(bytes.substr(0, line_end));
      if (line_end == std::string_view::npos) return;
      end_line();
      bytes.remove_prefix(line_end + 1);
    }
  }
  void end_line() {
    if (!tap_.value().empty()) usage_ = tap_.value();
    prefix_ = 0;
    tap_ = JsonMemberTap("usage", kUsageBytesMax);
  }
  const std::string& usage() const { return usage_; }

 private:
  static constexpr std::string_view kData = "data:";
  static constexpr size_t kNoData = kData.size() + 1;

  void take_line_part(std::string_view part) {
    while (prefix_ < kData.size() && !part.empty()) {
      prefix_ = part.front() == kData[prefix_] ? prefix_ + 1 : kNoData;
      part.remove_prefix(1);
    }
    if (prefix_ == kData.size()) tap_.feed(part);
  }

  JsonMemberTap tap_{"usage", kUsageBytesMax};
  size_t prefix_ = 0;  // of kData that the line began with; kNoData: it did not
  std::string usage_;
};

class OpaqueMeter final : public StreamDecoder {
 public:
  explicit OpaqueMeter(const CallNotes& notes)
      : task_(notes.task),
        is_event_stream_(notes.is_event_stream),
        input_characters_(notes.input_characters) {}

  Result<void> feed(std::string_view bytes, std::vector<Event>& events) override {
    begin(events);
    if (is_event_stream_) {
      events_.feed(bytes);
    } else {
      whole_.feed(bytes);
      if (listens(task_)) duration_.feed(bytes);
      if (makes_images(task_)) images_.feed(bytes);
    }
    forwardable_ = bytes;
    return {};
  }

  Result<void> finish(std::vector<Event>& events) override {
    begin(events);
    events_.end_line();
    if (const Usage usage = measured(); !usage.empty()) events.push_back(UsageReport{usage});
    events.push_back(End{});
    forwardable_ = {};
    return {};
  }

  std::string_view forwardable() const override { return forwardable_; }
  std::unique_ptr<StreamDecoder> clone() const override { return std::make_unique<OpaqueMeter>(*this); }

 private:
  void begin(std::vector<Event>& events) {
    if (std::exchange(has_begun_, true)) return;
    events.push_back(Payload{.body = OpaqueAnswer{}});
    // Sound states nothing, and it was made of all of the text even if nobody listens to its end.
    if (is_event_stream_ || !input_characters_) return;
    UsageReport spoken;
    spoken.usage.in_characters = input_characters_;
    events.push_back(spoken);
  }

  // Tokens where they are stated; else what the answer is measured by.
  Usage measured() const {
    const std::string_view stated = is_event_stream_ ? std::string_view(events_.usage()) : whole_.value();
    const Result<JsonDoc> usage = JsonDoc::parse(std::string(stated), kProviderJson);
    if (usage) {
      if (Usage tokens = decode_usage(usage->root(), task_); !tokens.empty()) return tokens;
    }
    Usage rest;
    rest.in_characters = input_characters_;
    if (listens(task_)) rest.in_sound_ms = usage ? ms_of(usage->root()["seconds"]) : std::nullopt;
    if (listens(task_) && !rest.in_sound_ms) {
      const Result<JsonDoc> duration = JsonDoc::parse(std::string(duration_.value()), kProviderJson);
      if (duration) rest.in_sound_ms = ms_of(duration->root());
    }
    if (images_.objects() > 0) rest.images = images_.objects();
    return rest;
  }

  OpaqueTask task_;
  bool is_event_stream_;
  std::optional<int64_t> input_characters_;
  bool has_begun_ = false;
  JsonMemberTap whole_{"usage", kUsageBytesMax};
  JsonMemberTap duration_{"duration", kUsageBytesMax};
  JsonMemberTap images_{"data", 0};
  EventTap events_;
  std::string_view forwardable_;
};

}  // namespace

const ClientCodec& opaque_client(OpaqueTask task) {
  static const std::array<OpaqueClient, 7> codecs = {
      OpaqueClient(OpaqueTask::moderation),       OpaqueClient(OpaqueTask::speech),
      OpaqueClient(OpaqueTask::transcription),    OpaqueClient(OpaqueTask::translation),
      OpaqueClient(OpaqueTask::image_generation), OpaqueClient(OpaqueTask::image_edit),
      OpaqueClient(OpaqueTask::image_variation)};
  return codecs[static_cast<size_t>(task)];
}

EncodedCall splice_opaque(const ClientCall& call, const Opaque& opaque, const TargetModel& target) {
  EncodedCall encoded;
  encoded.notes.operation = Operation::opaque;
  encoded.notes.task = opaque.task;
  encoded.notes.is_streamed = opaque.is_streamed;
  encoded.wire.path = row_of(opaque.task).path;
  encoded.wire.headers.add("content-type", call.form ? call.form->content_type() : "application/json");
  encoded.wire.headers.add("accept", call.headers.get_or("accept", "*/*"));
  if (call.form) return encoded;
  const JsonValue root = call.body->root();
  if (opaque.task == OpaqueTask::speech && root["input"].is_string())
    encoded.notes.input_characters = characters(root["input"].string_or(""));
  const JsonValue model = root["model"];
  // Nobody said it: the vendor's default stands.
  const std::string_view said = model.is_absent() ? row_of(opaque.task).default_model : model.string_or("");
  if (said == target.model) {
    encoded.wire.client_body = call.body->source();
    return encoded;
  }
  std::string text;
  append_json_string(text, target.model);
  JsonEdit edit{.offset = model.offset(), .length = model.raw().size(), .text = text};
  if (!model) {
    text = fmt::format("\"model\":{}{}", text, root.size() > 0 ? "," : "");
    edit = {.offset = root.offset() + 1, .length = 0, .text = text};
  }
  encoded.wire.body = splice(call.body->source(), {edit});
  return encoded;
}

std::unique_ptr<StreamDecoder> make_opaque_meter(const CallNotes& notes) {
  return std::make_unique<OpaqueMeter>(notes);
}

}  // namespace weir
