// A provider as it is configured: where it is, how it is spoken to, with which keys. Immutable and part of
// the Snapshot; what changes while serving (key states, target health, permits) hangs on it by pointer, is
// thread-safe, and is kept across reloads by name.
#pragma once

#include <memory>
#include <optional>
#include <string>
#include <string_view>

#include "io/headers.h"
#include "io/http.h"
#include "llm/capabilities.h"
#include "llm/codec.h"
#include "provider/catalog.h"
#include "provider/local_model.h"

namespace weir {

class Credentials;       // provider/credentials.h
class KeyRing;           // provider/key_ring.h
class Permits;           // provider/permits.h
class RetryBudget;       // provider/retry.h
class TlsClientContext;  // io/tls.h

struct ProviderTimeouts {
  Duration connect = std::chrono::seconds(5);
  Duration first_event = std::chrono::minutes(5);  // from sending to the first content of a stream
  Duration answer = std::chrono::minutes(10);      // from sending to the head of a whole answer
  Duration idle = std::chrono::seconds(60);        // between two reads of an answer
};

struct Provider {
  std::string name;                      // in the config: "openai", "my-vllm"
  ProviderKind kind;                     // its row: dialect, paths, authentication, defaults
  const ProviderCodec* codec = nullptr;  // of the kind's dialect; nullptr for a local provider
  std::shared_ptr<LocalModel> local;     // set: answers in this process, and nothing below is used

  Origin origin;
  std::string base_path;      // without a slash at the end: "/v1"
  Headers headers;            // sent with every call, after the kind's own
  std::string region;         // empty: not said; never empty where requests are signed
  Capabilities capabilities;  // said in the config for all its models: over those of the catalog
  ProviderTimeouts timeouts;
  std::shared_ptr<TlsClientContext> tls;  // whom to trust at this origin; null: whom the system trusts

  std::shared_ptr<KeyRing> keys;              // never null; empty when the provider needs no key
  std::shared_ptr<Credentials> credentials;   // set: fetched ones, instead of keys
  std::shared_ptr<RetryBudget> retry_budget;  // never null
};

// `gen_ai.provider.name`: the vendor's, where its row has one, else the configured name.
inline std::string_view vendor_of(const Provider& provider) {
  return provider.kind.otel_name.empty() ? std::string_view(provider.name)
                                         : std::string_view(provider.kind.otel_name);
}

}  // namespace weir
