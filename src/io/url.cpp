// URLs of upstreams and callbacks: http and https only, taken apart strictly (RFC 3986, RFC 9110
// section 4.2).
#include <algorithm>
#include <fmt/format.h>

#include "io/http.h"
#include "io/http_runs.h"

namespace weir {
namespace {

namespace chars = http_chars;

struct Authority {
  std::string_view host;  // without brackets
  std::string_view port;
  bool is_bracketed = false;
  bool has_port = false;
};

std::optional<Authority> split_authority(std::string_view text) {
  Authority parts;
  std::string_view rest;
  if (!text.empty() && text.front() == '[') {
    const size_t close = text.find(']');
    if (close == std::string_view::npos || close < 3) return std::nullopt;
    parts.host = text.substr(1, close - 1);
    parts.is_bracketed = true;
    rest = text.substr(close + 1);
    const auto is_literal_char = [](char c) { return chars::is(c, chars::kHex) || c == ':' || c == '.'; };
    if (!std::ranges::all_of(parts.host, is_literal_char)) return std::nullopt;
    if (parts.host.find(':') == std::string_view::npos) return std::nullopt;
  } else {
    const size_t end = chars::run(text, 0, chars::kHost);
    parts.host = text.substr(0, end);
    rest = text.substr(end);
  }
  if (rest.empty()) return parts;
  if (rest.front() != ':') return std::nullopt;
  parts.port = rest.substr(1);
  parts.has_port = true;
  if (parts.port.size() > 5 || !chars::all(parts.port, chars::kDigit)) return std::nullopt;
  return parts;
}

// A name as resolvers take it: at most 253 bytes of letters, digits, '-', '_' and single dots.
bool is_resolvable_name(std::string_view host) {
  if (host.empty() || host.size() > 253 || host.front() == '.') return false;
  char previous = '\0';
  for (const char c : host) {
    const bool is_name_char = chars::is(c, chars::kDigit) || (c >= 'a' && c <= 'z') ||
                              (c >= 'A' && c <= 'Z') || c == '-' || c == '_' || c == '.';
    if (!is_name_char || (c == '.' && previous == '.')) return false;
    previous = c;
  }
  return true;
}

bool has_scheme(std::string_view text, std::string_view scheme) {
  return text.size() >= scheme.size() && equals_ignoring_case(text.substr(0, scheme.size()), scheme);
}

std::unexpected<Error> bad_url(std::string_view why) {
  return fail(ErrorKind::bad_request, fmt::format("the URL {}", why));
}

}  // namespace

bool http_chars::is_authority(std::string_view text) {
  return split_authority(text).has_value();
}

Result<Url> parse_url(std::string_view text) {
  Url url;
  if (has_scheme(text, "https://")) {
    text.remove_prefix(8);
  } else if (has_scheme(text, "http://")) {
    text.remove_prefix(7);
    url.origin.is_tls = false;
    url.origin.port = 80;
  } else {
    return bad_url("must start with http:// or https://");
  }
  const size_t authority_end = std::min(text.find_first_of("/?#"), text.size());
  const std::string_view authority = text.substr(0, authority_end);
  const std::string_view target = text.substr(authority_end);
  if (authority.find('@') != std::string_view::npos)
    return bad_url("must not hold a user name or a password");
  const std::optional<Authority> parts = split_authority(authority);
  if (!parts) return bad_url("has a host or port that is not valid");
  if (!parts->is_bracketed && !is_resolvable_name(parts->host)) return bad_url("has no valid host name");
  if (!parts->port.empty()) {
    unsigned port = 0;
    for (const char digit : parts->port) port = port * 10 + static_cast<unsigned>(digit - '0');
    if (port == 0 || port > 65535) return bad_url("has a port that is not between 1 and 65535");
    url.origin.port = static_cast<uint16_t>(port);
  }
  if (target.find('#') != std::string_view::npos) return bad_url("must not have a fragment (#...)");
  if (!chars::all(target, chars::kTarget))
    return bad_url("has a space, control or non-ASCII character in its path or query; percent-encode it");
  url.origin.host = parts->host;
  std::ranges::transform(url.origin.host, url.origin.host.begin(), [](char c) {
    return c >= 'A' && c <= 'Z' ? static_cast<char>(c + ('a' - 'A')) : c;
  });
  url.target = target.empty() || target.front() == '?' ? fmt::format("/{}", target) : std::string(target);
  return url;
}

std::string to_string(const Origin& origin) {
  std::string text = origin.is_tls ? "https://" : "http://";
  const bool is_literal = origin.host.find(':') != std::string::npos;
  if (is_literal) text += '[';
  text += origin.host;
  if (is_literal) text += ']';
  if (origin.port != (origin.is_tls ? 443 : 80)) text += fmt::format(":{}", origin.port);
  return text;
}

}  // namespace weir
