// Streams of providers that speak OpenAI's chat dialect.
#include <algorithm>
#include <fmt/core.h>
#include <limits>
#include <map>

#include "codec/call_ids.h"
#include "codec/citations.h"
#include "codec/json_members.h"
#include "codec/openai_decode.h"
#include "codec/openai_reasoning.h"
#include "codec/provider_json.h"
#include "codec/sse_tap.h"

namespace weir {
namespace {

// The first chunk may hold role, content, tool calls, finish and usage at once (S3); tool calls are keyed by
// their index, by their id where there is no index (S5, S6); the finish waits for the usage that comes after
// it (S10).
class OpenAiStreamDecoder final : public StreamDecoder {
 public:
  explicit OpenAiStreamDecoder(const CallNotes& notes) : notes_(notes) {}

  Result<void> feed(std::string_view bytes, std::vector<Event>& events) override {
    return tap_.feed(bytes, [&](const SseEvent& event) { return on_event(event, events); });
  }

  Result<void> finish(std::vector<Event>& events) override {
    TRY(tap_.finish([&](const SseEvent& event) { return on_event(event, events); }));
    if (is_done_) return {};
    // S11: without [DONE] but with a finish for every choice the answer is whole.
    if (choices_.empty() || !is_finished()) {
      return fail(ErrorKind::upstream_truncated,
                  "the provider's stream ended before its answer was finished");
    }
    conclude(events);
    tap_.add("data: [DONE]\n\n");
    return {};
  }

  bool is_concluding() const override {
    return !is_done_ && choices_.size() >= notes_.choices && is_finished();
  }

  std::string_view forwardable() const override { return tap_.forwardable(); }
  std::unique_ptr<StreamDecoder> clone() const override {
    return std::make_unique<OpenAiStreamDecoder>(*this);
  }

 private:
  struct Call {
    int block = -1;  // -1: its name has not come yet
    std::string id;
    std::string name;
    std::string early_arguments;
    ToolKind kind = ToolKind::function;
  };
  struct Choice {
    int blocks = 0;  // how many were started
    int open = -1;   // the text-like block that is open
    BlockKind open_kind = BlockKind::text;
    bool is_of_blocks = false;  // it is thinking, whose text comes in thinking_blocks
    std::map<int64_t, Call> calls;
    std::map<int64_t, int64_t> moved;  // of an index that several calls share: where the last of them is
    std::optional<std::string> finish;
    std::string stop_reason;
    bool has_refusal = false;
    bool is_cited = false;
    bool is_signed = false;  // the thinking that is open: what is thought behind it is another block
  };

  // Whether a chunk on the raw way says something that Weir needs: usage, a finish reason, an error, the end.
  // Text cannot be taken for one of these keys: inside a string their closing quote is escaped. A chunk too
  // many only costs its decoding.
  static bool tells_of_the_end(std::string_view data) {
    if (!data.starts_with('{') || find_key(data, "\"error\"", 0) != std::string_view::npos) return true;
    for (const std::string_view key : {"\"finish_reason\"", "\"usage\""}) {
      for (size_t at = find_key(data, key, 0); at != std::string_view::npos;
           at = find_key(data, key, at + key.size())) {
        const size_t value = data.find_first_not_of(": \t", at + key.size());
        if (value == std::string_view::npos || data[value] != 'n') return true;
      }
    }
    return false;
  }
  // memmem, since string_view::find stops at each of JSON's many quotes.
  static size_t find_key(std::string_view data, std::string_view key, size_t from) {
    const void* found = memmem(data.data() + from, data.size() - from, key.data(), key.size());
    return found ? static_cast<size_t>(static_cast<const char*>(found) - data.data())
                 : std::string_view::npos;
  }

  bool is_finished() const {
    for (const auto& [index, choice] : choices_) {
      if (!choice.finish) return false;
    }
    return true;
  }

  Result<SseVerdict> on_event(const SseEvent& event, std::vector<Event>& events) {
    if (is_done_) return SseVerdict::drop;  // nothing may follow the end
    if (event.is_comment) {
      events.push_back(Ping{});
      return SseVerdict::keep;
    }
    if (event.data.empty()) return SseVerdict::keep;
    if (notes_.is_raw && has_content_ && looks_whole(event) && !tells_of_the_end(event.data))
      return SseVerdict::keep_alike;
    if (event.data == "[DONE]") {
      if (!is_finished() || choices_.empty()) {
        return fail(ErrorKind::upstream_truncated,
                    "the provider ended its stream before its answer was finished");
      }
      conclude(events);
      return SseVerdict::keep;
    }
    JsonScratch scratch;
    const JsonValue body = TRY(parse_event(scratch, event.data));
    return on_chunk(body, events);
  }

