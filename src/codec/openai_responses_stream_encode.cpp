// Streams in the Responses dialect, in the order of events that clients insist on (clients.md 2.3).
#include <algorithm>
#include <array>
#include <charconv>
#include <fmt/core.h>
#include <map>

#include "base/text.h"
#include "codec/answer_forms.h"
#include "codec/blocks_in_turn.h"
#include "codec/citations.h"
#include "codec/openai_encode.h"
#include "codec/openai_logprobs.h"
#include "codec/openai_responses_encode.h"
#include "io/sse.h"

namespace weir {
namespace {

// Every block is an item, or a part of the message that stands at the end. The vendor's items come one after
// the other, and some readers add each delta to the last one, whatever its output_index. Everything that was
// said is kept, since the last event repeats it all.
class ResponsesStreamEncoder final : public StreamEncoder {
 public:
  explicit ResponsesStreamEncoder(AnswerContext context) : context_(std::move(context)) {}

  void encode(const Event& event, std::string& out) override {
    std::visit([&](const auto& body) { on(body, out); }, event);
  }

  void keep_alive(std::string& out) override { append_sse_comment(out, "keep-alive"); }

  // SDKs raise for the first event; those that read to the end find the second. The fields stand twice in the
  // first: beside the type, as the vendor's document has it, and under `error`, as the vendor sends it.
  void fail(const Error& error, std::string& out) override {
    std::string body;
    JsonWriter inner(body);
    write_openai_error(inner, error);
    const Result<JsonDoc> parsed = JsonDoc::parse(body);
    open_event("error", out);
    for (const std::string_view key : {"code", "message", "param"})
      json_->key(key).raw(parsed->root()[key].raw());
    json_->key("error").raw(body);
    close_event(out);
    finish_response(
        {.status = "failed", .error_code = responses_error_code(error), .error_message = error.message}, out);
  }

 private:
  // What BlocksInTurn calls, with the output of the event that is being encoded.
  struct Sink {
    ResponsesStreamEncoder& encoder;
    std::string& out;
    void open(const BlockStart& started) { encoder.open(started, out); }
    void write(const BlockStart& started, const Delta& delta) { encoder.write(started, delta, out); }
    void close(const BlockStart& started) { encoder.close(started, out); }
  };

  // An output item. A message has several parts, everything else one block.
  struct Item {
    BlockKind kind = BlockKind::text;
    std::string id;
    std::vector<ResponsesPart> parts;
    size_t open_parts = 0;
    bool takes_parts = true;   // a message to which the next text is added
    std::string json;          // when it is done
    bool has_summary = false;  // reasoning: its summary part was begun
  };
  struct Block {
    size_t item = 0;
    size_t part = 0;
    bool is_shown = true;  // false: the dialect has no form for it
    bool is_open = true;
    std::string delta_head;  // the event of a delta behind its sequence_number, up to the text
  };

  static bool is_text(BlockKind kind) { return kind == BlockKind::text || kind == BlockKind::refusal; }

  void on(const Start& start, std::string& out) {
    start_ = start;
    begin(out);
  }
  void on(const UsageReport& report, std::string&) { usage_.set_from(report.usage); }
  void on(const Ping&, std::string& out) { keep_alive(out); }
  void on(const Payload&, std::string&) {}

  void on(const Logprobs& logprobs, std::string&) {
    if (logprobs.choice != 0 || logprobs.raw.size() <= 2) return;
    for (auto item = items_.rbegin(); item != items_.rend(); ++item) {
      if (item->kind != BlockKind::text || item->parts.empty()) continue;
      std::string& all = item->parts.back().logprobs;
      all.pop_back();
      if (all.size() > 1) all += ',';
      all.append(logprobs.raw, 1);
      return;
    }
  }

  void on(const Finish& finish, std::string&) {
    if (finish.choice == 0) finish_ = finish;
  }

  template <class BlockEvent>
  void on(const BlockEvent& event, std::string& out) {
    Sink sink{*this, out};
    in_turn_.on(event, sink);
  }

