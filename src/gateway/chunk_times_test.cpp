#include "gateway/chunk_times.h"

#include <gtest/gtest.h>

#include "base/metrics.h"

namespace weir {
namespace {

using std::chrono::milliseconds;
using std::chrono::nanoseconds;

TEST(ChunkTimes, TheFirstChunkOnlyStartsTheClock) {
  ChunkTimes times;
  EXPECT_TRUE(times.empty());
  times.note(MonoTime{} + milliseconds(5));
  EXPECT_TRUE(times.empty());
  times.note(MonoTime{} + milliseconds(5));
  EXPECT_FALSE(times.empty()) << "two in one turn are no time apart, and yet two";
  EXPECT_EQ(times.sum(), Duration::zero());
}

TEST(ChunkTimes, CountsInTheBucketsOfTheHistogram) {
  MetricsRegistry registry;
  const Histogram one_by_one =
      registry.histogram({.name = "weir_a_seconds", .help = "A."}, kDurationBuckets).with({});
  ChunkTimes times;
  MonoTime at = MonoTime{} + milliseconds(1);
  times.note(at);
  for (const double bound : kDurationBuckets) {
    const auto edge = nanoseconds(static_cast<int64_t>(bound * 1e9 + 0.5));
    for (const nanoseconds gap : {edge - nanoseconds(1), edge, edge + nanoseconds(1)}) {
      at += gap;
      times.note(at);
      one_by_one.observe(static_cast<double>(gap.count()) / 1e9);
    }
  }
  const MetricPoint expected = registry.collect().at(0).points.at(0);
  EXPECT_EQ(std::vector<uint64_t>(times.counts().begin(), times.counts().end()), expected.bucket_counts);
  EXPECT_NEAR(static_cast<double>(times.sum().count()) / 1e9, expected.sum, 1e-6);

  const Histogram at_once =
      registry.histogram({.name = "weir_b_seconds", .help = "B."}, kDurationBuckets).with({});
  at_once.observe_all(times.counts(), expected.sum);
  const MetricPoint given = registry.collect().at(1).points.at(0);
  EXPECT_EQ(given.bucket_counts, expected.bucket_counts);
  EXPECT_EQ(given.sum, expected.sum);
}

}  // namespace
}  // namespace weir
