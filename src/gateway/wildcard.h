// Patterns of models with one '*', which stands for at least one character: openai/*, *-mini.
#pragma once

#include <optional>
#include <string_view>

namespace weir {

// What the pattern's '*' stands for in the name, a view into it; nothing when it does not match, or has none.
std::optional<std::string_view> starred_part(std::string_view pattern, std::string_view name);

}  // namespace weir
