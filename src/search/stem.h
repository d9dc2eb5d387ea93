// The stem of an English word by the "English" (Porter2) algorithm as published by Martin Porter at
// snowballstem.org, so that "connected", "connecting" and "connection" meet in one term. Written from the
// published rules.
#pragma once

#include <string>
#include <string_view>

namespace weir {

// REQUIRES a word in lower case. What is not made of a to z and apostrophes comes back as it is.
std::string stem_english(std::string_view word);

}  // namespace weir
