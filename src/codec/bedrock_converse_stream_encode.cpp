// Streams in Bedrock's Converse dialect: messages of an event stream.
#include <deque>

#include "base/encoding.h"
#include "codec/bedrock_converse_encode.h"
#include "codec/bedrock_wire.h"

namespace weir {
namespace {

constexpr Dialect kDialect = Dialect::bedrock_converse;

// Blocks never interleave: one is open, the events of later ones wait. Stop reason and usage leave together
// at the end (S10), the stop reason first.
class ConverseStreamEncoder final : public StreamEncoder {
 public:
  explicit ConverseStreamEncoder(const AnswerContext& context) : context_(context) {}

  void encode(const Event& event, std::string& out) override {
    std::visit([&](const auto& body) { on(body, out); }, event);
  }

  // The AWS SDKs pass over events of unknown type (clients.md 3.2).
  void keep_alive(std::string& out) override { append_bedrock_event(out, "ping", "{}"); }

  void fail(const Error& error, std::string& out) override { append_bedrock_exception(out, error); }

 private:
  struct Block {
    BlockStart start;
    std::vector<Delta> waiting;  // while another block is open
    bool has_ended = false;
    bool is_shown = true;  // false: the dialect has no form for it
    bool is_sent = false;  // something of it was written; indices count only such blocks
  };

  void on(const Start&, std::string&) {}
  void on(const UsageReport& report, std::string&) { usage_.set_from(report.usage); }
  void on(const Ping&, std::string& out) { keep_alive(out); }
  void on(const Payload&, std::string&) {}
  void on(const Logprobs&, std::string&) {}
  void on(const Finish& finish, std::string&) {
    if (finish.choice == 0) finish_ = finish;
  }

  void on(const BlockStart& started, std::string& out) {
    if (started.choice != 0) return;
    const bool is_first = blocks_.empty();
    Block& block = blocks_.emplace_back();
    block.start = started;
    block.is_shown = has_form(started);
    if (is_first) open_front(out);
  }

  void on(const Delta& delta, std::string& out) {
    if (delta.choice != 0) return;
    Block* block = find(delta.index);
    if (!block) {
      // A delta for a block that was never started is a text block's.
      on(BlockStart{.index = delta.index}, out);
      block = &blocks_.back();
    }
    if (block != &blocks_.front()) {
      block->waiting.push_back(delta);
      return;
    }
    write_delta(*block, delta, out);
  }

  void on(const BlockEnd& ended, std::string& out) {
    if (ended.choice != 0) return;
    Block* block = find(ended.index);
    if (!block) return;
    block->has_ended = true;
    if (block == &blocks_.front()) close_ended(out);
  }

  void on(const End&, std::string& out) {
    for (Block& block : blocks_) block.has_ended = true;
    close_ended(out);
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

  Block* find(int index) {
    for (Block& block : blocks_) {
      if (block.start.index == index) return &block;
    }
    return nullptr;
  }

  static bool has_form(const BlockStart& started) {
    switch (started.kind) {
      case BlockKind::audio:
      case BlockKind::image:
      case BlockKind::unknown:
        return false;
      case BlockKind::tool_call:
        return started.tool_kind != ToolKind::server;
      case BlockKind::text:
      case BlockKind::thinking:
      case BlockKind::redacted_thinking:
      case BlockKind::refusal:
        break;
    }
    return true;
  }

  // Closes the open block if it has ended, and goes on with those that waited.
  void close_ended(std::string& out) {
    while (!blocks_.empty() && blocks_.front().has_ended) {
      close_front(out);
      blocks_.pop_front();
      if (blocks_.empty()) return;
      open_front(out);
      Block& next = blocks_.front();
      for (const Delta& delta : std::exchange(next.waiting, {})) write_delta(next, delta, out);
    }
  }

  // Only tool calls have a start of their own (S9).
  void open_front(std::string& out) {
    const Block& block = blocks_.front();
    if (!block.is_shown) return;
    write_head(out);
    const BlockStart& started = block.start;
    if (started.kind == BlockKind::tool_call) {
      std::string& payload = begin();
      JsonWriter json(payload);
      json.begin_object().key("contentBlockIndex").value(index_).key("start").begin_object();
      json.key("toolUse").begin_object().key("toolUseId").value(converse_call_id(started.tool_id));
      json.key("name").value(started.tool_name).end_object().end_object().end_object();
      append_bedrock_event(out, "contentBlockStart", payload);
      blocks_.front().is_sent = true;
    } else if (started.kind == BlockKind::redacted_thinking) {
      std::string blob = R"({"reasoningContent":{"redactedContent":)";
      append_json_string(blob, converse_blob(started.data));
      send_delta(blob + "}}", out);
    }
    custom_input_.clear();
  }

  void close_front(std::string& out) {
    Block& block = blocks_.front();
    if (!block.is_shown) return;
    if (is_custom(block)) {
      std::string wrapped;
      JsonWriter(wrapped).begin_object().key("input").value(custom_input_).end_object();
      send_text(block, wrapped, out);
    }
    if (!block.is_sent) return;
    std::string& payload = begin();
    JsonWriter(payload).begin_object().key("contentBlockIndex").value(index_).end_object();
    append_bedrock_event(out, "contentBlockStop", payload);
    ++index_;
  }

  static bool is_custom(const Block& block) {
    return block.start.kind == BlockKind::tool_call && block.start.tool_kind == ToolKind::custom;
  }

  void write_delta(Block& block, const Delta& delta, std::string& out) {
    if (!block.is_shown || delta.text.empty()) return;
    if (delta.kind == DeltaKind::citation) {
      if (delta.dialect == kDialect) send_delta(R"({"citation":)" + delta.text + "}", out);
    } else if (delta.kind == DeltaKind::signature) {
      // A signature of another vendor would come back as if it were Bedrock's; a call's has no place.
      if (block.start.kind != BlockKind::thinking || !shares_signatures(delta.dialect, kDialect)) return;
      std::string body = R"({"reasoningContent":{"signature":)";
      append_json_string(body, delta.text);
      send_delta(body + "}}", out);
    } else if (is_custom(block)) {
      custom_input_ += delta.text;
    } else {
      send_text(block, delta.text, out);
    }
  }

  void send_text(const Block& block, std::string_view text, std::string& out) {
    while (!text.empty()) {
      const std::string_view piece = clip_utf8(text, kBedrockDeltaBytesMax);
      text.remove_prefix(piece.empty() ? text.size() : piece.size());
      std::string body(prefix(block.start.kind));
      append_json_string(body, piece);
      body += block.start.kind == BlockKind::text || block.start.kind == BlockKind::refusal ? "}" : "}}";
      send_delta(body, out);
    }
  }

  static std::string_view prefix(BlockKind kind) {
    if (kind == BlockKind::tool_call) return R"({"toolUse":{"input":)";
    if (kind == BlockKind::thinking) return R"({"reasoningContent":{"text":)";
    return R"({"text":)";
  }

  void send_delta(std::string_view delta, std::string& out) {
    blocks_.front().is_sent = true;
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
  std::deque<Block> blocks_;  // the first is the open one
  std::string custom_input_;  // of the open block: free text, which is wrapped at its end
  std::string payload_;
  int index_ = 0;  // of the open block, as the client counts
  bool has_head_ = false;
};

}  // namespace

std::unique_ptr<StreamEncoder> make_converse_stream_encoder(const AnswerContext& context) {
  return std::make_unique<ConverseStreamEncoder>(context);
}

}  // namespace weir
