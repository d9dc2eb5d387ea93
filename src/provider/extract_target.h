// weir/extract as a target: the glue between the IR and the extractive model.
#pragma once

#include <memory>

#include "io/pool.h"
#include "provider/local_model.h"

namespace weir {

// The work is done in `cpu`, which outlives the model: the first call loads a vocabulary, and long texts take
// time.
std::shared_ptr<LocalModel> make_extract_target(Pool& cpu);

}  // namespace weir
