// Streams of InvokeModel: each message holds one event of the model's own vendor, in base64.
#include <algorithm>

#include "base/encoding.h"
#include "codec/anthropic_decode.h"
#include "codec/bedrock_converse_decode.h"
#include "codec/bedrock_invoke_decode.h"
#include "codec/bedrock_wire.h"
#include "codec/event_stream_tap.h"
#include "codec/provider_json.h"

namespace weir {
namespace {

class InvokeStreamDecoder final : public StreamDecoder {
 public:
  explicit InvokeStreamDecoder(const CallNotes& notes)
      : notes_(notes), anthropic_(make_anthropic_stream_decoder(notes)), nova_(notes_) {}
  InvokeStreamDecoder(const InvokeStreamDecoder& other)
      : notes_(other.notes_),
        tap_(other.tap_),
        shape_(other.shape_),
        anthropic_(other.anthropic_->clone()),
        nova_(other.nova_, notes_),
        text_(other.text_) {}

  Result<void> feed(std::string_view bytes, std::vector<Event>& events) override {
    return tap_.feed(bytes, [&](const EventStreamMessage& message) { return on_message(message, events); });
  }

  Result<void> finish(std::vector<Event>& events) override {
    tap_.finish();
    if (shape_ == InvokeShape::anthropic) return anthropic_->finish(events);
    // S11: with a stop reason the answer is whole.
    if (shape_ == InvokeShape::nova ? nova_.conclude(events) : text_.conclude(events)) return {};
    return fail(ErrorKind::upstream_truncated, "the provider's stream ended before its answer was finished");
  }

  std::string_view forwardable() const override { return tap_.forwardable(); }
  std::unique_ptr<StreamDecoder> clone() const override {
    return std::make_unique<InvokeStreamDecoder>(*this);
  }

 private:
  Result<void> on_message(const EventStreamMessage& message, std::vector<Event>& events) {
    if (TRY(bedrock_event_type(message)) != "chunk") return {};
    const std::string bytes = TRY(bytes_of(message));
    JsonScratch scratch;
    const JsonValue body = TRY(parse_event(scratch, bytes));
    if (shape_ == InvokeShape::unknown) shape_ = invoke_shape(body);
    switch (shape_) {
      case InvokeShape::anthropic:
        return on_anthropic(bytes, events);
      case InvokeShape::nova:
        // One member names the event; the service adds its metrics beside it.
        if (body.size() > 0) nova_.read((*body.begin()).key(), *body.begin(), events);
        return {};
      case InvokeShape::text:
        text_.read(read_text_step(body), notes_, events);
        return {};
      case InvokeShape::unknown:
        break;
    }
    return fail(ErrorKind::upstream_malformed, "the provider's stream is of no known model family");
  }

  static Result<std::string> bytes_of(const EventStreamMessage& message) {
    JsonScratch scratch;
    const JsonValue payload = TRY(parse_event(scratch, message.payload));
    Result<std::string> bytes = base64_decode(payload["bytes"].string_or(""));
    if (!bytes) return fail(ErrorKind::upstream_malformed, "the provider sent a chunk that is not base64");
    return bytes;
  }

  Result<void> on_anthropic(std::string_view json, std::vector<Event>& events) {
    event_ = "data: ";
    // A line break, which can only be white space here, would end the data.
    std::replace_copy_if(
        json.begin(), json.end(), std::back_inserter(event_), [](char c) { return c == '\n' || c == '\r'; },
        ' ');
    event_ += "\n\n";
    return anthropic_->feed(event_, events);
  }

  const CallNotes notes_;
  EventStreamTap tap_;
  InvokeShape shape_ = InvokeShape::unknown;
  std::unique_ptr<StreamDecoder> anthropic_;
  ConverseEvents nova_;
  TextEvents text_;
  std::string event_;
};

}  // namespace

std::unique_ptr<StreamDecoder> make_invoke_stream_decoder(const CallNotes& notes) {
  return std::make_unique<InvokeStreamDecoder>(notes);
}

}  // namespace weir
