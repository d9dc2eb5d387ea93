#include "codec/coverage.h"

#include <gtest/gtest.h>

#include "codec/anthropic.h"
#include "codec/openai.h"

namespace weir {
namespace {

Support support_of(const std::vector<FeatureSupport>& all, std::string_view feature) {
  for (const FeatureSupport& one : all) {
    if (one.feature == feature) return one.support;
  }
  ADD_FAILURE() << "no feature " << feature;
  return Support::refused;
}

TEST(Coverage, TellsWhatATargetOfAnotherDialectCarries) {
  const Capabilities plain;
  const auto all = coverage(Dialect::openai_chat, anthropic_messages_provider(),
                            {.model = "claude", .capabilities = &plain});
  EXPECT_EQ(support_of(all, "tools"), Support::carried);
  EXPECT_EQ(support_of(all, "seed"), Support::dropped);
  EXPECT_EQ(support_of(all, "audio"), Support::refused);
}

TEST(Coverage, CarriesAllThatTheSameDialectCanSay) {
  const Capabilities plain;
  for (const FeatureSupport& one :
       coverage(Dialect::openai_chat, openai_chat_provider(), {.model = "gpt", .capabilities = &plain})) {
    EXPECT_TRUE(one.support == Support::carried || one.support == Support::unsaid) << one.feature;
  }
}

TEST(Coverage, SaysWhatTheClientsDialectHasNoWordsFor) {
  const Capabilities plain;
  const auto all =
      coverage(Dialect::anthropic_messages, openai_chat_provider(), {.model = "gpt", .capabilities = &plain});
  EXPECT_EQ(support_of(all, "logprobs"), Support::unsaid);
}

TEST(Coverage, FollowsTheCapabilitiesOfTheModel) {
  Capabilities no_vision;
  no_vision.vision = false;
  const auto all = coverage(Dialect::anthropic_messages, openai_chat_provider(),
                            {.model = "gpt", .capabilities = &no_vision});
  EXPECT_EQ(support_of(all, "text"), Support::carried);
  EXPECT_EQ(support_of(all, "image"), Support::refused);
  EXPECT_EQ(support_of(all, "image_url"), Support::refused);
  Capabilities cool;
  cool.temperature = TemperatureRange{.min = 0, .max = 0.3};
  EXPECT_EQ(support_of(coverage(Dialect::openai_chat, anthropic_messages_provider(),
                                {.model = "claude", .capabilities = &cool}),
                       "temperature"),
            Support::emulated);
}

// Each probe asks for its own feature: a target without it cannot carry the probe as it is.
TEST(Coverage, AsksForWhatEachFeatureIsNamedAfter) {
  const auto to_claude = [](const Capabilities& capabilities, std::string_view feature) {
    return support_of(coverage(Dialect::openai_chat, anthropic_messages_provider(),
                               {.model = "claude", .capabilities = &capabilities}),
                      feature);
  };
  Capabilities plain;
  plain.json_schema = JsonSchemaSupport::none;
  plain.thinking = ThinkingMode::budget;
  plain.output_max = 64'000;
  EXPECT_EQ(to_claude(plain, "json_schema"), Support::emulated);
  EXPECT_EQ(to_claude(plain, "json_object"), Support::emulated);
  EXPECT_EQ(to_claude(plain, "reasoning_effort"), Support::emulated);
  EXPECT_EQ(to_claude(plain, "penalties"), Support::dropped);
  EXPECT_EQ(to_claude(plain, "temperature"), Support::carried);
  plain.thinking = ThinkingMode::none;
  EXPECT_EQ(to_claude(plain, "reasoning_effort"), Support::dropped);
}

TEST(Coverage, NamesEveryKindOfSupport) {
  EXPECT_EQ(to_string(Support::carried), "carried");
  EXPECT_EQ(to_string(Support::emulated), "emulated");
  EXPECT_EQ(to_string(Support::dropped), "dropped");
  EXPECT_EQ(to_string(Support::refused), "refused");
  EXPECT_EQ(to_string(Support::unsaid), "unsaid");
}

}  // namespace
}  // namespace weir
