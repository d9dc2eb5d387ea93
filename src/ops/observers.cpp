#include "ops/observers.h"

#include <cstdio>
#include <unistd.h>

#include "io/http_server.h"
#include "ops/access_log.h"
#include "ops/exchange_metrics.h"
#include "ops/trace_export.h"
#include "provider/credentials.h"
#include "provider/key_ring.h"
#include "store/store.h"

namespace weir {
namespace {

// Resident bytes, from the second number of /proc/self/statm (pages).
double resident_bytes() {
  long pages = 0;
  if (std::FILE* file = std::fopen("/proc/self/statm", "r")) {
    if (std::fscanf(file, "%*s %ld", &pages) != 1) pages = 0;
    std::fclose(file);
  }
  return static_cast<double>(pages) * static_cast<double>(sysconf(_SC_PAGESIZE));
}

double count_breakers(const TargetStates& states, BreakerState state) {
  const MonoTime now = SystemClock::instance().now();
  int64_t count = 0;
  states.for_each([&](const TargetState& target) { count += target.breaker().state(now) == state ? 1 : 0; });
  return static_cast<double>(count);
}

double count_keys(const Snapshot& snapshot, KeyState state) {
  const MonoTime now = SystemClock::instance().now();
  int64_t count = 0;
  for (const auto& provider : snapshot.providers) {
    for (const KeyRing::Status& key : provider->keys->status(now)) count += key.state == state ? 1 : 0;
  }
  return static_cast<double>(count);
}

// Fetches of credentials by all providers that have a source.
double count_fetches(const Snapshot& snapshot, uint64_t Credentials::Counts::* outcome) {
  uint64_t count = 0;
  for (const auto& provider : snapshot.providers) {
    if (provider->credentials) count += provider->credentials->counts().*outcome;
  }
  return static_cast<double>(count);
}

void expose_listener(MetricsRegistry& metrics, const ProcessSources::Listener& listener,
                     std::vector<MetricCallback>& callbacks) {
  const HttpServer* const server = listener.server;
  callbacks.push_back(metrics.gauge_callback(
      {.name = "weir_connections_open", .help = "Connections of clients.", .labels = {"listener"}},
      {listener.name}, [server] { return static_cast<double>(server->stats().connections_open); }));
  for (const auto& [outcome, count] : {std::pair("accepted", &HttpServerStats::connections_accepted),
                                       std::pair("refused", &HttpServerStats::connections_refused),
                                       std::pair("handshake_failed", &HttpServerStats::handshakes_failed)}) {
    callbacks.push_back(metrics.counter_callback(
        {.name = "weir_connections_total",
         .help =
             "Connections of clients; those are refused that are more than the process may have, and some "
             "of those accepted fail to speak TLS.",
         .labels = {"listener", "outcome"}},
        {listener.name, outcome}, [server, count] { return static_cast<double>(server->stats().*count); }));
  }
}

}  // namespace

Result<Observers> make_observers(MetricsRegistry& metrics, const std::string& access_log,
                                 const TelemetrySettings& telemetry, Workers& workers) {
  Observers made;
  std::vector<std::unique_ptr<ExchangeObserver>> parts;
  parts.push_back(std::make_unique<ExchangeMetrics>(
      metrics, telemetry.gen_ai_latest ? GenAiNames::latest_too : GenAiNames::v1_41));
  if (access_log != "off") {
    auto log =
        access_log == "on" ? std::make_unique<AccessLog>() : TRY(AccessLog::to_file(access_log, metrics));
    made.access_log = log.get();
    parts.push_back(std::move(log));
  }
  if (!telemetry.otlp_endpoint.empty()) {
    parts.push_back(TRY(TraceExport::make(
        {.endpoint = telemetry.otlp_endpoint, .service_name = telemetry.service_name}, metrics, workers)));
  }
  made.all = std::make_unique<CompositeObserver>(std::move(parts));
  return made;
}

std::vector<MetricCallback> expose_process_metrics(MetricsRegistry& metrics, ProcessSources sources) {
  std::vector<MetricCallback> callbacks;
  callbacks.push_back(metrics.gauge_callback(
      {.name = "weir_rss_bytes", .help = "Resident memory.", .unit = "By"}, {}, &resident_bytes));
  callbacks.push_back(
      metrics.gauge_callback({.name = "weir_config_generation", .help = "Counts the configurations taken."},
                             {}, [sources] { return static_cast<double>(sources.snapshot()->generation); }));
  callbacks.push_back(metrics.gauge_callback(
      {.name = "weir_exchanges_open", .help = "Model calls that hold a place of admission."}, {},
      [sources] { return static_cast<double>(sources.exchanges_open->load()); }));
  callbacks.push_back(metrics.gauge_callback(
      {.name = "weir_queue_depth", .help = "Model calls that wait for a place at their target."}, {},
      [sources] {
        size_t waiting = 0;
        sources.states->for_each([&](const TargetState& target) { waiting += target.permits()->waiting(); });
        return static_cast<double>(waiting);
      }));
  for (const BreakerState state : {BreakerState::closed, BreakerState::open, BreakerState::half_open}) {
    callbacks.push_back(metrics.gauge_callback(
        {.name = "weir_breaker_state", .help = "Targets by the state of their breaker.", .labels = {"state"}},
        {std::string(to_string(state))},
        [sources, state] { return count_breakers(*sources.states, state); }));
  }
  for (const KeyState state : {KeyState::ready, KeyState::cooling, KeyState::disabled}) {
    callbacks.push_back(metrics.gauge_callback(
        {.name = "weir_key_state", .help = "Keys of providers by their state.", .labels = {"state"}},
        {std::string(to_string(state))},
        [sources, state] { return count_keys(*sources.snapshot(), state); }));
  }
  for (const auto& [name, outcome] : {std::pair("fetched", &Credentials::Counts::fetched),
                                      std::pair("failed", &Credentials::Counts::failed)}) {
    callbacks.push_back(metrics.counter_callback(
        {.name = "weir_credential_fetches_total",
         .help = "Fetches of short-lived credentials from STS, metadata servers and token endpoints.",
         .labels = {"outcome"}},
        {name}, [sources, outcome] { return count_fetches(*sources.snapshot(), outcome); }));
  }
  for (const ProcessSources::Listener& listener : sources.listeners)
    expose_listener(metrics, listener, callbacks);
  for (const auto& [name, count] :
       {std::pair("changed", &Store::Counts::changes), std::pair("change_failed", &Store::Counts::failures),
        std::pair("read_failed", &Store::Counts::reads_failed)}) {
    if (!sources.store) break;
    callbacks.push_back(metrics.counter_callback(
        {.name = "weir_store_operations_total",
         .help = "Changes of the store that were committed, that failed, and reads that failed.",
         .labels = {"outcome"}},
        {name}, [sources, count] { return static_cast<double>(sources.store->counts().*count); }));
  }
  return callbacks;
}

}  // namespace weir
