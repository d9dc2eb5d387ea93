#include "codec/openai_encode.h"

#include <algorithm>
#include <fmt/core.h>

#include "base/text.h"
#include "codec/retry_headers.h"
#include "codec/service_tier.h"

namespace weir {
namespace {

struct ErrorWords {
  std::string_view type;
  std::string_view code;  // empty: null
};

// translation.md 4.10.
ErrorWords words_of(ErrorKind kind) {
  switch (kind) {
    case ErrorKind::bad_request:
    case ErrorKind::expectation_failed:
    case ErrorKind::head_too_large:
      return {"invalid_request_error", ""};
    case ErrorKind::unsupported:
      return {"invalid_request_error", "unsupported_by_target"};
    case ErrorKind::context_too_long:
      return {"invalid_request_error", "context_length_exceeded"};
    case ErrorKind::content_policy:
      return {"invalid_request_error", "content_filter"};
    case ErrorKind::unauthenticated:
      return {"authentication_error", "invalid_api_key"};
    case ErrorKind::forbidden:
      return {"permission_error", ""};
    case ErrorKind::not_found:
      return {"invalid_request_error", "not_found"};
    case ErrorKind::model_not_found:
      return {"invalid_request_error", "model_not_found"};
    case ErrorKind::method_not_allowed:
      return {"invalid_request_error", "method_not_supported"};
    case ErrorKind::body_too_large:
      return {"invalid_request_error", "request_too_large"};
    case ErrorKind::unsupported_media_type:
      return {"invalid_request_error", "unsupported_media_type"};
    case ErrorKind::request_timeout:
      return {"timeout", "request_timeout"};
    case ErrorKind::cancelled:
      return {"cancelled", "client_closed_request"};
    case ErrorKind::rate_limited:
    case ErrorKind::upstream_rate_limited:
      return {"rate_limit_error", "rate_limit_exceeded"};
    case ErrorKind::budget_exceeded:
      return {"insufficient_quota", "budget_exceeded"};
    case ErrorKind::upstream_quota:
      return {"insufficient_quota", "insufficient_quota"};
    case ErrorKind::overloaded:
    case ErrorKind::shutting_down:
    case ErrorKind::upstream_overloaded:
      return {"overloaded", "server_overloaded"};
    // The time that the caller, the route or Weir gives the whole answer; the provider need not be slow.
    case ErrorKind::timeout:
      return {"timeout", "timeout"};
    case ErrorKind::upstream_timeout:
      return {"timeout", "upstream_timeout"};
    case ErrorKind::internal:
      return {"api_error", "internal_error"};
    case ErrorKind::upstream_auth:
      return {"api_error", "upstream_auth"};
    case ErrorKind::upstream_unreachable:
    case ErrorKind::upstream_error:
    case ErrorKind::upstream_malformed:
    case ErrorKind::upstream_truncated:
      return {"api_error", "upstream_error"};
  }
  return {"api_error", ""};
}

// The blocks of one choice, in the message's fields.
class MessageWriter {
 public:
  MessageWriter(JsonWriter& json, const AnswerChoice& choice, ReasoningFields fields, bool is_legacy)
      : json_(json), choice_(choice), reasoning_fields_(fields), is_legacy_(is_legacy) {}

  void write() {
    json_.begin_object().key("role").value("assistant");
    write_text("content", BlockKind::text, true);
    write_text("refusal", BlockKind::refusal, true);
    write_citations();
    write_reasoning();
    is_legacy_ ? write_function_call() : write_tool_calls();
    write_images();
    json_.end_object();
  }

 private:
  // Blocks of a kind joined in order; null when there are none.
  void write_text(std::string_view key, BlockKind kind, bool always) {
    const AnswerBlock* only = nullptr;
    std::string joined;
    size_t count = 0;
    for (const AnswerBlock& block : choice_.blocks) {
      if (block.kind != kind || (kind == BlockKind::thinking && block.text.empty())) continue;
      ++count;
      only = &block;
      joined += block.text;
    }
    if (count == 0) {
      if (always) json_.key(key).null();
      return;
    }
    json_.key(key).value(count == 1 ? only->text : joined);
  }

  void write_citations() {
    OpenAiCitations cited;
    CitedRange range;  // of the block in the content, which is all of them joined
    for (const AnswerBlock& block : choice_.blocks) {
      if (block.kind != BlockKind::text) continue;
      range.start = std::exchange(range.end, range.end + characters(block.text));
      for (const std::string& citation : block.citations) cited.add(block.dialect, citation, range);
    }
    write_openai_citations(json_, cited);
  }

  void write_reasoning() {
    write_text("reasoning_content", BlockKind::thinking, false);
    if (reasoning_fields_ == ReasoningFields::both) write_text("reasoning", BlockKind::thinking, false);
    bool any = false;
    for (const AnswerBlock& block : choice_.blocks) {
      const bool is_signed = block.kind == BlockKind::thinking && !block.signature.empty() &&
                             shares_signatures(block.dialect, Dialect::openai_chat);
      if (!is_signed && block.kind != BlockKind::redacted_thinking) continue;
      if (!any) json_.key("thinking_blocks").begin_array();
      any = true;
      write_thinking_block(json_, block);
    }
    if (any) json_.end_array();
  }

