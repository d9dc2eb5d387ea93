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
#include "provider/local_model.h"

namespace weir {

class KeyRing;      // provider/key_ring.h
class Permits;      // provider/permits.h
class RetryBudget;  // provider/retry.h

enum class AuthScheme : uint8_t {
  none,
  bearer,     // authorization: Bearer KEY
  x_api_key,  // x-api-key: KEY
  header,     // the header named in `auth_header`: KEY
};

struct ProviderTimeouts {
  Duration connect = std::chrono::seconds(5);
  Duration first_event = std::chrono::seconds(120);  // from sending to the first event of the answer
  Duration idle = std::chrono::seconds(60);          // between two reads of an answer
};

struct Provider {
  std::string name;       // in the config: "openai", "my-vllm"
  std::string kind;       // row of config/providers.yaml
  std::string otel_name;  // gen_ai.provider.name
  Dialect dialect = Dialect::openai_chat;
  const ProviderCodec* codec = nullptr;  // of `dialect`; nullptr for a local provider
  std::shared_ptr<LocalModel> local;     // set: answers in this process, and nothing below is used

  Origin origin;
  std::string base_path;          // without a slash at the end: "/v1"
  std::string api_version_query;  // Azure's api-version; empty if none
  AuthScheme auth = AuthScheme::bearer;
  std::string auth_header;
  Headers headers;            // sent with every call
  std::string region;         // empty: not said
  Capabilities capabilities;  // of the endpoint: what its row and its quirks say
  ProviderTimeouts timeouts;

  std::shared_ptr<KeyRing> keys;
  std::shared_ptr<RetryBudget> retry_budget;
};

}  // namespace weir
