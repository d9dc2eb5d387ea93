// The metrics of exchanges, under the OpenTelemetry gen_ai names (v1.41, Prometheus form) and Weir's own.
#pragma once

#include <array>

#include "base/metrics.h"
#include "gateway/observer.h"

namespace weir {

class ExchangeMetrics final : public ExchangeObserver {
 public:
  explicit ExchangeMetrics(MetricsRegistry& registry);
  void started(const Exchange& exchange) override;
  void ended(const Exchange& exchange, const ExchangeOutcome& outcome) override;

 private:
  void count_tokens(const Exchange& exchange, std::string_view operation, std::string_view provider,
                    std::string_view model);
  void count_attempts(const Exchange& exchange);
  void check_usage(const Exchange& exchange);
  void observe_overhead(const Timings& timings);

  UpDownCounter in_flight_;
  CounterFamily requests_;
  CounterFamily attempts_;
  CounterFamily fallbacks_;
  CounterFamily lossy_;
  CounterFamily cost_;
  CounterFamily stream_ends_;
  Counter client_aborts_;
  CounterFamily usage_mismatches_;
  std::array<Histogram, 6> overhead_;  // by stage, in the order of the stretches
  HistogramFamily tokens_;
  HistogramFamily duration_;
  HistogramFamily first_token_;
  HistogramFamily per_token_;
};

}  // namespace weir
