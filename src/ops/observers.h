// Who watches exchanges: metrics, the access log, traces.
#pragma once

#include <atomic>
#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "base/metrics.h"
#include "base/result.h"
#include "gateway/observer.h"
#include "gateway/snapshot.h"
#include "io/worker.h"
#include "ops/telemetry_settings.h"

namespace weir {

class AccessLog;
class HttpServer;
class Store;

// One observer that tells several.
class CompositeObserver final : public ExchangeObserver {
 public:
  explicit CompositeObserver(std::vector<std::unique_ptr<ExchangeObserver>> parts)
      : parts_(std::move(parts)) {}
  void started(const Exchange& exchange) override {
    for (const auto& part : parts_) part->started(exchange);
  }
  void ended(const Exchange& exchange, const ExchangeOutcome& outcome) override {
    for (const auto& part : parts_) part->ended(exchange, outcome);
  }
  void answered(const PlainRequest& request) override {
    for (const auto& part : parts_) part->answered(request);
  }

 private:
  std::vector<std::unique_ptr<ExchangeObserver>> parts_;
};

struct Observers {
  std::unique_ptr<ExchangeObserver> all;
  AccessLog* access_log = nullptr;  // a part of `all`; null: there is none
};

// The observers that the settings ask for. `access_log`: on, off, or a file's path. Errors: bad_request for a
// file that cannot be written and for an endpoint that is no URL.
Result<Observers> make_observers(MetricsRegistry& metrics, const std::string& access_log,
                                 const TelemetrySettings& telemetry, Workers& workers);

// What the process's own metrics are read from, at each scrape. All outlive the callbacks.
struct ProcessSources {
  std::function<std::shared_ptr<const Snapshot>()> snapshot;
  const TargetStates* states = nullptr;
  const std::atomic<int64_t>* exchanges_open = nullptr;
  const Store* store = nullptr;  // null: there is none
  struct Listener {
    std::string name;  // data, admin
    const HttpServer* server;
  };
  std::vector<Listener> listeners{};
};
// weir_rss_bytes, weir_config_generation, weir_exchanges_open, weir_queue_depth; weir_breaker_state and
// weir_key_state: how many targets and keys are in each state (which ones, the admin plane's status tells);
// weir_connections_open and, by outcome, weir_connections_total of each listener;
// weir_credential_fetches_total by outcome; weir_store_operations_total: changes of the store that were
// committed or lost, and reads that failed.
std::vector<MetricCallback> expose_process_metrics(MetricsRegistry& metrics, ProcessSources sources);

}  // namespace weir
