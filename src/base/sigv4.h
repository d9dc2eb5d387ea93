// AWS Signature Version 4 as pure functions: what a request says, when, under which secret, gives its
// signature. Signing is for calls to Bedrock and other AWS services, verifying for clients that call Weir
// with an AWS SDK. The protocol: "Signature Version 4 signing process" in the AWS IAM user guide.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"
#include "base/secret.h"

namespace weir {

// Stands in for the body's hash when the body is not signed (S3 and few others).
inline constexpr std::string_view kSigV4UnsignedPayload = "UNSIGNED-PAYLOAD";

struct SigV4Header {
  std::string_view name;  // any case; ":authority" for HTTP/2
  std::string_view value;
};

// A request as it is on the wire. Views: valid as long as what they show.
struct SigV4Request {
  std::string_view method;
  std::string_view path;   // as sent, without the query; still percent-encoded
  std::string_view query;  // as sent, without the '?'
  std::vector<SigV4Header> headers;
  std::string_view body_hash;  // sha256_hex(body), or kSigV4UnsignedPayload
};

// How the path becomes canonical. The defaults are those of every service but S3.
struct SigV4PathRules {
  bool normalizes = true;  // "//", "." and ".." are resolved first
  // The path as sent is percent-encoded once more: the client's "%3A" is signed as "%253A", a literal ':' as
  // "%3A". False (S3): what is encoded stays, only the rest is encoded.
  bool encodes_again = true;
};

// The parts of a canonical request, each also usable alone.
std::string sigv4_canonical_path(std::string_view path, const SigV4PathRules& rules);
// Decoded, encoded by RFC 3986's unreserved set, sorted by key and then value; "a" becomes "a=".
std::string sigv4_canonical_query(std::string_view query);
// "name:value\n" for each name; REQUIRES names in lower case. Values of one name are joined by commas in
// their order, white space at the ends is cut and inside becomes one space.
std::string sigv4_canonical_headers(const std::vector<SigV4Header>& headers,
                                    const std::vector<std::string>& names);

struct SigV4Credentials {
  std::string access_key_id;
  Secret secret_access_key;
  Secret session_token;  // empty: none
};

struct SigV4Options {
  std::string_view region;
  std::string_view service;  // "bedrock" for Bedrock's runtime too
  int64_t unix_seconds = 0;  // now
  SigV4PathRules path_rules = {};
  bool adds_body_hash = true;       // header form: sends and signs x-amz-content-sha256
  bool signs_session_token = true;  // false: the token is added after signing (AWS IoT)
  int64_t expires_seconds = 3600;   // query form: how long the URL is good, 1 to 604800
};

struct SigV4Addition {
  std::string_view name;  // lower case, static
  std::string value;
};

struct SigV4Signed {
  std::vector<SigV4Addition> headers;  // to add to the request; header form only
  std::string query;                   // to send in place of the request's; query form only
  std::string
      canonical_request;  // this and the next for diagnosis: they hold no secret but the session token
  std::string string_to_sign;
  std::string signature;  // 64 hexadecimal digits
};

// Signs method, path, query, body hash and all headers of the request except those that proxies change
// (connection, user-agent, ...) and those that it adds itself (authorization, x-amz-date, ...): these are
// replaced. REQUIRES a host or :authority header.
SigV4Signed sigv4_sign_headers(const SigV4Request& request, const SigV4Credentials& credentials,
                               const SigV4Options& options);
// The same as a presigned URL: everything goes into the query.
SigV4Signed sigv4_sign_query(const SigV4Request& request, const SigV4Credentials& credentials,
                             const SigV4Options& options);

// Whether a request with that field, or that query, claims to be signed.
bool is_sigv4_field(std::string_view name, std::string_view value);  // of the head
bool has_sigv4_query(std::string_view query);

// What a signed request says about itself; nothing of it is true before sigv4_verify.
struct SigV4Claim {
  std::string access_key_id;  // by which the secret is looked up
  std::string region;
  std::string service;
  int64_t signed_at = 0;        // Unix seconds
  int64_t expires_seconds = 0;  // query form; 0 in the header form
  bool is_presigned = false;
  std::vector<std::string> signed_headers;  // lower case, sorted, each once
  std::string signature;
  std::string session_token;  // empty if none
};

// Reads the claim. Errors: unauthenticated, with AWS's name for it as the code
// ("IncompleteSignatureException", "InvalidSignatureException"), for whatever is missing, doubled or
// malformed.
Result<SigV4Claim> sigv4_parse(const SigV4Request& request);

struct SigV4VerifyOptions {
  int64_t unix_seconds = 0;    // now
  int64_t skew_seconds = 300;  // how far the client's clock may be off, as AWS allows
  SigV4PathRules path_rules = {};
  bool allows_unsigned_payload = false;
};

// REQUIRES claim = sigv4_parse(request), and request.body_hash = sha256_hex of the body that arrived. Demands
// that host (or :authority) and, in the header form, the date are signed; that x-amz-content-sha256, if sent,
// is the body's hash; that the time fits; and that the signature is right, compared in constant time. A
// request signed over HTTP/2 and delivered over HTTP/1.1, or the reverse, still verifies: host and :authority
// stand in for each other. Errors: unauthenticated with a code as above; the message never tells the expected
// signature.
Result<void> sigv4_verify(const SigV4Request& request, const SigV4Claim& claim,
                          const Secret& secret_access_key, const SigV4VerifyOptions& options);

}  // namespace weir
