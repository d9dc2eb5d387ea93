// ChunkTimes: the times between the chunks of a streamed answer, counted in the buckets of the gen_ai
// histogram as they come: a chunk costs a few instructions, and the series is looked up once, at the end.
#pragma once

#include <array>
#include <bit>
#include <cstdint>
#include <span>

#include "base/clock.h"
#include "base/metrics_buckets.h"

namespace weir {

class ChunkTimes {
 public:
  // A chunk is what one read of the provider's stream gave. The first one only starts the clock.
  void note(MonoTime at) {
    if (last_ != MonoTime{}) {
      ++counts_[bucket_of(at - last_)];
      sum_ += at - last_;
    }
    last_ = at;
  }
  bool empty() const { return sum_ == Duration::zero() && counts_[0] == 0; }
  // One for each of kDurationBuckets, and one for what is above.
  std::span<const uint32_t> counts() const { return counts_; }
  Duration sum() const { return sum_; }

 private:
  // The bounds are doubles of the first: 10 ms, 20 ms, 40 ms, ...
  static size_t bucket_of(Duration gap) {
    constexpr int64_t kFirstNs = 10'000'000;
    const int64_t ns = std::max<int64_t>(gap.count(), 1);
    const auto firsts = static_cast<uint64_t>((ns - 1) / kFirstNs);
    return std::min<size_t>(std::bit_width(firsts), kDurationBuckets.size());
  }

  MonoTime last_{};
  Duration sum_{};
  std::array<uint32_t, kDurationBuckets.size() + 1> counts_{};
};

}  // namespace weir
