#include <charconv>

#include "base/crypto.h"
#include "base/encoding.h"
#include "base/limits.h"
#include "base/sigv4.h"
#include "base/sigv4_canonical.h"
#include "base/text.h"

namespace weir {
namespace {

using namespace sigv4_detail;

std::unexpected<Error> refuse(std::string_view aws_name, std::string message) {
  Error error = make_error(ErrorKind::unauthenticated, std::move(message));
  error.code = aws_name;
  return std::unexpected(std::move(error));
}
std::unexpected<Error> refuse_incomplete(std::string message) {
  return refuse("IncompleteSignatureException", std::move(message));
}
std::unexpected<Error> refuse_invalid(std::string message) {
  return refuse("InvalidSignatureException", std::move(message));
}

// The value of a header that may come at most once; nullopt when it is not there.
Result<std::optional<std::string_view>> single_header(const SigV4Request& request,
                                                      std::string_view lower_name) {
  std::optional<std::string_view> found;
  for (const SigV4Header& header : request.headers) {
    if (!equals_ignore_case(header.name, lower_name)) continue;
    if (found) return refuse_incomplete(fmt::format("header {} must come once", lower_name));
    found = trim(header.value);
  }
  return found;
}

// The decoded value of a query parameter that may come at most once.
Result<std::optional<std::string>> single_parameter(std::string_view query, std::string_view name) {
  std::optional<std::string> found;
  for (const std::string_view piece : split(query, '&')) {
    const size_t equals = std::min(piece.find('='), piece.size());
    if (piece.substr(0, equals) != name) continue;
    if (found) return refuse_incomplete(fmt::format("query parameter {} must come once", name));
    const Result<std::string> value = percent_decode(piece.substr(std::min(equals + 1, piece.size())));
    if (!value) return refuse_incomplete(fmt::format("query parameter {} is not percent-encoded", name));
    found = *value;
  }
  return found;
}

Result<std::string> required_parameter(std::string_view query, std::string_view name) {
  std::optional<std::string> value = TRY(single_parameter(query, name));
  if (!value || value->empty()) return refuse_incomplete(fmt::format("query parameter {} is missing", name));
  return *std::move(value);
}

// "AKIDEXAMPLE/20150830/us-east-1/service/aws4_request"; an access key id has no slash.
Result<void> read_credential(std::string_view credential, std::string_view date, SigV4Claim& claim) {
  std::vector<std::string_view> parts;
  for (const std::string_view part : split(credential, '/')) parts.push_back(part);
  if (parts.size() != 5 || parts[0].empty() || parts[2].empty() || parts[3].empty() ||
      parts[4] != kTerminator) {
    return refuse_incomplete("Credential must be KEYID/DATE/REGION/SERVICE/aws4_request");
  }
  if (parts[1] != date.substr(0, 8)) {
    return refuse_invalid("the date in Credential must be the day of the request's date");
  }
  claim.access_key_id = parts[0];
  claim.region = parts[2];
  claim.service = parts[3];
  return {};
}

Result<void> read_date(std::string_view date, SigV4Claim& claim) {
  const std::optional<int64_t> seconds = parse_date(date);
  if (!seconds) return refuse_incomplete("the date must look like 20150830T123600Z");
  claim.signed_at = *seconds;
  return {};
}

Result<void> read_signed_headers(std::string_view list, SigV4Claim& claim) {
  for (const std::string_view name : split(list, ';')) {
    const bool is_next = !name.empty() && to_lower(name) == name &&
                         (claim.signed_headers.empty() || claim.signed_headers.back() < name);
    if (!is_next) return refuse_incomplete("SignedHeaders must be lower-case names in order, each once");
    if (claim.signed_headers.size() == kHeaderCountMax) return refuse_incomplete("too many SignedHeaders");
    claim.signed_headers.emplace_back(name);
  }
  return {};
}

Result<void> read_signature(std::string_view signature, SigV4Claim& claim) {
  const bool is_hex =
      std::all_of(signature.begin(), signature.end(), [](char c) { return hex_digit(c) >= 0; });
  if (signature.size() != 64 || !is_hex) return refuse_incomplete("Signature must be 64 hexadecimal digits");
  claim.signature = signature;
  return {};
}

struct AuthorizationFields {
  std::string_view credential;
  std::string_view signed_headers;
  std::string_view signature;
};

// "AWS4-HMAC-SHA256 Credential=..., SignedHeaders=..., Signature=..." in any order, with or without spaces.
Result<AuthorizationFields> read_authorization(std::string_view value) {
  if (!value.starts_with(kAlgorithm))
    return refuse_incomplete("authorization must begin with AWS4-HMAC-SHA256");
  AuthorizationFields fields;
  for (const std::string_view untrimmed : split(value.substr(kAlgorithm.size()), ',')) {
    const std::string_view piece = trim(untrimmed);
    const size_t equals = std::min(piece.find('='), piece.size());
    const std::string_view name = piece.substr(0, equals);
    std::string_view* const field = name == "Credential"      ? &fields.credential
                                    : name == "SignedHeaders" ? &fields.signed_headers
                                    : name == "Signature"     ? &fields.signature
                                                              : nullptr;
    if (field == nullptr || !field->empty()) {
      return refuse_incomplete("authorization must hold Credential, SignedHeaders and Signature, each once");
    }
    *field = piece.substr(std::min(equals + 1, piece.size()));
  }
  if (fields.credential.empty() || fields.signed_headers.empty() || fields.signature.empty()) {
    return refuse_incomplete("authorization must hold Credential, SignedHeaders and Signature");
  }
  return fields;
}

Result<SigV4Claim> parse_header_form(const SigV4Request& request, std::string_view authorization) {
  SigV4Claim claim;
  const AuthorizationFields fields = TRY(read_authorization(authorization));
  const std::optional<std::string_view> date = TRY(single_header(request, kDate));
  if (!date) return refuse_incomplete("header x-amz-date is missing");
  TRY(read_date(*date, claim));
  TRY(read_credential(fields.credential, *date, claim));
  TRY(read_signed_headers(fields.signed_headers, claim));
  TRY(read_signature(fields.signature, claim));
  const std::optional<std::string_view> token = TRY(single_header(request, kSecurityToken));
  claim.session_token = token.value_or("");
  return claim;
}

Result<SigV4Claim> parse_query_form(const SigV4Request& request) {
  SigV4Claim claim;
  claim.is_presigned = true;
  const std::string algorithm = TRY(required_parameter(request.query, kQueryAlgorithm));
  if (algorithm != kAlgorithm) return refuse_incomplete("X-Amz-Algorithm must be AWS4-HMAC-SHA256");
  const std::string date = TRY(required_parameter(request.query, kQueryDate));
  TRY(read_date(date, claim));
  const std::string credential = TRY(required_parameter(request.query, kQueryCredential));
  const std::string signed_headers = TRY(required_parameter(request.query, kQuerySignedHeaders));
  const std::string signature = TRY(required_parameter(request.query, kQuerySignature));
  TRY(read_credential(credential, date, claim));
  TRY(read_signed_headers(signed_headers, claim));
  TRY(read_signature(signature, claim));
  const std::string expires = TRY(required_parameter(request.query, kQueryExpires));
  const char* const end = expires.data() + expires.size();
  const auto [stop, status] = std::from_chars(expires.data(), end, claim.expires_seconds);
  if (status != std::errc() || stop != end || claim.expires_seconds < 1 ||
      claim.expires_seconds > kExpiresSecondsMax) {
    return refuse_incomplete("X-Amz-Expires must be 1 to 604800 seconds");
  }
  claim.session_token = TRY(single_parameter(request.query, kQuerySecurityToken))
  .value_or("");
  return claim;
}

bool is_signed(const SigV4Claim& claim, std::string_view name) {
  return std::binary_search(claim.signed_headers.begin(), claim.signed_headers.end(), name);
}

Result<void> check_time(const SigV4Claim& claim, const SigV4VerifyOptions& options) {
  const int64_t age = options.unix_seconds - claim.signed_at;
  if (age < -options.skew_seconds) {
    return refuse_invalid("the signature is not yet valid: check the client's clock");
  }
  const int64_t age_max = claim.is_presigned ? claim.expires_seconds : options.skew_seconds;
  if (age > age_max) return refuse_invalid("the signature has expired: check the client's clock");
  return {};
}

// The hash that stands in the canonical request; what the header says must be true of the body.
Result<std::string_view> checked_body_hash(const SigV4Request& request, const SigV4VerifyOptions& options) {
  const std::optional<std::string_view> sent = TRY(single_header(request, kBodyHash));
  if (!sent) return request.body_hash;
  if (*sent == kSigV4UnsignedPayload && options.allows_unsigned_payload) return *sent;
  if (!constant_time_equal(*sent, request.body_hash)) {
    return refuse_invalid("x-amz-content-sha256 is not the SHA-256 of the body");
  }
  return *sent;
}

bool has_header(const std::vector<SigV4Header>& headers, std::string_view name) {
  return std::any_of(headers.begin(), headers.end(),
                     [name](const SigV4Header& header) { return equals_ignore_case(header.name, name); });
}

// The request's headers; of host and :authority, the one that was signed but did not arrive is made from the
// other.
std::vector<SigV4Header> with_both_host_names(const SigV4Request& request) {
  std::vector<SigV4Header> headers = request.headers;
  const bool has_host = has_header(headers, "host");
  const bool has_authority = has_header(headers, ":authority");
  if (has_host == has_authority) return headers;
  for (const SigV4Header& header : request.headers) {
    if (equals_ignore_case(header.name, "host")) headers.push_back({":authority", header.value});
    if (equals_ignore_case(header.name, ":authority")) headers.push_back({"host", header.value});
  }
  return headers;
}

// The query as it was signed: without the signature itself.
std::string query_without_signature(std::string_view query) {
  std::string rest;
  for (const std::string_view piece : split(query, '&')) {
    if (piece.substr(0, std::min(piece.find('='), piece.size())) == kQuerySignature) continue;
    if (!rest.empty()) rest.push_back('&');
    rest.append(piece);
  }
  return rest;
}

}  // namespace

bool is_sigv4_field(std::string_view name, std::string_view value) {
  return equals_ignore_case(name, kAuthorization) && trim(value).starts_with(kAlgorithm);
}

bool has_sigv4_query(std::string_view query) {
  for (const std::string_view piece : split(query, '&')) {
    if (piece.substr(0, std::min(piece.find('='), piece.size())) == kQueryAlgorithm) return true;
  }
  return false;
}

Result<SigV4Claim> sigv4_parse(const SigV4Request& request) {
  const std::optional<std::string_view> authorization = TRY(single_header(request, kAuthorization));
  const std::optional<std::string> algorithm = TRY(single_parameter(request.query, kQueryAlgorithm));
  if (authorization && algorithm) return refuse_incomplete("sign by header or by query, not by both");
  if (authorization) return parse_header_form(request, *authorization);
  if (algorithm) return parse_query_form(request);
  return refuse("MissingAuthenticationTokenException", "the request is not signed");
}

Result<void> sigv4_verify(const SigV4Request& request, const SigV4Claim& claim,
                          const Secret& secret_access_key, const SigV4VerifyOptions& options) {
  if (!is_signed(claim, "host") && !is_signed(claim, ":authority")) {
    return refuse_incomplete("host must be among the SignedHeaders");
  }
  if (!claim.is_presigned && !is_signed(claim, kDate)) {
    return refuse_incomplete("x-amz-date must be among the SignedHeaders");
  }
  TRY(check_time(claim, options));
  const std::string_view body_hash = TRY(checked_body_hash(request, options));
  const std::vector<SigV4Header> headers = with_both_host_names(request);
  for (const std::string& name : claim.signed_headers) {
    if (!has_header(headers, name))
      return refuse_invalid(fmt::format("signed header {} did not arrive", name));
  }
  const CanonicalParts parts{request.method,
                             sigv4_canonical_path(request.path, options.path_rules),
                             sigv4_canonical_query(claim.is_presigned ? query_without_signature(request.query)
                                                                      : std::string(request.query)),
                             sigv4_canonical_headers(headers, claim.signed_headers),
                             join_names(claim.signed_headers),
                             body_hash};
  const std::string date = format_date(claim.signed_at);
  const std::string scope = credential_scope(date, claim.region, claim.service);
  const std::string expected = signature_of(secret_access_key, date, claim.region, claim.service,
                                            string_to_sign(date, scope, canonical_request(parts)));
  if (!constant_time_equal(expected, claim.signature)) {
    return refuse_invalid("the signature does not match: check the secret key, and what signs the request");
  }
  return {};
}

}  // namespace weir