  void open(const BlockStart& started, std::string& out) {
    begin(out);
    // What is said under the index of a block that has ended is a block of its own.
    Block& block = blocks_[started.index] = {};
    block.is_shown = has_answer_form(Dialect::openai_responses, started);
    if (!block.is_shown) return;
    const bool is_raw = started.kind == BlockKind::unknown || started.tool_kind == ToolKind::server;
    block.item = is_text(started.kind) ? message(out) : new_item(started, out);
    Item& item = items_[block.item];
    block.part = item.parts.size();
    ResponsesPart& part = item.parts.emplace_back();
    part.block.kind = started.kind;
    part.block.tool_id = started.tool_id;
    part.block.tool_name = started.tool_name;
    part.block.tool_kind = started.tool_kind;
    if (started.kind == BlockKind::image) part.block.raw = started.data;
    if (is_raw) {
      item.json = started.data;
      block.is_open = false;
      item_event("response.output_item.added", block.item, item.json, out);
      item_event("response.output_item.done", block.item, item.json, out);
      return;
    }
    ++item.open_parts;
    if (is_text(started.kind)) {
      part_event("response.content_part.added", block, out);
    } else {
      item_event("response.output_item.added", block.item, item_json(item, "in_progress"), out);
    }
    block.delta_head = delta_head(block, started);
  }

  void write(const BlockStart& started, const Delta& delta, std::string& out) {
    Block& block = blocks_[started.index];
    if (!block.is_shown || !block.is_open) return;
    ResponsesPart& part = items_[block.item].parts[block.part];
    if (delta.kind == DeltaKind::signature) {
      part.block.signature += delta.text;
      part.block.dialect = delta.dialect;
    } else if (delta.kind == DeltaKind::citation) {
      if (part.block.kind == BlockKind::text) part.block.citations.push_back(delta.text);
      part.block.dialect = delta.dialect;
    } else if (!delta.text.empty()) {
      part.block.text += delta.text;
      if (part.block.kind == BlockKind::image) return;
      if (part.block.kind == BlockKind::thinking) begin_summary(block, out);
      write_delta(block, part.block.kind == BlockKind::text, delta.text, out);
    }
  }

  void close(const BlockStart& started, std::string& out) { end_block(blocks_[started.index], out); }

  void on(const End&, std::string& out) {
    begin(out);
    Sink sink{*this, out};
    in_turn_.end(sink);
    if (finish_.reason == StopReason::refusal && !has_refusal()) {
      const int index = blocks_.empty() ? 0 : blocks_.rbegin()->first + 1;
      on(BlockStart{.index = index, .kind = BlockKind::refusal}, out);
      on(Delta{.index = index, .text = std::string(kResponsesRefusal)}, out);
      on(BlockEnd{.index = index}, out);
    }
    for (size_t i = 0; i < items_.size(); ++i) finish_item(i, out);
    finish_response(responses_status(finish_.reason), out);
  }

  // ---- Items

  bool has_refusal() const {
    for (const Item& item : items_) {
      for (const ResponsesPart& part : item.parts) {
        if (part.block.kind == BlockKind::refusal) return true;
      }
    }
    return false;
  }

  // The message that the next text belongs to.
  size_t message(std::string& out) {
    if (!items_.empty() && items_.back().kind == BlockKind::text && items_.back().takes_parts)
      return items_.size() - 1;
    const size_t place = new_item(BlockStart{}, out);
    item_event("response.output_item.added", place, item_json(items_[place], "in_progress"), out);
    return place;
  }

  size_t new_item(const BlockStart& started, std::string& out) {
    if (!items_.empty()) {
      // No text is added to a message behind which something else has begun.
      items_.back().takes_parts = false;
      if (items_.back().open_parts == 0) finish_item(items_.size() - 1, out);
    }
    Item& item = items_.emplace_back();
    item.kind = started.kind;
    item.takes_parts = started.kind == BlockKind::text;
    item.id = started.id.empty() || started.kind != BlockKind::thinking
                  ? responses_item_id(responses_id_prefix(started.kind, started.tool_kind),
                                      context_.exchange_id, items_.size() - 1)
                  : started.id;
    return items_.size() - 1;
  }

  std::string item_json(const Item& item, std::string_view status) const {
    std::string text;
    JsonWriter json(text);
    static const AnswerBlock kNothing;
    const AnswerBlock& block = item.parts.empty() ? kNothing : item.parts[0].block;
    if (item.kind == BlockKind::tool_call) {
      write_responses_call(json, item.id, status, block);
    } else if (item.kind == BlockKind::thinking) {
      write_responses_reasoning(json, item.id, block);
    } else if (item.kind == BlockKind::image) {
      write_responses_image(json, item.id, status, block);
    } else {
      write_responses_message(json, item.id, status, item.parts);
    }
    return text;
  }

