// Handles of series that are looked up when they are first needed.
#pragma once

#include <initializer_list>
#include <optional>
#include <string_view>

#include "base/metrics.h"

namespace weir {

// The handle, which is looked up when it is first asked for: a series that nothing counts in must not show.
template <class Handle>
const Handle& found(std::optional<Handle>& handle, const MetricFamilyOf<Handle>& family,
                    std::initializer_list<std::string_view> labels) {
  if (!handle) handle = family.with(labels);
  return *handle;
}

}  // namespace weir
