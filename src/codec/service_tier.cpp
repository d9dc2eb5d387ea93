#include "codec/service_tier.h"

#include <algorithm>
#include <array>

namespace weir {
namespace {

constexpr std::array<std::string_view, 5> kOpenAi = {"auto", "default", "flex", "scale", "priority"};
constexpr std::array<std::string_view, 3> kAnthropic = {"standard", "priority", "batch"};

template <size_t N>
std::string_view known(const std::array<std::string_view, N>& words, std::string_view tier) {
  return std::find(words.begin(), words.end(), tier) == words.end() ? std::string_view() : tier;
}

}  // namespace

std::string_view openai_service_tier(std::string_view tier) {
  return tier == "standard" ? "default" : known(kOpenAi, tier);
}

std::string_view anthropic_service_tier(std::string_view tier) {
  return tier == "default" ? "standard" : known(kAnthropic, tier);
}

}  // namespace weir
