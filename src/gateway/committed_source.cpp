#include "gateway/committed_source.h"

#include <algorithm>

namespace weir {

CommittedSource::CommittedSource(std::unique_ptr<EventSource> inner, std::shared_ptr<TargetState> state,
                                 Permits::Permit permit)
    : inner_(std::move(inner)), state_(std::move(state)), permit_(std::move(permit)) {
  state_->enter();
}

CommittedSource::~CommittedSource() {
  state_->leave();
}

Task<void> CommittedSource::commit(Scope& scope) {
  for (;;) {
    const EventBatch* batch = CO_TRY(co_await inner_->next(scope));
    if (std::any_of(batch->events.begin(), batch->events.end(), is_content)) {
      pending_ = batch;
      co_return {};
    }
    hold(*batch);
  }
}

bool CommittedSource::ends_in_bad_call() const {
  const auto is_bad = [](const Event& event) {
    const auto* finish = std::get_if<Finish>(&event);
    return finish && finish->reason == StopReason::bad_tool;
  };
  // What ends an answer is content, so that it is never among what came before that.
  return pending_ && std::ranges::any_of(pending_->events, is_bad);
}

Usage CommittedSource::reported() const {
  Usage usage;
  for (const Event& event : held_.events) {
    if (const auto* report = std::get_if<UsageReport>(&event)) usage.set_from(report->usage);
  }
  usage.source = UsageSource::partial;
  return usage;
}

void CommittedSource::hold(const EventBatch& batch) {
  held_.events.insert(held_.events.end(), batch.events.begin(), batch.events.end());
  held_raw_ += batch.raw;
  held_.is_raw = batch.is_raw;
}

Task<const EventBatch*> CommittedSource::next(Scope& scope) {
  if (!held_.events.empty() || !held_raw_.empty()) {
    if (pending_) {
      // One batch, so that the head and the first content leave in one write.
      hold(*pending_);
      held_.raw = held_raw_;
      pending_ = nullptr;
      co_return &held_;
    }
    held_.clear();
    held_raw_.clear();
  }
  if (pending_) co_return std::exchange(pending_, nullptr);
  Result<const EventBatch*> batch = co_await inner_->next(scope);
  if (!batch && error_row(batch.error().kind).trips_breaker)
    state_->breaker().report(scope.now(), BreakerPass::usual, false);
  co_return batch;
}

}  // namespace weir
