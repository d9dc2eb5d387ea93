// What the metrics of exchanges share: handles of series that are looked up when they are first needed, and
// the unit of times.
#pragma once

#include <optional>

#include "base/clock.h"
#include "base/metrics.h"

namespace weir {

inline double seconds(Duration duration) {
  return static_cast<double>(duration.count()) / 1e9;
}

// The handle, which is looked up when it is first asked for: a series that nothing counts in must not show.
template <class Handle, class LookUp>
const Handle& found(std::optional<Handle>& handle, LookUp&& look_up) {
  if (!handle) [[unlikely]]
    handle = look_up();
  return *handle;
}

}  // namespace weir
