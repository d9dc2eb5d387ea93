// Streams in Anthropic's dialect. The SDKs drop every event without its `event:` line (clients.md 3.1).
#include <algorithm>
#include <fmt/core.h>

#include "codec/answer_forms.h"
#include "codec/anthropic_encode.h"
#include "codec/blocks_in_turn.h"
#include "codec/citations.h"
#include "io/sse.h"

namespace weir {
namespace {

constexpr Dialect kDialect = Dialect::anthropic_messages;
constexpr std::string_view kDeltaHead =
    "event: content_block_delta\ndata: {\"type\":\"content_block_delta\",\"index\":";

// S1: message_start goes out with the first content, so that it can state the input tokens. S10: stop reason
// and usage leave together at the end.
class AnthropicStreamEncoder final : public StreamEncoder {
 public:
  explicit AnthropicStreamEncoder(AnswerContext context) : context_(std::move(context)) {}

  void encode(const Event& event, std::string& out) override {
    std::visit([&](const auto& body) { on(body, out); }, event);
  }

  void keep_alive(std::string& out) override { out += "event: ping\ndata: {\"type\": \"ping\"}\n\n"; }

  void fail(const Error& error, std::string& out) override {
    out += "event: error\ndata: ";
    JsonWriter json(out);
    json.begin_object().key("type").value("error").key("error");
    write_anthropic_error(json, error);
    json.end_object();
    out += "\n\n";
  }

 private:
  // What BlocksInTurn calls, with the output of the event that is being encoded.
  struct Sink {
    AnthropicStreamEncoder& encoder;
    std::string& out;
    void open(const BlockStart& started) { encoder.open(started, out); }
    void write(const BlockStart& started, const Delta& delta) { encoder.write(started, delta, out); }
    void close(const BlockStart& started) { encoder.close(started, out); }
  };

  void on(const Start& start, std::string&) { start_ = start; }
  void on(const UsageReport& report, std::string&) { usage_.set_from(report.usage); }
  void on(const Ping&, std::string& out) { keep_alive(out); }
  void on(const Payload&, std::string&) {}
  void on(const Logprobs&, std::string&) {}
  void on(const Finish& finish, std::string&) {
    if (finish.choice == 0) finish_ = finish;
  }

  template <class BlockEvent>
  void on(const BlockEvent& event, std::string& out) {
    Sink sink{*this, out};
    blocks_.on(event, sink);
  }

  void on(const End&, std::string& out) {
    Sink sink{*this, out};
    blocks_.end(sink);
    write_head(out);
    out += "event: message_delta\ndata: ";
    JsonWriter json(out);
    json.begin_object().key("type").value("message_delta").key("delta").begin_object();
    json.key("stop_reason").value(anthropic_stop_reason(finish_.reason)).key("stop_sequence");
    if (finish_.stop_sequence.empty()) {
      json.null();
    } else {
      json.value(finish_.stop_sequence);
    }
    json.end_object().key("usage");
    write_anthropic_delta_usage(json, with_estimate(usage_, context_));
    json.end_object();
    out += "\n\nevent: message_stop\ndata: {\"type\":\"message_stop\"}\n\n";
  }

  static bool has_form(const BlockStart& started) { return has_answer_form(kDialect, started); }

  void open(const BlockStart& started, std::string& out) {
    if (!has_form(started)) return;
    write_head(out);
    out += "event: content_block_start\ndata: ";
    const size_t from = out.size();
    JsonWriter json(out);
    json.begin_object().key("type").value("content_block_start").key("index").value(index_);
    json.key("content_block");
    switch (started.kind) {
      case BlockKind::tool_call:
        if (started.tool_kind == ToolKind::server) {
          write_anthropic_server_call(json, started.data, {});
          break;
        }
        json.begin_object().key("type").value("tool_use").key("id").value(started.tool_id);
        json.key("name").value(started.tool_name).key("input").begin_object().end_object().end_object();
        break;
      case BlockKind::thinking:
        json.raw(R"({"type":"thinking","thinking":"","signature":""})");
        break;
      case BlockKind::redacted_thinking:
        json.begin_object().key("type").value("redacted_thinking").key("data").value(started.data);
        json.end_object();
        break;
      case BlockKind::unknown:
        json.raw(started.data);
        break;
      case BlockKind::text:
      case BlockKind::refusal:
      case BlockKind::audio:
      case BlockKind::image:
        json.raw(R"({"type":"text","text":""})");
        break;
    }
    json.end_object();
    end_raw_event(out, from);
  }