  void end_block(Block& block, std::string& out) {
    if (!block.is_open || !block.is_shown) return;
    block.is_open = false;
    Item& item = items_[block.item];
    --item.open_parts;
    switch (item.parts[block.part].block.kind) {
      case BlockKind::tool_call:
        end_call(block, out);
        break;
      case BlockKind::thinking:
        end_summary(block, out);
        break;
      case BlockKind::text:
      case BlockKind::refusal:
        end_text(block, out);
        break;
      default:
        break;
    }
    if (item.open_parts == 0 && !item.takes_parts) finish_item(block.item, out);
  }

  void finish_item(size_t place, std::string& out) {
    Item& item = items_[place];
    if (!item.json.empty() || item.open_parts > 0) return;
    const bool is_cut = responses_status(finish_.reason).status == "incomplete";
    item.json = item_json(item, is_cut ? "incomplete" : "completed");
    item_event("response.output_item.done", place, item.json, out);
  }

  // ---- The events of one block

  std::string delta_head(const Block& block, const BlockStart& started) const {
    std::string head = R"(,"item_id":)";
    append_json_string(head, items_[block.item].id);
    head += fmt::format(R"(,"output_index":{})", block.item);
    if (is_text(started.kind)) head += fmt::format(R"(,"content_index":{})", block.part);
    if (started.kind == BlockKind::thinking) head += R"(,"summary_index":0)";
    return head + R"(,"delta":)";
  }

  static std::string_view delta_type(const AnswerBlock& block) {
    switch (block.kind) {
      case BlockKind::tool_call:
        return block.tool_kind == ToolKind::custom ? "response.custom_tool_call_input.delta"
                                                   : "response.function_call_arguments.delta";
      case BlockKind::thinking:
        return "response.reasoning_summary_text.delta";
      case BlockKind::refusal:
        return "response.refusal.delta";
      default:
        return "response.output_text.delta";
    }
  }

  // The hot path: no writer, and what does not change is prepared.
  void write_delta(const Block& block, bool has_logprobs, std::string_view text, std::string& out) {
    const std::string_view type = delta_type(items_[block.item].parts[block.part].block);
    out.append("event: ").append(type).append("\ndata: {\"type\":\"").append(type);
    out.append(R"(","sequence_number":)");
    std::array<char, 24> digits;
    const auto [end, failed] = std::to_chars(digits.data(), digits.data() + digits.size(), sequence_++);
    out.append(digits.data(), end);
    out += block.delta_head;
    append_json_string(out, text);
    if (has_logprobs) out += R"(,"logprobs":[])";
    out += "}\n\n";
  }

  // Some vendors cite before the text, and its place is known when it has ended.
  void write_citations(const Block& block, ResponsesPart& part, std::string& out) {
    AnswerBlock& text = part.block;
    if (text.citations.empty()) return;
    text.citations = responses_citations(part);
    text.dialect = Dialect::openai_responses;
    for (size_t i = 0; i < text.citations.size(); ++i) {
      open_block_event("response.output_text.annotation.added", block, out);
      json_->key("content_index").value(static_cast<int64_t>(block.part));
      json_->key("annotation_index").value(static_cast<int64_t>(i));
      json_->key("annotation").raw(text.citations[i]);
      close_event(out);
    }
  }

  void end_text(const Block& block, std::string& out) {
    ResponsesPart& part = items_[block.item].parts[block.part];
    const bool is_refusal = part.block.kind == BlockKind::refusal;
    part.starts_at = text_characters_;
    if (!is_refusal) text_characters_ += characters(part.block.text);
    write_citations(block, part, out);
    open_block_event(is_refusal ? "response.refusal.done" : "response.output_text.done", block, out);
    json_->key("content_index").value(static_cast<int64_t>(block.part));
    json_->key(is_refusal ? "refusal" : "text").value(part.block.text);
    if (!is_refusal) {
      const auto logprobs = JsonDoc::parse(part.logprobs);
      json_->key("logprobs").raw(logprobs ? logprobs_without_bytes(logprobs->root()) : "[]");
    }
    close_event(out);
    part_event("response.content_part.done", block, out);
  }

