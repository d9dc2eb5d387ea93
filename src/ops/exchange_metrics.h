// The metrics of exchanges, under the OpenTelemetry gen_ai names (v1.41, Prometheus form) and Weir's own;
// those of the newer generation of the gen_ai names when they are asked for (ops/inference_metrics.h).
#pragma once

#include <array>
#include <optional>
#include <string>

#include "base/metrics.h"
#include "gateway/observer.h"
#include "gateway/stretches.h"
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
  struct Labels {
    std::string operation{};
    std::string vendor{};  // of the provider
    std::string model{};
    std::string error{};  // its kind
    std::string route{};
    std::string status{};   // its class
    std::string address{};  // the provider's
    std::string port{};
    std::string response_model{};  // that the provider says has answered, as the registry names it
    std::string provider{};        // its name in the configuration
    std::string blame{};
  };
  // What the labels of an exchange follow from, beside the model that the provider says has answered: its
  // plan has the names of the route and, with the target, of the provider and the model.
  struct Key {
    uint64_t metrics_id = 0;
    uint64_t plan_id = 0;  // 0: it has none
    const Candidate* target = nullptr;
    // Names of closed sets, which are literals.
    const char* operation = nullptr;
    const char* error = nullptr;
    const char* status = nullptr;
    const char* blame = nullptr;
    bool operator==(const Key&) const = default;
  };
  // Where exchanges with these labels are counted. Each thread remembers some, so that a request does not
  // look its series up again; those of a registry that is gone have an id that nobody asks with.
  struct Series {
    Key key{};
    std::string answered{};  // the model that the provider says has answered
    Labels labels{};
    std::optional<Counter> requests{};
    std::optional<Counter> good_attempts{};
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
  Series& series_of(const Exchange& exchange, const ExchangeOutcome& outcome);
  void count_tokens(const Exchange& exchange, Series& series);
  void count_measured(const Usage& usage, const Labels& labels);
  void count_attempts(const Exchange& exchange, Series& series);
  void check_usage(const Exchange& exchange);
  void observe_times(const Exchange& exchange, Series& series);
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
  std::array<Histogram, kStretches.size()> overhead_;  // by stretch; the provider's own has none
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