  static bool is_custom(const BlockStart& started) {
    return started.kind == BlockKind::tool_call && started.tool_kind == ToolKind::custom;
  }

  void close(const BlockStart& started, std::string& out) {
    if (!has_form(started)) return;
    if (is_custom(started)) write_custom_input(out);
    fmt::format_to(std::back_inserter(out),
                   "event: content_block_stop\ndata: {{\"type\":\"content_block_stop\",\"index\":{}}}\n\n",
                   index_);
    ++index_;
  }

  void write(const BlockStart& started, const Delta& delta, std::string& out) {
    if (!has_form(started) || delta.text.empty()) return;
    // Only thoughts have one here.
    const bool may_be_signed =
        started.kind == BlockKind::thinking && shares_signatures(delta.dialect, kDialect);
    if (delta.kind == DeltaKind::signature && !may_be_signed) return;
    const size_t from = out.size() + kDeltaHead.size();
    if (delta.kind == DeltaKind::citation) {
      write_citations(started, delta, out);
    } else if (started.kind == BlockKind::unknown) {
      open_delta({}, out);
      out += delta.text;
      out += '}';
      end_raw_event(out, from);
    } else if (is_custom(started)) {
      custom_input_ += delta.text;
    } else {
      open_delta(delta_prefix(started.kind, delta.kind), out);
      append_json_string(out, delta.text);
      out += "}}\n\n";
    }
  }

  // The input of a call is an object here: free text goes into it whole, at the block's end.
  void write_custom_input(std::string& out) {
    std::string input;
    JsonWriter(input).begin_object().key("input").value(std::exchange(custom_input_, {})).end_object();
    open_delta(delta_prefix(BlockKind::tool_call, DeltaKind::content), out);
    append_json_string(out, input);
    out += "}}\n\n";
  }

  void write_citations(const BlockStart& started, const Delta& delta, std::string& out) {
    if (started.kind != BlockKind::text) return;
    for (const std::string& citation : cite(kDialect, delta.dialect, delta.text, {}).raw) {
      const size_t from = out.size() + kDeltaHead.size();
      open_delta(R"({"type":"citations_delta","citation":)", out);
      out += citation;
      out += "}}";
      end_raw_event(out, from);
    }
  }

  // Ends an event whose data, from there on, holds JSON as it came: a line break in it, which can only be
  // white space, would end the data.
  static void end_raw_event(std::string& out, size_t from) {
    const auto is_break = [](char c) { return c == '\n' || c == '\r'; };
    out.erase(std::remove_if(out.begin() + static_cast<std::ptrdiff_t>(from), out.end(), is_break),
              out.end());
    out += "\n\n";
  }

  static std::string_view delta_prefix(BlockKind block, DeltaKind delta) {
    if (delta == DeltaKind::signature) return R"({"type":"signature_delta","signature":)";
    if (block == BlockKind::tool_call) return R"({"type":"input_json_delta","partial_json":)";
    if (block == BlockKind::thinking) return R"({"type":"thinking_delta","thinking":)";
    return R"({"type":"text_delta","text":)";
  }

  void open_delta(std::string_view prefix, std::string& out) {
    out += kDeltaHead;
    fmt::format_to(std::back_inserter(out), "{}", index_);
    out += ",\"delta\":";
    out += prefix;
  }

  // output_tokens is 0 here: some clients add it to the one of message_delta.
  void write_head(std::string& out) {
    if (std::exchange(has_head_, true)) return;
    Usage usage = with_estimate(usage_, context_);
    usage.out_text = 0;
    usage.out_reasoning.reset();
    usage.out_audio.reset();
    usage.out_image.reset();
    out += "event: message_start\ndata: ";
    JsonWriter json(out);
    json.begin_object().key("type").value("message_start").key("message").begin_object();
    write_anthropic_message_head(json, start_, context_);
    json.key("content").begin_array().end_array();
    json.key("stop_reason").null().key("stop_sequence").null().key("usage");
    write_anthropic_usage(json, usage, start_.service_tier);
    json.end_object().end_object();
    out += "\n\n";
  }

  const AnswerContext context_;
  Start start_;
  Usage usage_;
  Finish finish_;
  BlocksInTurn blocks_;
  std::string custom_input_;  // of the open block, a call of a custom tool
  int index_ = 0;             // of the open block, as the client counts
  bool has_head_ = false;
};

}  // namespace

std::unique_ptr<StreamEncoder> make_anthropic_stream_encoder(AnswerContext context) {
  return std::make_unique<AnthropicStreamEncoder>(std::move(context));
}

}  // namespace weir
