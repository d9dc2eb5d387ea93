// CommittedSource: an answer that has reached its first content event. Until then a failure is the route
// stage's to handle; from then on it is the client's to see, and the target's breaker still learns of it.
#pragma once

#include <memory>
#include <optional>
#include <string>

#include "llm/event_source.h"
#include "provider/target_state.h"

namespace weir {

class CommittedSource final : public EventSource {
 public:
  // Keeps the call's place until the answer has ended, however long its client takes to read it, or until it
  // is destroyed, after the inner source.
  CommittedSource(std::unique_ptr<EventSource> inner, CallPlace place)
      : place_(std::move(place)), inner_(std::move(inner)) {}

  // Pulls up to the first content event and keeps what came, but for comments and pings. Errors: what the
  // inner source fails with before that, upstream_malformed when too much comes before it.
  Task<void> commit(Scope& scope);

  // Whether the answer has ended in a malformed call by what commit() pulled, none of which has been given.
  bool ends_in_bad_call() const;

  // What the provider said of usage until commit() failed.
  Usage reported() const;

  const AnswerHead& head() const override { return inner_->head(); }
  Result<const EventBatch*> take(Scope& scope) override;
  Task<void> wait(Scope& scope) override { return inner_->wait(scope); }

 private:
  Result<void> hold(const EventBatch& batch);
  void leave_at_end(const EventBatch& batch);

  std::optional<CallPlace> place_;
  std::unique_ptr<EventSource> inner_;
  EventBatch held_;  // what came before the first content event, copied
  std::string held_raw_;
  size_t held_bytes_ = 0;
  const EventBatch* pending_ = nullptr;  // the batch with the first content event, still the inner source's
};

}  // namespace weir
