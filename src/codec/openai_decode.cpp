#include "codec/openai_decode.h"

#include <algorithm>
#include <array>
#include <charconv>
#include <fmt/core.h>

#include "base/text.h"
#include "codec/call_ids.h"
#include "codec/citations.h"
#include "codec/error_text.h"
#include "codec/json_members.h"
#include "codec/openai_reasoning.h"
#include "codec/provider_json.h"
#include "codec/retry_after.h"

namespace weir {
namespace {

constexpr std::array<std::string_view, 5> kStartKeys = {"id", "created", "model", "service_tier",
                                                        "system_fingerprint"};
Start start_of(const std::array<JsonValue, kStartKeys.size()>& members) {
  const auto& [id, created, model, tier, fingerprint] = members;
  return {.id = std::string(id.string_or("")),
          .model = std::string(model.string_or("")),
          .created_s = created.int_or(0),
          .system_fingerprint = std::string(fingerprint.string_or("")),
          .service_tier = std::string(tier.string_or(""))};
}

// Whether completion_tokens leaves reasoning out. The stated total tells, and where it cannot, the notes do.
bool counts_reasoning_apart(int64_t others, int64_t reasoning, int64_t total, const CallNotes& notes) {
  if (reasoning > 0 && total == others + reasoning) return true;
  return total != others && notes.counts_reasoning_apart;
}

// The choice's message, as events of whole blocks.
class MessageDecoder {
 public:
  MessageDecoder(int choice, std::string_view answer_id, std::vector<Event>& events, const CallNotes& notes)
      : choice_(choice), answer_id_(answer_id), events_(events), notes_(notes) {}

  // `root` is the answer, beside whose choices some servers name pages.
  void decode(JsonValue message, JsonValue root) {
    decode_thinking(message);
    text_block(BlockKind::text, message["content"]);
    const JsonValue annotations = message["annotations"];
    std::vector<std::string> pages;
    if (choice_ == 0 && annotations.size() == 0) pages = openai_pages_beside(root);
    // An answer without text has room for what it cites.
    if (texts_.empty() && (annotations.size() > 0 || !pages.empty())) start_text("");
    if (!texts_.empty()) end_texts(annotations, pages);
    text_block(BlockKind::refusal, message["refusal"]);
    for (const JsonValue call : message["tool_calls"]) decode_call(call);
    if (message["function_call"].is_object()) decode_function(message["function_call"]);
  }
  const SeenBlocks& seen() const { return seen_; }

 private:
  // One of the content, which may have several where it came in parts.
  struct Text {
    int block = 0;
    int64_t ends_at = 0;  // in all of them joined, in characters
  };

  void decode_thinking(JsonValue message) {
    const JsonValue blocks = message["thinking_blocks"];
    if (blocks.is_array() && blocks.size() > 0) {
      for (const JsonValue block : blocks) {
        if (block["type"].string_or("") == "redacted_thinking") {
          start({.kind = BlockKind::redacted_thinking, .data = std::string(block["data"].string_or(""))});
          end();
          continue;
        }
        start({.kind = BlockKind::thinking});
        delta(DeltaKind::content, block["thinking"].string_or(""));
        delta(DeltaKind::signature, block["signature"].string_or(""));
        end();
      }
      return;
    }
    if (decode_details(message[kReasoningDetails])) return;
    const JsonValue plain = message["reasoning_content"];
    text_block(BlockKind::thinking, plain.is_string() ? plain : message["reasoning"]);
  }

  // Whether they held the text of what was thought, which stands beside them too.
  bool decode_details(JsonValue list) {
    bool has_text = false;
    for (const ReasoningDetail& detail : read_reasoning_details(list)) {
      if (!detail.sealed.empty()) {
        start(sealed_reasoning(detail));
      } else {
        start({.kind = BlockKind::thinking});
        delta(DeltaKind::content, detail.text);
        if (detail.issuer) delta(DeltaKind::signature, detail.signature);
        has_text = has_text || !detail.text.empty();
      }
      end();
    }
    return has_text;
  }

