// Files that a person named: the configuration, what it refers to, and bodies for measurements.
#pragma once

#include <string>

#include "base/result.h"

namespace weir {

// The whole text of a file. Blocks. Errors: bad_request when it cannot be read, is a directory, or has more
// than kNamedFileBytesMax; the message begins with the path and
// says why.
Result<std::string> read_file_text(const std::string& path);

}  // namespace weir
