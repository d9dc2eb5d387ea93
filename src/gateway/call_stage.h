// The call stage: the last one. Makes one attempt at exchange.target, over the provider's keys, by the raw
// way where it is open.
#pragma once

#include "gateway/stage.h"
#include "io/http.h"
#include "io/pool.h"
#include "provider/credentials.h"

namespace weir {

struct UpstreamCall;

class CallStage final : public Stage {
 public:
  // All outlive the stage; the client and the fetcher are this core's. Tokens are counted in `cpu`.
  CallStage(HttpClient& client, CredentialFetcher& credentials, Pool& cpu)
      : client_(client), credentials_(credentials), cpu_(cpu) {}
  std::string_view name() const override { return "call"; }
  // Errors: those of call_upstream, unsupported in strict mode when something would not be carried over.
  Task<std::unique_ptr<EventSource>> handle(Exchange& exchange, Next next) override;

 private:
  // What the attempts at one target have used.
  struct Tried {
    std::vector<size_t> keys{};
    std::shared_ptr<const Credential> credential{};  // short-lived, of the last attempt
    int credentials = 0;
  };

  // By a model of this process.
  static Task<std::unique_ptr<EventSource>> answer_locally(Exchange& exchange, LocalModel& model);
  Task<std::unique_ptr<EventSource>> count_here(Exchange& exchange);
  Task<std::unique_ptr<EventSource>> call_remote(Exchange& exchange);
  // The call of the attempt, with a key that is not one of `tried`; the attempt says which.
  Task<std::unique_ptr<EncodedCall>> encode(Exchange& exchange, Tried& tried, UpstreamCall& call);
  Task<std::unique_ptr<EncodedCall>> encode_later(Exchange& exchange, Tried& tried, UpstreamCall& call);
  static bool has_another(const Exchange& exchange, ErrorKind refusal, const Tried& tried);

  HttpClient& client_;
  CredentialFetcher& credentials_;
  Pool& cpu_;
};

}  // namespace weir
