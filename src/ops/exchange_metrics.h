// The metrics of exchanges, under the OpenTelemetry gen_ai names (v1.41, Prometheus form) and Weir's own;
// those of the newer generation of the gen_ai names when they are asked for (ops/inference_metrics.h).
#pragma once

#include <array>
#include <optional>
#include <string>

#include "base/metrics.h"
#include "gateway/observer.h"
#include "ops/inference_metrics.h"

namespace weir {

enum class GenAiNames : uint8_t { v1_41, latest_too };

class ExchangeMetrics final : public ExchangeObserver {
 public:
  explicit ExchangeMetrics(MetricsRegistry& registry, GenAiNames names = GenAiNames::v1_41);
  void started(const Exchange& exchange) override;
  void ended(const Exchange& exchange, const ExchangeOutcome& outcome) override;
  void answered(const PlainRequest& request) override;

 private:
  static constexpr size_t kOperationCount = static_cast<size_t>(Operation::opaque) + 1;
  // Operation, the provider's vendor, model, error type, route, class of the status; the provider's address,
  // the model that it says has answered, the provider's name in the configuration, and whose fault it was.
  using Labels = std::array<std::string_view, 10>;
  // Where exchanges with these labels are counted. Each thread remembers some, so that a request does not
  // look its series up again; those of a registry that is gone have an id that nobody asks with.
  struct Series {
    uint64_t metrics_id = 0;
    std::array<std::string, std::tuple_size_v<Labels>> labels{};
    std::string port{};            // of the address
    std::string response_model{};  // as the registry names it
    std::optional<Counter> requests{};
    std::optional<Counter> cost{};
    std::optional<Histogram> tokens_in{};
    std::optional<Histogram> tokens_out{};
    std::optional<Histogram> tokens_cached{};
    std::optional<Histogram> tokens_cache_creation{};
    std::optional<Histogram> tokens_reasoning{};
    std::optional<Histogram> per_token{};
    std::optional<Histogram> duration{};
    std::optional<Histogram> first_token{};
    std::optional<Histogram> call_duration{};
    std::optional<Histogram> first_chunk{};
    std::optional<Histogram> per_chunk{};
    InferenceMetrics::Series inference{};
  };
  void register_histograms(MetricsRegistry& registry);
  Series& series_of(const Exchange& exchange, const Labels& labels);
  void count_tokens(const Exchange& exchange, const Labels& labels, Series& series);
  void count_measured(const Usage& usage, const Labels& labels);
  void count_attempts(const Exchange& exchange);
  void check_usage(const Exchange& exchange);
  void observe_times(const Exchange& exchange, const Labels& labels, Series& series);
  void observe_overhead(const Timings& timings);

  const uint64_t id_;                                     // never used twice in a process
  std::array<UpDownCounter, kOperationCount> in_flight_;  // by operation
  CounterFamily requests_;
  CounterFamily attempts_;
  CounterFamily fallbacks_;
  CounterFamily lossy_;
  CounterFamily cost_;
  CounterFamily measured_;
  CounterFamily stream_ends_;
  Counter client_aborts_;
  CounterFamily usage_mismatches_;
  std::array<Histogram, 9> overhead_;  // by stretch; the provider's own has none
  HistogramFamily tokens_;
  HistogramFamily duration_;
  HistogramFamily first_token_;
  HistogramFamily per_token_;
  HistogramFamily call_duration_;
  HistogramFamily first_chunk_;
  HistogramFamily per_chunk_;
  std::optional<InferenceMetrics> inferences_;
};

}  // namespace weir
