// What can be the name of a model, before anything keeps, sends or logs it.
#pragma once

#include <cstddef>
#include <string_view>

#include "base/result.h"

namespace weir {

// No vendor's names come near it; Amazon's ARNs are the longest.
inline constexpr size_t kModelNameBytesMax = 256;

// Behind a wildcard names are the callers' to make up, and go into headers, paths and logs: so a name has at
// most kModelNameBytesMax bytes, is UTF-8 and has no control characters. Error: bad_request that names the
// field `model` and repeats no more than the beginning of it. An empty name passes: what needs one asks for
// it.
Result<void> check_model_name(std::string_view model);

}  // namespace weir
