// Streams of providers that speak the Responses dialect.
#include <algorithm>
#include <cstring>
#include <fmt/core.h>
#include <map>

#include "codec/openai_decode.h"
#include "codec/openai_logprobs.h"
#include "codec/openai_responses_decode.h"
#include "codec/provider_json.h"
#include "codec/sse_tap.h"

namespace weir {
namespace {

constexpr Dialect kDialect = Dialect::openai_responses;

// Items are known by their output_index: some servers change an item's id from event to event. What an item's
// or a part's end says and its deltas did not is added then, and what the last event says and nothing did
// before is added there: servers differ in which events they leave out.
class ResponsesStreamDecoder final : public StreamDecoder {
 public:
  explicit ResponsesStreamDecoder(const CallNotes& notes) : notes_(notes) {}

  Result<void> feed(std::string_view bytes, std::vector<Event>& events) override {
    return tap_.feed(bytes, [&](const SseEvent& event) { return on_event(event, events); });
  }

  Result<void> finish(std::vector<Event>& events) override {
    TRY(tap_.finish([&](const SseEvent& event) { return on_event(event, events); }));
    if (is_done_) return {};
    return fail(ErrorKind::upstream_truncated, "the provider's stream ended before its answer was finished");
  }

  std::string_view forwardable() const override { return tap_.forwardable(); }
  std::unique_ptr<StreamDecoder> clone() const override {
    return std::make_unique<ResponsesStreamDecoder>(*this);
  }

 private:
  struct Part {
    int block = -1;  // -1: nothing was said yet
    bool is_open = false;
    size_t annotations = 0;
    std::string text;  // that was given out
  };
  struct Item {
    int block = -1;  // of a call or of reasoning; -1: not started
    bool is_done = false;
    std::map<int64_t, Part> parts;  // of a message
    std::string id;
    std::string text;  // arguments that were given out
    bool has_text = false;
    int64_t summary = 0;  // the summary or content part of the last piece of reasoning
  };

  // Whether an event on the raw way says something that Weir needs: the end, or an error. Text cannot be
  // taken for one of these: inside a string their quotes are escaped.
  static bool tells_of_the_end(std::string_view data) {
    for (const std::string_view name :
         {R"("response.completed")", R"("response.incomplete")", R"("response.failed")", R"("error")"}) {
      if (memmem(data.data(), data.size(), name.data(), name.size())) return true;
    }
    return false;
  }

  Result<SseVerdict> on_event(const SseEvent& event, std::vector<Event>& events) {
    if (is_done_) return SseVerdict::drop;  // nothing may follow the end
    if (event.is_comment) {
      events.push_back(Ping{});
      return SseVerdict::keep;
    }
    // The dialect has no [DONE], but servers that speak others too send one.
    if (event.data.empty() || event.data == "[DONE]") return SseVerdict::drop;
    if (notes_.is_raw && has_content_ && looks_whole(event) && !tells_of_the_end(event.data))
      return SseVerdict::keep;
    JsonScratch scratch;
    const JsonValue body = TRY(parse_event(scratch, event.data));
    TRY(on_body(body, events));
    has_content_ = has_content_ || std::any_of(events.begin(), events.end(), is_content);
    return SseVerdict::keep;
  }

  Result<void> on_body(JsonValue body, std::vector<Event>& events) {
    std::string_view type = body["type"].string_or("");
    if (type == "error" || (type.empty() && body["error"].is_object()))
      return fail(responses_error_of(body["error"].is_object() ? body["error"] : body, 0));
    constexpr std::string_view kPrefix = "response.";
    if (!type.starts_with(kPrefix)) {
      events.push_back(Ping{});
      return {};
    }
    type.remove_prefix(kPrefix.size());
    if (type == "completed" || type == "incomplete" || type == "failed" || type == "cancelled")
      return on_end(body["response"], type, events);
    if (type == "created" || type == "in_progress" || type == "queued") {
      start(body["response"], events);
    } else if (type.ends_with(".delta")) {
      on_delta(type, body, events);
    } else {
      on_other(type, body, events);
    }
    return {};
  }

  void on_delta(std::string_view type, JsonValue body, std::vector<Event>& events) {
    const std::string_view text = body["delta"].string_or("");
    if (type == "output_text.delta" || type == "refusal.delta") {
      const bool is_refusal = type == "refusal.delta";
      add_text(part_of(body), is_refusal ? BlockKind::refusal : BlockKind::text, text, events);
      const JsonValue logprobs = body["logprobs"];
      if (logprobs.is_array() && logprobs.size() > 0)
        events.push_back(Logprobs{.choice = 0, .raw = logprobs_with_bytes(logprobs)});
    } else if (type == "function_call_arguments.delta" || type == "custom_tool_call_input.delta") {
      Item& item = item_of(body);
      item.text += text;
      if (item.block >= 0) delta(item.block, DeltaKind::content, text, events);
    } else if (type == "reasoning_summary_text.delta") {
      add_thinking(body, body["summary_index"], text, events);
    } else if (type == "reasoning_text.delta") {
      add_thinking(body, body["content_index"], text, events);
    }
  }

