// The metrics of the newer generation of OpenTelemetry's gen_ai conventions, in Prometheus form: counters of
// tokens by modality and histograms of inferences, beside those of v1.41 when the settings ask for them.
#pragma once

#include <optional>
#include <string_view>

#include "base/metrics.h"
#include "gateway/exchange.h"

namespace weir {

class InferenceMetrics {
 public:
  explicit InferenceMetrics(MetricsRegistry& registry);

  // The handles of one set of labels.
  struct Series {
    struct Tokens {  // by modality
      std::optional<Counter> text{}, audio{}, image{}, unknown{};
    };
    Tokens input{};
    Tokens output{};
    std::optional<Counter> cache_read{}, cache_write{}, reasoning{};
    std::optional<Histogram> input_size{}, output_size{};
    std::optional<Histogram> duration{}, first_chunk{}, per_chunk{};
  };
  struct Labels {
    std::string_view operation;
    std::string_view provider;
    std::string_view model;
    std::string_view error;
  };
  // An exchange that has ended. What is no inference (embeddings, counts of tokens) has nothing here.
  void count(const Exchange& exchange, const Labels& labels, Series& series) const;

 private:
  void count_usage(const Usage& usage, const Labels& labels, Series& series) const;
  void observe_times(const Exchange& exchange, const Labels& labels, Series& series) const;

  CounterFamily input_;
  CounterFamily output_;
  CounterFamily cache_read_;
  CounterFamily cache_write_;
  CounterFamily reasoning_;
  HistogramFamily input_size_;
  HistogramFamily output_size_;
  HistogramFamily duration_;
  HistogramFamily first_chunk_;
  HistogramFamily per_chunk_;
};

}  // namespace weir
