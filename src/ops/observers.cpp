#include "ops/observers.h"

#include <cstdio>
#include <unistd.h>

#include "ops/access_log.h"
#include "ops/exchange_metrics.h"

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

}  // namespace

Result<std::unique_ptr<ExchangeObserver>> make_observer(MetricsRegistry& metrics,
                                                        const std::string& access_log,
                                                        const TelemetrySettings&) {
  std::vector<std::unique_ptr<ExchangeObserver>> parts;
  parts.push_back(std::make_unique<ExchangeMetrics>(metrics));
  if (access_log == "on") {
    parts.push_back(std::make_unique<AccessLog>());
  } else if (access_log != "off") {
    parts.push_back(TRY(AccessLog::to_file(access_log)));
  }
  return std::make_unique<CompositeObserver>(std::move(parts));
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
  return callbacks;
}

}  // namespace weir