  void text_block(BlockKind kind, JsonValue value) {
    if (value.is_array()) {
      // Some servers answer with parts (Mistral's thinking, LiteLLM's text parts).
      for (const JsonValue part : value) {
        if (part["type"].string_or("") == "thinking") {
          thinking_block(part["thinking"]);
        } else {
          text_block(kind, part["text"]);
        }
      }
      return;
    }
    words_block(kind, value.string_or(""));
  }

  // The text of one thought, or its pieces.
  void thinking_block(JsonValue value) {
    if (!value.is_array()) return text_block(BlockKind::thinking, value);
    std::string joined;
    for (const JsonValue piece : value) joined += piece["text"].string_or("");
    words_block(BlockKind::thinking, joined);
  }

  void words_block(BlockKind kind, std::string_view text) {
    if (text.empty()) return;
    if (kind == BlockKind::text) return start_text(text);
    if (kind == BlockKind::refusal) seen_.has_refusal = true;
    start({.kind = kind});
    delta(DeltaKind::content, text);
    end();
  }

  void start_text(std::string_view text) {
    start({.kind = BlockKind::text});
    delta(DeltaKind::content, text);
    const int64_t begins_at = texts_.empty() ? 0 : texts_.back().ends_at;
    texts_.push_back({.block = index_++, .ends_at = begins_at + characters(text)});
  }

  // Each annotation belongs to the text that it counts into, else to the last one, as the pages do. REQUIRES
  // a text.
  void end_texts(JsonValue annotations, const std::vector<std::string>& pages) {
    for (const JsonValue annotation : annotations) {
      const int64_t start = annotation["url_citation"]["start_index"].int_or(texts_.back().ends_at);
      const auto found = std::ranges::upper_bound(texts_, start, {}, &Text::ends_at);
      const Text& text = found == texts_.end() ? texts_.back() : *found;
      cite(text, annotation.raw());
    }
    for (const std::string& page : pages) cite(texts_.back(), page);
    for (const Text& text : texts_) events_.push_back(BlockEnd{.choice = choice_, .index = text.block});
  }

  void cite(const Text& text, std::string_view citation) {
    events_.push_back(Delta{
        .choice = choice_, .index = text.block, .kind = DeltaKind::citation, .text = std::string(citation)});
  }

  void decode_call(JsonValue call) {
    const bool is_custom = call["custom"].is_object();
    const JsonValue body = is_custom ? call["custom"] : call["function"];
    BlockStart started{.kind = BlockKind::tool_call};
    started.tool_id = call["id"].string_or("");
    if (started.tool_id.empty()) started.tool_id = made_call_id(answer_id_, choice_, index_);
    started.tool_name = notes_.tool_names.original(body["name"].string_or(""));
    started.tool_kind = is_custom ? ToolKind::custom : ToolKind::function;
    start(std::move(started));
    const JsonValue arguments = is_custom ? body["input"] : body["arguments"];
    delta(DeltaKind::content, arguments.is_object() ? arguments.raw() : arguments.string_or(""));
    end();
    seen_.has_tool_calls = true;
  }

  void decode_function(JsonValue function) {
    BlockStart started{.kind = BlockKind::tool_call};
    started.tool_name = notes_.tool_names.original(function["name"].string_or(""));
    started.tool_id = started.tool_name;
    start(std::move(started));
    delta(DeltaKind::content, function["arguments"].string_or(""));
    end();
    seen_.has_tool_calls = true;
  }

  void start(BlockStart started) {
    started.choice = choice_;
    started.index = index_;
    events_.push_back(std::move(started));
  }
  void delta(DeltaKind kind, std::string_view text) {
    if (text.empty()) return;
    events_.push_back(Delta{.choice = choice_, .index = index_, .kind = kind, .text = std::string(text)});
  }
  void end() {
    events_.push_back(BlockEnd{.choice = choice_, .index = index_});
    ++index_;
  }