  Result<SseVerdict> on_chunk(JsonValue chunk, std::vector<Event>& events) {
    const auto [choices, usage_of_all, groq, error] =
        members_of<4>(chunk, {"choices", "usage", "x_groq", "error"});
    if (error.is_object() || error.is_string()) return fail(openai_error_of(error, 0));
    if (!has_started_) start(chunk, events);
    for (const JsonValue choice : choices) {
      if (is_openai_choice_error(choice["finish_reason"].string_or("")))
        return fail(openai_choice_error(choice, error, 0));
      on_choice(choice, chunk, events);
    }
    const auto first = choices_.find(0);
    if (first != choices_.end() && first->second.finish) cite_pages_beside(0, first->second, chunk, events);
    const bool has_usage = usage_of_all.is_object();
    const Usage usage = decode_openai_usage(has_usage ? usage_of_all : groq["usage"], notes_);
    if (!usage.empty()) events.emplace_back(std::in_place_type<UsageReport>, usage);
    has_content_ = has_content_ || std::any_of(events.begin(), events.end(), is_content);
    const bool is_usage_alone = choices.is_array() && choices.size() == 0 && has_usage;
    return is_usage_alone && notes_.strips_usage ? SseVerdict::drop : SseVerdict::keep;
  }

  void start(JsonValue chunk, std::vector<Event>& events) {
    // Azure's first chunk has filter results only, without id and model (S15).
    if (chunk["choices"].size() == 0 && chunk["id"].string_or("").empty()) return;
    has_started_ = true;
    answer_id_ = chunk["id"].string_or("");
    events.emplace_back(decode_openai_start(chunk));
  }

  void on_choice(JsonValue source, JsonValue chunk, std::vector<Event>& events) {
    const auto [number, delta, completion, logprobs, finish_reason, stop_reason] =
        members_of<6>(source, {"index", "delta", "text", "logprobs", "finish_reason", "stop_reason"});
    const auto [content, refusal, calls, function, annotations, reasoning_content, plain_reasoning, thinking,
                details] =
        members_of<9>(delta, {"content", "refusal", "tool_calls", "function_call", "annotations",
                              "reasoning_content", "reasoning", "thinking_blocks", kReasoningDetails});
    const int index = static_cast<int>(number.int_or(0));
    Choice& choice = choices_[index];
    const JsonValue reasoning = reasoning_content.is_string() ? reasoning_content : plain_reasoning;
    text(index, choice, BlockKind::thinking, reasoning, events);
    bool is_next = false;
    for (const JsonValue block : thinking) {
      if (std::exchange(is_next, true) && choice.is_signed) close_text(index, choice, events);
      on_thinking_block(index, choice, block, events);
    }
    for (const JsonValue detail : details)
      on_reasoning_detail(index, choice, reasoning_detail(detail), events);
    text(index, choice, BlockKind::text, completion.is_string() ? completion : content, events);
    text(index, choice, BlockKind::refusal, refusal, events);
    for (const JsonValue citation : annotations) cite(index, choice, citation.raw(), events);
    const bool has_calls = calls.size() > 0 || function.is_object();
    if (has_calls && is_in_text(choice)) cite_pages_beside(index, choice, chunk, events);
    for (const JsonValue call : calls) on_call(index, choice, call, events);
    if (function.is_object()) on_call(index, choice, delta, events);
    if (const JsonValue tokens = logprobs["content"]; tokens.is_array() && tokens.size() > 0)
      events.push_back(Logprobs{.choice = index, .raw = std::string(tokens.raw())});
    if (finish_reason.is_string()) {
      choice.finish = finish_reason.string_or("");
      choice.stop_reason = stop_reason.string_or("");
    }
  }

  static bool is_in_text(const Choice& choice) {
    return choice.open >= 0 && choice.open_kind == BlockKind::text;
  }

