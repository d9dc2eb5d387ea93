#include "gateway/committed_source.h"

#include <algorithm>

#include "base/limits.h"

namespace weir {
namespace {

// As much as a single event may be.
constexpr size_t kHeldBytesMax = kSseEventBytesMax;

// Whether the bytes are comments of server-sent events, and what ends them.
bool is_only_comments(std::string_view raw) {
  while (!raw.empty()) {
    const size_t end = std::min(raw.find_first_of("\r\n"), raw.size());
    if (end > 0 && raw.front() != ':') return false;
    raw.remove_prefix(std::min(end + 1, raw.size()));
  }
  return true;
}

size_t bytes_of(const Event& event) {
  size_t bytes = sizeof(Event);
  if (const auto* block = std::get_if<BlockStart>(&event)) bytes += block->data.size();
  return bytes;
}

}  // namespace

Task<void> CommittedSource::commit(Scope& scope) {
  for (;;) {
    const EventBatch* batch = CO_TRY(CO_NEXT(*inner_, scope));
    if (std::any_of(batch->events.begin(), batch->events.end(), is_content)) {
      leave_at_end(*batch);
      pending_ = batch;
      co_return {};
    }
    CO_TRY(hold(*batch));
    // Of an upstream that always has something to say, that is nothing.
    co_await scope.core().next_round();
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

Result<void> CommittedSource::hold(const EventBatch& batch) {
  for (const Event& event : batch.events) {
    if (std::holds_alternative<Ping>(event)) continue;
    held_bytes_ += bytes_of(event);
    held_.events.push_back(event);
  }
  if (!is_only_comments(batch.raw)) {
    held_bytes_ += batch.raw.size();
    held_raw_ += batch.raw;
  }
  held_.is_raw = batch.is_raw;
  if (held_bytes_ <= kHeldBytesMax) return {};
  return fail(ErrorKind::upstream_malformed, "the provider sent a great deal without beginning its answer");
}

// Nothing more is asked of the target then.
void CommittedSource::leave_at_end(const EventBatch& batch) {
  if (!batch.events.empty() && std::holds_alternative<End>(batch.events.back())) place_.reset();
}

Result<const EventBatch*> CommittedSource::take(Scope& scope) {
  if (!held_.events.empty() || !held_raw_.empty()) {
    if (pending_) {
      // One batch, so that the head and the first content leave in one write.
      held_.events.insert(held_.events.end(), pending_->events.begin(), pending_->events.end());
      held_raw_ += pending_->raw;
      held_.is_raw = pending_->is_raw;
      held_.raw = held_raw_;
      pending_ = nullptr;
      return &held_;
    }
    held_.clear();
    held_raw_.clear();
  }
  if (pending_) return std::exchange(pending_, nullptr);
  Result<const EventBatch*> batch = inner_->take(scope);
  if (is_missing(batch)) return batch;
  if (batch) {
    leave_at_end(**batch);
  } else if (place_ && error_row(batch.error().kind).trips_breaker) {
    place_->target().breaker().report(scope.now(), BreakerPass::usual, false);
  }
  return batch;
}

}  // namespace weir
