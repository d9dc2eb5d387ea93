// OpaqueSource: an answer whose bytes pass as they come, whatever they are, while a meter reads along.
#pragma once

#include <memory>

#include "io/http.h"
#include "io/scope.h"
#include "llm/codec.h"
#include "llm/event_source.h"

namespace weir {

class OpaqueSource final : public EventSource {
 public:
  // `scope`: of the attempt, without a deadline or with the one for its first bytes. `head` may have views of
  // the response. `idle`: how long the provider may be silent once it has begun.
  OpaqueSource(std::unique_ptr<Scope> scope, std::unique_ptr<ClientResponse> response,
               std::unique_ptr<StreamDecoder> meter, AnswerHead head, Duration idle);

  const AnswerHead& head() const override { return head_; }
  // A small answer comes whole, in one batch with End.
  Task<const EventBatch*> next(Scope& scope) override;

 private:
  std::unique_ptr<Scope> scope_;
  std::unique_ptr<ClientResponse> response_;
  std::unique_ptr<StreamDecoder> meter_;
  const AnswerHead head_;
  const Duration idle_;
  EventBatch batch_;
  bool has_begun_ = false;
};

}  // namespace weir
