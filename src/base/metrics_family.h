// One metric family: its series, and the lookup from label values to a series. Included by base/metrics*.cpp
// only.
#pragma once

#include <deque>

#include "base/metrics.h"

namespace weir {

class MetricFamily {
 public:
  enum class Kind : uint8_t { counter, up_down_counter, gauge, histogram };

  // Ends the process when the spec breaks the rules that metrics.h states.
  MetricFamily(Kind kind, const MetricSpec& spec, std::span<const double> bounds, MetricCells& cells);

  const std::string& name() const { return name_; }
  bool is_same(Kind kind, const MetricSpec& spec, std::span<const double> bounds) const;
  // How often with() had to answer with the series "other".
  uint64_t overflow_count() const { return overflow_count_.load(std::memory_order_relaxed); }

  template <class Handle>
  Handle with(std::span<const std::string_view> label_values);

  // The series' values now, without callbacks.
  MetricSnapshot collect() const;

 private:
  struct Series {
    std::vector<std::string> label_values;
    uint64_t hash = 0;
    uint32_t slot = 0;                // counter, up_down_counter, histogram
    std::atomic<double> value = 0.0;  // gauge
  };
  // Open addressing. Slots are only ever filled, and a table that has become too small is replaced but kept,
  // so that readers need no lock.
  struct Table {
    explicit Table(size_t size) : slots(size) {}
    std::vector<std::atomic<Series*>> slots;  // size is a power of two
  };

  uint32_t cells_per_series() const;
  Series* find(const Table& table, uint64_t hash, std::span<const std::string_view> label_values) const;
  Series& find_or_add(std::span<const std::string_view> label_values);
  Series& add(std::span<const std::string_view> label_values);
  Series& overflow();
  void insert(Table& table, Series& series) const;
  MetricPoint point_of(const Series& series) const;

  const Kind kind_;
  const std::string name_;
  const std::string help_;
  const std::string unit_;
  const std::vector<std::string> label_names_;
  const std::vector<double> bounds_;
  const size_t series_max_;
  const uint64_t divisor_;
  MetricCells& cells_;

  std::atomic<uint64_t> overflow_count_ = 0;
  std::atomic<Table*> table_;
  mutable std::mutex mutex_;   // guards what follows, and every write to the tables
  std::deque<Series> series_;  // never moves an element
  std::vector<std::unique_ptr<Table>> tables_;
  Series other_;  // shown once overflow_count_ > 0
};

}  // namespace weir
