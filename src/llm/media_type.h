// What the first bytes of a file say it is. What a sender declares is not trusted (translation.md 4.2).
#pragma once

#include <string_view>

namespace weir {

// "image/jpeg", "image/png", "image/gif", "image/webp", "application/pdf"; empty for everything else.
std::string_view media_type_of(std::string_view bytes);

}  // namespace weir
