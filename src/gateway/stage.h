// Stage: `handle(exchange, next)` gives the answer's EventSource; the pipeline is a short list of them.
#pragma once

#include <memory>
#include <span>
#include <vector>

#include "gateway/exchange.h"
#include "llm/event_source.h"

namespace weir {

class Stage;

// The rest of the pipeline. May be called several times (retries), or not at all (a cache hit).
class Next {
 public:
  explicit Next(std::span<const std::unique_ptr<Stage>> stages) : stages_(stages) {}
  // REQUIRES that there is a stage left: the last one (call) answers and calls no next.
  Task<std::unique_ptr<EventSource>> operator()(Exchange& exchange) const;

 private:
  std::span<const std::unique_ptr<Stage>> stages_;
};

class Stage {
 public:
  virtual ~Stage() = default;
  virtual std::string_view name() const = 0;
  // The source may hold references to the exchange, which outlives it. An Error before the first event has no
  // effect on the client yet; one while the source is pulled may come after bytes have left.
  virtual Task<std::unique_ptr<EventSource>> handle(Exchange& exchange, Next next) = 0;
};

// The stages in order. One per core, since a stage may keep per-core state (connections).
class Pipeline {
 public:
  explicit Pipeline(std::vector<std::unique_ptr<Stage>> stages) : stages_(std::move(stages)) {}
  Task<std::unique_ptr<EventSource>> run(Exchange& exchange) const { return Next(stages_)(exchange); }

 private:
  std::vector<std::unique_ptr<Stage>> stages_;
};

}  // namespace weir
