// What the machine must have for a configuration to be served: certificates, folders, free ports. Looked at
// by `weir check` and when the server starts, so that a check that passes means a start that does.
#pragma once

#include <vector>

#include "app/config.h"

namespace weir {

// Reads and touches, but makes nothing. Errors: bad_request naming file and line.
std::vector<Error> check_machine(const Config& config);

}  // namespace weir