  const int choice_;
  const std::string_view answer_id_;
  std::vector<Event>& events_;
  const CallNotes& notes_;
  int index_ = 0;
  std::vector<Text> texts_;
  SeenBlocks seen_;
};

}  // namespace

Start decode_openai_start(JsonValue root) {
  return start_of(members_of<kStartKeys.size()>(root, kStartKeys));
}

Usage decode_openai_usage(JsonValue usage, const CallNotes& notes) {
  Usage into;
  if (!usage.is_object()) return into;
  const auto [prompt_total, completion_total, stated_total, prompt, completion, cache_hit] =
      members_of<6>(usage, {"prompt_tokens", "completion_tokens", "total_tokens", "prompt_tokens_details",
                            "completion_tokens_details", "prompt_cache_hit_tokens"});
  const auto [cached, cache_written, audio_in] =
      members_of<3>(prompt, {"cached_tokens", "cache_write_tokens", "audio_tokens"});
  const auto [reasoning, audio_out] = members_of<2>(completion, {"reasoning_tokens", "audio_tokens"});
  into.cache_read = count_of(cached);
  if (!into.cache_read) into.cache_read = count_of(cache_hit);
  into.cache_write_5m = count_of(cache_written);
  if (const auto audio = count_of(audio_in); audio && *audio > 0) into.in_audio = audio;
  const std::optional<int64_t> input = count_of(prompt_total);
  if (input) {
    const int64_t apart =
        into.cache_read.value_or(0) + into.cache_write_5m.value_or(0) + into.in_audio.value_or(0);
    into.in_uncached = std::max<int64_t>(0, *input - apart);
  }
  into.out_reasoning = count_of(reasoning);
  if (const auto audio = count_of(audio_out); audio && *audio > 0) into.out_audio = audio;
  if (const auto output = count_of(completion_total)) {
    const std::optional<int64_t> total = count_of(stated_total);
    const bool is_apart = counts_reasoning_apart(input.value_or(0) + *output, into.out_reasoning.value_or(0),
                                                 total.value_or(0), notes);
    const int64_t apart = (is_apart ? 0 : into.out_reasoning.value_or(0)) + into.out_audio.value_or(0);
    into.out_text = std::max<int64_t>(0, *output - apart);
    if (input) into.stated_total = total;
  }
  return into;
}

StopReason decode_openai_finish(std::string_view reason, const SeenBlocks& seen) {
  if (reason == "length" || reason == "max_tokens") return StopReason::length;
  if (reason == "model_length") return StopReason::context_full;
  if (reason == "content_filter") return StopReason::filter;
  if (reason == "tool_calls" || reason == "function_call") return StopReason::tool;
  if (seen.has_tool_calls) return StopReason::tool;
  if (seen.has_refusal) return StopReason::refusal;
  if (reason == "stop" || reason == "eos" || reason == "eos_token" || reason == "end_turn")
    return StopReason::end;
  return StopReason::other;
}

Finish openai_finish(int choice, std::string_view reason, std::string_view stop_reason,
                     const SeenBlocks& seen, const CallNotes& notes) {
  Finish finish{
      .choice = choice, .reason = decode_openai_finish(reason, seen), .native = std::string(reason)};
  // Servers may have words of their own there.
  const bool is_asked = std::ranges::find(notes.sent_stops, stop_reason) != notes.sent_stops.end();
  if (finish.reason == StopReason::end && is_asked) {
    finish.reason = StopReason::stop_sequence;
    finish.stop_sequence = stop_reason;
  }
  return finish;
}

namespace {

// What a choice holds, as events.
SeenBlocks decode_content(int index, JsonValue choice, JsonValue root, const CallNotes& notes,
                          std::vector<Event>& events) {
  MessageDecoder decoder(index, root["id"].string_or(""), events, notes);
  if (choice["text"].is_string()) {
    // Legacy completions.
    events.push_back(BlockStart{.choice = index});
    events.push_back(Delta{.choice = index, .text = std::string(choice["text"].string_or(""))});
    events.push_back(BlockEnd{.choice = index});
  } else {
    decoder.decode(choice["message"], root);
  }
  const JsonValue logprobs = choice["logprobs"]["content"];
  if (logprobs.is_array()) events.push_back(Logprobs{.choice = index, .raw = std::string(logprobs.raw())});
  return decoder.seen();
}

}  // namespace

Result<std::vector<Event>> decode_openai_answer(const WireReply& reply, const CallNotes& notes) {
  JsonScratch scratch;
  const JsonValue root = TRY(parse_answer(scratch, reply.body));
  const auto [id, created, model, choices, reported, tier, fingerprint, error] = members_of<8>(
      root, {"id", "created", "model", "choices", "usage", "service_tier", "system_fingerprint", "error"});
  if (error.is_object() && choices.size() == 0) return fail(openai_error_of(error, reply.status));
  if (!choices.is_array() || choices.size() == 0) {
    return fail(ErrorKind::upstream_malformed, "the provider's answer has no choices");
  }
  std::vector<Event> events;
  // All that a raw answer has: its start, a finish for each choice, usage, the end.
  events.reserve(choices.size() + 3);
  events.emplace_back(start_of({id, created, model, tier, fingerprint}));
  for (const JsonValue choice : choices) {
    const auto [number, finish_reason, stop_reason] =
        members_of<3>(choice, {"index", "finish_reason", "stop_reason"});
    const std::string_view reason = finish_reason.string_or("");
    if (is_openai_choice_error(reason)) return fail(openai_choice_error(choice, error, reply.status));
    const int index = static_cast<int>(number.int_or(0));
    // On the raw way the bytes pass as they are; the finish and the usage are all that is asked for.
    SeenBlocks seen;
    if (!notes.is_raw) seen = decode_content(index, choice, root, notes, events);
    events.emplace_back(openai_finish(index, reason, stop_reason.string_or(""), seen, notes));
  }
  const Usage usage = decode_openai_usage(reported, notes);
  if (!usage.empty()) events.emplace_back(std::in_place_type<UsageReport>, usage);
  events.emplace_back(std::in_place_type<End>);
  return events;
}

namespace {

// Some servers between vendors answer 200, and give as the code, a number or its digits, what the status
// would have been. 0: the code is none.
int status_of_code(JsonValue code) {
  int64_t status = code.int_or(0);
  if (const std::string_view digits = code.string_or(""); digits.size() == 3)
    std::from_chars(digits.data(), digits.data() + digits.size(), status);
  return status >= 400 && status < 600 ? static_cast<int>(status) : 0;
}

}  // namespace

Error openai_error_of(JsonValue error, int status) {
  if (status < 400) status = status_of_code(error["code"]);
  const std::string_view message = error.is_string() ? error.string_or("") : error["message"].string_or("");
  const std::string_view code = error["code"].string_or("");
  const std::string_view type = error["type"].string_or("");
  Error made = classify_provider_error({.status = status, .type = type, .code = code, .message = message});
  made.path = error["param"].string_or("");
  return made;
}

Error openai_choice_error(JsonValue choice, JsonValue beside, int status) {
  const JsonValue own = choice["error"];
  Error error = openai_error_of(own.is_object() || own.is_string() ? own : beside, status);
  if (error.message.empty()) error.message = "the provider ended its answer with an error";
  return error;
}

Error decode_openai_error(const WireReply& reply, int64_t wall_ns) {
  Result<JsonDoc> parsed = JsonDoc::parse(std::string(reply.body));
  Error error;
  if (parsed && parsed->root().is_object()) {
    const JsonValue root = parsed->root();
    // {"error": {...}}, {"error": "text"}, {"message": ...} and {"detail": ...} are all in use.
    const JsonValue body = root["error"] ? root["error"] : root;
    error = openai_error_of(body, reply.status);
    if (error.message.empty()) error.message = root["detail"].string_or("");
  } else if (parsed && parsed->root().is_array() && parsed->root().size() > 0) {
    error = openai_error_of(parsed->root().at(0)["error"], reply.status);
  }
  if (error.message.empty()) error = error_of_foreign_body(reply.status, reply.body);
  error.upstream_status = reply.status;
  error.provider_body = reply.body.substr(0, kProviderBodyMax);
  if (const auto wait = retry_after_ms(*reply.headers, wall_ns)) error.retry_after_ms = wait;
  return error;
}

}  // namespace weir
