#include "codec/anthropic_encode.h"

#include <fmt/core.h>

#include "codec/answer_forms.h"
#include "codec/anthropic.h"
#include "codec/args.h"
#include "codec/citations.h"
#include "codec/retry_headers.h"
#include "codec/service_tier.h"

namespace weir {
namespace {

constexpr Dialect kDialect = Dialect::anthropic_messages;

// translation.md 4.10.
std::string_view error_type(ErrorKind kind) {
  switch (kind) {
    case ErrorKind::bad_request:
    case ErrorKind::unsupported:
    case ErrorKind::context_too_long:
    case ErrorKind::content_policy:
    case ErrorKind::head_too_large:
    case ErrorKind::method_not_allowed:
    case ErrorKind::unsupported_media_type:
    case ErrorKind::expectation_failed:
    case ErrorKind::cancelled:
      return "invalid_request_error";
    case ErrorKind::unauthenticated:
      return "authentication_error";
    case ErrorKind::forbidden:
      return "permission_error";
    case ErrorKind::not_found:
    case ErrorKind::model_not_found:
      return "not_found_error";
    case ErrorKind::body_too_large:
      return "request_too_large";
    case ErrorKind::rate_limited:
    case ErrorKind::upstream_rate_limited:
    case ErrorKind::upstream_quota:
      return "rate_limit_error";
    case ErrorKind::budget_exceeded:
      return "billing_error";
    case ErrorKind::overloaded:
    case ErrorKind::shutting_down:
    case ErrorKind::upstream_overloaded:
      return "overloaded_error";
    case ErrorKind::request_timeout:
    case ErrorKind::timeout:
    case ErrorKind::upstream_timeout:
      return "timeout_error";
    case ErrorKind::internal:
    case ErrorKind::upstream_auth:
    case ErrorKind::upstream_unreachable:
    case ErrorKind::upstream_error:
    case ErrorKind::upstream_malformed:
    case ErrorKind::upstream_truncated:
      break;
  }
  return "api_error";
}

// The vendor's own status for overload, which its SDKs retry.
constexpr int kOverloadedStatus = 529;

// One choice's blocks as content blocks. A call without an id or with arguments that are no object is made
// fit for the SDKs, which read `input` as an object.
class ContentWriter {
 public:
  explicit ContentWriter(JsonWriter& json) : json_(json) {}

  void write(const AnswerBlock& block) {
    switch (block.kind) {
      case BlockKind::text:
      case BlockKind::refusal:
        if (!block.text.empty() || !block.citations.empty()) write_text(block);
        return;
      case BlockKind::tool_call:
        write_call(block);
        return;
      case BlockKind::thinking:
        if (is_empty_thought(kDialect, block)) return;
        json_.begin_object().key("type").value("thinking").key("thinking").value(block.text);
        json_.key("signature");
        json_.value(shares_signatures(block.dialect, kDialect) ? std::string_view(block.signature) : "");
        json_.end_object();
        return;
      case BlockKind::redacted_thinking:
        json_.begin_object().key("type").value("redacted_thinking").key("data").value(block.text);
        json_.end_object();
        return;
      case BlockKind::unknown:
        if (block.dialect == kDialect) json_.raw(block.raw);
        return;
      case BlockKind::audio:
      case BlockKind::image:
        return;  // the dialect has no form for media in answers
    }
  }

 private:
  void write_text(const AnswerBlock& block) {
    json_.begin_object().key("type").value("text").key("text").value(block.text).key("citations");
    const std::vector<std::string> citations = citation_forms(kDialect, block, {});
    if (citations.empty()) {
      json_.null();
    } else {
      json_.begin_array();
      for (const std::string& citation : citations) json_.raw(citation);
      json_.end_array();
    }
    json_.end_object();
  }

  void write_call(const AnswerBlock& block) {
    if (block.tool_kind == ToolKind::server) {
      if (block.dialect == kDialect) write_anthropic_server_call(json_, block.raw, block.text);
      return;
    }
    json_.begin_object().key("type").value("tool_use").key("id").value(block.tool_id);
    json_.key("name").value(block.tool_name).key("input");
    if (block.tool_kind == ToolKind::custom) {
      json_.begin_object().key("input").value(block.text).end_object();
    } else {
      write_object_arguments(json_, block.text);
    }
    json_.end_object();
  }

