// Each event of the vendor's own stream in a message of Bedrock's: {"bytes": base64 of its JSON}.
#include <fmt/core.h>

#include "base/encoding.h"
#include "codec/anthropic_encode.h"
#include "codec/bedrock_invoke_encode.h"
#include "codec/bedrock_wire.h"

namespace weir {
namespace {

class InvokeStreamEncoder final : public StreamEncoder {
 public:
  explicit InvokeStreamEncoder(AnswerContext context)
      : context_(context), inner_(make_anthropic_stream_encoder(std::move(context))) {}

  void encode(const Event& event, std::string& out) override {
    if (const auto* report = std::get_if<UsageReport>(&event)) usage_.set_from(report->usage);
    if (std::holds_alternative<Ping>(event)) return;  // the service has none
    const auto* delta = std::get_if<Delta>(&event);
    if (!delta || delta->kind != DeltaKind::content || delta->text.size() <= kBedrockDeltaBytesMax) {
      encode_whole(event, out);
      return;
    }
    for (std::string_view rest = delta->text; !rest.empty();) {
      std::string_view text = clip_utf8(rest, kBedrockDeltaBytesMax);
      if (text.empty()) text = rest;
      rest.remove_prefix(text.size());
      Delta piece = *delta;
      piece.text = text;
      encode_whole(piece, out);
    }
  }

  void keep_alive(std::string& out) override {
    events_.clear();
    inner_->keep_alive(events_);
    reframe(out);
  }

  void fail(const Error& error, std::string& out) override { append_bedrock_exception(out, error); }

 private:
  void encode_whole(const Event& event, std::string& out) {
    if (!first_ms_ && is_content(event)) first_ms_ = elapsed();
    events_.clear();
    inner_->encode(event, events_);
    reframe(out);
  }

  int64_t elapsed() const { return context_.elapsed_ms ? context_.elapsed_ms() : 0; }

  // The inner encoder writes server-sent events of one `data` line each, ended by an empty line.
  void reframe(std::string& out) {
    constexpr std::string_view kData = "data: ";
    std::string_view rest = events_;
    while (!rest.empty()) {
      const size_t blank = rest.find("\n\n");
      std::string_view event = rest.substr(0, blank);
      rest.remove_prefix(blank == std::string_view::npos ? rest.size() : blank + 2);
      const size_t data = event.find(kData);
      if (data == std::string_view::npos) continue;
      event.remove_prefix(data + kData.size());
      if (event.starts_with(R"({"type":"message_stop")")) {
        append_chunk(with_metrics(event), out);
      } else {
        append_chunk(event, out);
      }
    }
  }

  void append_chunk(std::string_view json, std::string& out) {
    payload_ = R"({"bytes":")";
    append_base64(payload_, json);
    payload_ += R"("})";
    append_bedrock_event(out, "chunk", payload_);
  }

  std::string with_metrics(std::string_view stop) const {
    const InvokeCounts counts = invoke_counts(with_estimate(usage_, context_));
    return fmt::format(
        R"({},"amazon-bedrock-invocationMetrics":{{"inputTokenCount":{},"outputTokenCount":{},)"
        R"("invocationLatency":{},"firstByteLatency":{},"cacheReadInputTokenCount":{},)"
        R"("cacheWriteInputTokenCount":{}}}}})",
        stop.substr(0, stop.size() - 1), counts.input, counts.output, elapsed(), first_ms_.value_or(0),
        counts.cache_read, counts.cache_written);
  }

  const AnswerContext context_;
  std::unique_ptr<StreamEncoder> inner_;
  std::string events_;
  std::string payload_;
  Usage usage_;
  std::optional<int64_t> first_ms_;  // when the first content came
};

}  // namespace

InvokeCounts invoke_counts(const Usage& usage) {
  InvokeCounts counts;
  counts.cache_read = usage.cache_read.value_or(0);
  counts.cache_written = usage.cache_write_5m.value_or(0) + usage.cache_write_1h.value_or(0);
  counts.input = usage.input_total() - counts.cache_read - counts.cache_written;
  counts.output = usage.output_total();
  return counts;
}

std::unique_ptr<StreamEncoder> make_invoke_stream_encoder(AnswerContext context) {
  return std::make_unique<InvokeStreamEncoder>(std::move(context));
}

}  // namespace weir
