// Who is calling, from the head of a request: before the body is read, as far as the head can tell.
#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <string_view>

#include "base/limits.h"
#include "base/result.h"
#include "io/http.h"
#include "security/api_keys.h"

namespace weir {

// The body of a caller who is known only by it: a signature, by a pair whose id is known, that covers a body
// whose hash is not in the head. Python's SDK of AWS sends none, and Bedrock takes bodies of 25 MB from it.
inline constexpr size_t kAnonymousBodyBytesMax = 25'000'000;

struct LoopbackRules {
  std::span<const std::string> allowed_origins{};  // of browsers
};

// The credential that the request carries: `authorization: Bearer`, `x-api-key`, `api-key`, `x-goog-api-key`,
// or
// `?key=` in the query as Gemini's REST clients send it; empty for none. Error: unauthenticated for an
// authorization of another scheme, saying which are taken.
Result<std::string> credential_of(const HttpRequest& request);

// True for localhost, 127.0.0.0/8 and [::1], with any port.
bool is_loopback_host(std::string_view authority);

// What the head tells.
struct Caller {
  // Who: of the keys, or the anonymous one. Null: only the body tells, of which at most
  // kAnonymousBodyBytesMax may be read before it has.
  const Principal* principal = nullptr;
  // A signature covers the body: admit_body() decides before anything is done with it.
  bool is_signed = false;
};

// With keys configured: whose key it is (or whose signature: SigV4, in the headers or the query), or
// unauthenticated. Without: the anonymous principal for callers on loopback whose request a web page could
// not have made (Host, Origin and content type are checked; a signature stands for the last), else forbidden
// with the remedy; a credential of Weir's own form is refused, since it cannot be right, and any other counts
// as absent, since SDKs cannot leave it out. Errors about signatures have AWS's name for them as their code.
// `unix_seconds` is now.
Result<Caller> authenticate(const HttpRequest& request, const ApiKeys& keys, const LoopbackRules& rules,
                            int64_t unix_seconds);

// The caller of a signed request whose body has that hash (sha256_hex). REQUIRES caller.is_signed, and the
// same request and keys as before. Never null. Errors: unauthenticated.
Result<const Principal*> admit_body(const HttpRequest& request, const Caller& caller, const ApiKeys& keys,
                                    int64_t unix_seconds, std::string_view body_hash);

// Both for a request whose body does not matter: a signature is one over an empty body.
Result<const Principal*> authenticate_without_body(const HttpRequest& request, const ApiKeys& keys,
                                                   const LoopbackRules& rules, int64_t unix_seconds);

}  // namespace weir
