// Tool names that a target accepts (translation.md 4.3).
#pragma once

#include <cstddef>
#include <string>
#include <string_view>

namespace weir {

inline constexpr size_t kOpenAiToolNameMax = 64;      // ^[a-zA-Z0-9_-]{1,64}$
inline constexpr size_t kAnthropicToolNameMax = 128;  // ^[a-zA-Z0-9_-]{1,128}$

// The name itself when it is legal. Else bad bytes become '_', and the first 55 of them get '_' and 8 hex
// digits of the original's SHA-256, so that different names stay different.
std::string legal_tool_name(std::string_view name, size_t length_max);

}  // namespace weir
