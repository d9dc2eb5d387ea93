#include "gateway/drain.h"

#include <algorithm>

#include "gateway/snapshot.h"

namespace weir {
namespace {

// How much of an answer the batch is.
size_t bytes_of(const EventBatch& batch) {
  if (batch.is_raw) return batch.raw.size();
  size_t bytes = 0;
  for (const Event& event : batch.events) {
    if (const auto* delta = std::get_if<Delta>(&event)) bytes += delta->text.size();
  }
  return bytes;
}

}  // namespace

bool has_end(const EventBatch& batch) {
  return std::ranges::any_of(batch.events,
                             [](const Event& event) { return std::holds_alternative<End>(event); });
}

Task<void> drain(Exchange& exchange, EventSource& source) {
  size_t left = exchange.snapshot->settings.client_gone_bytes_max;
  for (;;) {
    const Result<const EventBatch*> pulled = co_await source.next(*exchange.scope);
    if (!pulled || has_end(**pulled)) co_return {};
    const size_t bytes = bytes_of(**pulled);
    if (bytes > left) co_return {};
    left -= bytes;
    // What comes fast must not keep the others of this core waiting: no write does that here.
    co_await exchange.scope->core().next_round();
  }
}

}  // namespace weir