  void end_call(const Block& block, std::string& out) {
    AnswerBlock& call = items_[block.item].parts[block.part].block;
    const bool is_custom = call.tool_kind == ToolKind::custom;
    if (call.text.empty() && !is_custom) {
      // S7: a call without arguments is a call with none.
      call.text = "{}";
      write_delta(block, false, call.text, out);
    }
    open_block_event(
        is_custom ? "response.custom_tool_call_input.done" : "response.function_call_arguments.done", block,
        out);
    if (!is_custom) json_->key("name").value(call.tool_name);
    json_->key(is_custom ? "input" : "arguments").value(call.text);
    close_event(out);
  }

  void begin_summary(const Block& block, std::string& out) {
    Item& item = items_[block.item];
    if (std::exchange(item.has_summary, true)) return;
    summary_part_event("response.reasoning_summary_part.added", block, "", out);
  }

  void end_summary(const Block& block, std::string& out) {
    const Item& item = items_[block.item];
    if (!item.has_summary) return;
    const std::string& text = item.parts[block.part].block.text;
    open_block_event("response.reasoning_summary_text.done", block, out);
    json_->key("summary_index").value(0).key("text").value(text);
    close_event(out);
    summary_part_event("response.reasoning_summary_part.done", block, text, out);
  }

  void summary_part_event(std::string_view type, const Block& block, std::string_view text,
                          std::string& out) {
    open_block_event(type, block, out);
    json_->key("summary_index").value(0).key("part").begin_object();
    json_->key("type").value("summary_text").key("text").value(text).end_object();
    close_event(out);
  }

  void part_event(std::string_view type, const Block& block, std::string& out) {
    open_block_event(type, block, out);
    json_->key("content_index").value(static_cast<int64_t>(block.part)).key("part");
    write_responses_part(*json_, items_[block.item].parts[block.part]);
    close_event(out);
  }

  void item_event(std::string_view type, size_t place, std::string_view item, std::string& out) {
    open_event(type, out);
    json_->key("output_index").value(static_cast<int64_t>(place)).key("item").raw(item);
    close_event(out);
  }

  // ---- Events of the whole answer

  void begin(std::string& out) {
    if (std::exchange(has_begun_, true)) return;
    for (const std::string_view type : {"response.created", "response.in_progress"})
      response_event(type, {}, "[]", nullptr, out);
  }

  void finish_response(const ResponsesStatus& status, std::string& out) {
    std::string output = "[";
    for (const Item& item : items_) {
      if (output.size() > 1) output += ',';
      output += item.json.empty() ? item_json(item, "incomplete") : item.json;
    }
    output += ']';
    const std::string_view type = status.status == "completed"    ? "response.completed"
                                  : status.status == "incomplete" ? "response.incomplete"
                                                                  : "response.failed";
    response_event(type, status, output, &usage_, out);
  }

  void response_event(std::string_view type, const ResponsesStatus& status, std::string_view output,
                      const Usage* usage, std::string& out) {
    open_event(type, out);
    json_->key("response");
    write_response(*json_, context_, start_, status, output, usage);
    close_event(out);
  }

  void open_event(std::string_view type, std::string& out) {
    out.append("event: ").append(type).append("\ndata: ");
    data_from_ = out.size();
    json_.emplace(out);
    json_->begin_object().key("type").value(type).key("sequence_number").value(sequence_++);
  }

  void open_block_event(std::string_view type, const Block& block, std::string& out) {
    open_event(type, out);
    json_->key("item_id").value(items_[block.item].id);
    json_->key("output_index").value(static_cast<int64_t>(block.item));
  }

  void close_event(std::string& out) {
    json_->end_object();
    json_.reset();
    // Raw JSON of others may have line breaks between its tokens, which would end the event's line.
    std::replace_if(
        out.begin() + static_cast<std::ptrdiff_t>(data_from_), out.end(),
        [](char c) { return c == '\n' || c == '\r'; }, ' ');
    out += "\n\n";
  }

  const AnswerContext context_;
  Start start_;
  Finish finish_;
  Usage usage_;
  std::vector<Item> items_;
  BlocksInTurn in_turn_;
  std::map<int, Block> blocks_;
  int64_t text_characters_ = 0;  // of the texts that have ended
  int64_t sequence_ = 0;
  bool has_begun_ = false;
  size_t data_from_ = 0;            // where the JSON of the event begins that is being written
  std::optional<JsonWriter> json_;  // of the event that is being written
};

}  // namespace

std::unique_ptr<StreamEncoder> make_responses_stream_encoder(AnswerContext context) {
  return std::make_unique<ResponsesStreamEncoder>(std::move(context));
}

}  // namespace weir
