// Streams in Bedrock's Converse dialect: messages of an event stream.
#include "base/encoding.h"
#include "codec/answer_forms.h"
#include "codec/bedrock_converse_blocks.h"
#include "codec/bedrock_converse_content.h"
#include "codec/bedrock_converse_encode.h"
#include "codec/bedrock_wire.h"
#include "codec/blocks_in_turn.h"
#include "codec/citations.h"

namespace weir {
namespace {

constexpr Dialect kDialect = Dialect::bedrock_converse;

// Stop reason and usage leave together at the end (S10), the stop reason first.
class ConverseStreamEncoder final : public StreamEncoder {
 public:
  explicit ConverseStreamEncoder(AnswerContext context) : context_(std::move(context)) {}

  void encode(const Event& event, std::string& out) override {
    std::visit([&](const auto& body) { on(body, out); }, event);
  }

  // No event of the service's says nothing; the AWS SDKs pass over one of unknown type (clients.md 3.2). So
  // only a long silence has it, and never a ping of the provider's.
  void keep_alive(std::string& out) override { append_bedrock_event(out, "ping", "{}"); }

  void fail(const Error& error, std::string& out) override { append_bedrock_exception(out, error); }

 private:
  // What BlocksInTurn calls, with the output of the event that is being encoded.
  struct Sink {
    ConverseStreamEncoder& encoder;
    std::string& out;
    void open(const BlockStart& started) { encoder.open(started, out); }
    void write(const BlockStart& started, const Delta& delta) { encoder.write(started, delta, out); }
    void close(const BlockStart& started) { encoder.close(started, out); }
  };

  void on(const Start&, std::string&) {}
  void on(const UsageReport& report, std::string&) { usage_.set_from(report.usage); }
  void on(const Ping&, std::string&) {}
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
    std::string& stop = begin();
    JsonWriter json(stop);
    json.begin_object().key("stopReason").value(converse_stop_reason(finish_.reason));
    write_converse_response_fields(json, finish_, context_);
    json.end_object();
    append_bedrock_event(out, "messageStop", stop);
    std::string& metadata = begin();
    JsonWriter numbers(metadata);
    numbers.begin_object().key("usage");
    write_converse_usage(numbers, usage_);
    numbers.key("metrics");
    write_converse_metrics(numbers, context_);
    numbers.end_object();
    append_bedrock_event(out, "metadata", metadata);
  }

  static bool has_form(const BlockStart& started) { return has_answer_form(kDialect, started); }

  // A block that this dialect alone understands.
  static bool is_own(const BlockStart& started) {
    return started.kind == BlockKind::unknown ||
           (started.kind == BlockKind::tool_call && started.tool_kind == ToolKind::server);
  }
  // What is sent at the block's end: free text is wrapped then, and an image is one piece of base64.
  static bool is_held(const BlockStart& started) {
    return started.kind == BlockKind::image || is_custom(started);
  }

  void send_start(std::string_view start, std::string& out) {
    is_sent_ = true;
    std::string& payload = begin();
    JsonWriter json(payload);
    json.begin_object().key("contentBlockIndex").value(index_).key("start").raw(start).end_object();
    append_bedrock_event(out, "contentBlockStart", payload);
  }

  // Texts and thoughts have no start of their own (S9).
  void open(const BlockStart& started, std::string& out) {
    if (!has_form(started)) return;
    write_head(out);
    is_sent_ = false;
    if (is_own(started)) {
      const ConverseBlockPieces pieces = split_converse_block(started.data);
      send_start(pieces.start, out);
      if (!pieces.delta.empty()) send_delta(pieces.delta, out);
    } else if (started.kind == BlockKind::tool_call || started.kind == BlockKind::image) {
      std::string start;
      JsonWriter json(start);
      if (started.kind == BlockKind::image) {
        json.begin_object().key("image").begin_object();
        json.key("format").value(converse_format("image", started.data)).end_object().end_object();
      } else {
        json.begin_object().key("toolUse").begin_object();
        json.key("toolUseId").value(converse_call_id(started.tool_id));
        json.key("name").value(started.tool_name).end_object().end_object();
      }
      send_start(start, out);
    } else if (started.kind == BlockKind::redacted_thinking) {
      std::string blob = R"({"reasoningContent":{"redactedContent":)";
      append_json_string(blob, converse_blob(started.data));
      send_delta(blob + "}}", out);
    }
    held_.clear();
  }

