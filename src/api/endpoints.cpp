#include "api/endpoints.h"

#include <array>
#include <optional>
#include <vector>

#include "base/encoding.h"
#include "base/text.h"
#include "codec/anthropic.h"
#include "codec/bedrock_converse.h"
#include "codec/bedrock_invoke.h"
#include "codec/gemini.h"
#include "codec/openai.h"
#include "codec/openai_opaque.h"
#include "codec/openai_responses.h"
#include "codec/rerank.h"

namespace weir {
namespace {

constexpr std::array kRows = {
    EndpointRow{"POST", "/v1/chat/completions", Action::model_call, &openai_chat_client},
    EndpointRow{"POST", "/v1/completions", Action::model_call, &openai_completions_client},
    EndpointRow{"POST", "/v1/embeddings", Action::model_call, &openai_embeddings_client},
    EndpointRow{"POST", "/v1/rerank", Action::model_call, &rerank_client},
    EndpointRow{"POST", "/v2/rerank", Action::model_call, &rerank_client},
    EndpointRow{"POST", "/v1/moderations", Action::model_call, &opaque_client<OpaqueTask::moderation>},
    EndpointRow{"POST", "/v1/audio/speech", Action::model_call, &opaque_client<OpaqueTask::speech>},
    EndpointRow{"POST", "/v1/audio/transcriptions", Action::model_call,
                &opaque_client<OpaqueTask::transcription>, BodyForm::multipart},
    EndpointRow{"POST", "/v1/audio/translations", Action::model_call, &opaque_client<OpaqueTask::translation>,
                BodyForm::multipart},
    EndpointRow{"POST", "/v1/images/generations", Action::model_call,
                &opaque_client<OpaqueTask::image_generation>},
    EndpointRow{"POST", "/v1/images/edits", Action::model_call, &opaque_client<OpaqueTask::image_edit>,
                BodyForm::json_or_multipart},
    EndpointRow{"POST", "/v1/images/variations", Action::model_call,
                &opaque_client<OpaqueTask::image_variation>, BodyForm::multipart},
    EndpointRow{"POST", "/v1/responses", Action::model_call, &openai_responses_client},
    EndpointRow{"POST", "/v1/responses/input_tokens", Action::model_call,
                &openai_responses_input_tokens_client},
    EndpointRow{"POST", "/v1/messages", Action::model_call, &anthropic_messages_client},
    EndpointRow{"POST", "/v1/messages/count_tokens", Action::model_call, &anthropic_count_tokens_client},
    EndpointRow{"POST", "/model/{model}/converse", Action::model_call, &bedrock_converse_client},
    EndpointRow{"POST", "/model/{model}/converse-stream", Action::model_call,
                &bedrock_converse_stream_client},
    EndpointRow{"POST", "/model/{model}/invoke", Action::model_call, &bedrock_invoke_client},
    EndpointRow{"POST", "/model/{model}/invoke-with-response-stream", Action::model_call,
                &bedrock_invoke_stream_client},
    EndpointRow{"POST", "/model/{model}/count-tokens", Action::model_call, &bedrock_count_tokens_client},
    EndpointRow{"GET", "/v1/models", Action::list_models, nullptr},
    EndpointRow{"GET", "/v1/models/*", Action::get_model, nullptr},
    EndpointRow{"GET", "/v1/capabilities", Action::capabilities, nullptr},
    EndpointRow{"GET", "/v1/responses/{id}", Action::get_response, nullptr},
    EndpointRow{"GET", "/v1/responses/{id}/input_items", Action::list_input_items, nullptr},
    EndpointRow{"POST", "/v1/responses/{id}/cancel", Action::cancel_response, nullptr},
    EndpointRow{"DELETE", "/v1/responses/{id}", Action::delete_response, nullptr},
    // Google's: any version (v1, v1beta, v1beta1), and each place where its APIs put models.
    EndpointRow{"POST", "/*/models/{model}:generateContent", Action::model_call, &gemini_generate_client},
    EndpointRow{"POST", "/*/models/{model}:streamGenerateContent", Action::model_call, &gemini_stream_client},
    EndpointRow{"POST", "/*/models/{model}:countTokens", Action::model_call, &gemini_count_tokens_client},
    EndpointRow{"POST", "/*/models/{model}:embedContent", Action::model_call, &gemini_embed_client},
    EndpointRow{"POST", "/*/models/{model}:batchEmbedContents", Action::model_call,
                &gemini_batch_embed_client},
    EndpointRow{"POST", "/*/tunedModels/{model}:generateContent", Action::model_call,
                &gemini_generate_client},
    EndpointRow{"POST", "/*/tunedModels/{model}:streamGenerateContent", Action::model_call,
                &gemini_stream_client},
    EndpointRow{"POST", "/*/tunedModels/{model}:countTokens", Action::model_call,
                &gemini_count_tokens_client},
    EndpointRow{"POST", "/*/publishers/*/models/{model}:generateContent", Action::model_call,
                &gemini_generate_client},
    EndpointRow{"POST", "/*/publishers/*/models/{model}:streamGenerateContent", Action::model_call,
                &gemini_stream_client},
    EndpointRow{"POST", "/*/publishers/*/models/{model}:countTokens", Action::model_call,
                &gemini_count_tokens_client},
    EndpointRow{"POST", "/*/publishers/*/models/{model}:embedContent", Action::model_call,
                &gemini_embed_client},
    EndpointRow{"POST", "/*/publishers/*/models/{model}:batchEmbedContents", Action::model_call,
                &gemini_batch_embed_client},
    EndpointRow{"POST", "/*/projects/*/locations/*/publishers/*/models/{model}:generateContent",
                Action::model_call, &gemini_generate_client},
    EndpointRow{"POST", "/*/projects/*/locations/*/publishers/*/models/{model}:streamGenerateContent",
                Action::model_call, &gemini_stream_client},
    EndpointRow{"POST", "/*/projects/*/locations/*/publishers/*/models/{model}:countTokens",
                Action::model_call, &gemini_count_tokens_client},
    EndpointRow{"POST", "/*/projects/*/locations/*/publishers/*/models/{model}:embedContent",
                Action::model_call, &gemini_embed_client},
    EndpointRow{"POST", "/*/projects/*/locations/*/publishers/*/models/{model}:batchEmbedContents",
                Action::model_call, &gemini_batch_embed_client},
    EndpointRow{"GET", "/v1beta/models", Action::list_models, nullptr},
    EndpointRow{"GET", "/v1beta/models/*", Action::get_model, nullptr},
    EndpointRow{"GET", "/v1beta1/publishers/*/models", Action::list_models, nullptr},
    EndpointRow{"GET", "/v1beta1/publishers/*/models/*", Action::get_model, nullptr},
    EndpointRow{"GET", "/healthz", Action::health, nullptr},
};

// Of each row, whether its path stands for itself alone.
constexpr auto kIsExact = [] {
  std::array<bool, kRows.size()> exact{};
  for (size_t i = 0; i < kRows.size(); ++i)
    exact[i] = kRows[i].path.find_first_of("*{") == std::string_view::npos;
  return exact;
}();

// A base path is stripped only where one of the dialect's own paths follows it.
struct BasePath {
  std::string_view base;
  std::string_view next;
};
constexpr std::array kBasePaths = {
    BasePath{"/openai", "/v1/"}, BasePath{"/anthropic", "/v1/"},  BasePath{"/bedrock", "/model/"},
    BasePath{"/gemini", "/v1/"}, BasePath{"/gemini", "/v1beta/"}, BasePath{"/gemini", "/v1beta1/"},
};

std::string_view without_base(std::string_view path) {
  for (const auto& [base, next] : kBasePaths) {
    if (path.starts_with(base) && path.substr(base.size()).starts_with(next)) return path.substr(base.size());
  }
  return path;
}

std::string_view take_segment(std::string_view& path) {
  const size_t slash = path.find('/');
  const std::string_view segment = path.substr(0, slash);
  path.remove_prefix(slash == std::string_view::npos ? path.size() : slash + 1);
  return segment;
}

// The parts of a path that a row's placeholders stood for, still percent-encoded.
struct PathParts {
  std::string_view rest;
  std::string_view model;
};

std::optional<PathParts> match_path(std::string_view pattern, std::string_view path) {
  constexpr std::string_view kModel = "{model}";
  if (!path.starts_with('/') || path.ends_with('/')) return std::nullopt;
  pattern.remove_prefix(1);
  path.remove_prefix(1);
  PathParts parts;
  while (!pattern.empty()) {
    if (path.empty()) return std::nullopt;
    if (pattern == "*") return parts.rest = path, parts;
    const std::string_view wanted = take_segment(pattern);
    // At the end a model's name may hold slashes that its client left as they are.
    const bool takes_rest = wanted.starts_with(kModel) && pattern.empty();
    const std::string_view segment = takes_rest ? std::exchange(path, {}) : take_segment(path);
    if (wanted.starts_with(kModel)) {
      const std::string_view action = wanted.substr(kModel.size());
      if (segment.size() <= action.size() || !segment.ends_with(action)) return std::nullopt;
      parts.model = segment.substr(0, segment.size() - action.size());
    } else if (wanted == "{id}") {
      if (segment.empty()) return std::nullopt;
      parts.rest = segment;
    } else if (wanted == "*" ? segment.empty() : wanted != segment) {
      return std::nullopt;
    }
  }
  return path.empty() ? std::optional(parts) : std::nullopt;
}

bool matches_path(const EndpointRow& row, std::string_view path) {
  return match_path(row.path, path).has_value();
}

// Whether the path is an action of a model, by whatever method: then its last segment is no model's name.
bool is_action(std::string_view path) {
  for (const EndpointRow& row : kRows) {
    if (row.path.find("{model}:") != std::string_view::npos && matches_path(row, path)) return true;
  }
  return false;
}

bool takes_name(const EndpointRow& row, std::string_view path) {
  return row.action != Action::get_model || !is_action(path);
}

bool matches_method(const EndpointRow& row, std::string_view method) {
  return row.method == method || (method == "HEAD" && row.method == "GET");
}

// The row whose path is just this one: most calls come by such, and without a base.
const EndpointRow* exact_row(std::string_view method, std::string_view path) {
  for (size_t i = 0; i < kRows.size(); ++i) {
    if (kIsExact[i] && kRows[i].path == path && matches_method(kRows[i], method)) return &kRows[i];
  }
  return nullptr;
}

}  // namespace

std::span<const EndpointRow> endpoint_rows() {
  return kRows;
}

std::string allowed_methods(std::string_view path) {
  path = without_base(path);
  std::string methods;
  for (const EndpointRow& row : kRows) {
    if (!matches_path(row, path) || !takes_name(row, path) || methods.find(row.method) != std::string::npos)
      continue;
    methods += row.method;
    methods += row.method == "GET" ? ", HEAD, " : ", ";
  }
  return methods.empty() ? methods : methods + "OPTIONS";
}

Result<EndpointMatch> find_endpoint(std::string_view method, std::string_view path) {
  if (const EndpointRow* row = exact_row(method, path))
    return EndpointMatch{.row = row, .rest = {}, .model = {}};
  const std::string_view plain = without_base(path);
  for (const EndpointRow& row : kRows) {
    const std::optional<PathParts> parts = match_path(row.path, plain);
    if (!parts || !matches_method(row, method) || !takes_name(row, plain)) continue;
    EndpointMatch match{.row = &row, .rest = {}, .model = {}};
    match.rest = TRY(percent_decode(parts->rest));
    match.model = TRY(percent_decode(parts->model));
    return match;
  }
  if (std::string methods = allowed_methods(path); !methods.empty()) {
    Error error = make_error(ErrorKind::method_not_allowed,
                             fmt::format("{} is not a method of {}; use {}", method, path, methods));
    error.detail = std::move(methods);
    return fail(std::move(error));
  }
  std::vector<std::string_view> known;
  for (const EndpointRow& row : kRows) known.push_back(row.path);
  return fail(ErrorKind::not_found, fmt::format("there is no {}{}", path, did_you_mean(plain, known, 1)));
}

const ClientCodec& codec_for_errors(std::string_view path, const Headers& headers) {
  const std::string_view plain = without_base(path);
  for (const EndpointRow& row : kRows) {
    if (row.codec && matches_path(row, plain)) return row.codec();
  }
  if (headers.contains("x-goog-api-key") || headers.contains("x-goog-api-client") ||
      path.starts_with("/gemini/"))
    return gemini_generate_client();
  if (plain.starts_with("/v1beta") || plain.starts_with("/v1/projects/") ||
      plain.starts_with("/v1/publishers/"))
    return gemini_generate_client();
  if (plain.starts_with("/model/") || path.starts_with("/bedrock/")) return bedrock_converse_client();
  const bool is_anthropic = headers.contains("anthropic-version") || path.starts_with("/anthropic/") ||
                            plain.starts_with("/v1/messages/");
  return is_anthropic ? anthropic_messages_client() : openai_chat_client();
}

}  // namespace weir