  // Each chunk names them again; those of the last one count, or of the one with which the first call ends
  // the text, unless the text has annotations of its own.
  void cite_pages_beside(int index, Choice& choice, JsonValue chunk, std::vector<Event>& events) {
    if (notes_.is_raw || index != 0 || choice.is_cited) return;
    for (const std::string& page : openai_pages_beside(chunk)) cite(index, choice, page, events);
  }

  // Behind a call the text is over: an empty one is opened, as its place is all that is lost then.
  void cite(int index, Choice& choice, std::string_view citation, std::vector<Event>& events) {
    choice.is_cited = true;
    open_text(index, choice, BlockKind::text, events);
    events.push_back(Delta{.choice = index,
                           .index = choice.open,
                           .kind = DeltaKind::citation,
                           .text = std::string(citation),
                           .dialect = Dialect::openai_chat});
  }

  void text(int index, Choice& choice, BlockKind kind, JsonValue value, std::vector<Event>& events) {
    if (value.is_array()) {
      for (const JsonValue part : value) {
        const bool is_thinking = part["type"].string_or("") == "thinking";
        // Mistral's thinking has pieces of text in turn.
        text(index, choice, is_thinking ? BlockKind::thinking : kind,
             is_thinking ? part["thinking"] : part["text"], events);
      }
      return;
    }
    add_words(index, choice, kind, value.string_or(""), events);
  }

  void add_words(int index, Choice& choice, BlockKind kind, std::string_view words,
                 std::vector<Event>& events) {
    if (words.empty()) return;
    if (kind == BlockKind::refusal) choice.has_refusal = true;
    if (choice.is_signed) close_text(index, choice, events);
    open_text(index, choice, kind, events);
    events.push_back(Delta{.choice = index, .index = choice.open, .text = std::string(words)});
  }

  // Signed thinking, as servers between OpenAI's dialect and another one say it. Its text usually came as
  // reasoning_content already, and the block adds the signature; else it comes here, piece by piece.
  void on_thinking_block(int index, Choice& choice, JsonValue block, std::vector<Event>& events) {
    if (block["type"].string_or("") == "redacted_thinking") {
      add_sealed(index, choice,
                 {.kind = BlockKind::redacted_thinking, .data = std::string(block["data"].string_or(""))},
                 events);
    } else {
      add_thought(index, choice, block["thinking"].string_or(""), block["signature"].string_or(""), events);
    }
  }

  // The same of reasoning_details, whose text usually came as `reasoning` already.
  void on_reasoning_detail(int index, Choice& choice, const ReasoningDetail& detail,
                           std::vector<Event>& events) {
    if (!detail.sealed.empty()) {
      add_sealed(index, choice, sealed_reasoning(detail), events);
    } else {
      add_thought(index, choice, detail.text, detail.issuer ? detail.signature : "", events);
    }
  }

  void add_sealed(int index, Choice& choice, BlockStart started, std::vector<Event>& events) {
    close_text(index, choice, events);
    started.choice = index;
    started.index = choice.blocks++;
    const int block = started.index;
    events.push_back(std::move(started));
    events.push_back(BlockEnd{.choice = index, .index = block});
  }

  void add_thought(int index, Choice& choice, std::string_view words, std::string_view signature,
                   std::vector<Event>& events) {
    const bool begins = choice.open < 0 || choice.open_kind != BlockKind::thinking || choice.is_signed;
    if (begins || choice.is_of_blocks) {
      add_words(index, choice, BlockKind::thinking, words, events);
      choice.is_of_blocks = choice.open >= 0 && choice.open_kind == BlockKind::thinking;
    }
    if (signature.empty()) return;
    open_text(index, choice, BlockKind::thinking, events);
    choice.is_signed = true;
    events.push_back(Delta{
        .choice = index, .index = choice.open, .kind = DeltaKind::signature, .text = std::string(signature)});
  }

  void open_text(int index, Choice& choice, BlockKind kind, std::vector<Event>& events) {
    if (choice.open >= 0 && choice.open_kind == kind) return;
    close_text(index, choice, events);
    choice.open = choice.blocks++;
    choice.open_kind = kind;
    choice.is_of_blocks = false;
    events.push_back(BlockStart{.choice = index, .index = choice.open, .kind = kind});
  }

  void close_text(int index, Choice& choice, std::vector<Event>& events) {
    if (choice.open < 0) return;
    events.push_back(BlockEnd{.choice = index, .index = choice.open});
    choice.open = -1;
    choice.is_signed = false;
  }

