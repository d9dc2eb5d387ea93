// One call to one remote target: encode or splice, authenticate, send, and an EventSource over the answer. No
// retry and no choice happens here.
#pragma once

#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <string_view>

#include "base/inline_text.h"
#include "io/http.h"
#include "llm/codec.h"
#include "llm/event_source.h"
#include "provider/credential.h"
#include "provider/provider.h"

namespace weir {

class Pool;

struct UpstreamCall {
  const Provider* provider = nullptr;  // outlives the source
  std::string_view model;              // the provider's name of the model
  const Capabilities* capabilities = nullptr;
  const Request* request = nullptr;              // outlives the source
  const ClientCall* raw = nullptr;               // set: take the raw way with these bytes
  std::shared_ptr<const Credential> credential;  // null: none
  InlineText<55> traceparent;                    // header to send; empty: none
  std::string_view request_id;                   // sent as x-request-id; outlives the call
  Duration first_event{};                        // time limits, all positive
  Duration answer{};
  Duration idle{};
  std::function<void()> on_sent = {};  // both as ClientRequest's
  std::function<void()> on_lost = {};
  // Told what the provider calls the call, once the head of an answer is there that says it, good or not.
  std::function<void(std::string_view id)> on_upstream_id = {};
};

struct UpstreamAnswer {
  std::unique_ptr<EventSource> source;
  Fidelity fidelity;
  MonoTime head_at{};
};

// Which of a provider's endpoints serves the request.
Endpoint endpoint_of(const Request& request);

// The header of an answer that tells the provider's own id of the call.
inline constexpr std::string_view kUpstreamIdHeader = "x-upstream-request-id";

// The request of the call, ready to be authenticated and sent: for tests and for the fidelity report in
// strict mode.
Result<std::unique_ptr<EncodedCall>> encode_call(const UpstreamCall& call);

// Authenticates and sends; `cpu` hashes and decodes bodies that are too large for a core. Returns when the
// head of a good answer is there; a whole (not streamed) answer has been read and decoded by then. Errors:
// those of the codec, of the client, and the provider's own by decode_error. The time limits hold in the
// source too. REQUIRES that `call` and `encoded` stay until the task ends; `encoded` is used up.
Task<UpstreamAnswer> call_upstream(Scope& scope, HttpClient& client, Pool& cpu, const UpstreamCall& call,
                                   EncodedCall& encoded);

// What became of an answer that a provider of Responses keeps by its id.
enum class Deletion : uint8_t {
  done,
  unknown,     // there is none, as far as that credential sees
  impossible,  // the server has no such operation
};
// Asks for it with that credential (null: none). Errors: those of the client, and the provider's own.
Task<Deletion> delete_kept_answer(Scope& scope, HttpClient& client, Pool& cpu, const Provider& provider,
                                  std::shared_ptr<const Credential> credential, std::string id);

}  // namespace weir
