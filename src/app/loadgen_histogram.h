// A histogram of durations with a bounded relative error, after the idea of HdrHistogram: the buckets of each
// power of two are equally wide, so every value is known to within 1 part in 128.
#pragma once

#include <cstddef>
#include <cstdint>
#include <vector>

#include "base/clock.h"

namespace weir {

class LoadHistogram {
 public:
  LoadHistogram();

  // Negative durations count as 0.
  void record(Duration value);
  uint64_t count() const { return count_; }
  // The smallest recorded value that at least `share` (0 to 1) of all values do not exceed, rounded up to the
  // end of its bucket and never more than max(). 0 when nothing was recorded.
  Duration percentile(double share) const;
  Duration max() const { return max_; }
  Duration mean() const;

 private:
  std::vector<uint64_t> buckets_;
  uint64_t count_ = 0;
  double sum_ns_ = 0;
  Duration max_{};
};

}  // namespace weir