  // Which call a delta belongs to: by its index; some servers leave that out and repeat the id, or mean the
  // last call; others give parallel calls one index, and each its id.
  Call& call_of(Choice& choice, JsonValue source) {
    const std::string_view id = source["id"].string_or("");
    if (source["index"].is_number()) {
      const int64_t index = source["index"].int_or(0);
      const auto moved = choice.moved.find(index);
      Call& call = choice.calls[moved == choice.moved.end() ? index : moved->second];
      if (call.block < 0 || id.empty() || call.id == id || !names_a_call(source)) return call;
      const int64_t key = next_key(choice);
      choice.moved[index] = key;
      return choice.calls[key];
    }
    for (auto& [key, call] : choice.calls) {
      if (!id.empty() && call.id == id) return call;
    }
    if (id.empty() && !choice.calls.empty()) return choice.calls.rbegin()->second;
    return choice.calls[choice.calls.empty() ? 0 : next_key(choice)];
  }

  // A new id alone begins none: there are servers that make one up for each delta.
  static bool names_a_call(JsonValue source) {
    return !source["function"]["name"].string_or("").empty() ||
           !source["custom"]["name"].string_or("").empty();
  }

  // Behind all calls, and behind the indexes that may still come.
  static int64_t next_key(const Choice& choice) {
    constexpr int64_t kIndexesMax = int64_t{1} << 32;
    const int64_t last = choice.calls.rbegin()->first;
    return last < std::numeric_limits<int64_t>::max() ? std::max(last, kIndexesMax) + 1 : last;
  }

  void on_call(int index, Choice& choice, JsonValue source, std::vector<Event>& events) {
    Call& call = call_of(choice, source);
    const bool is_custom = source["custom"].is_object();
    const bool is_function = source["function_call"].is_object();
    const JsonValue body = is_custom     ? source["custom"]
                           : is_function ? source["function_call"]
                                         : source["function"];
    if (call.id.empty()) call.id = source["id"].string_or("");
    if (is_custom) call.kind = ToolKind::custom;
    const std::string_view name = body["name"].string_or("");
    const JsonValue arguments = is_custom ? body["input"] : body["arguments"];
    const std::string_view fragment = arguments.is_object() ? arguments.raw() : arguments.string_or("");
    if (call.block >= 0) {
      add_arguments(index, call, fragment, events);
      return;
    }
    if (call.name.empty()) call.name = name;
    call.early_arguments += fragment;
    if (!call.name.empty()) start_call(index, choice, call, events);
  }

  void start_call(int index, Choice& choice, Call& call, std::vector<Event>& events) {
    close_text(index, choice, events);
    call.block = choice.blocks++;
    if (call.id.empty()) call.id = made_call_id(answer_id_, index, call.block);
    BlockStart started{.choice = index, .index = call.block, .kind = BlockKind::tool_call};
    started.tool_id = call.id;
    started.tool_name = notes_.tool_names.original(call.name);
    started.tool_kind = call.kind;
    events.push_back(std::move(started));
    add_arguments(index, call, call.early_arguments, events);
  }

  void add_arguments(int index, const Call& call, std::string_view fragment, std::vector<Event>& events) {
    if (fragment.empty()) return;
    events.push_back(Delta{.choice = index, .index = call.block, .text = std::string(fragment)});
  }

  void conclude(std::vector<Event>& events) {
    is_done_ = true;
    for (auto& [index, choice] : choices_) {
      close_text(index, choice, events);
      for (auto& [key, call] : choice.calls) {
        if (call.block < 0) start_call(index, choice, call, events);
        events.push_back(BlockEnd{.choice = index, .index = call.block});
      }
      const SeenBlocks seen{.has_tool_calls = !choice.calls.empty(), .has_refusal = choice.has_refusal};
      events.push_back(openai_finish(index, *choice.finish, choice.stop_reason, seen, notes_));
    }
    events.push_back(End{});
  }

  CallNotes notes_;
  SseTap tap_;
  std::map<int, Choice> choices_;
  bool has_started_ = false;
  std::string answer_id_;
  bool has_content_ = false;  // the commit point has passed
  bool is_done_ = false;
};

}  // namespace

std::unique_ptr<StreamDecoder> make_openai_stream_decoder(const CallNotes& notes) {
  return std::make_unique<OpenAiStreamDecoder>(notes);
}

}  // namespace weir