 public:
  static void write_thinking_block(JsonWriter& json, const AnswerBlock& block) {
    json.begin_object();
    if (block.kind == BlockKind::redacted_thinking) {
      json.key("type").value("redacted_thinking").key("data").value(block.text);
    } else {
      json.key("type")
          .value("thinking")
          .key("thinking")
          .value(block.text)
          .key("signature")
          .value(block.signature);
    }
    json.end_object();
  }

 private:
  void write_tool_calls() {
    bool any = false;
    for (const AnswerBlock& block : choice_.blocks) {
      if (block.kind != BlockKind::tool_call || block.tool_kind == ToolKind::server) continue;
      if (!any) json_.key("tool_calls").begin_array();
      any = true;
      json_.begin_object().key("id").value(block.tool_id);
      if (block.tool_kind == ToolKind::custom) {
        json_.key("type").value("custom").key("custom").begin_object();
        json_.key("name").value(block.tool_name).key("input").value(block.text).end_object();
      } else {
        json_.key("type").value("function").key("function").begin_object();
        json_.key("name").value(block.tool_name);
        json_.key("arguments").value(block.text.empty() ? "{}" : std::string_view(block.text)).end_object();
      }
      json_.end_object();
    }
    if (any) json_.end_array();
  }

  // One at most: such a request says that no calls are made in parallel.
  void write_function_call() {
    for (const AnswerBlock& block : choice_.blocks) {
      if (block.kind != BlockKind::tool_call) continue;
      json_.key("function_call").begin_object().key("name").value(block.tool_name);
      json_.key("arguments").value(block.text.empty() ? "{}" : std::string_view(block.text)).end_object();
      return;
    }
  }

  void write_images() {
    bool any = false;
    for (const AnswerBlock& block : choice_.blocks) {
      if (block.kind != BlockKind::image) continue;
      if (!std::exchange(any, true)) json_.key("images").begin_array();
      write_openai_image(json_, block);
    }
    if (any) json_.end_array();
  }

