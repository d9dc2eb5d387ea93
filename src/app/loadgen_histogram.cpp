#include "app/loadgen_histogram.h"

#include <algorithm>
#include <bit>
#include <cmath>

namespace weir {
namespace {

constexpr unsigned kSubBits = 7;
constexpr uint64_t kSubBuckets = 1u << kSubBits;  // of each power of two
// Values below kSubBuckets have a bucket each; above, one group of kSubBuckets for each further bit.
constexpr size_t kBuckets = (64 - kSubBits + 1) * kSubBuckets;

size_t bucket_of(uint64_t value) {
  if (value < kSubBuckets) return value;
  const unsigned shift = static_cast<unsigned>(std::bit_width(value)) - kSubBits - 1;
  return (shift + 1) * kSubBuckets + ((value >> shift) - kSubBuckets);
}

// The largest value of a bucket.
uint64_t end_of(size_t bucket) {
  if (bucket < kSubBuckets) return bucket;
  const size_t shift = bucket / kSubBuckets - 1;
  return ((bucket % kSubBuckets + kSubBuckets + 1) << shift) - 1;
}

}  // namespace

LoadHistogram::LoadHistogram() : buckets_(kBuckets) {}

void LoadHistogram::record(Duration value) {
  value = std::max(value, Duration::zero());
  ++buckets_[bucket_of(static_cast<uint64_t>(value.count()))];
  ++count_;
  sum_ns_ += static_cast<double>(value.count());
  max_ = std::max(max_, value);
}

Duration LoadHistogram::percentile(double share) const {
  const auto rank = static_cast<uint64_t>(std::ceil(share * static_cast<double>(count_)));
  uint64_t seen = 0;
  for (size_t bucket = 0; bucket < buckets_.size(); ++bucket) {
    seen += buckets_[bucket];
    if (seen > 0 && seen >= rank) return std::min(max_, Duration(static_cast<int64_t>(end_of(bucket))));
  }
  return max_;
}

Duration LoadHistogram::mean() const {
  if (count_ == 0) return {};
  return Duration(static_cast<int64_t>(sum_ns_ / static_cast<double>(count_)));
}

}  // namespace weir
