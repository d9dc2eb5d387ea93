// Streams of providers that speak Anthropic's dialect.
#include <algorithm>

#include "codec/anthropic_decode.h"
#include "codec/args.h"
#include "codec/citations.h"
#include "codec/provider_json.h"
#include "codec/sse_tap.h"

namespace weir {
namespace {

constexpr Dialect kDialect = Dialect::anthropic_messages;

// Deltas are keyed by the provider's index, never by what is "current" (S6). Usage is cumulative: what an
// event states replaces what was known, what it does not state stays (translation.md 4.6.2).
class AnthropicStreamDecoder final : public StreamDecoder {
 public:
  explicit AnthropicStreamDecoder(const CallNotes& notes) : notes_(notes) {}

  Result<void> feed(std::string_view bytes, std::vector<Event>& events) override {
    return tap_.feed(bytes, [&](const SseEvent& event) { return on_event(event, events); });
  }

  Result<void> finish(std::vector<Event>& events) override {
    TRY(tap_.finish([&](const SseEvent& event) { return on_event(event, events); }));
    if (is_done_) return {};
    // S11: without message_stop but with a stop reason the answer is whole.
    if (!finish_) {
      return fail(ErrorKind::upstream_truncated,
                  "the provider's stream ended before its answer was finished");
    }
    conclude(events);
    tap_.add("event: message_stop\ndata: {\"type\":\"message_stop\"}\n\n");
    return {};
  }

  std::string_view forwardable() const override { return tap_.forwardable(); }
  std::unique_ptr<StreamDecoder> clone() const override {
    return std::make_unique<AnthropicStreamDecoder>(*this);
  }

 private:
  struct Block {
    int64_t upstream = 0;  // the provider's index
    int index = 0;         // ours
    BlockKind kind = BlockKind::text;
    bool is_custom = false;  // its free text is wrapped, and unwrapped at the end
    bool is_open = true;
    bool has_arguments = false;
    std::string held_arguments;  // whole ones that came with the start; all of a custom tool
  };

  Result<SseVerdict> on_event(const SseEvent& event, std::vector<Event>& events) {
    if (is_done_) return SseVerdict::drop;  // nothing may follow the end
    if (event.is_comment) {
      events.push_back(Ping{});
      return SseVerdict::keep;
    }
    if (event.data.empty() || event.data == "[DONE]") return SseVerdict::keep;
    // On the raw way, past the commit point, text says nothing that Weir needs.
    if (notes_.is_raw && has_content_ && event.event == "content_block_delta" && looks_whole(event))
      return SseVerdict::keep_alike;
    JsonScratch scratch;
    const JsonValue body = TRY(parse_event(scratch, event.data));
    TRY(on_body(body, events));
    has_content_ = has_content_ || std::any_of(events.begin(), events.end(), is_content);
    return SseVerdict::keep;
  }

  Result<void> on_body(JsonValue body, std::vector<Event>& events) {
    const std::string_view type = body["type"].string_or("");
    if (type == "content_block_delta") {
      on_delta(block_of(body, events), body["delta"], events);
    } else if (type == "content_block_start") {
      on_block(body["index"].int_or(0), body["content_block"], events);
    } else if (type == "content_block_stop") {
      if (Block* block = find(body["index"].int_or(0))) close(*block, events);
    } else if (type == "message_start") {
      TRY(on_start(body["message"], events));
    } else if (type == "message_delta") {
      on_message_delta(body, events);
    } else if (type == "message_stop") {
      if (!finish_) {
        return fail(ErrorKind::upstream_truncated,
                    "the provider ended its stream before its answer was finished");
      }
      conclude(events);
    } else if (type == "ping") {
      events.push_back(Ping{});
    } else if (type == "error" || body["error"].is_object()) {
      return fail(anthropic_error_of(body["error"], 0));
    }
    return {};
  }

  // Some servers say it twice; but another answer inside this one, after a hidden retry, would leave half a
  // tool call behind.
  Result<void> on_start(JsonValue message, std::vector<Event>& events) {
    if (!blocks_.empty()) {
      return fail(ErrorKind::upstream_malformed, "the provider began a second answer inside its stream");
    }
    if (!std::exchange(started_, true)) events.push_back(decode_anthropic_start(message));
    report(message["usage"], events);
    return {};
  }

  void on_message_delta(JsonValue body, std::vector<Event>& events) {
    const JsonValue delta = body["delta"];
    if (delta["stop_reason"].is_string()) {
      Finish& finish = finish_.emplace();
      finish.native = delta["stop_reason"].string_or("");
      finish.reason = decode_anthropic_stop(finish.native);
      finish.stop_sequence = delta["stop_sequence"].string_or("");
    }
    report(body["usage"], events);
  }