  JsonWriter& json_;
  const AnswerChoice& choice_;
  const ReasoningFields reasoning_fields_;
  const bool is_legacy_;
};

void write_logprobs(JsonWriter& json, const AnswerChoice& choice) {
  json.key("logprobs");
  if (choice.logprobs.empty()) {
    json.null();
    return;
  }
  // Each piece is an array; one array of all their elements.
  std::string joined = "[";
  for (const std::string& piece : choice.logprobs) {
    if (piece.size() <= 2) continue;
    if (joined.size() > 1) joined += ',';
    joined.append(piece, 1, piece.size() - 2);
  }
  joined += ']';
  json.begin_object().key("content").raw(joined).key("refusal").null().end_object();
}

}  // namespace

std::string_view openai_finish_reason(StopReason reason, bool has_refusal) {
  switch (reason) {
    case StopReason::length:
    case StopReason::context_full:
      return "length";
    case StopReason::tool:
      return "tool_calls";
    case StopReason::refusal:
      return has_refusal ? "stop" : "content_filter";
    case StopReason::filter:
    case StopReason::guardrail:
      return "content_filter";
    case StopReason::end:
    case StopReason::stop_sequence:
    case StopReason::pause:
    case StopReason::bad_tool:
    case StopReason::other:
      break;
  }
  return "stop";
}

bool has_legacy_functions(const AnswerContext& context) {
  const Chat* chat = context.request ? chat_of(*context.request) : nullptr;
  return chat && !chat->tools.empty() && std::ranges::all_of(chat->tools, [](const Tool& tool) {
           return tool.dialect == Dialect::openai_chat && tool.type.empty();
         });
}

void write_openai_stop(JsonWriter& json, const Finish& finish) {
  if (finish.reason == StopReason::bad_tool) {
    Error error = make_error(ErrorKind::upstream_malformed,
                             "the model called a tool in a way that cannot be read; ask it again");
    error.code = "bad_tool_call";
    json.key("error");
    write_openai_error(json, error);
  }
  if (finish.reason == StopReason::stop_sequence && !finish.stop_sequence.empty())
    json.key("stop_reason").value(finish.stop_sequence);
}

std::string openai_answer_id(std::string_view prefix, std::string_view provider_id,
                             std::string_view exchange_id) {
  if (provider_id.starts_with(prefix)) return std::string(provider_id);
  const size_t underscore = exchange_id.find('_');
  return std::string(prefix).append(
      exchange_id.substr(underscore == std::string_view::npos ? 0 : underscore + 1));
}

void write_openai_usage(JsonWriter& json, const Usage& usage) {
  const int64_t input = usage.input_total();
  const int64_t output = usage.output_total();
  json.begin_object();
  json.key("prompt_tokens").value(input).key("completion_tokens").value(output);
  json.key("total_tokens").value(input + output);
  json.key("prompt_tokens_details").begin_object();
  json.key("cached_tokens").value(usage.cache_read.value_or(0));
  json.key("audio_tokens").value(usage.in_audio.value_or(0));
  const int64_t written = usage.cache_write_5m.value_or(0) + usage.cache_write_1h.value_or(0);
  if (usage.cache_write_5m || usage.cache_write_1h) json.key("cache_write_tokens").value(written);
  json.end_object().key("completion_tokens_details").begin_object();
  json.key("reasoning_tokens").value(usage.out_reasoning.value_or(0));
  json.key("audio_tokens").value(usage.out_audio.value_or(0));
  json.key("accepted_prediction_tokens").value(0).key("rejected_prediction_tokens").value(0);
  json.end_object().end_object();
}

void write_openai_error(JsonWriter& json, const Error& error) {
  const ErrorWords words = words_of(error.kind);
  json.begin_object().key("message").value(error.message).key("type").value(words.type);
  json.key("param");
  if (error.path.empty()) {
    json.null();
  } else {
    json.value(error.path);
  }
  json.key("code");
  const std::string_view code = error.code.empty() ? words.code : std::string_view(error.code);
  if (code.empty()) {
    json.null();
  } else {
    json.value(code);
  }
  json.end_object();
}

void write_openai_image(JsonWriter& json, const AnswerBlock& block) {
  const std::string_view mime = block.raw.empty() ? "image/png" : std::string_view(block.raw);
  json.begin_object().key("type").value("image_url").key("image_url").begin_object();
  json.key("url").value(fmt::format("data:{};base64,{}", mime, block.text)).end_object().end_object();
}

void OpenAiCitations::add(Dialect source, std::string_view raw, CitedRange range) {
  // An event of a stream is one line: breaks, which in JSON are mere white space, would end it.
  const auto one_line = [](std::string text) {
    std::erase_if(text, [](char c) { return c == '\n' || c == '\r'; });
    return text;
  };
  CitationForms forms = cite(Dialect::openai_chat, source, raw, range);
  for (std::string& form : forms.raw) annotations.push_back(one_line(std::move(form)));
  if (forms.losses.empty()) return;
  copies.push_back(one_line(std::string(raw)));
  copied_from = source;
}

void write_openai_citations(JsonWriter& json, const OpenAiCitations& citations) {
  if (!citations.annotations.empty()) {
    json.key("annotations").begin_array();
    for (const std::string& annotation : citations.annotations) json.raw(annotation);
    json.end_array();
  }
  if (citations.copies.empty()) return;
  json.key("provider_metadata").begin_object().key(to_string(citations.copied_from)).begin_object();
  json.key("citations").begin_array();
  for (const std::string& copy : citations.copies) json.raw(copy);
  json.end_array().end_object().end_object();
}

ClientReply encode_openai_error(const Error& error, std::string_view) {
  ClientReply reply;
  reply.status = error.http_status();
  reply.headers.add("content-type", "application/json");
  add_retry_headers(error, reply.headers);
  JsonWriter json(reply.body);
  json.begin_object().key("error");
  write_openai_error(json, error);
  json.end_object();
  return reply;
}

ClientReply encode_openai_answer(const Answer& answer, const AnswerContext& context, ReasoningFields fields) {
  ClientReply reply;
  reply.headers.add("content-type", "application/json");
  JsonWriter json(reply.body);
  json.begin_object();
  json.key("id").value(openai_answer_id("chatcmpl-", answer.start.id, context.exchange_id));
  json.key("object").value("chat.completion");
  json.key("created").value(answer.start.created_s > 0 ? answer.start.created_s : context.created_s);
  json.key("model").value(answer.start.model.empty() ? context.model : answer.start.model);
  json.key("choices").begin_array();
  static const std::vector<AnswerChoice> kOneEmpty(1);
  const auto& choices = answer.choices.empty() ? kOneEmpty : answer.choices;
  const bool is_legacy = has_legacy_functions(context);
  for (size_t i = 0; i < choices.size(); ++i) {
    json.begin_object().key("index").value(static_cast<int64_t>(i)).key("message");
    MessageWriter(json, choices[i], fields, is_legacy).write();
    write_logprobs(json, choices[i]);
    const bool has_refusal =
        std::any_of(choices[i].blocks.begin(), choices[i].blocks.end(),
                    [](const AnswerBlock& block) { return block.kind == BlockKind::refusal; });
    const bool is_function_call = is_legacy && choices[i].finish.reason == StopReason::tool;
    json.key("finish_reason")
        .value(is_function_call ? "function_call"
                                : openai_finish_reason(choices[i].finish.reason, has_refusal));
    write_openai_stop(json, choices[i].finish);
    json.end_object();
  }
  json.end_array().key("usage");
  write_openai_usage(json, answer.usage);
  const std::string_view tier = openai_service_tier(answer.start.service_tier);
  if (!tier.empty()) json.key("service_tier").value(tier);
  json.key("system_fingerprint");
  if (answer.start.system_fingerprint.empty()) {
    json.null();
  } else {
    json.value(answer.start.system_fingerprint);
  }
  json.end_object();
  return reply;
}

}  // namespace weir
