// Service tiers: each vendor has its own words for the lane that a request takes.
#pragma once

#include <string_view>

namespace weir {

// The tier of an answer in the vendor's vocabulary, whoever gave it: the ordinary lane is OpenAI's "default"
// and Anthropic's "standard"; "priority" is both's. Empty for what has no counterpart: clients check the word
// against a closed list, so none is better than a foreign one.
std::string_view openai_service_tier(std::string_view tier);     // auto, default, flex, scale, priority
std::string_view anthropic_service_tier(std::string_view tier);  // standard, priority, batch

}  // namespace weir
