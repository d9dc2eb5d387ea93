// Streams of Bedrock's Converse.
#include <algorithm>

#include "base/encoding.h"
#include "codec/args.h"
#include "codec/bedrock_converse_blocks.h"
#include "codec/bedrock_converse_content.h"
#include "codec/bedrock_converse_decode.h"
#include "codec/bedrock_wire.h"
#include "codec/citations.h"
#include "codec/event_stream_tap.h"
#include "codec/provider_json.h"

namespace weir {
namespace {

constexpr Dialect kDialect = Dialect::bedrock_converse;

void add(std::vector<Event>& events, int index, DeltaKind kind, std::string_view text) {
  if (text.empty()) return;
  events.push_back(Delta{.index = index, .kind = kind, .text = std::string(text), .dialect = kDialect});
}

}  // namespace

void ConverseEvents::read(std::string_view name, JsonValue body, std::vector<Event>& events) {
  if (is_done_) return;  // nothing may follow the end
  begin(events);
  if (name == "contentBlockDelta") {
    on_delta(body, events);
  } else if (name == "contentBlockStart") {
    on_start(body, events);
  } else if (name == "contentBlockStop") {
    if (Block* block = find(body["contentBlockIndex"].int_or(0))) close(*block, events);
  } else if (name == "messageStop") {
    finish_ = converse_finish(body["stopReason"].string_or(""), body["additionalModelResponseFields"]);
    if (has_usage_) conclude(events);
  } else if (name == "metadata") {
    if (const Usage usage = decode_converse_usage(body["usage"]); !usage.empty())
      events.push_back(UsageReport{usage});
    has_usage_ = true;
    // S10: the finish was held until the usage had come.
    if (finish_) conclude(events);
  }
}

bool ConverseEvents::conclude(std::vector<Event>& events) {
  if (is_done_) return true;
  if (!finish_) return false;
  is_done_ = true;
  for (Block& block : blocks_) close(block, events);
  events.push_back(*finish_);
  events.push_back(End{});
  return true;
}

void ConverseEvents::begin(std::vector<Event>& events) {
  if (!std::exchange(has_begun_, true)) events.push_back(Start{});
}

ConverseEvents::Block* ConverseEvents::find(int64_t upstream) {
  for (auto block = blocks_.rbegin(); block != blocks_.rend(); ++block) {
    if (block->upstream == upstream && block->is_open) return &*block;
  }
  return nullptr;
}

ConverseEvents::Block& ConverseEvents::open_held(int64_t upstream, BlockKind kind,
                                                 std::vector<Event>& events) {
  if (Block* unfinished = find(upstream)) close(*unfinished, events);
  std::erase_if(blocks_, [](const Block& block) { return !block.is_open; });
  Block& block = blocks_.emplace_back();
  block.upstream = upstream;
  block.index = next_index_++;
  block.kind = kind;
  return block;
}

ConverseEvents::Block& ConverseEvents::open(int64_t upstream, BlockStart started,
                                            std::vector<Event>& events) {
  Block& block = open_held(upstream, started.kind, events);
  started.index = block.index;
  started.dialect = kDialect;
  events.push_back(std::move(started));
  return block;
}

// S9: only tool calls have a start.
ConverseEvents::Block& ConverseEvents::block_of(int64_t upstream, BlockKind kind,
                                                std::vector<Event>& events) {
  Block* block = find(upstream);
  if (block && block->kind == kind) return *block;
  return open(upstream, {.kind = kind}, events);
}

void ConverseEvents::on_start(JsonValue body, std::vector<Event>& events) {
  const int64_t upstream = body["contentBlockIndex"].int_or(0);
  const JsonValue start = body["start"];
  const JsonValue call = start["toolUse"];
  if (call.is_object() && call["type"].is_absent()) {
    BlockStart started = converse_call_start(call, *notes_);
    const bool is_custom = started.tool_kind == ToolKind::custom;
    open(upstream, std::move(started), events).is_custom = is_custom;
  } else if (const JsonValue image = start["image"]) {
    const std::string_view mime = converse_media_type("image", image["format"].string_or(""));
    open(upstream, {.kind = BlockKind::image, .data = std::string(mime)}, events);
  } else if (start.is_object() && start.size() > 0) {
    open_held(upstream, BlockKind::unknown, events).start = start.raw();
  }
}

void ConverseEvents::on_delta(JsonValue body, std::vector<Event>& events) {
  const int64_t upstream = body["contentBlockIndex"].int_or(0);
  const JsonValue delta = body["delta"];
  if (const JsonValue text = delta["text"]) {
    const Block& block = block_of(upstream, BlockKind::text, events);
    add(events, block.index, DeltaKind::content, text.string_or(""));
  } else if (const JsonValue call = delta["toolUse"]) {
    // The arguments of a call whose start never came belong to nothing.
    if (Block* block = find(upstream)) on_arguments(*block, call["input"].string_or(""), events);
  } else if (const JsonValue result = delta["toolResult"]) {
    Block* block = find(upstream);
    if (!block || block->kind != BlockKind::unknown) return;
    for (const JsonValue part : result) block->held.append(block->held.empty() ? "" : ",").append(part.raw());
  } else if (const JsonValue image = delta["image"]) {
    on_image(upstream, image, events);
  } else if (const JsonValue reasoning = delta["reasoningContent"]) {
    on_reasoning(upstream, reasoning, events);
  } else if (const JsonValue citation = delta["citation"]) {
    const Block& block = block_of(upstream, BlockKind::text, events);
    add(events, block.index, DeltaKind::citation, renumber_converse_citation(citation, notes_->documents));
  }
}

void ConverseEvents::on_reasoning(int64_t upstream, JsonValue body, std::vector<Event>& events) {
  if (body["redactedContent"].is_string()) {
    open(upstream,
         {.kind = BlockKind::redacted_thinking, .data = std::string(body["redactedContent"].string_or(""))},
         events);
    return;
  }
  const Block& block = block_of(upstream, BlockKind::thinking, events);
  add(events, block.index, DeltaKind::content, body["text"].string_or(""));
  add(events, block.index, DeltaKind::signature, body["signature"].string_or(""));
}

// Each piece is base64 of its own: they are put together as bytes.
void ConverseEvents::on_image(int64_t upstream, JsonValue image, std::vector<Event>& events) {
  Block& block = block_of(upstream, BlockKind::image, events);
  const Result<std::string> bytes = base64_decode(image["source"]["bytes"].string_or(""));
  if (bytes) block.held += *bytes;
}

void ConverseEvents::on_arguments(Block& block, std::string_view fragment, std::vector<Event>& events) {
  const bool is_held = block.is_custom || block.kind == BlockKind::unknown;
  if (fragment.empty() || (block.kind != BlockKind::tool_call && !is_held)) return;
  block.has_arguments = true;
  if (is_held) {
    block.held += fragment;
  } else {
    add(events, block.index, DeltaKind::content, fragment);
  }
}

void ConverseEvents::close(Block& block, std::vector<Event>& events) {
  if (!block.is_open) return;
  block.is_open = false;
  if (block.is_custom) {
    add(events, block.index, DeltaKind::content, custom_tool_input(block.held));
  } else if (block.kind == BlockKind::image) {
    add(events, block.index, DeltaKind::content, base64_encode(block.held));
  } else if (block.kind == BlockKind::unknown) {
    BlockStart started{.index = block.index, .kind = BlockKind::unknown, .dialect = kDialect};
    started.data = join_converse_block(block.start, block.held);
    events.push_back(std::move(started));
  } else if (block.kind == BlockKind::tool_call && !block.has_arguments) {
    add(events, block.index, DeltaKind::content, "{}");  // S7
  }
  events.push_back(BlockEnd{.index = block.index});
}

namespace {

class ConverseStreamDecoder final : public StreamDecoder {
 public:
  explicit ConverseStreamDecoder(const CallNotes& notes) : notes_(notes), reader_(notes_) {}
  ConverseStreamDecoder(const ConverseStreamDecoder& other)
      : notes_(other.notes_),
        tap_(other.tap_),
        reader_(other.reader_, notes_),
        has_content_(other.has_content_) {}

