// Files that are named by their ids: only the vendor that stores one can read it (translation.md 4.2).
#pragma once

#include <initializer_list>

#include "llm/codec.h"

namespace weir {

// Error: unsupported, naming the place, for a file that is not in a store of these dialects.
Result<void> check_files(const Chat& chat, std::initializer_list<Dialect> stores);

}  // namespace weir
