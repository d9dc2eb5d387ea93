#include "codec/anthropic_decode.h"

#include <algorithm>
#include <fmt/core.h>

#include "codec/args.h"
#include "codec/citations.h"
#include "codec/error_text.h"
#include "codec/provider_json.h"
#include "codec/retry_after.h"

namespace weir {
namespace {

constexpr Dialect kDialect = Dialect::anthropic_messages;

bool is_custom_tool(std::string_view name, const CallNotes& notes) {
  return notes.custom_tools->contains(name);
}

// The content of a whole message, as events of whole blocks.
class ContentDecoder {
 public:
  ContentDecoder(std::vector<Event>& events, const CallNotes& notes) : events_(events), notes_(notes) {}

  void decode(JsonValue block) {
    BlockStart started = decode_anthropic_block(block, notes_);
    started.index = index_;
    const BlockKind kind = started.kind;
    const bool is_custom = started.tool_kind == ToolKind::custom;
    events_.push_back(std::move(started));
    const JsonValue input = block["input"];
    if (kind == BlockKind::tool_call) {
      delta(is_custom ? custom_tool_input(input.raw()) : std::string(input ? input.raw() : "{}"));
    } else if (kind == BlockKind::thinking) {
      delta(std::string(block["thinking"].string_or("")));
      delta(std::string(block["signature"].string_or("")), DeltaKind::signature);
    } else if (kind == BlockKind::text) {
      delta(std::string(block["text"].string_or("")));
      for (const JsonValue citation : block["citations"])
        delta(renumber_anthropic_citation(citation, notes_.documents), DeltaKind::citation);
    }
    events_.push_back(BlockEnd{.index = index_++});
  }

 private:
  void delta(std::string text, DeltaKind kind = DeltaKind::content) {
    if (text.empty()) return;
    events_.push_back(Delta{.index = index_, .kind = kind, .text = std::move(text), .dialect = kDialect});
  }

  std::vector<Event>& events_;
  const CallNotes& notes_;
  int index_ = 0;
};

}  // namespace

Start decode_anthropic_start(JsonValue message) {
  Start start;
  start.id = message["id"].string_or("");
  start.model = message["model"].string_or("");
  start.service_tier = message["usage"]["service_tier"].string_or("");
  return start;
}

Usage decode_anthropic_usage(JsonValue usage, const Usage& before) {
  Usage into;
  into.in_uncached = count_of(usage["input_tokens"]);
  into.cache_read = count_of(usage["cache_read_input_tokens"]);
  const JsonValue split = usage["cache_creation"];
  if (split.is_object()) {
    into.cache_write_5m = count_of(split["ephemeral_5m_input_tokens"]);
    into.cache_write_1h = count_of(split["ephemeral_1h_input_tokens"]);
  } else if (const auto written = count_of(usage["cache_creation_input_tokens"])) {
    into.cache_write_5m = std::max<int64_t>(0, *written - before.cache_write_1h.value_or(0));
  }
  into.out_reasoning = count_of(usage["output_tokens_details"]["thinking_tokens"]);
  if (const auto total = count_of(usage["output_tokens"])) {
    const int64_t reasoning = into.out_reasoning.value_or(before.out_reasoning.value_or(0));
    into.out_text = std::max<int64_t>(0, *total - reasoning);
  }
  into.web_searches = count_of(usage["server_tool_use"]["web_search_requests"]);
  return into;
}

StopReason decode_anthropic_stop(std::string_view reason) {
  if (reason == "end_turn") return StopReason::end;
  if (reason == "tool_use") return StopReason::tool;
  if (reason == "max_tokens") return StopReason::length;
  if (reason == "stop_sequence") return StopReason::stop_sequence;
  if (reason == "pause_turn") return StopReason::pause;
  if (reason == "refusal") return StopReason::refusal;
  if (reason == "model_context_window_exceeded") return StopReason::context_full;
  return StopReason::other;
}

BlockStart decode_anthropic_block(JsonValue block, const CallNotes& notes) {
  const std::string_view type = block["type"].string_or("");
  BlockStart started{.dialect = kDialect};
  if (type == "text") return started;
  if (type == "thinking") {
    started.kind = BlockKind::thinking;
  } else if (type == "redacted_thinking") {
    started.kind = BlockKind::redacted_thinking;
    started.data = block["data"].string_or("");
  } else if (type.ends_with("tool_use") && block["name"].is_string()) {
    const std::string_view name = block["name"].string_or("");
    started.kind = BlockKind::tool_call;
    started.tool_id = block["id"].string_or("");
    started.tool_name = notes.tool_names.original(name);
    if (is_custom_tool(started.tool_name, notes)) started.tool_kind = ToolKind::custom;
    if (type != "tool_use") {
      // server_tool_use, mcp_tool_use: run by the vendor; raw keeps what the IR has no place for.
      started.tool_kind = ToolKind::server;
      started.data = block.raw();
    }
  } else {
    started.kind = BlockKind::unknown;
    started.data = block.raw();
  }
  return started;
}

Result<std::vector<Event>> decode_anthropic_answer(const WireReply& reply, const CallNotes& notes) {
  JsonScratch scratch;
  const JsonValue root = TRY(parse_answer(scratch, reply.body));
  if (root["error"].is_object()) return fail(anthropic_error_of(root["error"], 0));
  if (!root["content"].is_array()) {
    Error error = make_error(ErrorKind::upstream_malformed, "the provider's answer has no content");
    error.provider_body = reply.body.substr(0, kProviderBodyMax);
    return fail(std::move(error));
  }
  std::vector<Event> events;
  events.push_back(decode_anthropic_start(root));
  ContentDecoder content(events, notes);
  for (const JsonValue block : root["content"]) content.decode(block);
  Finish finish;
  finish.native = root["stop_reason"].string_or("");
  finish.reason = decode_anthropic_stop(finish.native);
  finish.stop_sequence = root["stop_sequence"].string_or("");
  events.push_back(std::move(finish));
  const Usage usage = decode_anthropic_usage(root["usage"], {});
  if (!usage.empty()) events.push_back(UsageReport{usage});
  events.push_back(End{});
  return events;
}

Result<std::vector<Event>> decode_anthropic_count(const WireReply& reply) {
  JsonScratch scratch;
  const JsonValue root = TRY(parse_answer(scratch, reply.body));
  const auto count = count_of(root["input_tokens"]);
  if (!count) return fail(ErrorKind::upstream_malformed, "the provider's answer has no input_tokens");
  UsageReport report;
  report.usage.in_uncached = count;
  return std::vector<Event>{std::move(report), End{}};
}

Error anthropic_error_of(JsonValue error, int status) {
  return classify_provider_error({.status = status,
                                  .type = error["type"].string_or(""),
                                  .code = error["details"]["error_code"].string_or(""),
                                  .message = error["message"].string_or("")});
}

Error decode_anthropic_error(const WireReply& reply, int64_t wall_ns) {
  const Result<JsonDoc> parsed = JsonDoc::parse(std::string(reply.body), kProviderJson);
  Error error;
  if (parsed && parsed->root().is_object()) {
    const JsonValue root = parsed->root();
    error = anthropic_error_of(root["error"].is_object() ? root["error"] : root, reply.status);
  }
  if (error.message.empty()) error = error_of_foreign_body(reply.status, reply.body);
  error.provider_body = reply.body.substr(0, kProviderBodyMax);
  if (const auto wait = retry_after_ms(*reply.headers, wall_ns)) error.retry_after_ms = wait;
  return error;
}

}  // namespace weir