  Result<void> feed(std::string_view bytes, std::vector<Event>& events) override {
    return tap_.feed(bytes, [&](const EventStreamMessage& message) { return on_message(message, events); });
  }

  Result<void> finish(std::vector<Event>& events) override {
    tap_.finish();
    // S11: without the metadata, but with a stop reason, the answer is whole.
    if (reader_.conclude(events)) return {};
    return fail(ErrorKind::upstream_truncated, "the provider's stream ended before its answer was finished");
  }

  bool is_concluding() const override { return reader_.is_concluding(); }

  std::string_view forwardable() const override { return tap_.forwardable(); }
  std::unique_ptr<StreamDecoder> clone() const override {
    return std::make_unique<ConverseStreamDecoder>(*this);
  }

 private:
  Result<void> on_message(const EventStreamMessage& message, std::vector<Event>& events) {
    const std::string_view type = TRY(bedrock_event_type(message));
    // On the raw way, past the commit point, content says nothing that Weir needs.
    if (notes_.is_raw && has_content_ && type == "contentBlockDelta") return {};
    JsonScratch scratch;
    reader_.read(type, TRY(parse_event(scratch, message.payload)), events);
    has_content_ = has_content_ || std::any_of(events.begin(), events.end(), is_content);
    return {};
  }

  const CallNotes notes_;
  EventStreamTap tap_;
  ConverseEvents reader_;
  bool has_content_ = false;  // the commit point has passed
};

}  // namespace

std::unique_ptr<StreamDecoder> make_converse_stream_decoder(const CallNotes& notes) {
  return std::make_unique<ConverseStreamDecoder>(notes);
}

}  // namespace weir
