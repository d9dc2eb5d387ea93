#include "base/sigv4_canonical.h"

#include "base/crypto.h"
#include "base/encoding.h"
#include "base/text.h"

namespace weir {
namespace {

// Resolves "//", "." and "..": "/a//b/../c/" becomes "/a/c/". A slash at the end stays, "/a/.." ends without
// one.
std::string normalized(std::string_view path) {
  std::vector<std::string_view> segments;
  for (const std::string_view segment : split(path, '/')) {
    if (segment == "..") {
      if (!segments.empty()) segments.pop_back();
    } else if (!segment.empty() && segment != ".") {
      segments.push_back(segment);
    }
  }
  std::string result;
  for (const std::string_view segment : segments) {
    result.push_back('/');
    result.append(segment);
  }
  if (result.empty() || path.ends_with('/')) result.push_back('/');
  return result;
}

bool starts_with_triplet(std::string_view text) {
  return text.size() >= 3 && text[0] == '%' && hex_digit(text[1]) >= 0 && hex_digit(text[2]) >= 0;
}

// Encodes all but unreserved characters, slashes and, unless `again`, what is percent-encoded already.
void append_encoded_path(std::string& out, std::string_view path, bool again) {
  for (size_t at = 0; at < path.size();) {
    if (path[at] == '/') {
      out.push_back('/');
      at += 1;
    } else if (!again && starts_with_triplet(path.substr(at))) {
      out.append(path.substr(at, 3));
      at += 3;
    } else {
      out.append(percent_encode(path.substr(at, 1), UrlPart::unreserved));
      at += 1;
    }
  }
}

// What does not decode ("100%") is taken as it stands.
std::string recoded(std::string_view text) {
  const Result<std::string> decoded = percent_decode(text);
  return percent_encode(decoded ? std::string_view(*decoded) : text, UrlPart::unreserved);
}

void append_trimmed(std::string& out, std::string_view value) {
  bool is_gap_open = false;
  const size_t start = out.size();
  for (const char c : value) {
    if (is_space(c)) {
      is_gap_open = true;
      continue;
    }
    if (is_gap_open && out.size() > start) out.push_back(' ');
    is_gap_open = false;
    out.push_back(c);
  }
}

}  // namespace

std::string sigv4_canonical_path(std::string_view path, const SigV4PathRules& rules) {
  const std::string resolved = rules.normalizes ? normalized(path) : std::string(path.empty() ? "/" : path);
  std::string canonical;
  canonical.reserve(resolved.size() * 2);
  append_encoded_path(canonical, resolved, rules.encodes_again);
  return canonical;
}

std::string sigv4_canonical_query(std::string_view query) {
  std::vector<std::pair<std::string, std::string>> parameters;
  for (const std::string_view piece : split(query, '&')) {
    if (piece.empty()) continue;
    const size_t equals = std::min(piece.find('='), piece.size());
    const std::string_view value = piece.substr(std::min(equals + 1, piece.size()));
    parameters.emplace_back(recoded(piece.substr(0, equals)), recoded(value));
  }
  std::sort(parameters.begin(), parameters.end());
  std::string canonical;
  canonical.reserve(query.size() * 2);
  for (const auto& [name, value] : parameters) {
    if (!canonical.empty()) canonical.push_back('&');
    canonical.append(name).append("=").append(value);
  }
  return canonical;
}

std::string sigv4_canonical_headers(const std::vector<SigV4Header>& headers,
                                    const std::vector<std::string>& names) {
  std::string canonical;
  for (const std::string& name : names) {
    canonical.append(name).push_back(':');
    bool is_first = true;
    for (const SigV4Header& header : headers) {
      if (!equals_ignore_case(name, header.name)) continue;
      if (!is_first) canonical.push_back(',');
      is_first = false;
      append_trimmed(canonical, header.value);
    }
    canonical.push_back('\n');
  }
  return canonical;
}

namespace sigv4_detail {

std::string format_date(int64_t unix_seconds) {
  using namespace std::chrono;
  const sys_seconds time{seconds(unix_seconds)};
  const sys_days day = floor<days>(time);
  const year_month_day date(day);
  const hh_mm_ss clock(time - day);
  return fmt::format("{:04}{:02}{:02}T{:02}{:02}{:02}Z", static_cast<int>(date.year()),
                     static_cast<unsigned>(date.month()), static_cast<unsigned>(date.day()),
                     clock.hours().count(), clock.minutes().count(), clock.seconds().count());
}

std::optional<int64_t> parse_date(std::string_view text) {
  if (text.size() != 16 || text[8] != 'T' || text[15] != 'Z') return std::nullopt;
  const auto number = [text](size_t start, size_t count) {
    int value = 0;
    for (const char c : text.substr(start, count))
      value = c >= '0' && c <= '9' ? value * 10 + (c - '0') : -100'000;
    return value;
  };
  using namespace std::chrono;
  const int year_number = number(0, 4), month_number = number(4, 2), day_number = number(6, 2);
  const int hour = number(9, 2), minute = number(11, 2), second = number(13, 2);
  const bool is_time = hour >= 0 && hour < 24 && minute >= 0 && minute < 60 && second >= 0 && second < 60;
  if (year_number < 1970 || month_number < 1 || day_number < 1 || !is_time) return std::nullopt;
  const year_month_day date(year(year_number), month(static_cast<unsigned>(month_number)),
                            day(static_cast<unsigned>(day_number)));
  if (!date.ok()) return std::nullopt;
  return duration_cast<seconds>(sys_days(date).time_since_epoch()).count() + hour * 3600 + minute * 60 +
         second;
}

std::string credential_scope(std::string_view date, std::string_view region, std::string_view service) {
  return fmt::format("{}/{}/{}/{}", date.substr(0, 8), region, service, kTerminator);
}

std::string join_names(const std::vector<std::string>& names) {
  std::string joined;
  for (const std::string& name : names) {
    if (!joined.empty()) joined.push_back(';');
    joined.append(name);
  }
  return joined;
}

std::string canonical_request(const CanonicalParts& parts) {
  return fmt::format("{}\n{}\n{}\n{}\n{}\n{}", parts.method, parts.path, parts.query, parts.headers,
                     parts.signed_headers, parts.body_hash);
}

std::string string_to_sign(std::string_view date, std::string_view scope,
                           std::string_view canonical_request) {
  return fmt::format("{}\n{}\n{}\n{}", kAlgorithm, date, scope, sha256_hex(canonical_request));
}

std::string signature_of(const Secret& secret_access_key, std::string_view date, std::string_view region,
                         std::string_view service, std::string_view string_to_sign) {
  std::string start;
  start.reserve(4 + secret_access_key.size());  // never reallocated: Secret wipes the only copy
  start.append("AWS4").append(secret_access_key.reveal());
  const Secret key(std::move(start));
  const Sha256Digest day_key = hmac_sha256(key.reveal(), date.substr(0, 8));
  const Sha256Digest region_key = hmac_sha256(as_text(day_key), region);
  const Sha256Digest service_key = hmac_sha256(as_text(region_key), service);
  const Sha256Digest signing_key = hmac_sha256(as_text(service_key), kTerminator);
  return hex_encode(as_text(hmac_sha256(as_text(signing_key), string_to_sign)));
}

}  // namespace sigv4_detail
}  // namespace weir
