// OpaqueSource: an answer whose bytes pass as they come, whatever they are, while a meter reads along.
#pragma once

#include <memory>

#include "io/http.h"
#include "io/scope.h"
#include "io/sse_events.h"
#include "llm/codec.h"
#include "llm/event_source.h"

namespace weir {

class OpaqueSource final : public EventSource {
 public:
  // `scope`: of the attempt, with the deadline for its first bytes. `head` may have views of the response.
  // `idle`: how long the provider may be silent once it has begun.
  OpaqueSource(std::unique_ptr<Scope> scope, std::unique_ptr<ClientResponse> response,
               std::unique_ptr<StreamDecoder> meter, AnswerHead head, Duration idle);

  const AnswerHead& head() const override { return head_; }
  // A small answer comes whole, in one batch with End. Server-sent events come whole too, but for very large
  // ones: what follows a failure then starts on a line of its own.
  Result<const EventBatch*> take(Scope& scope) override;
  Task<void> wait(Scope& scope) override;

 private:
  // False: nothing was there.
  Result<bool> read();
  // What is given of the bytes that were read; the last ones are those of an answer that ended in order.
  std::string_view pass(std::string_view bytes, bool is_last);

  std::unique_ptr<Scope> scope_;
  std::unique_ptr<ClientResponse> response_;
  std::unique_ptr<StreamDecoder> meter_;
  const AnswerHead head_;
  const Duration idle_;
  EventBatch batch_;
  std::optional<WholeSseEvents> events_;  // where the answer is made of them
  std::unique_ptr<Error> failure_;        // told with the next pull
  bool has_begun_ = false;
};

}  // namespace weir
