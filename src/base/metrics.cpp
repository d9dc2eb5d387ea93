#include "base/metrics.h"

#include <list>

#include "base/assert.h"
#include "base/metrics_family.h"

namespace weir {
namespace {

using Kind = MetricFamily::Kind;

struct Callback {
  uint64_t id;
  MetricFamily* family;
  std::vector<std::string> label_values;
  std::function<double()> read;
};

constexpr std::string_view kOverflowName = "weir_metrics_overflow_total";
constexpr std::string_view kOverflowHelp = "Series refused past their family's cap, and counted as other.";

MetricSnapshot overflow_family() {
  return {
      MetricType::counter, std::string(kOverflowName), std::string(kOverflowHelp), "", {"metric"}, {}, {}};
}

}  // namespace

void Histogram::observe_all(std::span<const uint32_t> counts, double sum) const {
  if (cells_ == nullptr) return;
  WEIR_ASSERT(counts.size() == bound_count_ + 1, "there is a count for each bucket");
  MetricCells::Cell* const cells = cells_->local(slot_, id_);
  for (size_t i = 0; i < counts.size(); ++i) add_to_cell(cells[i], counts[i]);
  add_to_double_cell(cells[bound_count_ + 1], sum);
}

struct MetricsRegistry::State {
  MetricFamily& family(Kind kind, const MetricSpec& spec, std::span<const double> bounds = {}) {
    const std::lock_guard lock(mutex);
    const auto found = families.find(spec.name);
    if (found != families.end()) {
      WEIR_ASSERT(found->second->is_same(kind, spec, bounds), "a name means one family");
      return *found->second;
    }
    auto made = std::make_unique<MetricFamily>(kind, spec, bounds, *cells);
    return *families.emplace(std::string(spec.name), std::move(made)).first->second;
  }

  std::vector<MetricFamily*> all_families() {
    const std::lock_guard lock(mutex);
    std::vector<MetricFamily*> all;
    for (const auto& [name, family] : families) all.push_back(family.get());
    return all;
  }

  void remove_callback(uint64_t id) {
    // Waits for a scrape that is reading the callbacks.
    const std::lock_guard lock(callbacks_mutex);
    callbacks.remove_if([id](const Callback& callback) { return callback.id == id; });
  }

  void append_callbacks(const MetricFamily& family, std::vector<MetricPoint>& points) {
    const std::lock_guard lock(callbacks_mutex);
    for (const Callback& callback : callbacks) {
      if (callback.family != &family) continue;
      MetricPoint& point = points.emplace_back();
      point.label_values = callback.label_values;
      point.value = callback.read();
    }
  }

  const std::shared_ptr<MetricCells> cells = MetricCells::create();
  std::mutex mutex;  // guards families
  std::map<std::string, std::unique_ptr<MetricFamily>, std::less<>> families;
  std::mutex callbacks_mutex;  // guards callbacks, and is held while they run
  std::list<Callback> callbacks;
  std::atomic<uint64_t> next_callback_id = 0;
};

namespace {

// A family without labels has its one series from the start, so that it shows 0 before anything happened.
template <class Handle>
MetricFamily* with_first_series(MetricFamily& family, const MetricSpec& spec) {
  if (spec.labels.empty()) (void)family.with<Handle>({});
  return &family;
}

}  // namespace

std::string_view to_string(MetricType type) {
  constexpr std::array<std::string_view, 3> kNames = {"counter", "gauge", "histogram"};
  return kNames[static_cast<size_t>(type)];
}

template <class Handle>
Handle MetricFamilyOf<Handle>::with(std::span<const std::string_view> label_values) const {
  return family_ != nullptr ? family_->with<Handle>(label_values) : Handle();
}
template class MetricFamilyOf<Counter>;
template class MetricFamilyOf<UpDownCounter>;
template class MetricFamilyOf<Gauge>;
template class MetricFamilyOf<Histogram>;

MetricsRegistry::MetricsRegistry() : state_(std::make_shared<State>()) {}
MetricsRegistry::~MetricsRegistry() = default;

CounterFamily MetricsRegistry::counter(const MetricSpec& spec) {
  return CounterFamily(with_first_series<Counter>(state_->family(Kind::counter, spec), spec));
}

UpDownCounterFamily MetricsRegistry::up_down_counter(const MetricSpec& spec) {
  return UpDownCounterFamily(
      with_first_series<UpDownCounter>(state_->family(Kind::up_down_counter, spec), spec));
}

GaugeFamily MetricsRegistry::gauge(const MetricSpec& spec) {
  return GaugeFamily(with_first_series<Gauge>(state_->family(Kind::gauge, spec), spec));
}

HistogramFamily MetricsRegistry::histogram(const MetricSpec& spec, std::span<const double> bounds) {
  return HistogramFamily(with_first_series<Histogram>(state_->family(Kind::histogram, spec, bounds), spec));
}

namespace {

template <class State>
MetricCallback register_callback(const std::shared_ptr<State>& state, Kind kind, const MetricSpec& spec,
                                 std::vector<std::string> label_values, std::function<double()> read) {
  WEIR_ASSERT(label_values.size() == spec.labels.size(), "each label has its value");
  MetricFamily& family = state->family(kind, spec);
  const uint64_t id = state->next_callback_id.fetch_add(1, std::memory_order_relaxed);
  const std::lock_guard lock(state->callbacks_mutex);
  state->callbacks.push_back({id, &family, std::move(label_values), std::move(read)});
  return MetricCallback([weak = std::weak_ptr<State>(state), id] {
    if (const std::shared_ptr<State> alive = weak.lock()) alive->remove_callback(id);
  });
}

}  // namespace

MetricCallback MetricsRegistry::gauge_callback(const MetricSpec& spec, std::vector<std::string> label_values,
                                               std::function<double()> read) {
  return register_callback(state_, Kind::gauge, spec, std::move(label_values), std::move(read));
}

MetricCallback MetricsRegistry::counter_callback(const MetricSpec& spec,
                                                 std::vector<std::string> label_values,
                                                 std::function<double()> read) {
  return register_callback(state_, Kind::counter, spec, std::move(label_values), std::move(read));
}

std::vector<MetricSnapshot> MetricsRegistry::collect() const {
  std::vector<MetricSnapshot> snapshots;
  MetricSnapshot overflows = overflow_family();
  for (const MetricFamily* family : state_->all_families()) {
    MetricSnapshot snapshot = family->collect();
    state_->append_callbacks(*family, snapshot.points);
    if (const uint64_t count = family->overflow_count(); count > 0) {
      overflows.points.push_back({{family->name()}, static_cast<double>(count), {}, 0});
    }
    if (!snapshot.points.empty()) snapshots.push_back(std::move(snapshot));
  }
  const auto after = std::find_if(snapshots.begin(), snapshots.end(),
                                  [](const MetricSnapshot& each) { return each.name > kOverflowName; });
  if (!overflows.points.empty()) snapshots.insert(after, std::move(overflows));
  return snapshots;
}

std::vector<MetricSnapshot> MetricsRegistry::families() const {
  std::vector<MetricSnapshot> all{overflow_family()};
  for (const MetricFamily* family : state_->all_families()) {
    all.push_back(family->collect());
    all.back().points.clear();
  }
  std::ranges::sort(all, {}, &MetricSnapshot::name);
  return all;
}

}  // namespace weir
