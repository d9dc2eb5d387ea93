// Which beta features of Claude's models Bedrock knows: it refuses a request that names another one.
#pragma once

#include <string_view>
#include <vector>

#include "llm/fidelity.h"

namespace weir {

// The names of a list joined by commas that Bedrock documents; a record for each of the others. `raw` is the
// list as a JSON string; one that had to be escaped holds no name.
std::vector<std::string_view> bedrock_betas(std::string_view raw, Fidelity& fidelity);

}  // namespace weir
