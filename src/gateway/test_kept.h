// Limits for tests that keep a few texts in memory.
#pragma once

#include "base/limits.h"
#include "gateway/kept_texts.h"

namespace weir {

inline KeptLimits small_limits() {
  return {.ttl = std::chrono::hours(1),
          .memory_bytes_max = kMiB,
          .per_caller_max = 100,
          .per_caller_bytes = kMiB,
          .rows_max = 100,
          .text_bytes_max = kMiB};
}

}  // namespace weir
