#include "base/sigv4.h"

#include "base/assert.h"
#include "base/crypto.h"
#include "base/encoding.h"
#include "base/sigv4_canonical.h"
#include "base/text.h"

namespace weir {
namespace {

using namespace sigv4_detail;

// Proxies change the first ones on the way; the others belong to the signature itself.
constexpr std::array<std::string_view, 14> kNeverSigned = {
    "connection",        "expect",      "keep-alive", "proxy-authorization", "te",           "trailer",
    "transfer-encoding", "upgrade",     "user-agent", "x-amzn-trace-id",     kAuthorization, kDate,
    kBodyHash,           kSecurityToken};

bool is_signable(std::string_view lower_name) {
  return std::find(kNeverSigned.begin(), kNeverSigned.end(), lower_name) == kNeverSigned.end();
}

// Lower-case names of the signed headers, sorted, each once.
std::vector<std::string> names_of(const std::vector<SigV4Header>& headers) {
  std::vector<std::string> names;
  for (const SigV4Header& header : headers) names.push_back(to_lower(header.name));
  std::sort(names.begin(), names.end());
  names.erase(std::unique(names.begin(), names.end()), names.end());
  return names;
}

std::vector<SigV4Header> signable_headers(const SigV4Request& request) {
  std::vector<SigV4Header> headers;
  bool has_host = false;
  for (const SigV4Header& header : request.headers) {
    const std::string name = to_lower(header.name);
    has_host = has_host || name == "host" || name == ":authority";
    if (is_signable(name)) headers.push_back(header);
  }
  WEIR_ASSERT(has_host, "a signature names the host it is for");
  return headers;
}

// Fills canonical request, string to sign and signature.
SigV4Signed signed_over(const CanonicalParts& parts, const std::string& date,
                        const SigV4Credentials& credentials, const SigV4Options& options) {
  SigV4Signed result;
  result.canonical_request = canonical_request(parts);
  result.string_to_sign =
      string_to_sign(date, credential_scope(date, options.region, options.service), result.canonical_request);
  result.signature = signature_of(credentials.secret_access_key, date, options.region, options.service,
                                  result.string_to_sign);
  return result;
}

void append_parameter(std::string& query, std::string_view name, std::string_view value) {
  if (!query.empty()) query.push_back('&');
  query.append(name).append("=").append(percent_encode(value, UrlPart::unreserved));
}

}  // namespace

SigV4Signed sigv4_sign_headers(const SigV4Request& request, const SigV4Credentials& credentials,
                               const SigV4Options& options) {
  const std::string date = format_date(options.unix_seconds);
  const bool has_token = !credentials.session_token.empty();
  std::vector<SigV4Header> headers = signable_headers(request);
  headers.push_back({kDate, date});
  if (options.adds_body_hash) headers.push_back({kBodyHash, request.body_hash});
  if (has_token && options.signs_session_token) {
    headers.push_back({kSecurityToken, credentials.session_token.reveal()});
  }
  const std::vector<std::string> names = names_of(headers);
  const CanonicalParts parts{request.method,
                             sigv4_canonical_path(request.path, options.path_rules),
                             sigv4_canonical_query(request.query),
                             sigv4_canonical_headers(headers, names),
                             join_names(names),
                             request.body_hash};
  SigV4Signed result = signed_over(parts, date, credentials, options);
  if (has_token) result.headers.push_back({kSecurityToken, std::string(credentials.session_token.reveal())});
  result.headers.push_back({kDate, date});
  if (options.adds_body_hash) result.headers.push_back({kBodyHash, std::string(request.body_hash)});
  result.headers.push_back(
      {kAuthorization,
       fmt::format("{} Credential={}/{}, SignedHeaders={}, Signature={}", kAlgorithm,
                   credentials.access_key_id, credential_scope(date, options.region, options.service),
                   parts.signed_headers, result.signature)});
  return result;
}

SigV4Signed sigv4_sign_query(const SigV4Request& request, const SigV4Credentials& credentials,
                             const SigV4Options& options) {
  WEIR_ASSERT(options.expires_seconds >= 1 && options.expires_seconds <= kExpiresSecondsMax,
              "AWS bounds presigned URLs to a week");
  const std::string date = format_date(options.unix_seconds);
  const bool has_token = !credentials.session_token.empty();
  const std::vector<SigV4Header> headers = signable_headers(request);
  const std::vector<std::string> names = names_of(headers);
  const std::string scope = credential_scope(date, options.region, options.service);

  std::string query(request.query);
  append_parameter(query, kQueryAlgorithm, kAlgorithm);
  append_parameter(query, kQueryCredential, fmt::format("{}/{}", credentials.access_key_id, scope));
  append_parameter(query, kQueryDate, date);
  append_parameter(query, kQuerySignedHeaders, join_names(names));
  append_parameter(query, kQueryExpires, std::to_string(options.expires_seconds));
  std::string signed_query = query;
  if (has_token) append_parameter(query, kQuerySecurityToken, credentials.session_token.reveal());
  if (has_token && options.signs_session_token) signed_query = query;

  const CanonicalParts parts{request.method,
                             sigv4_canonical_path(request.path, options.path_rules),
                             sigv4_canonical_query(signed_query),
                             sigv4_canonical_headers(headers, names),
                             join_names(names),
                             request.body_hash};
  SigV4Signed result = signed_over(parts, date, credentials, options);
  append_parameter(query, kQuerySignature, result.signature);
  result.query = std::move(query);
  return result;
}

}  // namespace weir
