#include "io/fetch.h"

#include <charconv>
#include <fmt/core.h>

#include "base/text.h"

namespace weir {
namespace {

std::string_view without_fragment(std::string_view url) {
  return url.substr(0, url.find('#'));
}

bool is_redirect(int status) {
  return status == 301 || status == 302 || status == 303 || status == 307 || status == 308;
}

std::unexpected<Error> too_large(size_t bytes_max) {
  return fail(ErrorKind::body_too_large, fmt::format("it is larger than {} bytes", bytes_max));
}

Result<void> check_length(const ClientResponse& response, size_t bytes_max) {
  const std::string_view stated = response.headers.get_or("content-length", "");
  uint64_t length = 0;
  const auto [end, failed] = std::from_chars(stated.data(), stated.data() + stated.size(), length);
  if (failed == std::errc() && length > bytes_max) return too_large(bytes_max);
  return {};
}

Task<std::string> read_body(Scope& scope, ClientResponse& response, size_t bytes_max) {
  CO_TRY(check_length(response, bytes_max));
  std::string body;
  for (;;) {
    const std::string_view piece = CO_TRY(co_await response.read(scope));
    if (piece.empty()) co_return body;
    if (body.size() + piece.size() > bytes_max) co_return too_large(bytes_max);
    body += piece;
  }
}

}  // namespace

Result<std::string> resolve_location(const Url& base, std::string_view location) {
  location = without_fragment(trim(location));
  const std::string origin = to_string(base.origin);
  std::string url;
  if (location.empty()) return fail(ErrorKind::bad_request, "it redirects to nowhere");
  if (location.starts_with("//")) {
    url = std::string(base.origin.is_tls ? "https:" : "http:").append(location);
  } else if (location.starts_with('/')) {
    url = origin + std::string(location);
  } else if (location.find("://") != std::string_view::npos) {
    url = std::string(location);
  } else {
    const std::string_view path = std::string_view(base.target).substr(0, base.target.find('?'));
    url = origin + std::string(path.substr(0, path.rfind('/') + 1)) + std::string(location);
  }
  const Url next = TRY(parse_url(url));
  if (base.origin.is_tls && !next.origin.is_tls)
    return fail(ErrorKind::bad_request, "it redirects from https to http");
  return url;
}

Task<std::string> fetch_url(Scope& scope, HttpClient& client, std::string url, FetchLimits limits) {
  Scope attempt(scope);
  attempt.set_deadline(attempt.now() + limits.timeout, ErrorKind::upstream_timeout,
                       "it was not there within the time that a fetch may take");
  Headers headers;
  headers.add("user-agent", "weir");
  headers.add("accept", "*/*");
  url = std::string(without_fragment(url));
  for (int redirects = 0;; ++redirects) {
    const Url at = CO_TRY(parse_url(url));
    const ClientRequest request{
        .origin = at.origin, .method = "GET", .target = at.target, .headers = &headers, .body = {}};
    std::unique_ptr<ClientResponse> response = CO_TRY(co_await client.send(attempt, request));
    if (response->status == 200) co_return co_await read_body(attempt, *response, limits.bytes_max);
    if (!is_redirect(response->status))
      co_return fail(ErrorKind::bad_request, fmt::format("its server answers with {}", response->status));
    if (redirects == limits.redirects_max)
      co_return fail(ErrorKind::bad_request, fmt::format("it redirects more than {} times", redirects));
    url = CO_TRY(resolve_location(at, response->headers.get_or("location", "")));
  }
}

}  // namespace weir
