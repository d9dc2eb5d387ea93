#include "codec/logprobs_wish.h"

#include <gtest/gtest.h>

namespace weir {
namespace {

struct LogprobsWishTest : testing::Test {
  // "2", "any" for as many as the target likes, "none"; and what was reported.
  std::string wish() {
    Fidelity fidelity;
    const std::optional<LogprobsWish> wish = logprobs_wish(chat, capabilities, fidelity);
    const std::string said = !wish ? "none" : (wish->top ? std::to_string(*wish->top) : std::string("any"));
    return fidelity.empty() ? said : said + ", " + fidelity.header_value();
  }
  Chat chat;
  Capabilities capabilities;
};

TEST_F(LogprobsWishTest, IsWhatWasAskedFor) {
  EXPECT_EQ(wish(), "none");
  chat.logprobs = false;
  chat.top_logprobs = 0;
  EXPECT_EQ(wish(), "none");
  chat.logprobs = true;
  EXPECT_EQ(wish(), "0");
  chat.top_logprobs.reset();
  EXPECT_EQ(wish(), "any");
  chat.top_logprobs = 5;
  EXPECT_EQ(wish(), "5");
}

TEST_F(LogprobsWishTest, IsReportedWhereTheTargetGivesNone) {
  capabilities.logprobs_max = 0;
  chat.logprobs = true;
  chat.top_logprobs = 5;
  EXPECT_TRUE(wish().starts_with("none, ")) << wish();
  EXPECT_NE(wish().find("logprobs"), std::string::npos) << wish();
}

TEST_F(LogprobsWishTest, IsCutToWhatTheTargetGives) {
  chat.logprobs = true;
  chat.top_logprobs = 50;
  EXPECT_TRUE(wish().starts_with("20, ")) << wish();
  capabilities.logprobs_max = 3;
  EXPECT_TRUE(wish().starts_with("3, ")) << wish();
}

TEST_F(LogprobsWishTest, AlternativesOfWhatIsNotAskedForAreReported) {
  chat.top_logprobs = 5;
  EXPECT_TRUE(wish().starts_with("none, ")) << wish();
  EXPECT_NE(wish().find("top_logprobs"), std::string::npos) << wish();
}

}  // namespace
}  // namespace weir