  void on_other(std::string_view type, JsonValue body, std::vector<Event>& events) {
    if (type == "output_item.added") {
      add_item(body, events);
    } else if (type == "output_item.done") {
      end_item(item_of(body), body["item"], events);
    } else if (type == "output_text.annotation.added") {
      Part& part = part_of(body);
      open_part(part, BlockKind::text, events);
      ++part.annotations;
      delta(part.block, DeltaKind::citation, body["annotation"].raw(), events);
    } else if (type == "output_text.done" || type == "refusal.done") {
      const bool is_refusal = type == "refusal.done";
      complete_text(part_of(body), is_refusal ? BlockKind::refusal : BlockKind::text,
                    body[is_refusal ? "refusal" : "text"].string_or(""), events);
    } else if (type == "content_part.done") {
      end_part(part_of(body), body["part"], events);
    } else if (type == "function_call_arguments.done") {
      complete_call(item_of(body), body["arguments"], events);
    } else if (type == "custom_tool_call_input.done") {
      complete_call(item_of(body), body["input"], events);
    }
  }

  void start(JsonValue response, std::vector<Event>& events) {
    if (std::exchange(has_started_, true)) return;
    answer_id_ = response["id"].string_or("");
    events.push_back(decode_responses_start(response));
  }

  // ---- Items

  Item& item_of(JsonValue body) {
    if (body["output_index"].is_number()) last_item_ = body["output_index"].int_or(0);
    return items_[last_item_];
  }
  Part& part_of(JsonValue body) { return item_of(body).parts[body["content_index"].int_or(0)]; }

  static bool is_call(std::string_view type) { return type == "function_call" || type == "custom_tool_call"; }

  void add_item(JsonValue body, std::vector<Event>& events) {
    const JsonValue source = body["item"];
    Item& item = item_of(body);
    item.id = source["id"].string_or("");
    const bool has_name = !source["name"].string_or("").empty();
    if (is_call(source["type"].string_or("")) && has_name) start_call(item, source, events);
  }

  void start_call(Item& item, JsonValue source, std::vector<Event>& events) {
    if (item.block >= 0) return;
    seen_.has_tool_calls = true;
    item.block = next_index_++;
    BlockStart started{.index = item.block, .kind = BlockKind::tool_call};
    started.tool_id = responses_call_id(source, answer_id_, item.block);
    started.tool_name = notes_.tool_names.original(source["name"].string_or(""));
    started.tool_kind =
        source["type"].string_or("") == "custom_tool_call" ? ToolKind::custom : ToolKind::function;
    started.dialect = kDialect;
    events.push_back(std::move(started));
    delta(item.block, DeltaKind::content, item.text, events);
  }

  // The whole of the arguments: what the deltas left out is added.
  void complete_call(Item& item, JsonValue whole, std::vector<Event>& events) {
    const std::string_view text = whole.is_object() ? whole.raw() : whole.string_or("");
    if (text.size() <= item.text.size() || !text.starts_with(item.text)) return;
    const std::string_view rest = text.substr(item.text.size());
    if (item.block >= 0) delta(item.block, DeltaKind::content, rest, events);
    item.text += rest;
  }

  void end_item(Item& item, JsonValue source, std::vector<Event>& events) {
    if (std::exchange(item.is_done, true)) return;
    const std::string_view type = source["type"].string_or("");
    if (is_call(type)) {
      start_call(item, source, events);
      complete_call(item, source[type == "custom_tool_call" ? "input" : "arguments"], events);
      events.push_back(BlockEnd{.index = item.block});
    } else if (type == "reasoning") {
      end_reasoning(item, source, events);
    } else if (type == "message") {
      int64_t index = 0;
      for (const JsonValue content : source["content"]) end_part(item.parts[index++], content, events);
      close(item, events);
    } else {
      ResponsesItemDecoder(answer_id_, events, next_index_, seen_, notes_).decode(source);
    }
  }

  // Ends what an item has open.
  void close(Item& item, std::vector<Event>& events) {
    for (auto& [index, part] : item.parts) close_part(part, events);
    if (item.block >= 0 && !std::exchange(item.is_done, true))
      events.push_back(BlockEnd{.index = item.block});
  }

  // ---- Parts of a message

  void open_part(Part& part, BlockKind kind, std::vector<Event>& events) {
    if (part.block >= 0) return;
    if (kind == BlockKind::refusal) seen_.has_refusal = true;
    part.block = next_index_++;
    part.is_open = true;
    events.push_back(BlockStart{.index = part.block, .kind = kind, .dialect = kDialect});
  }

