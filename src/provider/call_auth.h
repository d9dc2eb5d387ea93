// Puts a credential on an encoded call, as the provider's scheme has it.
#pragma once

#include "base/result.h"
#include "base/task.h"
#include "llm/codec.h"
#include "provider/credential.h"
#include "provider/provider.h"

namespace weir {

// A signature covers method, path, query, body and the headers host, content-type and x-amz-*: nothing of it
// may change afterwards. Large bodies are hashed in `cpu`. Errors: overloaded, the scope's reason.
[[gnu::noinline]] Task<void> authenticate_call(Scope& scope, Pool& cpu, const Provider& provider,
                                               const Credential& credential, WireRequest& wire);

// The signing itself. `body_hash` is sha256_hex of the body.
void sign_call(const Provider& provider, const Credential& credential, int64_t unix_seconds,
               const std::string& body_hash, WireRequest& wire);

// Hides what a provider repeats of the credential that it was sent: neither callers nor the log may see it.
void hide_credential(std::string& text, const Credential& credential);

}  // namespace weir
