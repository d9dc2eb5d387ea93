#include "io/fetch.h"

#include <algorithm>
#include <charconv>
#include <fmt/core.h>

#include "base/text.h"

namespace weir {
namespace {

std::string_view without_fragment(std::string_view url) {
  return url.substr(0, url.find('#'));
}

// A scheme comes before all that could hold a colon (RFC 3986 section 4.2).
bool has_scheme(std::string_view reference) {
  const size_t colon = reference.find(':');
  return colon != std::string_view::npos && colon < reference.find_first_of("/?");
}

// The path without "." and ".." (RFC 3986 section 5.2.4), with the query as it is.
std::string without_dot_segments(std::string_view target) {
  const size_t query = std::min(target.find('?'), target.size());
  std::string path;
  for (std::string_view left = target.substr(0, query); !left.empty();) {
    const size_t end = std::min(left.find('/', 1), left.size());
    const std::string_view segment = left.substr(0, end);
    left.remove_prefix(end);
    if (segment == "/..") path.resize(path.rfind('/') == std::string::npos ? 0 : path.rfind('/'));
    if (segment != "/." && segment != "/..") {
      path += segment;
    } else if (left.empty()) {
      path += '/';
    }
  }
  return path + std::string(target.substr(query));
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

Task<std::string> follow(Scope& scope, HttpClient& client, std::string url, FetchLimits limits) {
  Headers headers;
  headers.add("user-agent", "weir");
  headers.add("accept", "*/*");
  url = std::string(without_fragment(url));
  for (int redirects = 0;; ++redirects) {
    const Url at = CO_TRY(parse_url(url));
    const ClientRequest request{
        .origin = at.origin, .method = "GET", .target = at.target, .headers = &headers, .body = {}};
    std::unique_ptr<ClientResponse> response = CO_TRY(co_await client.send(scope, request));
    if (response->status == 200) co_return co_await read_body(scope, *response, limits.bytes_max);
    if (!is_redirect(response->status))
      co_return fail(ErrorKind::bad_request, fmt::format("its server answers with {}", response->status));
    if (redirects == limits.redirects_max)
      co_return fail(ErrorKind::bad_request, fmt::format("it redirects more than {} times", redirects));
    url = CO_TRY(resolve_location(at, response->headers.get_or("location", "")));
  }
}

}  // namespace

std::string in_words_of(std::string_view server, std::string message) {
  constexpr std::string_view kProvider = "the provider";
  for (size_t at = message.find(kProvider); at != std::string::npos;
       at = message.find(kProvider, at + server.size())) {
    message.replace(at, kProvider.size(), server);
  }
  return message;
}

// RFC 3986 section 5.2.
Result<std::string> resolve_location(const Url& base, std::string_view location) {
  location = without_fragment(trim(location));
  if (location.empty()) return fail(ErrorKind::bad_request, "it redirects to nowhere");
  const std::string origin = to_string(base.origin);
  const std::string_view base_path = std::string_view(base.target).substr(0, base.target.find('?'));
  std::string url;
  if (has_scheme(location)) {
    url = std::string(location);
  } else if (location.starts_with("//")) {
    url = std::string(base.origin.is_tls ? "https:" : "http:").append(location);
  } else if (location.starts_with('?')) {
    url = origin + std::string(base_path) + std::string(location);
  } else if (location.starts_with('/')) {
    url = origin + without_dot_segments(location);
  } else {
    const std::string folder(base_path.substr(0, base_path.rfind('/') + 1));
    url = origin + without_dot_segments(folder + std::string(location));
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
  Result<std::string> bytes = co_await follow(attempt, client, std::move(url), limits);
  if (bytes) co_return *std::move(bytes);
  Error error = std::move(bytes).error();
  error.message = in_words_of("its server", std::move(error.message));
  co_return fail(std::move(error));
}

}  // namespace weir