  void add_text(Part& part, BlockKind kind, std::string_view text, std::vector<Event>& events) {
    if (text.empty() || (part.block >= 0 && !part.is_open)) return;
    open_part(part, kind, events);
    part.text += text;
    delta(part.block, DeltaKind::content, text, events);
  }

  // The whole of the text: what the deltas left out is added.
  void complete_text(Part& part, BlockKind kind, std::string_view whole, std::vector<Event>& events) {
    if (whole.starts_with(part.text)) add_text(part, kind, whole.substr(part.text.size()), events);
  }

  void end_part(Part& part, JsonValue source, std::vector<Event>& events) {
    if (part.block < 0) {
      const int block = next_index_;
      ResponsesItemDecoder(answer_id_, events, next_index_, seen_, notes_).part(source);
      if (next_index_ > block) part.block = block;
      return;
    }
    if (!part.is_open) return;
    size_t index = 0;
    for (const JsonValue annotation : source["annotations"]) {
      if (index++ < part.annotations) continue;
      delta(part.block, DeltaKind::citation, annotation.raw(), events);
    }
    close_part(part, events);
  }

  static void close_part(Part& part, std::vector<Event>& events) {
    if (std::exchange(part.is_open, false)) events.push_back(BlockEnd{.index = part.block});
  }

  // ---- Reasoning

  void add_thinking(JsonValue body, JsonValue part, std::string_view text, std::vector<Event>& events) {
    Item& item = item_of(body);
    if (text.empty() || item.is_done) return;
    if (item.id.empty()) item.id = body["item_id"].string_or("");
    start_thinking(item, events);
    const int64_t summary = part.int_or(0);
    if (summary != item.summary && item.has_text) delta(item.block, DeltaKind::content, "\n\n", events);
    item.summary = summary;
    item.has_text = true;
    delta(item.block, DeltaKind::content, text, events);
  }

  void start_thinking(Item& item, std::vector<Event>& events) {
    if (item.block >= 0) return;
    item.block = next_index_++;
    events.push_back(
        BlockStart{.index = item.block, .kind = BlockKind::thinking, .id = item.id, .dialect = kDialect});
  }

  void end_reasoning(Item& item, JsonValue source, std::vector<Event>& events) {
    const std::string text = item.has_text ? std::string() : responses_reasoning_text(source);
    const std::string_view encrypted = source["encrypted_content"].string_or("");
    if (item.block < 0 && text.empty() && encrypted.empty()) return;
    if (item.id.empty()) item.id = source["id"].string_or("");
    start_thinking(item, events);
    delta(item.block, DeltaKind::content, text, events);
    delta(item.block, DeltaKind::signature, encrypted, events);
    events.push_back(BlockEnd{.index = item.block});
  }

  static void delta(int block, DeltaKind kind, std::string_view text, std::vector<Event>& events) {
    if (text.empty()) return;
    events.push_back(Delta{.index = block, .kind = kind, .text = std::string(text), .dialect = kDialect});
  }

  // ---- The end

  Result<void> on_end(JsonValue response, std::string_view type, std::vector<Event>& events) {
    if (type == "failed" || type == "cancelled" || response["error"].is_object())
      return fail(responses_error_of(response["error"], 0));
    is_done_ = true;
    start(response, events);
    for (auto& [index, item] : items_) close(item, events);
    take_output(response["output"], events);
    events.push_back(decode_responses_finish(response, seen_));
    const Usage usage = decode_responses_usage(response, seen_);
    if (!usage.empty()) events.push_back(UsageReport{usage});
    events.push_back(End{});
    return {};
  }

  // The last event repeats every item; those at its end that no event told of are news. On the raw way the
  // events before it were not read.
  void take_output(JsonValue output, std::vector<Event>& events) {
    if (notes_.is_raw && output.size() > 0) seen_ = {};
    size_t index = 0;
    for (const JsonValue item : output) {
      const bool is_known = index++ < items_.size();
      if (notes_.is_raw) {
        look_at_responses_item(item, seen_);
      } else if (!is_known) {
        ResponsesItemDecoder(answer_id_, events, next_index_, seen_, notes_).decode(item);
      }
    }
  }

  CallNotes notes_;
  SseTap tap_;
  std::map<int64_t, Item> items_;
  ResponsesSeen seen_;
  std::string answer_id_;
  int next_index_ = 0;
  int64_t last_item_ = 0;
  bool has_started_ = false;
  bool has_content_ = false;  // the commit point has passed
  bool is_done_ = false;
};

}  // namespace

std::unique_ptr<StreamDecoder> make_responses_stream_decoder(const CallNotes& notes) {
  return std::make_unique<ResponsesStreamDecoder>(notes);
}

}  // namespace weir
