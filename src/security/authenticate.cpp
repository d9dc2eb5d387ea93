#include "security/authenticate.h"

#include <algorithm>
#include <charconv>
#include <fmt/core.h>

#include "base/text.h"

namespace weir {
namespace {

// "127.1.2.3": four numbers, the first 127.
bool is_loopback_ipv4(std::string_view host) {
  int parts = 0;
  for (const std::string_view part : split(host, '.')) {
    int number = 0;
    const auto [end, failed] = std::from_chars(part.data(), part.data() + part.size(), number);
    const bool is_number =
        failed == std::errc() && end == part.data() + part.size() && number >= 0 && number <= 255;
    if (!is_number || (parts == 0 && number != 127)) return false;
    ++parts;
  }
  return parts == 4;
}

// What a page could send from a browser without being asked first is form-like; JSON is not among it.
bool is_unforgeable_type(std::string_view type) {
  return starts_with_ignore_case(type, "application/json") ||
         starts_with_ignore_case(type, "multipart/form-data");
}

// A page cannot send an authorization of these schemes either without being allowed to first. boto3 signs its
// InvokeModel and sends no content type at all.
bool is_unforgeable(const Headers& headers) {
  const std::string_view type = headers.get_or("content-type", "");
  if (!type.empty()) return is_unforgeable_type(type);
  const std::string_view authorization = headers.get_or("authorization", "");
  return starts_with_ignore_case(authorization, "AWS4-HMAC-SHA256 ") ||
         starts_with_ignore_case(authorization, "bearer ");
}

bool has_body(const HttpRequest& request) {
  return request.method == "POST" || request.method == "PUT" || request.method == "PATCH";
}

Result<Principal> admit_loopback(const HttpRequest& request, const LoopbackRules& rules) {
  if (!request.peer_is_loopback) {
    return fail(
        ErrorKind::forbidden,
        "no key is configured, so only callers on this machine are served; add `keys` to the configuration");
  }
  if (!is_loopback_host(request.authority)) {
    return fail(
        ErrorKind::forbidden,
        fmt::format(
            "without configured keys Host must be a loopback name, not {}; use 127.0.0.1 or localhost, or "
            "configure keys",
            request.authority));
  }
  if (const auto origin = request.headers.get("origin");
      origin && std::find(rules.allowed_origins.begin(), rules.allowed_origins.end(), *origin) ==
                    rules.allowed_origins.end()) {
    return fail(ErrorKind::forbidden, fmt::format("the origin {} is not in gateway.cors_origins", *origin));
  }
  if (has_body(request) && !is_unforgeable(request.headers)) {
    return fail(ErrorKind::forbidden,
                "without configured keys the content-type must be application/json or multipart/form-data");
  }
  return Principal{};
}

}  // namespace

Result<std::string_view> credential_of(const Headers& headers) {
  if (const auto authorization = headers.get("authorization")) {
    if (starts_with_ignore_case(*authorization, "bearer ")) return trim(authorization->substr(7));
    return fail(
        ErrorKind::unauthenticated,
        "this authorization scheme is not taken; send `authorization: Bearer KEY` or `x-api-key: KEY`");
  }
  for (const std::string_view name : {"x-api-key", "api-key", "x-goog-api-key"}) {
    if (const auto key = headers.get(name)) return trim(*key);
  }
  return std::string_view();
}

bool is_loopback_host(std::string_view authority) {
  if (authority.starts_with('[')) {
    const size_t end = authority.find(']');
    return end != std::string_view::npos && authority.substr(0, end + 1) == "[::1]";
  }
  const std::string_view host = authority.substr(0, authority.find(':'));
  return equals_ignore_case(host, "localhost") || is_loopback_ipv4(host);
}

Result<Principal> authenticate(const HttpRequest& request, const ApiKeys& keys, const LoopbackRules& rules) {
  const Result<std::string_view> credential = credential_of(request.headers);
  if (keys.empty()) {
    if (credential && has_weir_form(*credential)) {
      return fail(ErrorKind::unauthenticated, "this key is not known here: no keys are configured");
    }
    return admit_loopback(request, rules);
  }
  const std::string_view key = TRY(credential);
  if (key.empty()) {
    return fail(ErrorKind::unauthenticated,
                "a key is missing: send `authorization: Bearer KEY` or `x-api-key: KEY`");
  }
  const Principal* principal = keys.find(key);
  if (!principal) return fail(ErrorKind::unauthenticated, "this key is not known here");
  return *principal;
}

}  // namespace weir
