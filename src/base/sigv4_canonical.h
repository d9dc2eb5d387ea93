// What signing and verifying share: the pieces of SigV4 below the public functions. Included by
// base/sigv4*.cpp only.
#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "base/sigv4.h"

namespace weir::sigv4_detail {

inline constexpr std::string_view kAlgorithm = "AWS4-HMAC-SHA256";
inline constexpr std::string_view kTerminator = "aws4_request";

inline constexpr std::string_view kAuthorization = "authorization";
inline constexpr std::string_view kDate = "x-amz-date";
inline constexpr std::string_view kBodyHash = "x-amz-content-sha256";
inline constexpr std::string_view kSecurityToken = "x-amz-security-token";

inline constexpr std::string_view kQueryAlgorithm = "X-Amz-Algorithm";
inline constexpr std::string_view kQueryCredential = "X-Amz-Credential";
inline constexpr std::string_view kQueryDate = "X-Amz-Date";
inline constexpr std::string_view kQuerySignedHeaders = "X-Amz-SignedHeaders";
inline constexpr std::string_view kQueryExpires = "X-Amz-Expires";
inline constexpr std::string_view kQuerySecurityToken = "X-Amz-Security-Token";
inline constexpr std::string_view kQuerySignature = "X-Amz-Signature";

inline constexpr int64_t kExpiresSecondsMax = 604'800;  // a week, AWS's bound

// "20150830T123600Z"; the first 8 characters are the day of the scope.
std::string format_date(int64_t unix_seconds);
std::optional<int64_t> parse_date(std::string_view text);

// "20150830/us-east-1/service/aws4_request"
std::string credential_scope(std::string_view date, std::string_view region, std::string_view service);
std::string join_names(const std::vector<std::string>& names);

struct CanonicalParts {
  std::string_view method;
  std::string path;     // canonical
  std::string query;    // canonical
  std::string headers;  // canonical
  std::string signed_headers;
  std::string_view body_hash;
};
std::string canonical_request(const CanonicalParts& parts);
std::string string_to_sign(std::string_view date, std::string_view scope, std::string_view canonical_request);

// The signature in lower-case hexadecimal. `date` as format_date gives it.
std::string signature_of(const Secret& secret_access_key, std::string_view date, std::string_view region,
                         std::string_view service, std::string_view string_to_sign);

}  // namespace weir::sigv4_detail
