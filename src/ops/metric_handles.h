// What the metrics of exchanges share: handles of series that are looked up when they are first needed, and
// the unit of times.
#pragma once

#include <initializer_list>
#include <optional>
#include <string_view>

#include "base/clock.h"
#include "base/metrics.h"

namespace weir {

inline double seconds(Duration duration) {
  return static_cast<double>(duration.count()) / 1e9;
}

// The handle, which is looked up when it is first asked for: a series that nothing counts in must not show.
template <class Handle>
const Handle& found(std::optional<Handle>& handle, const MetricFamilyOf<Handle>& family,
                    std::initializer_list<std::string_view> labels) {
  if (!handle) handle = family.with(labels);
  return *handle;
}

}  // namespace weir
