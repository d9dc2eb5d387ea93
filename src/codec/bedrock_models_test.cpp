#include "codec/bedrock_models.h"

#include <gtest/gtest.h>

namespace weir {
namespace {

TEST(BedrockModels, FindsTheIdInPrefixesAndArns) {
  EXPECT_EQ(bedrock_base_model("anthropic.claude-x-v2:0"), "anthropic.claude-x-v2:0");
  EXPECT_EQ(bedrock_base_model("us.anthropic.claude-x"), "anthropic.claude-x");
  EXPECT_EQ(bedrock_base_model("apac.amazon.nova-lite-v1:0"), "amazon.nova-lite-v1:0");
  EXPECT_EQ(bedrock_base_model("us-gov.anthropic.claude-x"), "anthropic.claude-x");
  EXPECT_EQ(bedrock_base_model("arn:aws:bedrock:us-east-1:1:inference-profile/global.anthropic.claude-x"),
            "anthropic.claude-x");
  EXPECT_EQ(bedrock_base_model("arn:aws:bedrock:us-east-1::foundation-model/meta.llama3-8b-instruct-v1:0"),
            "meta.llama3-8b-instruct-v1:0");
  EXPECT_EQ(bedrock_base_model("us.x"), "us.x");
  EXPECT_EQ(bedrock_base_model("arn:"), "arn:");
}

TEST(BedrockModels, TellsTheFamily) {
  const Capabilities none;
  const auto family = [&](std::string_view model) {
    return bedrock_family({.model = model, .capabilities = &none});
  };
  EXPECT_EQ(family("eu.anthropic.claude-x"), ModelFamily::anthropic);
  EXPECT_EQ(family("amazon.nova-pro-v1:0"), ModelFamily::nova);
  EXPECT_EQ(family("amazon.titan-embed-text-v2:0"), ModelFamily::titan);
  EXPECT_EQ(family("us.meta.llama4-scout"), ModelFamily::llama);
  EXPECT_EQ(family("mistral.mistral-7b"), ModelFamily::mistral);
  EXPECT_EQ(family("cohere.command-r-v1:0"), ModelFamily::cohere);
  EXPECT_EQ(family("ai21.jamba-1-5-mini-v1:0"), ModelFamily::other);
  Capabilities row;
  row.family = ModelFamily::cohere;
  EXPECT_EQ(bedrock_family({.model = "anthropic.claude-x", .capabilities = &row}), ModelFamily::cohere);
}

TEST(BedrockModels, KnowsThePrefixOfEveryRegion) {
  for (const std::string prefix :
       {"us.", "eu.", "apac.", "global.", "us-gov.", "jp.", "au.", "ca.", "sa.", "me.", "af."})
    EXPECT_EQ(bedrock_base_model(prefix + "amazon.nova-lite-v1:0"), "amazon.nova-lite-v1:0") << prefix;
  EXPECT_EQ(bedrock_base_model("xx.amazon.nova-lite-v1:0"), "xx.amazon.nova-lite-v1:0");
}

}  // namespace
}  // namespace weir
