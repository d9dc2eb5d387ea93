// Metrics: families of counters, gauges and histograms that cost the caller about a nanosecond, since every
// thread counts in memory of its own and only a scrape adds up. Labels come from closed sets (names of the
// registry, kinds of errors): a family that is asked for too many series counts the rest in one whose labels
// are "other".
//
//   CounterFamily requests = registry.counter({.name = "weir_requests_total", .help = "Requests answered.",
//                                              .labels = {"route", "status_class"}});
//   const Counter ok = requests.with({"chat", "2xx"});   // once
//   ok.add();                                            // per request
#pragma once

#include <functional>
#include <initializer_list>
#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "base/metrics_buckets.h"
#include "base/metrics_cells.h"

namespace weir {

inline constexpr size_t kMetricSeriesMax = 2'000;    // per family, unless its spec says otherwise
inline constexpr size_t kMetricLabelBytesMax = 128;  // a longer label value becomes "other"
inline constexpr std::string_view kMetricOther = "other";

enum class MetricType : uint8_t { counter, gauge, histogram };
std::string_view to_string(MetricType type);

struct MetricSpec {
  std::string_view name;  // as exposed, e.g. "weir_requests_total"; counters, and only they, end in _total
  std::string_view help;  // one sentence
  std::string_view unit =
      {};  // of OpenTelemetry, e.g. "s", "{token}"; for exporters, not part of the text format
  std::vector<std::string_view> labels = {};
  size_t series_max = kMetricSeriesMax;
  uint64_t divisor = 1;  // counters: shown is count / divisor; 1'000'000'000 for nano-dollars
};

// What one series did up to a moment.
struct MetricPoint {
  std::vector<std::string> label_values;
  double value = 0;                     // counter and gauge
  std::vector<uint64_t> bucket_counts;  // histogram: one per bound and one above, not cumulative
  double sum = 0;                       // histogram: of all observations
};

struct MetricSnapshot {
  MetricType type = MetricType::counter;
  std::string name;
  std::string help;
  std::string unit;
  std::vector<std::string> label_names;
  std::vector<double> bounds;  // histogram
  std::vector<MetricPoint> points;
};

// Prometheus text exposition format 0.0.4, content type "text/plain; version=0.0.4; charset=utf-8".
std::string prometheus_text(const std::vector<MetricSnapshot>& families);

// Handles: resolved once, cheap to copy, usable from any thread, valid as long as the registry. One that was
// made by default counts nothing.

class Counter {
 public:
  Counter() = default;
  void add(uint64_t by = 1) const {
    if (cells_ != nullptr) add_to_cell(*cells_->local(slot_, id_), by);
  }

 private:
  friend class MetricFamily;
  Counter(MetricCells* cells, uint32_t slot) : cells_(cells), slot_(slot), id_(cells->id()) {}
  MetricCells* cells_ = nullptr;
  uint32_t slot_ = 0;
  uint32_t id_ = 0;
};

// A gauge that many threads move up and down, such as requests in flight.
class UpDownCounter {
 public:
  UpDownCounter() = default;
  void add(int64_t by) const {
    // Unsigned addition wraps, so the sum over the threads is right as two's complement.
    if (cells_ != nullptr) add_to_cell(*cells_->local(slot_, id_), static_cast<uint64_t>(by));
  }

 private:
  friend class MetricFamily;
  UpDownCounter(MetricCells* cells, uint32_t slot) : cells_(cells), slot_(slot), id_(cells->id()) {}
  MetricCells* cells_ = nullptr;
  uint32_t slot_ = 0;
  uint32_t id_ = 0;
};

// A gauge that is set: the last value wins, whichever thread it came from.
class Gauge {
 public:
  Gauge() = default;
  void set(double value) const {
    if (value_ != nullptr) value_->store(value, std::memory_order_relaxed);
  }

 private:
  friend class MetricFamily;
  explicit Gauge(std::atomic<double>* value) : value_(value) {}
  std::atomic<double>* value_ = nullptr;
};

class Histogram {
 public:
  Histogram() = default;
  // In the family's unit. NaN is not counted: it would spoil the sum for good.
  void observe(double value) const {
    if (cells_ == nullptr || value != value) return;
    MetricCells::Cell* const cells = MetricCells::at_hand(slot_, id_);
    if (cells == nullptr) [[unlikely]]
      return observe_first(value);
    count(cells, value);
  }
  // Many observations at once: how many fell into each bucket (the one above the bounds last), and their sum.
  // REQUIRES one count more than there are bounds.
  void observe_all(std::span<const uint32_t> counts, double sum) const;

