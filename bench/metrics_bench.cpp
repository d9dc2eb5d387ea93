// What counting costs the caller, with one thread and with two, and what a scrape costs.
#include <benchmark/benchmark.h>

#include "base/metrics.h"

namespace weir {
namespace {

MetricsRegistry& shared_registry() {
  static MetricsRegistry registry;
  return registry;
}

void metrics_counter_add(benchmark::State& state) {
  const Counter counter = shared_registry().counter({.name = "bench_total", .help = "Bench."}).with({});
  for (auto _ : state) {
    counter.add();
    benchmark::ClobberMemory();
  }
}
BENCHMARK(metrics_counter_add)->Threads(1)->Threads(2);

void metrics_histogram_observe(benchmark::State& state) {
  const HistogramFamily family =
      shared_registry().histogram({.name = "bench_seconds", .help = "Bench."}, kOverheadBuckets);
  const Histogram histogram = family.with({});
  double value = 1e-6;
  for (auto _ : state) {
    histogram.observe(value);
    value = value < 1 ? value * 1.01 : 1e-6;
    benchmark::ClobberMemory();
  }
}
BENCHMARK(metrics_histogram_observe)->Threads(1)->Threads(2);

void metrics_series_lookup(benchmark::State& state) {
  const CounterFamily family = shared_registry().counter(
      {.name = "bench_lookup_total", .help = "Bench.", .labels = {"route", "model", "status"}});
  for (int i = 0; i < 1000; ++i) (void)family.with({"chat", "openai/gpt-" + std::to_string(i), "2xx"});
  for (auto _ : state) family.with({"chat", "openai/gpt-500", "2xx"}).add();
}
BENCHMARK(metrics_series_lookup)->Threads(1)->Threads(2);

void metrics_scrape(benchmark::State& state) {
  MetricsRegistry registry;
  const CounterFamily counters = registry.counter({.name = "bench_total", .help = "Bench.", .labels = {"n"}});
  const HistogramFamily histograms =
      registry.histogram({.name = "bench_seconds", .help = "Bench.", .labels = {"n"}}, kDurationBuckets);
  for (int i = 0; i < 2000; ++i) counters.with({std::to_string(i)}).add(static_cast<uint64_t>(i));
  for (int i = 0; i < 200; ++i) histograms.with({std::to_string(i)}).observe(i);
  size_t bytes = 0;
  for (auto _ : state) bytes = registry.prometheus_text().size();
  state.counters["bytes"] = static_cast<double>(bytes);
}
BENCHMARK(metrics_scrape)->Unit(benchmark::kMillisecond);

}  // namespace
}  // namespace weir
