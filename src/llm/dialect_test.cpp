#include "llm/dialect.h"

#include <gtest/gtest.h>

namespace weir {
namespace {

TEST(Dialect, SignaturesAreSharedByTheDialectsOfOneVendorsModelsAndByWhoOnlyCarriesThem) {
  constexpr std::array kShare = {Dialect::openai_chat, Dialect::anthropic_messages, Dialect::bedrock_converse,
                                 Dialect::bedrock_invoke};
  constexpr std::array kApart = {Dialect::openai_responses, Dialect::gemini};
  for (const Dialect one : kShare) {
    for (const Dialect other : kShare) EXPECT_TRUE(shares_signatures(one, other));
    for (const Dialect other : kApart) {
      EXPECT_FALSE(shares_signatures(one, other));
      EXPECT_FALSE(shares_signatures(other, one));
    }
  }
  EXPECT_FALSE(shares_signatures(Dialect::openai_responses, Dialect::gemini));
  for (const Dialect one : kApart) EXPECT_TRUE(shares_signatures(one, one));
}

TEST(Dialect, ACarrierOfSignaturesSignsNothingItself) {
  EXPECT_FALSE(traits(Dialect::openai_chat).signs_turns);
  EXPECT_TRUE(traits(Dialect::anthropic_messages).signs_turns);
}

}  // namespace
}  // namespace weir
