#include "search/terms.h"

#include <gtest/gtest.h>

#include "search/stem.h"

namespace weir {
namespace {

using Terms = std::vector<std::string>;

struct Pair {
  std::string_view word;
  std::string_view stem;
};

class StemEnglish : public testing::TestWithParam<Pair> {};

TEST_P(StemEnglish, FollowsThePublishedRules) {
  EXPECT_EQ(stem_english(GetParam().word), GetParam().stem);
}

// One or more words for each step of the algorithm, worked out by hand from its description.
INSTANTIATE_TEST_SUITE_P(
    Steps, StemEnglish,
    testing::Values(Pair{"lock's", "lock"}, Pair{"passes", "pass"}, Pair{"ties", "tie"}, Pair{"cries", "cri"},
                    Pair{"gas", "gas"}, Pair{"this", "this"}, Pair{"gaps", "gap"}, Pair{"kiwis", "kiwi"},
                    Pair{"agreed", "agre"}, Pair{"feed", "feed"}, Pair{"luxuriating", "luxuri"},
                    Pair{"hopping", "hop"}, Pair{"hoping", "hope"}, Pair{"falling", "fall"},
                    Pair{"sing", "sing"}, Pair{"cry", "cri"}, Pair{"by", "by"}, Pair{"say", "say"},
                    Pair{"relational", "relat"}, Pair{"conditional", "condit"}, Pair{"hesitancy", "hesit"},
                    Pair{"vileness", "vile"}, Pair{"analogously", "analog"}, Pair{"sensibility", "sensibl"},
                    Pair{"quickly", "quick"}, Pair{"formalize", "formal"}, Pair{"electrical", "electr"},
                    Pair{"hopeful", "hope"}, Pair{"goodness", "good"}, Pair{"adjustment", "adjust"},
                    Pair{"adoption", "adopt"}, Pair{"effective", "effect"}, Pair{"rate", "rate"},
                    Pair{"controlling", "control"}, Pair{"roll", "roll"}, Pair{"generously", "generous"},
                    Pair{"communication", "communic"}, Pair{"dying", "die"}, Pair{"skies", "sky"},
                    Pair{"news", "news"}, Pair{"outing", "outing"}, Pair{"youth", "youth"},
                    Pair{"enjoyed", "enjoy"}));

TEST(StemEnglishWords, LeavesOtherScriptsAlone) {
  EXPECT_EQ(stem_english("größen"), "größen");
  EXPECT_EQ(stem_english("x1s"), "x1s");
  EXPECT_EQ(stem_english("is"), "is");
  EXPECT_EQ(stem_english(""), "");
}

TEST(IndexTerms, MeetInOneFormAndLeaveStopWordsOut) {
  EXPECT_EQ(index_terms("The connections were connected"), (Terms{"connect", "connect"}));
  EXPECT_EQ(index_terms("What is the Müller's Café?"), (Terms{"muller", "cafe"}));
  EXPECT_EQ(index_terms("L'eau de l\u2019\u00e9cluse"), (Terms{"eau", "eclus"}));
  EXPECT_EQ(index_terms("1,000,000 and 1000000 but 3,5"), (Terms{"1000000", "1000000", "3,5"}));
  EXPECT_EQ(index_terms("der Hund und die Katze"), (Terms{"hund", "die", "katz"}));
}

TEST(IndexTerms, NeverGivesAnEmptyTerm) {
  for (const std::string_view text : {"\u0301", "\u0301\u0301 a's's", "''", "o'", "9,999,", "\xcc\x81"}) {
    for (const std::string& term : index_terms(text)) EXPECT_FALSE(term.empty()) << text;
  }
  EXPECT_EQ(term_of("\u0301"), "\u0301");
}

}  // namespace
}  // namespace weir
