// What authenticates Weir to a provider for one call, and the port behind which short-lived ones are fetched.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>

#include "base/clock.h"
#include "base/secret.h"
#include "base/task.h"

namespace weir {

class HttpClient;
class Pool;
class Scope;

struct Credential {
  std::string access_key_id = {};  // AWS: the public half of a pair; empty: `secret` is sent as it is
  Secret secret;                   // a key, a token, or AWS's secret access key
  Secret session_token = {};       // AWS: of temporary pairs
  bool is_token = false;           // fetched from a token endpoint: sent as a bearer whatever the scheme
  std::optional<int64_t> expires_at_ns = {};  // wall clock; nullopt: never
};

// What a source fetches with: of the core that it runs on.
struct CredentialTools {
  HttpClient& client;
  Pool& files;  // reads files and signs
  const Clock& clock;
};

// Where credentials with an end come from: STS, a metadata server, a token endpoint. Immutable; fetch() may
// run on any core, and the source outlives it.
class CredentialSource {
 public:
  virtual ~CredentialSource() = default;
  // A fresh one. Errors: upstream_auth, the message saying what failed and the remedy; the scope's reason.
  virtual Task<Credential> fetch(Scope& scope, CredentialTools tools) const = 0;
};

// A source as the configuration chose it.
struct ChosenSource {
  std::string name;      // for people: "AWS web identity"
  std::string identity;  // of all that it was made of: the same text, the same credentials
  std::unique_ptr<CredentialSource> source;
};

}  // namespace weir
