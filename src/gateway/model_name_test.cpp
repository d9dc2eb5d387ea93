#include "gateway/model_name.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace weir {
namespace {

using ::testing::AllOf;
using ::testing::HasSubstr;
using ::testing::Not;

TEST(ModelName, TakesWhatVendorsCallTheirModels) {
  for (const char* name : {"gpt-5", "weir/extract", "meta-llama/Llama-4 (8B)", "modèle",
                           "arn:aws:bedrock:us-east-1:123456789012:inference-profile/us.anthropic.claude:0"})
    EXPECT_TRUE(check_model_name(name)) << name;
  EXPECT_TRUE(check_model_name(std::string(kModelNameBytesMax, 'm')));
}

TEST(ModelName, RefusesWhatIsTooLongAndRepeatsLittleOfIt) {
  const Result<void> checked = check_model_name(std::string(kModelNameBytesMax + 1, 'm'));
  ASSERT_FALSE(checked);
  EXPECT_EQ(checked.error().kind, ErrorKind::bad_request);
  EXPECT_EQ(checked.error().path, "model");
  EXPECT_THAT(checked.error().message, AllOf(HasSubstr("256 bytes"), HasSubstr("mmm...")));
  EXPECT_LT(checked.error().message.size(), 200);
}

TEST(ModelName, RefusesWhatNoHeaderCouldHold) {
  const std::initializer_list<std::string_view> names = {
      "a\nb", "a\rb", "\tab", "ab\x7f", std::string_view("a\0b", 3), "a\xff"};
  for (const std::string_view name : names) {
    const Result<void> checked = check_model_name(name);
    ASSERT_FALSE(checked);
    EXPECT_THAT(checked.error().message, AllOf(Not(HasSubstr(std::string(name))), HasSubstr("'")));
  }
}

}  // namespace
}  // namespace weir
