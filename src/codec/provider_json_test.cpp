#include "codec/provider_json.h"

#include <gtest/gtest.h>
#include <string>
#include <utility>
#include <vector>

namespace weir {
namespace {

TEST(ProviderJson, ReadsACountHoweverItIsSpelled) {
  const std::vector<std::pair<std::string, std::optional<int64_t>>> cases = {
      {"0", 0},
      {"120", 120},
      {"1e3", 1000},
      {"12.0", 12},
      {"1000000000000", kProviderCountMax},
      {"1e12", kProviderCountMax},
      // As good as absent.
      {"1000000000001", std::nullopt},
      {"1e13", std::nullopt},
      {"9223372036854775808", std::nullopt},
      {"123456789012345678901234567890", std::nullopt},
      {"1e30", std::nullopt},
      {R"("120")", std::nullopt},
      {"null", std::nullopt},
      {"true", std::nullopt},
      {"[1]", std::nullopt},
      // Nothing is below zero, and what is not whole is no count.
      {"-1", 0},
      {"-9223372036854775808", 0},
      {"-1e30", 0},
      {"1.5", 0},
      {"-0.0", 0},
  };
  for (const auto& [text, count] : cases) {
    const auto doc = JsonDoc::parse(text);
    ASSERT_TRUE(doc) << text;
    EXPECT_EQ(count_of(doc->root()), count) << text;
  }
  EXPECT_EQ(count_of(JsonValue()), std::nullopt);
}

}  // namespace
}  // namespace weir