  void report(JsonValue stated, std::vector<Event>& events) {
    const Usage usage = decode_anthropic_usage(stated, usage_);
    if (usage.empty()) return;
    usage_.set_from(usage);
    events.push_back(UsageReport{usage});
  }

  Block* find(int64_t upstream) {
    // The open one is the last.
    for (auto block = blocks_.rbegin(); block != blocks_.rend(); ++block) {
      if (block->upstream == upstream && block->is_open) return &*block;
    }
    return nullptr;
  }

  // The block of a delta; some servers never start theirs.
  Block& block_of(JsonValue body, std::vector<Event>& events) {
    const int64_t upstream = body["index"].int_or(0);
    if (Block* block = find(upstream)) return *block;
    BlockStart started{.dialect = kDialect};
    if (body["delta"]["thinking"].is_string()) started.kind = BlockKind::thinking;
    return open(upstream, std::move(started), events);
  }

  Block& open(int64_t upstream, BlockStart started, std::vector<Event>& events) {
    Block& block = blocks_.emplace_back();
    block.upstream = upstream;
    block.index = static_cast<int>(blocks_.size()) - 1;
    block.kind = started.kind;
    started.index = block.index;
    events.push_back(std::move(started));
    return block;
  }

  void on_block(int64_t upstream, JsonValue source, std::vector<Event>& events) {
    if (Block* unfinished = find(upstream)) close(*unfinished, events);
    BlockStart started = decode_anthropic_block(source, notes_);
    const bool is_call = started.kind == BlockKind::tool_call;
    const ToolKind tool_kind = started.tool_kind;
    Block& block = open(upstream, std::move(started), events);
    block.is_custom = is_call && tool_kind == ToolKind::custom;
    if (is_call && source["input"].size() > 0) block.held_arguments = source["input"].raw();
    content(block, source["text"].string_or(""), events);
    content(block, source["thinking"].string_or(""), events);
    add(block, DeltaKind::signature, source["signature"].string_or(""), events);
    for (const JsonValue citation : source["citations"])
      add(block, DeltaKind::citation, renumber_anthropic_citation(citation, notes_.documents), events);
  }

  void on_delta(Block& block, JsonValue delta, std::vector<Event>& events) {
    if (block.kind == BlockKind::unknown) return add(block, DeltaKind::content, delta.raw(), events);
    const std::string_view type = delta["type"].string_or("");
    if (type == "text_delta") {
      content(block, delta["text"].string_or(""), events);
    } else if (type == "input_json_delta") {
      const std::string_view fragment = delta["partial_json"].string_or("");
      if (fragment.empty()) return;
      if (!std::exchange(block.has_arguments, true)) block.held_arguments.clear();
      if (block.is_custom) {
        block.held_arguments += fragment;
      } else {
        add(block, DeltaKind::content, fragment, events);
      }
    } else if (type == "thinking_delta") {
      content(block, delta["thinking"].string_or(""), events);
    } else if (type == "signature_delta") {
      add(block, DeltaKind::signature, delta["signature"].string_or(""), events);
    } else if (type == "citations_delta") {
      add(block, DeltaKind::citation, renumber_anthropic_citation(delta["citation"], notes_.documents),
          events);
    }
  }

  void content(Block& block, std::string_view text, std::vector<Event>& events) {
    if (block.kind == BlockKind::text || block.kind == BlockKind::thinking)
      add(block, DeltaKind::content, text, events);
  }

  static void add(Block& block, DeltaKind kind, std::string_view text, std::vector<Event>& events) {
    if (text.empty()) return;
    events.push_back(
        Delta{.index = block.index, .kind = kind, .text = std::string(text), .dialect = kDialect});
  }

  void close(Block& block, std::vector<Event>& events) {
    if (!block.is_open) return;
    block.is_open = false;
    if (block.is_custom) {
      add(block, DeltaKind::content, custom_tool_input(block.held_arguments), events);
    } else if (block.kind == BlockKind::tool_call && !block.has_arguments) {
      // S7: a call without arguments is a call with none.
      add(block, DeltaKind::content,
          block.held_arguments.empty() ? std::string_view("{}") : block.held_arguments, events);
    }
    events.push_back(BlockEnd{.index = block.index});
  }

  void conclude(std::vector<Event>& events) {
    is_done_ = true;
    for (Block& block : blocks_) close(block, events);
    events.push_back(*finish_);
    events.push_back(End{});
  }

  CallNotes notes_;
  SseTap tap_;
  std::vector<Block> blocks_;
  bool started_ = false;
  Usage usage_;
  std::optional<Finish> finish_;
  bool is_done_ = false;
  bool has_content_ = false;  // the commit point has passed
};

}  // namespace

std::unique_ptr<StreamDecoder> make_anthropic_stream_decoder(const CallNotes& notes) {
  return std::make_unique<AnthropicStreamDecoder>(notes);
}

}  // namespace weir