 private:
  friend class MetricFamily;
  [[gnu::noinline]] void observe_first(double value) const { count(cells_->local(slot_, id_), value); }
  void count(MetricCells::Cell* cells, double value) const {
    add_to_cell(cells[bucket_of(value)], 1);
    add_to_double_cell(cells[bound_count_ + 1], value);
  }
  // How many bounds are below the value. A binary search whose steps are conditional moves: no branch depends
  // on the value.
  size_t bucket_of(double value) const {
    const double* at = bounds_;
    for (size_t size = bound_count_; size > 1;) {
      const size_t half = size / 2;
      at += value > at[half - 1] ? half : 0;
      size -= half;
    }
    return static_cast<size_t>(at - bounds_) + (value > *at ? 1 : 0);
  }
  Histogram(MetricCells* cells, uint32_t slot, std::span<const double> bounds)
      : cells_(cells),
        bounds_(bounds.data()),
        slot_(slot),
        id_(cells->id()),
        bound_count_(static_cast<uint32_t>(bounds.size())) {}
  MetricCells* cells_ = nullptr;
  const double* bounds_ = nullptr;
  uint32_t slot_ = 0;
  uint32_t id_ = 0;
  uint32_t bound_count_ = 0;
};

class MetricFamily;

// A family seen as one of the handle types above. Cheap to copy, valid as long as the registry.
template <class Handle>
class MetricFamilyOf {
 public:
  MetricFamilyOf() = default;
  // The series with these label values, in the order of the spec's labels: REQUIRES as many. About 30 ns when
  // the series exists (no lock); a new one takes a lock. Past series_max, and for values that are too long or
  // not UTF-8: "other".
  Handle with(std::initializer_list<std::string_view> label_values) const {
    return with(std::span(label_values.begin(), label_values.size()));
  }
  Handle with(std::span<const std::string_view> label_values) const;

 private:
  friend class MetricsRegistry;
  explicit MetricFamilyOf(MetricFamily* family) : family_(family) {}
  MetricFamily* family_ = nullptr;
};

using CounterFamily = MetricFamilyOf<Counter>;
using UpDownCounterFamily = MetricFamilyOf<UpDownCounter>;
using GaugeFamily = MetricFamilyOf<Gauge>;
using HistogramFamily = MetricFamilyOf<Histogram>;

// Keeps a callback registered as long as it lives. The callback is not running and will not run once this is
// gone.
class MetricCallback {
 public:
  MetricCallback() = default;
  explicit MetricCallback(std::function<void()> unregister) : unregister_(std::move(unregister)) {}
  MetricCallback(MetricCallback&& other) noexcept : unregister_(std::exchange(other.unregister_, nullptr)) {}
  MetricCallback& operator=(MetricCallback&& other) noexcept {
    std::swap(unregister_, other.unregister_);
    return *this;
  }
  ~MetricCallback() {
    if (unregister_) unregister_();
  }

 private:
  std::function<void()> unregister_;
};

// All metrics of a process (or of a test). Thread-safe. A spec that breaks the naming rules, or that names a
// family with another type or other labels than before, is a bug and ends the process; the same spec again
// gives the same family.
class MetricsRegistry {
 public:
  MetricsRegistry();
  ~MetricsRegistry();
  MetricsRegistry(const MetricsRegistry&) = delete;
  MetricsRegistry& operator=(const MetricsRegistry&) = delete;

  CounterFamily counter(const MetricSpec& spec);
  UpDownCounterFamily up_down_counter(const MetricSpec& spec);
  GaugeFamily gauge(const MetricSpec& spec);
  // REQUIRES ascending bounds, at most 64.
  HistogramFamily histogram(const MetricSpec& spec, std::span<const double> bounds);

  // Values that exist elsewhere, read at each scrape. The callback runs on the scraping thread, must not
  // block, and must not use this registry. REQUIRES as many label values as labels.
  [[nodiscard]] MetricCallback gauge_callback(const MetricSpec& spec, std::vector<std::string> label_values,
                                              std::function<double()> read);
  // The same for a value that only grows.
  [[nodiscard]] MetricCallback counter_callback(const MetricSpec& spec, std::vector<std::string> label_values,
                                                std::function<double()> read);

  // Everything, sorted by name, series in the order in which they came up. Families without a series are left
  // out.
  std::vector<MetricSnapshot> collect() const;
  // Every family, also those without a series, sorted by name and without their points.
  std::vector<MetricSnapshot> families() const;
  std::string prometheus_text() const { return weir::prometheus_text(collect()); }

 private:
  struct State;
  std::shared_ptr<State> state_;  // shared with the callbacks' tokens, which may outlive the registry
};

}  // namespace weir
