#include "api/endpoints.h"

#include <array>
#include <vector>

#include "base/encoding.h"
#include "base/text.h"
#include "codec/anthropic.h"
#include "codec/openai.h"

namespace weir {
namespace {

const ClientCodec* chat() {
  return &openai_chat_client();
}
const ClientCodec* completions() {
  return &openai_completions_client();
}
const ClientCodec* embeddings() {
  return &openai_embeddings_client();
}
const ClientCodec* messages() {
  return &anthropic_messages_client();
}
const ClientCodec* count_tokens() {
  return &anthropic_count_tokens_client();
}

constexpr std::array kRows = {
    EndpointRow{"POST", "/v1/chat/completions", Action::model_call, &chat},
    EndpointRow{"POST", "/v1/completions", Action::model_call, &completions},
    EndpointRow{"POST", "/v1/embeddings", Action::model_call, &embeddings},
    EndpointRow{"POST", "/v1/messages", Action::model_call, &messages},
    EndpointRow{"POST", "/v1/messages/count_tokens", Action::model_call, &count_tokens},
    EndpointRow{"GET", "/v1/models", Action::list_models, nullptr},
    EndpointRow{"GET", "/v1/models/*", Action::get_model, nullptr},
    EndpointRow{"GET", "/healthz", Action::health, nullptr},
};

constexpr std::array<std::string_view, 2> kBasePaths = {"/openai", "/anthropic"};

std::string_view without_base(std::string_view path) {
  for (const std::string_view base : kBasePaths) {
    if (path.starts_with(base) && path.substr(base.size()).starts_with("/v1/"))
      return path.substr(base.size());
  }
  return path;
}

bool matches_path(const EndpointRow& row, std::string_view path) {
  if (!row.path.ends_with('*')) return row.path == path;
  const std::string_view prefix = row.path.substr(0, row.path.size() - 1);
  return path.size() > prefix.size() && path.starts_with(prefix);
}

bool matches_method(const EndpointRow& row, std::string_view method) {
  return row.method == method || (method == "HEAD" && row.method == "GET");
}

}  // namespace

std::string allowed_methods(std::string_view path) {
  path = without_base(path);
  std::string methods;
  for (const EndpointRow& row : kRows) {
    if (!matches_path(row, path)) continue;
    methods += row.method;
    methods += row.method == "GET" ? ", HEAD, " : ", ";
  }
  return methods.empty() ? methods : methods + "OPTIONS";
}

Result<EndpointMatch> find_endpoint(std::string_view method, std::string_view path) {
  const std::string_view plain = without_base(path);
  for (const EndpointRow& row : kRows) {
    if (!matches_path(row, plain) || !matches_method(row, method)) continue;
    EndpointMatch match{.row = &row, .rest = {}};
    if (row.path.ends_with('*')) match.rest = TRY(percent_decode(plain.substr(row.path.size() - 1)));
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
    if (row.codec && matches_path(row, plain)) return *row.codec();
  }
  const bool is_anthropic = headers.contains("anthropic-version") || path.starts_with("/anthropic/");
  return is_anthropic ? anthropic_messages_client() : openai_chat_client();
}

}  // namespace weir