  void close(const BlockStart& started, std::string& out) {
    if (!has_form(started)) return;
    if (is_custom(started)) {
      std::string wrapped;
      JsonWriter(wrapped).begin_object().key("input").value(held_).end_object();
      send_text(started.kind, wrapped, out);
    } else if (started.kind == BlockKind::image) {
      std::string body = R"({"image":{"source":{"bytes":)";
      append_json_string(body, held_);
      send_delta(body + "}}}", out);
    }
    if (!is_sent_) return;
    std::string& payload = begin();
    JsonWriter(payload).begin_object().key("contentBlockIndex").value(index_).end_object();
    append_bedrock_event(out, "contentBlockStop", payload);
    ++index_;
  }

  static bool is_custom(const BlockStart& started) {
    return started.kind == BlockKind::tool_call && started.tool_kind == ToolKind::custom;
  }

  void write(const BlockStart& started, const Delta& delta, std::string& out) {
    if (!has_form(started) || is_own(started) || delta.text.empty()) return;
    if (delta.kind == DeltaKind::citation) {
      if (started.kind != BlockKind::text) return;
      for (const std::string& citation : cite(kDialect, delta.dialect, delta.text, {}).raw)
        send_delta(R"({"citation":)" + citation + "}", out);
    } else if (delta.kind == DeltaKind::signature) {
      // A signature of another vendor would come back as if it were Bedrock's; a call's has no place.
      if (started.kind != BlockKind::thinking || !shares_signatures(delta.dialect, kDialect)) return;
      std::string body = R"({"reasoningContent":{"signature":)";
      append_json_string(body, delta.text);
      send_delta(body + "}}", out);
    } else if (is_held(started)) {
      held_ += delta.text;
    } else {
      send_text(started.kind, delta.text, out);
    }
  }

  void send_text(BlockKind kind, std::string_view text, std::string& out) {
    while (!text.empty()) {
      const std::string_view piece = clip_utf8(text, kBedrockDeltaBytesMax);
      text.remove_prefix(piece.empty() ? text.size() : piece.size());
      std::string body(prefix(kind));
      append_json_string(body, piece);
      body += kind == BlockKind::text || kind == BlockKind::refusal ? "}" : "}}";
      send_delta(body, out);
    }
  }

  static std::string_view prefix(BlockKind kind) {
    if (kind == BlockKind::tool_call) return R"({"toolUse":{"input":)";
    if (kind == BlockKind::thinking) return R"({"reasoningContent":{"text":)";
    return R"({"text":)";
  }

  void send_delta(std::string_view delta, std::string& out) {
    is_sent_ = true;
    std::string& payload = begin();
    JsonWriter json(payload);
    json.begin_object().key("contentBlockIndex").value(index_).key("delta").raw(delta).end_object();
    append_bedrock_event(out, "contentBlockDelta", payload);
  }

  void write_head(std::string& out) {
    if (!std::exchange(has_head_, true)) append_bedrock_event(out, "messageStart", R"({"role":"assistant"})");
  }

  std::string& begin() {
    payload_.clear();
    return payload_;
  }

  const AnswerContext context_;
  Usage usage_;
  Finish finish_;
  BlocksInTurn blocks_;
  std::string held_;  // of the open block: what is sent at its end
  std::string payload_;
  int index_ = 0;  // of the open block, as the client counts
  bool has_head_ = false;
  bool is_sent_ = false;  // something of the open block was: the index counts only such blocks
};

}  // namespace

std::unique_ptr<StreamEncoder> make_converse_stream_encoder(AnswerContext context) {
  return std::make_unique<ConverseStreamEncoder>(std::move(context));
}

}  // namespace weir
