#include "base/metrics_family.h"

#include "base/assert.h"
#include "base/encoding.h"
#include "base/text_hash.h"

namespace weir {
namespace {

constexpr size_t kBoundsMax = 64;
constexpr size_t kFirstTableSize = 8;

bool is_letter(char c) {
  return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '_';
}
bool is_digit(char c) {
  return c >= '0' && c <= '9';
}

// Prometheus' data model: [a-zA-Z_][a-zA-Z0-9_]*. The colon of metric names is left to recording rules.
bool is_name(std::string_view name) {
  return !name.empty() && is_letter(name.front()) &&
         std::all_of(name.begin(), name.end(), [](char c) { return is_letter(c) || is_digit(c); });
}

bool is_label_name(std::string_view name) {
  return is_name(name) && !name.starts_with("__") && name != "le";
}

bool is_label_value(std::string_view value) {
  return value.size() <= kMetricLabelBytesMax && is_utf8(value);
}

std::string_view checked_label_value(std::string_view value) {
  return is_label_value(value) ? value : kMetricOther;
}

uint64_t hash_of(std::span<const std::string_view> label_values) {
  uint64_t hash = 0;
  for (const std::string_view value : label_values) hash = std::rotl(hash, 21) ^ hash_text(value);
  return hash;
}

void check_spec(MetricFamily::Kind kind, const MetricSpec& spec, std::span<const double> bounds) {
  WEIR_ASSERT(is_name(spec.name), "a metric's name has letters, digits and underscores");
  WEIR_ASSERT(!spec.help.empty(), "a metric says what it is");
  WEIR_ASSERT(spec.name.ends_with("_total") == (kind == MetricFamily::Kind::counter),
              "counters, and only they, end in _total");
  WEIR_ASSERT(std::all_of(spec.labels.begin(), spec.labels.end(), is_label_name), "labels have proper names");
  WEIR_ASSERT(spec.series_max > 0, "a family has room for a series");
  WEIR_ASSERT(spec.divisor == 1 || (spec.divisor > 1 && kind == MetricFamily::Kind::counter),
              "counters divide");
  WEIR_ASSERT(
      std::is_sorted(bounds.begin(), bounds.end(), std::less_equal<>()) && bounds.size() <= kBoundsMax,
      "bounds ascend, and are few");
  WEIR_ASSERT(bounds.empty() == (kind != MetricFamily::Kind::histogram),
              "histograms, and only they, have bounds");
}

std::vector<std::string> copies_of(std::span<const std::string_view> texts) {
  return {texts.begin(), texts.end()};
}

MetricType type_of(MetricFamily::Kind kind) {
  switch (kind) {
    case MetricFamily::Kind::counter:
      return MetricType::counter;
    case MetricFamily::Kind::histogram:
      return MetricType::histogram;
    case MetricFamily::Kind::up_down_counter:
    case MetricFamily::Kind::gauge:
      return MetricType::gauge;
  }
  return MetricType::gauge;
}

}  // namespace

MetricFamily::MetricFamily(Kind kind, const MetricSpec& spec, std::span<const double> bounds,
                           MetricCells& cells)
    : kind_(kind),
      name_(spec.name),
      help_(spec.help),
      unit_(spec.unit),
      label_names_(copies_of(spec.labels)),
      bounds_(bounds.begin(), bounds.end()),
      series_max_(spec.series_max),
      divisor_(spec.divisor),
      cells_(cells) {
  check_spec(kind, spec, bounds);
  tables_.push_back(std::make_unique<Table>(kFirstTableSize));
  table_.store(tables_.back().get(), std::memory_order_release);
  other_.label_values.assign(label_names_.size(), std::string(kMetricOther));
  // Reserved now, so that counting the overflow cannot itself fail for want of cells.
  const std::optional<uint32_t> slot = cells_.reserve(cells_per_series());
  WEIR_ASSERT(slot.has_value(), "there are cells for every family");
  other_.slot = *slot;
}

bool MetricFamily::is_same(Kind kind, const MetricSpec& spec, std::span<const double> bounds) const {
  return kind == kind_ && spec.name == name_ &&
         std::equal(spec.labels.begin(), spec.labels.end(), label_names_.begin(), label_names_.end()) &&
         std::equal(bounds.begin(), bounds.end(), bounds_.begin(), bounds_.end());
}

uint32_t MetricFamily::cells_per_series() const {
  if (kind_ == Kind::gauge) return 0;
  // A histogram: a count per bound, one above, and the sum.
  return kind_ == Kind::histogram ? static_cast<uint32_t>(bounds_.size()) + 2 : 1;
}

MetricFamily::Series* MetricFamily::find(const Table& table, uint64_t hash,
                                         std::span<const std::string_view> label_values) const {
  const size_t mask = table.slots.size() - 1;
  for (size_t at = hash & mask;; at = (at + 1) & mask) {
    Series* const series = table.slots[at].load(std::memory_order_acquire);
    if (series == nullptr) return nullptr;
    if (series->hash == hash && std::equal(label_values.begin(), label_values.end(),
                                           series->label_values.begin(), series->label_values.end())) {
      return series;
    }
  }
}

void MetricFamily::insert(Table& table, Series& series) const {
  const size_t mask = table.slots.size() - 1;
  size_t at = series.hash & mask;
  while (table.slots[at].load(std::memory_order_relaxed) != nullptr) at = (at + 1) & mask;
  table.slots[at].store(&series, std::memory_order_release);
}

MetricFamily::Series& MetricFamily::overflow() {
  overflow_count_.fetch_add(1, std::memory_order_relaxed);
  return other_;
}

MetricFamily::Series& MetricFamily::find_or_add(std::span<const std::string_view> label_values) {
  WEIR_ASSERT(label_values.size() == label_names_.size(), "each label has its value");
  const uint64_t hash = hash_of(label_values);
  const Table& table = *table_.load(std::memory_order_acquire);
  // Values need no check before they are found: those of a series have passed it.
  if (Series* const series = find(table, hash, label_values)) return *series;
  std::array<std::string_view, 16> checked;
  WEIR_ASSERT(label_values.size() <= checked.size(), "a family has at most 16 labels");
  std::transform(label_values.begin(), label_values.end(), checked.begin(), checked_label_value);
  return add(std::span(checked.data(), label_values.size()));
}

MetricFamily::Series& MetricFamily::add(std::span<const std::string_view> label_values) {
  const uint64_t hash = hash_of(label_values);
  const std::lock_guard lock(mutex_);
  Table* table = table_.load(std::memory_order_relaxed);
  if (Series* const series = find(*table, hash, label_values)) return *series;  // another thread was faster
  const bool is_other = !label_values.empty() &&
                        std::equal(label_values.begin(), label_values.end(), other_.label_values.begin());
  if (is_other || series_.size() >= series_max_) return overflow();
  const std::optional<uint32_t> slot = cells_.reserve(cells_per_series());
  if (!slot) return overflow();

  Series& series = series_.emplace_back();
  series.label_values = copies_of(label_values);
  series.hash = hash;
  series.slot = *slot;
  if (series_.size() * 2 > table->slots.size()) {
    tables_.push_back(std::make_unique<Table>(table->slots.size() * 2));
    table = tables_.back().get();
    for (Series& each : series_) insert(*table, each);
    table_.store(table, std::memory_order_release);
  } else {
    insert(*table, series);
  }
  return series;
}

template <>
Counter MetricFamily::with<Counter>(std::span<const std::string_view> label_values) {
  return {&cells_, find_or_add(label_values).slot};
}
template <>
UpDownCounter MetricFamily::with<UpDownCounter>(std::span<const std::string_view> label_values) {
  return {&cells_, find_or_add(label_values).slot};
}
template <>
Gauge MetricFamily::with<Gauge>(std::span<const std::string_view> label_values) {
  return Gauge(&find_or_add(label_values).value);
}
template <>
Histogram MetricFamily::with<Histogram>(std::span<const std::string_view> label_values) {
  return {&cells_, find_or_add(label_values).slot, bounds_};
}

MetricPoint MetricFamily::point_of(const Series& series) const {
  MetricPoint point;
  point.label_values = series.label_values;
  switch (kind_) {
    case Kind::counter:
      point.value = static_cast<double>(cells_.sum(series.slot)) / static_cast<double>(divisor_);
      break;
    case Kind::up_down_counter:
      point.value = static_cast<double>(static_cast<int64_t>(cells_.sum(series.slot)));
      break;
    case Kind::gauge:
      point.value = series.value.load(std::memory_order_relaxed);
      break;
    case Kind::histogram:
      for (uint32_t i = 0; i <= bounds_.size(); ++i)
        point.bucket_counts.push_back(cells_.sum(series.slot + i));
      point.sum = cells_.sum_doubles(series.slot + static_cast<uint32_t>(bounds_.size()) + 1);
      break;
  }
  return point;
}

MetricSnapshot MetricFamily::collect() const {
  MetricSnapshot snapshot{type_of(kind_), name_, help_, unit_, label_names_, bounds_, {}};
  std::vector<const Series*> all;
  {
    // Only the list is read under the lock: summing would keep with() waiting.
    const std::lock_guard lock(mutex_);
    for (const Series& series : series_) all.push_back(&series);
  }
  if (overflow_count() > 0) all.push_back(&other_);
  for (const Series* series : all) snapshot.points.push_back(point_of(*series));
  return snapshot;
}

}  // namespace weir