  JsonWriter& json_;
};

}  // namespace

std::string_view anthropic_stop_reason(StopReason reason) {
  switch (reason) {
    case StopReason::stop_sequence:
      return "stop_sequence";
    case StopReason::length:
      return "max_tokens";
    case StopReason::context_full:
      return "model_context_window_exceeded";
    case StopReason::tool:
      return "tool_use";
    case StopReason::pause:
      return "pause_turn";
    case StopReason::refusal:
    case StopReason::filter:
    case StopReason::guardrail:
      return "refusal";
    case StopReason::end:
    case StopReason::bad_tool:
    case StopReason::other:
      break;
  }
  return "end_turn";
}

std::string anthropic_answer_id(std::string_view provider_id, std::string_view exchange_id) {
  if (provider_id.starts_with("msg_")) return std::string(provider_id);
  const size_t underscore = exchange_id.find('_');
  return std::string("msg_").append(
      exchange_id.substr(underscore == std::string_view::npos ? 0 : underscore + 1));
}

namespace {

void write_input_counts(JsonWriter& json, const Usage& usage) {
  const int64_t input = usage.in_uncached.value_or(0) + usage.tool_prompt.value_or(0) +
                        usage.in_audio.value_or(0) + usage.in_image.value_or(0);
  json.key("input_tokens").value(input);
  json.key("cache_creation_input_tokens")
      .value(usage.cache_write_5m.value_or(0) + usage.cache_write_1h.value_or(0));
  json.key("cache_read_input_tokens").value(usage.cache_read.value_or(0));
}

void write_output_counts(JsonWriter& json, const Usage& usage) {
  json.key("output_tokens").value(usage.output_total());
  if (usage.out_reasoning) {
    json.key("output_tokens_details").begin_object();
    json.key("thinking_tokens").value(*usage.out_reasoning).end_object();
  }
  if (usage.web_searches) {
    json.key("server_tool_use").begin_object();
    json.key("web_search_requests").value(*usage.web_searches).end_object();
  }
}

}  // namespace

Usage with_estimate(Usage usage, const AnswerContext& context) {
  if (usage.input_total() == 0 && context.input_tokens_estimate)
    usage.in_uncached = context.input_tokens_estimate;
  return usage;
}

void write_anthropic_usage(JsonWriter& json, const Usage& usage, std::string_view service_tier) {
  json.begin_object();
  write_input_counts(json, usage);
  json.key("cache_creation").begin_object();
  json.key("ephemeral_5m_input_tokens").value(usage.cache_write_5m.value_or(0));
  json.key("ephemeral_1h_input_tokens").value(usage.cache_write_1h.value_or(0)).end_object();
  write_output_counts(json, usage);
  const std::string_view tier = anthropic_service_tier(service_tier);
  if (!tier.empty()) json.key("service_tier").value(tier);
  json.end_object();
}

void write_anthropic_delta_usage(JsonWriter& json, const Usage& usage) {
  json.begin_object();
  write_input_counts(json, usage);
  write_output_counts(json, usage);
  json.end_object();
}

void write_anthropic_error(JsonWriter& json, const Error& error) {
  const std::string_view type = error_type(error.kind);
  json.begin_object().key("type").value(type).key("message").value(error.message);
  if (!error.code.empty() && type != "api_error")  // whose form has no details
    json.key("details").begin_object().key("error_code").value(error.code).end_object();
  json.end_object();
}

void write_anthropic_message_head(JsonWriter& json, const Start& start, const AnswerContext& context) {
  json.key("id").value(anthropic_answer_id(start.id, context.exchange_id));
  json.key("type").value("message").key("role").value("assistant");
  json.key("model").value(start.model.empty() ? context.model : start.model);
}

void write_anthropic_server_call(JsonWriter& json, std::string_view raw, std::string_view input) {
  Result<JsonDoc> parsed = JsonDoc::parse(std::string(raw));
  json.begin_object();
  if (parsed) {
    for (const JsonValue member : parsed->root()) {
      if (member.key() != "input") json.key(member.key()).raw(member.raw());
    }
  }
  json.key("input");
  write_object_arguments(json, input);
  json.end_object();
}

ClientReply encode_anthropic_answer(const Answer& answer, const AnswerContext& context) {
  ClientReply reply;
  reply.headers.add("content-type", "application/json");
  JsonWriter json(reply.body);
  json.begin_object();
  write_anthropic_message_head(json, answer.start, context);
  static const AnswerChoice kEmpty;
  const AnswerChoice& choice = answer.choices.empty() ? kEmpty : answer.choices.front();
  json.key("content").begin_array();
  for (const AnswerBlock& block : choice.blocks) ContentWriter(json).write(block);
  json.end_array();
  json.key("stop_reason").value(anthropic_stop_reason(choice.finish.reason)).key("stop_sequence");
  if (choice.finish.stop_sequence.empty()) {
    json.null();
  } else {
    json.value(choice.finish.stop_sequence);
  }
  // Members of version 2026-10-21, which older clients pass over.
  json.key("stop_details").null().key("container").null();
  json.key("usage");
  write_anthropic_usage(json, with_estimate(answer.usage, context), answer.start.service_tier);
  json.end_object();
  return reply;
}

ClientReply encode_anthropic_error(const Error& error, std::string_view request_id) {
  ClientReply reply;
  const std::string_view type = error_type(error.kind);
  reply.status = type == "overloaded_error" ? kOverloadedStatus : error.http_status();
  reply.headers.add("content-type", "application/json");
  if (!request_id.empty()) reply.headers.add("request-id", request_id);
  add_retry_headers(error, reply.headers);
  JsonWriter json(reply.body);
  json.begin_object().key("type").value("error").key("error");
  write_anthropic_error(json, error);
  json.key("request_id");
  if (request_id.empty()) {
    json.null();
  } else {
    json.value(request_id);
  }
  json.end_object();
  return reply;
}

}  // namespace weir
