// Trace export: sampled exchanges as OTLP over HTTP in JSON, in batches, from a thread of its own, so that no
// core waits for a collector. What does not fit the queue, or is refused, is dropped and counted.
#pragma once

#include <memory>
#include <mutex>
#include <string>

#include "base/metrics.h"
#include "gateway/observer.h"
#include "io/core.h"
#include "io/http.h"
#include "io/scope.h"
#include "io/worker.h"

namespace weir {

struct TraceExportOptions {
  std::string endpoint;  // "http://127.0.0.1:4318/v1/traces"
  std::string service_name = "weir";
  Duration pause = std::chrono::seconds(1);     // between two looks at the queue
  Duration timeout = std::chrono::seconds(10);  // of one request to the collector
};

class TraceExport final : public ExchangeObserver {
 public:
  // Counts in weir_trace_spans_total{outcome}: exported, dropped. Error: bad_request for an endpoint that is
  // no http or https URL. Sends from the worker trace_export. `metrics` and `workers` outlive the export.
  static Result<std::unique_ptr<TraceExport>> make(TraceExportOptions options, MetricsRegistry& metrics,
                                                   Workers& workers);
  // Sends what is queued, within the timeout of two requests: the one that is under way, and one more. What
  // is left is dropped.
  ~TraceExport() override;

  void started(const Exchange&) override {}
  // From any core; does not block.
  void ended(const Exchange& exchange, const ExchangeOutcome& outcome) override;

 private:
  struct Batch {
    std::string spans;  // separated by commas
    size_t count = 0;
  };
  TraceExport(TraceExportOptions options, Url url, MetricsRegistry& metrics);

  Result<void> run(const std::stop_token& stop);
  Task<void> work(Scope& scope, HttpClient& client, Signal& stopping);
  Task<void> send(Scope& scope, HttpClient& client, Batch batch);
  Batch take();

  const TraceExportOptions options_;
  const Url url_;
  Counter exported_;
  Counter dropped_;
  std::mutex mutex_;  // guards what follows; held to append one text
  Batch queue_;

  size_t sending_ = 0;              // spans that the worker has in hand; its thread only
  std::unique_ptr<Worker> worker_;  // last: it uses everything above
};

}  // namespace weir
