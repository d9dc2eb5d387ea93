// EventSource: an answer, pulled in batches until End.
#pragma once

#include <memory>
#include <string_view>
#include <vector>

#include "base/task.h"
#include "io/headers.h"
#include "io/scope.h"
#include "llm/event.h"

namespace weir {

struct EventBatch {
  std::vector<Event> events;
  // On the raw way: the provider's own bytes for this batch, already in the client's dialect and framing.
  // They may be empty although there are events (an event that only Weir asked for), and the other way round.
  std::string_view raw;
  bool is_raw = false;

  void clear() {
    events.clear();
    raw = {};
    is_raw = false;
  }
};

// Whether the batch is to be waited for.
inline bool is_missing(const Result<const EventBatch*>& taken) {
  return taken && !*taken;
}

// What is known of an answer before its first event. Views are valid as long as the source.
struct AnswerHead {
  int upstream_status = 200;
  Headers headers;                // allow-listed headers of the provider, for the client
  std::string_view content_type;  // of the raw bytes
};

class EventSource {
 public:
  virtual ~EventSource() = default;
  virtual const AnswerHead& head() const = 0;
  // The next batch, valid until the next call; null when it is to be waited for. The last batch holds End;
  // pulling after it is a bug. Errors end the source: upstream_* and cancelled, also of what was waited for.
  virtual Result<const EventBatch*> take(Scope& scope) = 0;
  // Returns when take() may have more, or has an error to tell.
  virtual Task<void> wait(Scope& scope);
  // take(), when there is something.
  Task<const EventBatch*> next(Scope& scope);
};

// source.next(scope) for a coroutine that pulls batch after batch: without a frame of its own where a batch
// is there.
#define CO_NEXT(source, scope)                                                    \
  ({                                                                              \
    ::weir::Result<const ::weir::EventBatch*> weir_batch_ = (source).take(scope); \
    while (::weir::is_missing(weir_batch_)) {                                     \
      (void)co_await (source).wait(scope);                                        \
      weir_batch_ = (source).take(scope);                                         \
    }                                                                             \
    std::move(weir_batch_);                                                       \
  })

// A source over events that are there already (local models, caches, tests).
class StoredSource final : public EventSource {
 public:
  explicit StoredSource(std::vector<Event> events) { batch_.events = std::move(events); }
  const AnswerHead& head() const override { return head_; }
  Result<const EventBatch*> take(Scope&) override { return &batch_; }

 private:
  AnswerHead head_;
  EventBatch batch_;
};

}  // namespace weir
