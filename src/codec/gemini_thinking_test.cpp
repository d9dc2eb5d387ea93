// Room for a model's thoughts.
#include <gtest/gtest.h>

#include "codec/gemini_test_util.h"

namespace weir {
namespace {

using test::caps;

TEST(GeminiThinking, MakesRoomForThoughtsThatNobodyAskedFor) {
  const auto limit = [](std::string_view fields, const Capabilities& capabilities) {
    const auto call = test::openai_to_gemini(
        fmt::format(R"({{"model":"m","messages":[{{"role":"user","content":"hi"}}]{}}})", fields),
        capabilities);
    const Result<JsonDoc> parsed = JsonDoc::parse(test::body_of(call));
    return parsed ? parsed->root()["generationConfig"]["maxOutputTokens"].int_or(0) : -1;
  };
  Capabilities forced = caps(&Capabilities::thinking, ThinkingMode::effort);
  const std::string_view small = R"(,"max_tokens":100)";
  EXPECT_EQ(limit(small, forced), 100) << "it does not think unless it is asked to";
  forced.thinking_forced = true;
  EXPECT_EQ(limit(small, forced), 8292);
  EXPECT_EQ(limit(R"(,"max_tokens":16384)", forced), 16'384) << "there is room";
  const Capabilities budget = caps(&Capabilities::thinking, ThinkingMode::budget);
  EXPECT_EQ(limit(small, budget), 100);
  EXPECT_EQ(limit(R"(,"max_tokens":1200,"reasoning_effort":"low")", budget), 2224);
  EXPECT_EQ(limit(R"(,"max_tokens":2048,"reasoning_effort":"low")", budget), 2048);
}

TEST(GeminiThinking, MediumIsHighWhereThereIsOnlyLowBesideIt) {
  const auto level = [](std::string_view effort, EffortSet levels) {
    Capabilities capabilities = caps(&Capabilities::thinking, ThinkingMode::effort);
    capabilities.effort_levels = levels;
    const auto call = test::openai_to_gemini(
        fmt::format(
            R"({{"model":"m","messages":[{{"role":"user","content":"hi"}}],"reasoning_effort":"{}"}})",
            effort),
        capabilities);
    const Result<JsonDoc> parsed = JsonDoc::parse(test::body_of(call));
    return parsed ? std::string(
                        parsed->root()["generationConfig"]["thinkingConfig"]["thinkingLevel"].string_or(""))
                  : "";
  };
  const EffortSet two = {EffortLevel::low, EffortLevel::high};
  EXPECT_EQ(level("medium", two), "high");
  EXPECT_EQ(level("minimal", two), "low");
  EXPECT_EQ(level("medium", {EffortLevel::low, EffortLevel::medium, EffortLevel::high}), "medium");
}

TEST(GeminiThinking, MakesRoomForAModelThatMayThinkAsLongAsItLikes) {
  const auto call =
      test::to_gemini(test::messages_chat(R"({"model":"m","max_tokens":100,"thinking":{"type":"adaptive"},)"
                                          R"("messages":[{"role":"user","content":"hi"}]})"),
                      caps(&Capabilities::thinking, ThinkingMode::effort));
  EXPECT_NE(test::body_of(call).find(R"("maxOutputTokens":8292)"), std::string::npos) << test::body_of(call);
}

}  // namespace
}  // namespace weir
