#include "codec/gemini_encode.h"

#include <algorithm>
#include <array>
#include <fmt/core.h>

#include "codec/args.h"
#include "codec/citations.h"
#include "codec/gemini_decode.h"
#include "codec/provider_json.h"
#include "codec/retry_headers.h"

namespace weir {
namespace {

constexpr Dialect kDialect = Dialect::gemini;

struct StatusWords {
  int code;
  std::string_view status;
};

// https://cloud.google.com/apis/design/errors: the canonical codes and their HTTP status.
StatusWords words_of(const Error& error) {
  switch (error.kind) {
    case ErrorKind::unauthenticated:
      return {401, "UNAUTHENTICATED"};
    case ErrorKind::forbidden:
      return {403, "PERMISSION_DENIED"};
    case ErrorKind::not_found:
    case ErrorKind::model_not_found:
      return {404, "NOT_FOUND"};
    case ErrorKind::rate_limited:
    case ErrorKind::upstream_rate_limited:
    case ErrorKind::upstream_quota:
    case ErrorKind::budget_exceeded:
      return {error.http_status(), "RESOURCE_EXHAUSTED"};
    case ErrorKind::cancelled:
      return {error.http_status(), "CANCELLED"};
    case ErrorKind::overloaded:
    case ErrorKind::shutting_down:
    case ErrorKind::upstream_overloaded:
      return {error.http_status(), "UNAVAILABLE"};
    case ErrorKind::request_timeout:
    case ErrorKind::timeout:
    case ErrorKind::upstream_timeout:
      return {error.http_status(), "DEADLINE_EXCEEDED"};
    case ErrorKind::bad_request:
    case ErrorKind::unsupported:
    case ErrorKind::context_too_long:
    case ErrorKind::content_policy:
    case ErrorKind::method_not_allowed:
    case ErrorKind::body_too_large:
    case ErrorKind::head_too_large:
    case ErrorKind::unsupported_media_type:
    case ErrorKind::expectation_failed:
      return {error.http_status(), "INVALID_ARGUMENT"};
    case ErrorKind::internal:
    case ErrorKind::upstream_auth:
    case ErrorKind::upstream_unreachable:
    case ErrorKind::upstream_error:
    case ErrorKind::upstream_malformed:
    case ErrorKind::upstream_truncated:
      break;
  }
  return {error.http_status(), "INTERNAL"};
}

void write_details(JsonWriter& json, const Error& error) {
  json.key("details").begin_array();
  if (!error.path.empty()) {
    json.begin_object().key("@type").value("type.googleapis.com/google.rpc.BadRequest");
    json.key("fieldViolations").begin_array().begin_object().key("field").value(error.path);
    json.key("description").value(error.message).end_object().end_array().end_object();
  }
  json.begin_object().key("@type").value("type.googleapis.com/google.rpc.ErrorInfo").key("reason");
  std::string reason(error.code.empty() ? to_string(error.kind) : std::string_view(error.code));
  for (char& c : reason) c = c >= 'a' && c <= 'z' ? static_cast<char>(c - 'a' + 'A') : c;
  json.value(reason).key("domain").value("weir").end_object();
  if (error.retry_after_ms) {
    json.begin_object().key("@type").value("type.googleapis.com/google.rpc.RetryInfo").key("retryDelay");
    json.value(fmt::format("{}.{:03}s", *error.retry_after_ms / 1000, *error.retry_after_ms % 1000))
        .end_object();
  }
  json.end_array();
}

void write_signature(JsonWriter& json, std::string_view signature) {
  if (!signature.empty()) json.key("thoughtSignature").value(signature);
}

// The part of one block, if there is one.
void write_part(JsonWriter& json, const AnswerBlock& block) {
  const std::string_view signature = block.dialect == kDialect ? std::string_view(block.signature) : "";
  switch (block.kind) {
    case BlockKind::text:
    case BlockKind::refusal:
      if (!block.text.empty()) json.begin_object().key("text").value(block.text).end_object();
      return;
    case BlockKind::thinking:
      if (block.text.empty() && signature.empty()) return;
      json.begin_object().key("text").value(block.text);
      if (!block.text.empty()) json.key("thought").value(true);
      write_signature(json, signature);
      json.end_object();
      return;
    case BlockKind::tool_call:
      if (block.tool_kind != ToolKind::server) write_gemini_call(json, block);
      return;
    case BlockKind::audio:
    case BlockKind::image:
      json.begin_object().key("inlineData").begin_object().key("mimeType").value(gemini_mime(block));
      json.key("data").value(block.text).end_object().end_object();
      return;
    case BlockKind::unknown:
      if (block.dialect == kDialect) json.raw(block.raw);
      return;
    case BlockKind::redacted_thinking:
      return;  // the dialect has no form for it
  }
}

// What other vendors cite of documents, as one grounding: the chunks, and which segment each supports.
void write_chunks(JsonWriter& json, std::span<const JsonDoc> docs) {
  std::vector<JsonValue> cited;
  for (const JsonDoc& doc : docs) {
    if (doc.root()["groundingChunk"]) cited.push_back(doc.root());
  }
  if (cited.empty()) return;
  json.key("groundingMetadata").begin_object().key("groundingChunks").begin_array();
  for (const JsonValue one : cited) json.raw(one["groundingChunk"].raw());
  json.end_array().key("groundingSupports").begin_array();
  for (size_t i = 0; i < cited.size(); ++i) {
    json.begin_object().key("segment").raw(cited[i]["segment"].raw());
    json.key("groundingChunkIndices").begin_array().value(static_cast<int64_t>(i)).end_array().end_object();
  }
  json.end_array().end_object();
}

void write_candidate(JsonWriter& json, const AnswerChoice& choice, size_t index) {
  json.begin_object().key("content").begin_object().key("parts").begin_array();
  std::vector<std::string> citations;
  CitedRange range{.part = 0};
  for (const AnswerBlock& block : choice.blocks) {
    std::string part;
    JsonWriter part_json(part);
    write_part(part_json, block);
    // A refusal is a text to these clients.
    if (block.kind == BlockKind::text || block.kind == BlockKind::refusal) {
      range.part_start = range.start;
      range.end = range.start + static_cast<int64_t>(block.text.size());
      for (std::string& form : citation_forms(kDialect, block, range)) citations.push_back(std::move(form));
      range.start = range.end;
    }
    if (part.empty()) continue;
    json.raw(part);
    ++*range.part;
  }
  json.end_array().key("role").value("model").end_object();
  json.key("finishReason").value(gemini_finish_reason(choice.finish));
  json.key("index").value(static_cast<int64_t>(index));
  write_gemini_citations(json, citations);
  if (!choice.logprobs.empty()) write_gemini_logprobs(json, choice.logprobs);
  json.end_object();
}

}  // namespace

std::string_view gemini_finish_reason(const Finish& finish) {
  if (const std::string_view own = gemini_reason_word(finish.native); !own.empty()) return own;
  switch (finish.reason) {
    case StopReason::length:
    case StopReason::context_full:
      return "MAX_TOKENS";
    case StopReason::refusal:
    case StopReason::filter:
    case StopReason::guardrail:
      return "SAFETY";
    case StopReason::bad_tool:
      return "MALFORMED_FUNCTION_CALL";
    case StopReason::other:
      return "OTHER";
    case StopReason::end:
    case StopReason::stop_sequence:
    case StopReason::tool:
    case StopReason::pause:
      break;
  }
  return "STOP";
}

std::string_view gemini_mime(const AnswerBlock& block) {
  if (!block.raw.empty()) return block.raw;
  return block.kind == BlockKind::image ? "image/png" : "audio/wav";
}

void write_gemini_usage(JsonWriter& json, const Usage& usage) {
  const int64_t tool_prompt = usage.tool_prompt.value_or(0);
  json.begin_object().key("promptTokenCount").value(usage.input_total() - tool_prompt);
  json.key("candidatesTokenCount").value(usage.output_total() - usage.out_reasoning.value_or(0));
  json.key("totalTokenCount").value(usage.input_total() + usage.output_total());
  if (usage.cache_read) json.key("cachedContentTokenCount").value(*usage.cache_read);
  if (usage.out_reasoning) json.key("thoughtsTokenCount").value(*usage.out_reasoning);
  if (usage.tool_prompt) json.key("toolUsePromptTokenCount").value(tool_prompt);
  if (usage.in_audio) {
    json.key("promptTokensDetails").begin_array().begin_object().key("modality").value("AUDIO");
    json.key("tokenCount").value(*usage.in_audio).end_object().end_array();
  }
  if (usage.out_audio || usage.out_image) {
    json.key("candidatesTokensDetails").begin_array();
    const auto write_modality = [&json](std::string_view modality, const std::optional<int64_t>& tokens) {
      if (tokens)
        json.begin_object().key("modality").value(modality).key("tokenCount").value(*tokens).end_object();
    };
    write_modality("AUDIO", usage.out_audio);
    write_modality("IMAGE", usage.out_image);
    json.end_array();
  }
  json.end_object();
}

void write_gemini_error(JsonWriter& json, const Error& error) {
  const StatusWords words = words_of(error);
  json.begin_object().key("code").value(words.code).key("message").value(error.message);
  json.key("status").value(words.status);
  write_details(json, error);
  json.end_object();
}

void write_gemini_tail(JsonWriter& json, const Start& start, const AnswerContext& context) {
  json.key("modelVersion").value(start.model.empty() ? context.model : start.model);
  json.key("responseId").value(start.id.empty() ? context.exchange_id : start.id);
}

void write_gemini_logprobs(JsonWriter& json, std::span<const std::string> pieces) {
  std::vector<JsonDoc> docs;
  for (const std::string& piece : pieces) {
    if (Result<JsonDoc> parsed = JsonDoc::parse(piece, kProviderJson)) docs.push_back(std::move(*parsed));
  }
  const auto write_token = [&json](JsonValue entry) {
    json.begin_object().key("token").value(entry["token"].string_or(""));
    json.key("logProbability").value(entry["logprob"].double_or(0)).end_object();
  };
  json.key("logprobsResult").begin_object().key("chosenCandidates").begin_array();
  for (const JsonDoc& doc : docs) {
    for (const JsonValue entry : doc.root()) write_token(entry);
  }
  json.end_array().key("topCandidates").begin_array();
  for (const JsonDoc& doc : docs) {
    for (const JsonValue entry : doc.root()) {
      json.begin_object().key("candidates").begin_array();
      for (const JsonValue top : entry["top_logprobs"]) write_token(top);
      json.end_array().end_object();
    }
  }
  json.end_array().end_object();
}

void write_gemini_citations(JsonWriter& json, std::span<const std::string> citations) {
  std::vector<JsonDoc> docs;
  for (const std::string& citation : citations) {
    if (Result<JsonDoc> parsed = JsonDoc::parse(citation, kProviderJson)) docs.push_back(std::move(*parsed));
  }
  const auto write_last = [&](std::string_view key) {
    JsonValue last;
    for (const JsonDoc& doc : docs) {
      if (const JsonValue found = doc.root()[key]) last = found;
    }
    if (last) json.key(key).raw(last.raw());
    return static_cast<bool>(last);
  };
  bool has_sources = false;
  for (const JsonDoc& doc : docs) {
    const JsonValue source = doc.root()["citationSource"];
    if (!source) continue;
    if (!std::exchange(has_sources, true))
      json.key("citationMetadata").begin_object().key("citationSources").begin_array();
    json.raw(source.raw());
  }
  if (has_sources) json.end_array().end_object();
  if (!write_last("groundingMetadata")) write_chunks(json, docs);
  write_last("urlContextMetadata");
}

void write_gemini_call(JsonWriter& json, const AnswerBlock& block) {
  json.begin_object().key("functionCall").begin_object();
  if (!block.tool_id.empty()) json.key("id").value(block.tool_id);
  json.key("name").value(block.tool_name).key("args");
  if (block.tool_kind == ToolKind::custom) {
    json.begin_object().key("input").value(block.text).end_object();
  } else {
    write_object_arguments(json, block.text);
  }
  json.end_object();
  if (block.dialect == kDialect) write_signature(json, block.signature);
  json.end_object();
}

ClientReply encode_gemini_answer(const Answer& answer, const AnswerContext& context) {
  ClientReply reply;
  reply.headers.add("content-type", "application/json; charset=UTF-8");
  JsonWriter json(reply.body);
  json.begin_object().key("candidates").begin_array();
  static const std::vector<AnswerChoice> kOneEmpty(1);
  const auto& choices = answer.choices.empty() ? kOneEmpty : answer.choices;
  for (size_t i = 0; i < choices.size(); ++i) write_candidate(json, choices[i], i);
  json.end_array().key("usageMetadata");
  write_gemini_usage(json, answer.usage);
  write_gemini_tail(json, answer.start, context);
  json.end_object();
  return reply;
}

ClientReply encode_gemini_error(const Error& error) {
  ClientReply reply;
  reply.status = words_of(error).code;
  reply.headers.add("content-type", "application/json; charset=UTF-8");
  add_retry_headers(error, reply.headers);
  JsonWriter json(reply.body);
  json.begin_object().key("error");
  write_gemini_error(json, error);
  json.end_object();
  return reply;
}

}  // namespace weir
