#include "security/authenticate.h"

#include <algorithm>
#include <charconv>
#include <fmt/core.h>

#include "base/crypto.h"
#include "base/query.h"
#include "base/sigv4.h"
#include "base/text.h"

namespace weir {
namespace {

// AWS's names of errors, which its SDKs read.
constexpr std::string_view kUnknownKey = "UnrecognizedClientException";
constexpr std::string_view kWrongSignature = "InvalidSignatureException";

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

// A page cannot send an authorization of these schemes either without being allowed to first. For InvokeModel
// boto3 sends no content type at all, AWS's JavaScript SDK that of mere bytes.
bool is_unforgeable(const Headers& headers) {
  const std::string_view type = headers.get_or("content-type", "");
  if (!type.empty() && type != "application/octet-stream") return is_unforgeable_type(type);
  const std::string_view authorization = headers.get_or("authorization", "");
  return starts_with_ignore_case(authorization, "AWS4-HMAC-SHA256 ") ||
         starts_with_ignore_case(authorization, "bearer ");
}

// Over HTTP/1 a request without these two has none; over HTTP/2 only its end tells.
bool may_have_body(const HttpRequest& request) {
  if (request.method != "POST" && request.method != "PUT" && request.method != "PATCH") return false;
  const Headers& headers = request.headers;
  const std::string_view otherwise = request.version == HttpVersion::http_2 ? "?" : "0";
  return headers.contains("transfer-encoding") || headers.contains("content-type") ||
         headers.get_or("content-length", otherwise) != "0";
}

Result<const Principal*> admit_loopback(const HttpRequest& request, const LoopbackRules& rules) {
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
  if (may_have_body(request) && !is_unforgeable(request.headers)) {
    return fail(ErrorKind::forbidden,
                "without configured keys the content-type must be application/json or multipart/form-data");
  }
  return &anonymous_principal();
}

// As the verifier wants it: over HTTP/2 the name of the host stands apart.
SigV4Request signed_request(const HttpRequest& request, std::string_view body_hash) {
  SigV4Request made{.method = request.method,
                    .path = request.path(),
                    .query = request.query(),
                    .headers = {},
                    .body_hash = body_hash};
  made.headers.reserve(request.headers.size() + 1);
  for (const HeaderField field : request.headers) made.headers.push_back({field.name, field.value});
  if (!request.headers.contains("host") && !request.authority.empty()) {
    made.headers.push_back(
        {request.version == HttpVersion::http_2 ? ":authority" : "host", request.authority});
  }
  return made;
}

// The pair that the claim names.
Result<const AccessKey*> pair_of(const SigV4Claim& claim, const ApiKeys& keys) {
  if (const AccessKey* pair = keys.find_pair(claim.access_key_id)) return pair;
  Error error = make_error(ErrorKind::unauthenticated, "this access key id is not known here");
  error.code = kUnknownKey;
  return fail(std::move(error));
}

Result<Caller> authenticate_signature(const HttpRequest& request, const ApiKeys& keys, int64_t unix_seconds) {
  // The hash that the head claims; that the body has it is for admit_body() to see.
  const std::string_view claimed = trim(request.headers.get_or("x-amz-content-sha256", ""));
  const SigV4Request wire = signed_request(request, claimed);
  const SigV4Claim claim = TRY(sigv4_parse(wire));
  const AccessKey* pair = TRY(pair_of(claim, keys));
  Caller caller{.principal = nullptr, .is_signed = true};
  if (claimed.empty()) return caller;
  TRY(sigv4_verify(wire, claim, pair->secret, {.unix_seconds = unix_seconds}));
  caller.principal = &pair->principal;
  return caller;
}

// The key in "?key=...", decoded; empty for none.
Result<std::string> query_key(std::string_view query) {
  const Result<std::optional<std::string>> key = query_value(query, "key");
  if (!key) return fail(ErrorKind::unauthenticated, "the key in the query is not percent-encoded");
  return key->value_or("");
}

// Asked of every request: nothing is copied for it, and few names are compared.
bool is_signed(const HttpRequest& request) {
  constexpr std::string_view kAuthorization = "authorization";
  for (const HeaderField field : request.headers) {
    if (field.name.size() == kAuthorization.size() && is_sigv4_field(field.name, field.value)) return true;
  }
  return has_sigv4_query(request.query());
}

// Whether the request carries something that only Weir gives out.
bool claims_weir_key(const HttpRequest& request) {
  if (is_signed(request)) {
    const Result<SigV4Claim> claim = sigv4_parse(signed_request(request, {}));
    return claim && has_weir_form(claim->access_key_id);
  }
  const Result<std::string> credential = credential_of(request);
  return credential && has_weir_form(*credential);
}

// The credential that the head carries, as a view of it; nullopt: no header is there that could.
Result<std::optional<std::string_view>> header_credential(const Headers& headers) {
  if (const auto authorization = headers.get("authorization")) {
    if (starts_with_ignore_case(*authorization, "bearer ")) return trim(authorization->substr(7));
    return fail(
        ErrorKind::unauthenticated,
        "this authorization scheme is not taken; send `authorization: Bearer KEY` or `x-api-key: KEY`");
  }
  for (const std::string_view name : {"x-api-key", "api-key", "x-goog-api-key"}) {
    if (const auto key = headers.get(name)) return trim(*key);
  }
  return std::nullopt;
}

}  // namespace

Result<std::string> credential_of(const HttpRequest& request) {
  const std::optional<std::string_view> key = TRY(header_credential(request.headers));
  return key ? std::string(*key) : query_key(request.query());
}

bool is_loopback_host(std::string_view authority) {
  if (authority.starts_with('[')) {
    const size_t end = authority.find(']');
    return end != std::string_view::npos && authority.substr(0, end + 1) == "[::1]";
  }
  const std::string_view host = authority.substr(0, authority.find(':'));
  return equals_ignore_case(host, "localhost") || is_loopback_ipv4(host);
}

Result<Caller> authenticate(const HttpRequest& request, const ApiKeys& keys, const LoopbackRules& rules,
                            int64_t unix_seconds) {
  if (keys.empty()) {
    if (claims_weir_key(request)) {
      return fail(ErrorKind::unauthenticated, "this key is not known here: no keys are configured");
    }
    return Caller {
      .principal = TRY(admit_loopback(request, rules))
    };
  }
  if (is_signed(request)) return authenticate_signature(request, keys, unix_seconds);
  const std::optional<std::string_view> in_head = TRY(header_credential(request.headers));
  const std::string in_query = in_head ? std::string() : TRY(query_key(request.query()));
  const std::string_view key = in_head ? *in_head : in_query;
  if (key.empty()) {
    return fail(ErrorKind::unauthenticated,
                "a key is missing: send `authorization: Bearer KEY` or `x-api-key: KEY`");
  }
  const Principal* principal = keys.find(key);
  if (!principal) return fail(ErrorKind::unauthenticated, "this key is not known here");
  return Caller{.principal = principal};
}

Result<const Principal*> admit_body(const HttpRequest& request, const Caller& caller, const ApiKeys& keys,
                                    int64_t unix_seconds, std::string_view body_hash) {
  const SigV4Request wire = signed_request(request, body_hash);
  if (caller.principal) {
    // The head was verified against the hash that it claims: what is left is whether the body has it.
    if (equals_ignore_case(trim(request.headers.get_or("x-amz-content-sha256", "")), body_hash)) {
      return caller.principal;
    }
    Error error = make_error(ErrorKind::unauthenticated, "the body is not the one that was signed");
    error.code = kWrongSignature;
    return fail(std::move(error));
  }
  const SigV4Claim claim = TRY(sigv4_parse(wire));
  const AccessKey* pair = TRY(pair_of(claim, keys));
  TRY(sigv4_verify(wire, claim, pair->secret, {.unix_seconds = unix_seconds}));
  return &pair->principal;
}

Result<const Principal*> authenticate_without_body(const HttpRequest& request, const ApiKeys& keys,
                                                   const LoopbackRules& rules, int64_t unix_seconds) {
  const Caller caller = TRY(authenticate(request, keys, rules, unix_seconds));
  if (!caller.is_signed) return caller.principal;
  static const std::string kEmptyHash = sha256_hex({});
  return admit_body(request, caller, keys, unix_seconds, kEmptyHash);
}

}  // namespace weir
