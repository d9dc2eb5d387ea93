#include "codec/bedrock_converse_decode.h"

#include <algorithm>

#include "codec/args.h"
#include "codec/bedrock_converse_content.h"
#include "codec/citations.h"
#include "codec/provider_json.h"

namespace weir {
namespace {

constexpr Dialect kDialect = Dialect::bedrock_converse;

std::optional<int64_t> count_in(JsonValue usage, std::string_view name, std::string_view other) {
  return count_of(usage[usage[name].is_number() ? name : other]);
}

// One content block of a whole message.
class ContentDecoder {
 public:
  ContentDecoder(std::vector<Event>& events, const CallNotes& notes) : events_(events), notes_(notes) {}

  void decode(JsonValue block) {
    if (!block.is_object() || block.size() == 0) return;
    const JsonValue body = *block.begin();
    const std::string_view kind = body.key();
    if (kind == "text") {
      start({});
      delta(std::string(body.string_or("")));
    } else if (kind == "toolUse" && body["type"].is_absent()) {
      decode_call(body);
    } else if (kind == "reasoningContent") {
      decode_reasoning(body);
    } else if (kind == "citationsContent") {
      start({});
      for (const JsonValue part : body["content"]) delta(std::string(part["text"].string_or("")));
      for (const JsonValue citation : body["citations"])
        delta(renumber_converse_citation(citation, notes_.documents), DeltaKind::citation);
    } else if (kind == "image" && body["source"]["bytes"].is_string()) {
      const std::string_view mime = converse_media_type("image", body["format"].string_or(""));
      start({.kind = BlockKind::image, .data = std::string(mime)});
      delta(std::string(body["source"]["bytes"].string_or("")));
    } else {
      start({.kind = BlockKind::unknown, .data = std::string(block.raw())});
    }
    events_.push_back(BlockEnd{.index = index_++});
  }

 private:
  void decode_call(JsonValue body) {
    const JsonValue input = body["input"];
    const std::string arguments(input && !input.is_null() ? input.raw() : "{}");
    BlockStart started = converse_call_start(body, notes_);
    const bool is_custom = started.tool_kind == ToolKind::custom;
    start(std::move(started));
    delta(is_custom ? custom_tool_input(arguments) : arguments);
  }

  void decode_reasoning(JsonValue body) {
    if (body["redactedContent"].is_string()) {
      start(
          {.kind = BlockKind::redacted_thinking, .data = std::string(body["redactedContent"].string_or(""))});
      return;
    }
    const JsonValue text = body["reasoningText"];
    start({.kind = BlockKind::thinking});
    delta(std::string(text["text"].string_or("")));
    delta(std::string(text["signature"].string_or("")), DeltaKind::signature);
  }

  void start(BlockStart started) {
    started.index = index_;
    started.dialect = kDialect;
    events_.push_back(std::move(started));
  }

  void delta(std::string text, DeltaKind kind = DeltaKind::content) {
    if (text.empty()) return;
    events_.push_back(Delta{.index = index_, .kind = kind, .text = std::move(text), .dialect = kDialect});
  }

  std::vector<Event>& events_;
  const CallNotes& notes_;
  int index_ = 0;
};

}  // namespace

BlockStart converse_call_start(JsonValue call, const CallNotes& notes) {
  BlockStart started{.kind = BlockKind::tool_call, .dialect = kDialect};
  started.tool_id = call["toolUseId"].string_or("");
  started.tool_name = notes.tool_names.original(call["name"].string_or(""));
  if (notes.custom_tools->contains(started.tool_name)) started.tool_kind = ToolKind::custom;
  return started;
}

Finish converse_finish(std::string_view reason, JsonValue fields) {
  Finish finish;
  finish.native = reason;
  finish.reason = decode_converse_stop(reason);
  // Streams hold it as the model's own last event does.
  const std::string_view streamed = fields["delta"]["stop_sequence"].string_or("");
  finish.stop_sequence = fields["stop_sequence"].string_or(streamed);
  return finish;
}

Usage decode_converse_usage(JsonValue usage) {
  Usage into;
  into.in_uncached = count_in(usage, "inputTokens", "inputTokenCount");
  into.out_text = count_in(usage, "outputTokens", "outputTokenCount");
  into.cache_read = count_in(usage, "cacheReadInputTokens", "cacheReadInputTokenCount");
  into.cache_write_5m = count_in(usage, "cacheWriteInputTokens", "cacheWriteInputTokenCount");
  for (const JsonValue detail : usage["cacheDetails"]) {
    const std::optional<int64_t> written = count_of(detail["inputTokens"]);
    if (detail["ttl"].string_or("") != "1h" || !written) continue;
    into.cache_write_1h = written;
    if (into.cache_write_5m)
      into.cache_write_5m = std::max<int64_t>(0, *into.cache_write_5m - *into.cache_write_1h);
  }
  if (!into.in_uncached || !into.out_text) return into;
  // What the cache holds is counted in or left out; both are right.
  const auto total = count_in(usage, "totalTokens", "totalTokenCount");
  if (total && *total != *into.in_uncached + *into.out_text) into.stated_total = total;
  return into;
}

StopReason decode_converse_stop(std::string_view reason) {
  if (reason == "end_turn") return StopReason::end;
  if (reason == "tool_use") return StopReason::tool;
  if (reason == "max_tokens") return StopReason::length;
  if (reason == "stop_sequence") return StopReason::stop_sequence;
  if (reason == "guardrail_intervened") return StopReason::guardrail;
  if (reason == "content_filtered") return StopReason::filter;
  if (reason == "model_context_window_exceeded") return StopReason::context_full;
  if (reason == "malformed_tool_use" || reason == "malformed_model_output") return StopReason::bad_tool;
  if (reason == "refusal") return StopReason::refusal;
  return StopReason::other;
}

Result<std::vector<Event>> decode_converse_answer(JsonValue root, const CallNotes& notes) {
  const JsonValue message = root["output"]["message"];
  if (!message["content"].is_array()) {
    Error error = make_error(ErrorKind::upstream_malformed, "the provider's answer has no output");
    error.provider_body = root.raw().substr(0, kProviderBodyMax);
    return fail(std::move(error));
  }
  std::vector<Event> events;
  Start start;
  start.service_tier = root["serviceTier"]["type"].string_or("");
  events.push_back(std::move(start));
  ContentDecoder content(events, notes);
  for (const JsonValue block : message["content"]) content.decode(block);
  Finish finish = converse_finish(root["stopReason"].string_or(""), root["additionalModelResponseFields"]);
  events.push_back(std::move(finish));
  if (const Usage usage = decode_converse_usage(root["usage"]); !usage.empty())
    events.push_back(UsageReport{usage});
  events.push_back(End{});
  return events;
}

Result<std::vector<Event>> decode_converse_count(JsonValue root) {
  const std::optional<int64_t> counted = count_of(root["inputTokens"]);
  if (!counted) return fail(ErrorKind::upstream_malformed, "the provider's answer has no inputTokens");
  UsageReport report;
  report.usage.in_uncached = counted;
  return std::vector<Event>{std::move(report), End{}};
}

}  // namespace weir
