#include "codec/service_tier.h"

#include <array>
#include <gtest/gtest.h>

namespace weir {
namespace {

TEST(ServiceTier, SpeaksOfEachLaneInTheVendorsWords) {
  struct Case {
    std::string_view tier;
    std::string_view openai;
    std::string_view anthropic;
  };
  constexpr std::array<Case, 9> kCases = {{
      {"auto", "auto", ""},
      {"default", "default", "standard"},
      {"standard", "default", "standard"},
      {"flex", "flex", ""},
      {"scale", "scale", ""},
      {"priority", "priority", "priority"},
      {"batch", "", "batch"},
      {"on_demand", "", ""},
      {"", "", ""},
  }};
  for (const auto& [tier, openai, anthropic] : kCases) {
    EXPECT_EQ(openai_service_tier(tier), openai) << tier;
    EXPECT_EQ(anthropic_service_tier(tier), anthropic) << tier;
  }
}

}  // namespace
}  // namespace weir
