#include "provider/catalog_url.h"

#include <array>

namespace weir {
namespace {

constexpr std::string_view kModelPlace = "{model}";
constexpr std::string_view kApiVersion = "api-version";

// RFC 3986 unreserved characters stay; a slash in a model's name must not become a path segment.
std::string percent_encode(std::string_view text) {
  constexpr std::string_view kHex = "0123456789ABCDEF";
  std::string out;
  for (char c : text) {
    const auto byte = static_cast<unsigned char>(c);
    const bool is_unreserved = (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') ||
                               c == '-' || c == '.' || c == '_' || c == '~';
    if (is_unreserved) {
      out += c;
    } else {
      out += '%';
      out += kHex[byte >> 4U];
      out += kHex[byte & 0xfU];
    }
  }
  return out;
}

// The kind's own path for what the codec calls by its default path.
std::string_view own_path(const ProviderKind& kind, std::string_view wire_path) {
  for (size_t i = 0; i < kEndpointCount; ++i) {
    if (wire_path == default_path(kind.dialect, static_cast<Endpoint>(i)) && !kind.paths[i].empty()) {
      return kind.paths[i];
    }
  }
  return wire_path;
}

void append_query(std::string& target, const ProviderKind& kind, std::string_view api_version) {
  char separator = target.find('?') == std::string::npos ? '?' : '&';
  for (const auto& [name, value] : kind.query) {
    target += separator;
    target += percent_encode(name);
    target += '=';
    target +=
        percent_encode(name == kApiVersion && !api_version.empty() ? api_version : std::string_view(value));
    separator = '&';
  }
}

}  // namespace

std::string_view default_path(Dialect dialect, Endpoint endpoint) {
  if (dialect == Dialect::anthropic_messages) {
    switch (endpoint) {
      case Endpoint::chat:
        return "/v1/messages";
      case Endpoint::count_tokens:
        return "/v1/messages/count_tokens";
      case Endpoint::models:
        return "/v1/models";
      case Endpoint::text_completion:
      case Endpoint::embeddings:
        return "";
    }
  }
  switch (endpoint) {
    case Endpoint::chat:
      return "/chat/completions";
    case Endpoint::text_completion:
      return "/completions";
    case Endpoint::embeddings:
      return "/embeddings";
    case Endpoint::models:
      return "/models";
    case Endpoint::count_tokens:
      return "";
  }
  return "";
}

std::string upstream_target(const ProviderKind& kind, std::string_view base_path, std::string_view wire_path,
                            std::string_view model, std::string_view api_version) {
  std::string target(base_path);
  if (kind.defaults.quirks.azure_paths && base_path.ends_with("/openai/v1")) {
    target += wire_path;
    return target;
  }
  const std::string_view path = own_path(kind, wire_path);
  const size_t place = path.find(kModelPlace);
  if (place == std::string_view::npos) {
    target += path;
  } else {
    target += path.substr(0, place);
    target += percent_encode(model);
    target += path.substr(place + kModelPlace.size());
  }
  append_query(target, kind, api_version);
  return target;
}

}  // namespace weir
