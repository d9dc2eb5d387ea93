// Reads config/providers.yaml: one row for each vendor or kind of server.
#include <algorithm>
#include <fmt/core.h>

#include "base/text.h"
#include "provider/catalog_rows.h"

namespace weir {
namespace {

constexpr std::array kAuthSchemes = {AuthScheme::bearer, AuthScheme::x_api_key, AuthScheme::api_key_header,
                                     AuthScheme::sigv4,  AuthScheme::google,    AuthScheme::entra,
                                     AuthScheme::none};
constexpr std::array kEndpoints = {
    Endpoint::chat,         Endpoint::text_completion,  Endpoint::embeddings, Endpoint::rerank,
    Endpoint::count_tokens, Endpoint::moderation,       Endpoint::speech,     Endpoint::transcription,
    Endpoint::translation,  Endpoint::image_generation, Endpoint::image_edit, Endpoint::image_variation,
    Endpoint::models};
static_assert(kEndpoints.size() == kEndpointCount);

// Whether requests of that kind can be said in the dialect at all; where, is the codec's business.
bool offers(Dialect dialect, Endpoint endpoint) {
  const bool is_openai_chat = dialect == Dialect::openai_chat;
  switch (endpoint) {
    case Endpoint::chat:
    case Endpoint::models:
      return true;
    case Endpoint::text_completion:
    case Endpoint::rerank:
    case Endpoint::moderation:
    case Endpoint::speech:
    case Endpoint::transcription:
    case Endpoint::translation:
    case Endpoint::image_generation:
    case Endpoint::image_edit:
    case Endpoint::image_variation:
      return is_openai_chat;
    case Endpoint::embeddings:
      return is_openai_chat || dialect == Dialect::gemini || dialect == Dialect::bedrock_invoke;
    case Endpoint::count_tokens:
      return !is_openai_chat;
  }
  return false;
}

bool is_header_name(std::string_view name) {
  return !name.empty() && std::ranges::all_of(name, [](char c) {
    return (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '-';
  });
}

bool is_visible_ascii(std::string_view text) {
  return std::ranges::all_of(text, [](char c) { return c >= ' ' && c < 0x7f; });
}

bool is_kind_name(std::string_view name) {
  return !name.empty() && name.size() <= 64 && std::ranges::all_of(name, [](char c) {
    return (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '_';
  });
}

Result<std::optional<std::string>> read_base_url(const YamlFields& fields) {
  auto url = TRY(fields.optional_text("base_url"));
  if (!url) return std::nullopt;
  if (!url->starts_with("https://") && !url->starts_with("http://")) {
    return fail(fields.error("base_url", "must start with https:// or http://"));
  }
  if (url->ends_with('/')) return fail(fields.error("base_url", "must not end with a slash"));
  if (!is_visible_ascii(*url) || url->find_first_of(" ?#\"") != std::string::npos) {
    return fail(fields.error("base_url", "must be a URL without query, fragment or white space"));
  }
  return url;
}

// `serves: [chat, models]` says which endpoints there are; `paths: {chat: /v2/chat}` where they differ.
Result<void> read_endpoints(const YamlFields& fields, ProviderKind& kind) {
  auto served = TRY(fields.texts("serves"));
  if (served.empty()) return fail(fields.error("serves", "must list at least one endpoint"));
  auto paths = TRY(fields.text_map("paths"));
  for (Endpoint endpoint : kEndpoints) {
    const std::string_view name = to_string(endpoint);
    if (std::erase(served, name) > 0) {
      if (!offers(kind.dialect, endpoint)) {
        return fail(fields.error("serves", fmt::format("{} has no {}", to_string(kind.dialect), name)));
      }
      kind.served.set(static_cast<size_t>(endpoint));
    }
    const auto own =
        std::ranges::find(paths, name, [](const auto& path) { return std::string_view(path.first); });
    if (own == paths.end()) continue;
    if (!own->second.starts_with('/') || !is_visible_ascii(own->second)) {
      return fail(fields.error("paths", fmt::format("{} must start with a slash", name)));
    }
    if (!kind.serves(endpoint)) return fail(fields.error("paths", fmt::format("{} is not served", name)));
    kind.paths[static_cast<size_t>(endpoint)] = own->second;
    paths.erase(own);
  }
  if (!served.empty())
    return fail(fields.error("serves", fmt::format("unknown endpoint '{}'", served.front())));
  if (!paths.empty())
    return fail(fields.error("paths", fmt::format("unknown endpoint '{}'", paths.front().first)));
  return {};
}

Result<void> read_auth(const YamlFields& fields, ProviderKind& kind) {
  const auto scheme = TRY(enum_field(fields, "auth", kAuthSchemes));
  if (!scheme) return fail(fields.error("auth", "is missing"));
  kind.auth = *scheme;
  auto header = TRY(fields.optional_text("auth_header"));
  const bool may_have_header = kind.auth == AuthScheme::google || kind.auth == AuthScheme::entra;
  if (!may_have_header && header.has_value() != (kind.auth == AuthScheme::api_key_header)) {
    return fail(
        fields.error("auth_header", "goes with auth: api_key_header, google and entra, and only with them"));
  }
  switch (kind.auth) {
    case AuthScheme::bearer:
    case AuthScheme::sigv4:
      kind.auth_header = "authorization";
      break;
    case AuthScheme::google:
    case AuthScheme::entra:
      kind.auth_header = header.value_or("authorization");
      break;
    case AuthScheme::x_api_key:
      kind.auth_header = "x-api-key";
      break;
    case AuthScheme::api_key_header:
      kind.auth_header = *header;
      break;
    case AuthScheme::none:
      break;
  }
  if (header && !is_header_name(*header))
    return fail(fields.error("auth_header", "must be a lower-case header name"));
  kind.needs_key = TRY(fields.optional_bool("needs_key"))
  .value_or(kind.auth != AuthScheme::none);
  kind.key_env = TRY(fields.texts("key_env"));
  kind.enabled_by_env = TRY(fields.optional_bool("enabled_by_env"))
  .value_or(false);
  if (kind.enabled_by_env && (kind.key_env.empty() || !kind.base_url)) {
    return fail(fields.error("enabled_by_env", "needs key_env and base_url"));
  }
  return {};
}

Result<Quirks> read_quirks(const YamlFields& fields) {
  Quirks quirks;
  std::vector<std::string_view> names;
  for_each_quirk([&](std::string_view name, bool Quirks::*) { names.push_back(name); });
  for (const std::string& name : TRY(fields.texts("quirks"))) {
    bool known = false;
    for_each_quirk([&](std::string_view candidate, bool Quirks::* quirk) {
      if (candidate != name) return;
      quirks.*quirk = true;
      known = true;
    });
    if (!known) {
      const std::string hint = did_you_mean(name, names, 1);
      return fail(fields.error("quirks", fmt::format("'{}' is not a known quirk{}", name, hint)));
    }
  }
  return quirks;
}

Result<void> read_headers_and_query(const YamlFields& fields, ProviderKind& kind) {
  kind.headers = TRY(fields.text_map("headers"));
  for (const auto& [name, value] : kind.headers) {
    if (!is_header_name(name) || !is_visible_ascii(value)) {
      return fail(fields.error("headers", fmt::format("'{}' is not a header in lower case", name)));
    }
  }
  kind.query = TRY(fields.text_map("query"));
  return {};
}

Result<ProviderKind> read_provider(std::string_view file, const YamlNode& node) {
  const YamlFields fields(file, node, "a provider");
  TRY(fields.check({"name",           "display_name", "dialect",     "base_url",  "serves",
                    "paths",          "auth",         "auth_header", "needs_key", "key_env",
                    "enabled_by_env", "is_local",     "headers",     "query",     "quirks",
                    "otel_name",      "models_of",    "own_prices",  "defaults",  "source"}));
  ProviderKind kind;
  kind.name = TRY(fields.text("name"));
  if (!is_kind_name(kind.name)) return fail(fields.error("name", "must consist of a-z, 0-9 and _"));
  kind.display_name = TRY(fields.text("display_name"));
  const auto dialect = dialect_from_string(TRY(fields.text("dialect")));
  if (!dialect) {
    return fail(fields.error("dialect", "is not one that Weir speaks; docs/models.md lists them"));
  }
  kind.dialect = *dialect;
  kind.base_url = TRY(read_base_url(fields));
  TRY(read_endpoints(fields, kind));
  TRY(read_auth(fields, kind));
  kind.is_local = TRY(fields.optional_bool("is_local"))
  .value_or(false);
  TRY(read_headers_and_query(fields, kind));
  if (const YamlNode* defaults = TRY(fields.optional_node("defaults", YamlType::map))) {
    kind.defaults = TRY(parse_capabilities(file, *defaults));
  }
  kind.defaults.quirks = TRY(read_quirks(fields));
  kind.otel_name = TRY(fields.text("otel_name"));
  kind.models_of = TRY(fields.optional_text("models_of"))
  .value_or("");
  kind.own_prices = TRY(fields.optional_bool("own_prices"))
  .value_or(false);
  kind.source = TRY(fields.text("source"));
  return kind;
}

}  // namespace

std::string_view to_string(AuthScheme scheme) {
  switch (scheme) {
    case AuthScheme::bearer:
      return "bearer";
    case AuthScheme::x_api_key:
      return "x_api_key";
    case AuthScheme::api_key_header:
      return "api_key_header";
    case AuthScheme::sigv4:
      return "sigv4";
    case AuthScheme::google:
      return "google";
    case AuthScheme::entra:
      return "entra";
    case AuthScheme::none:
      return "none";
  }
  return "";
}

std::optional<AuthScheme> auth_scheme_from_string(std::string_view name) {
  for (const AuthScheme scheme : kAuthSchemes) {
    if (to_string(scheme) == name) return scheme;
  }
  return std::nullopt;
}

bool has_source(AuthScheme scheme) {
  return scheme == AuthScheme::sigv4 || scheme == AuthScheme::google || scheme == AuthScheme::entra;
}

std::string_view to_string(Endpoint endpoint) {
  switch (endpoint) {
    case Endpoint::chat:
      return "chat";
    case Endpoint::text_completion:
      return "text_completion";
    case Endpoint::embeddings:
      return "embeddings";
    case Endpoint::rerank:
      return "rerank";
    case Endpoint::count_tokens:
      return "count_tokens";
    case Endpoint::moderation:
      return "moderation";
    case Endpoint::speech:
      return "speech";
    case Endpoint::transcription:
      return "transcription";
    case Endpoint::translation:
      return "translation";
    case Endpoint::image_generation:
      return "image_generation";
    case Endpoint::image_edit:
      return "image_edit";
    case Endpoint::image_variation:
      return "image_variation";
    case Endpoint::models:
      return "models";
  }
  return "";
}

Result<std::vector<RowAt<ProviderKind>>> read_provider_rows(std::string_view file, const YamlNode& root) {
  const YamlFields fields(file, root, "the file");
  TRY(fields.check({"providers"}));
  const YamlNode* list = TRY(fields.optional_node("providers", YamlType::sequence));
  std::vector<RowAt<ProviderKind>> rows;
  if (list == nullptr) return rows;
  for (const YamlNode& node : list->children) {
    rows.push_back({
      TRY(read_provider(file, node))
      , node.line
    });
  }
  return rows;
}

}  // namespace weir
