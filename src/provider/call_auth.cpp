#include "provider/call_auth.h"

#include "base/crypto.h"
#include "base/limits.h"
#include "base/sigv4.h"
#include "base/text.h"
#include "io/pool.h"
#include "provider/credential_fetch.h"

namespace weir {
namespace {

constexpr std::string_view kService = "bedrock";  // of its runtime too

bool goes_as_bearer(const ProviderKind& kind, const Credential& credential) {
  switch (kind.auth) {
    case AuthScheme::bearer:
    case AuthScheme::sigv4:
      return true;
    case AuthScheme::google:
    case AuthScheme::entra:
      return credential.is_token || kind.auth_header == "authorization";
    case AuthScheme::x_api_key:
    case AuthScheme::api_key_header:
    case AuthScheme::none:
      break;
  }
  return false;
}

Task<void> sign(Scope& scope, Pool& cpu, const Provider& provider, const Credential& credential,
                WireRequest& wire) {
  std::string hash;
  if (wire.bytes().size() <= kJsonBytesOnCoreMax) {
    hash = sha256_hex(wire.bytes());
  } else {
    // A copy, since the job may outlive a cancelled call.
    hash = CO_TRY(co_await cpu.run(
        scope, [body = std::string(wire.bytes())]() -> Result<std::string> { return sha256_hex(body); }));
  }
  sign_call(provider, credential, scope.core().clock().wall_ns() / 1'000'000'000, hash, wire);
  co_return {};
}

}  // namespace

Task<void> authenticate_call(Scope& scope, Pool& cpu, const Provider& provider, const Credential& credential,
                             WireRequest& wire) {
  const ProviderKind& kind = provider.kind;
  if (kind.auth == AuthScheme::none) return Result<void>();
  if (!credential.access_key_id.empty()) return sign(scope, cpu, provider, credential, wire);
  if (goes_as_bearer(kind, credential)) {
    wire.headers.set("authorization", std::string("Bearer ").append(credential.secret.reveal()));
  } else {
    wire.headers.set(kind.auth_header, credential.secret.reveal());
  }
  return Result<void>();
}

void sign_call(const Provider& provider, const Credential& credential, int64_t unix_seconds,
               const std::string& body_hash, WireRequest& wire) {
  const std::string authority = authority_of(provider.origin);
  const std::string_view target = wire.path;
  const size_t question = std::min(target.find('?'), target.size());
  SigV4Request request{.method = wire.method,
                       .path = target.substr(0, question),
                       .query = target.substr(std::min(question + 1, target.size())),
                       .headers = {{"host", authority}},
                       .body_hash = body_hash};
  for (const HeaderField field : wire.headers) {
    if (equals_ignore_case(field.name, "content-type") || starts_with_ignore_case(field.name, "x-amz")) {
      request.headers.push_back({field.name, field.value});
    }
  }
  const SigV4Credentials pair{.access_key_id = credential.access_key_id,
                              .secret_access_key = credential.secret,
                              .session_token = credential.session_token};
  const SigV4Signed made = sigv4_sign_headers(
      request, pair, {.region = provider.region, .service = kService, .unix_seconds = unix_seconds});
  for (const SigV4Addition& header : made.headers) wire.headers.set(header.name, header.value);
}

void hide_credential(std::string& text, const Credential& credential) {
  // What is shorter is a word ("none") that servers without keys are given.
  constexpr size_t kSecretMin = 8;
  constexpr std::string_view kHidden = "…";
  for (const Secret* secret : {&credential.secret, &credential.session_token}) {
    const std::string_view hidden = secret->reveal();
    if (hidden.size() < kSecretMin) continue;
    for (size_t at = 0; (at = text.find(hidden, at)) != std::string::npos; at += kHidden.size())
      text.replace(at, hidden.size(), kHidden);
  }
}

}  // namespace weir
