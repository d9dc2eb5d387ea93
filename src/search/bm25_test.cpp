#include "search/bm25.h"

#include <cmath>
#include <gtest/gtest.h>

#include "search/terms.h"

namespace weir {
namespace {

using Terms = std::vector<std::string>;

Bm25Index index_of(std::initializer_list<std::string_view> texts, Bm25Options options = {}) {
  Bm25Index index(options);
  for (const std::string_view text : texts) index.add(index_terms(text));
  return index;
}

TEST(Bm25Index, ScoresByThePublishedFormula) {
  const Bm25Index index = index_of({"river river lock", "lock gate", "tide"}, {.k1 = 1.2, .b = 0.75});
  const auto hits = index.search(Terms{"river"}, 10);
  ASSERT_EQ(hits.size(), 1u);
  // N = 3, n = 1, tf = 2, length 3, mean length 2.
  const double idf = std::log(1 + (3 - 1 + 0.5) / (1 + 0.5));
  EXPECT_NEAR(hits[0].score, idf * 2 / (2 + 1.2 * (1 - 0.75 + 0.75 * 3 / 2)), 1e-12);
  EXPECT_NEAR(index.idf("river"), idf, 1e-12);
  EXPECT_GT(index.idf("unknown"), index.idf("river"));
}

TEST(Bm25Index, RanksRareTermsAndShortTextsHigher) {
  const Bm25Index index =
      index_of({"lock gate", "lock tide", "lock gate and a long text about boats and cranes"});
  const auto hits = index.search(Terms{"lock", "gate"}, 10);
  ASSERT_EQ(hits.size(), 3u);
  EXPECT_EQ(hits[0].text, 0u);
  EXPECT_EQ(hits[1].text, 2u);
}

TEST(Bm25Index, CountsARepeatedQueryTermAsOftenAsItStands) {
  const Bm25Index index = index_of({"lock", "tide"});
  const double once = index.search(Terms{"lock"}, 1)[0].score;
  EXPECT_NEAR(index.search(Terms{"lock", "lock"}, 1)[0].score, 2 * once, 1e-12);
}

TEST(Bm25Index, BreaksTiesByOrderAndKeepsToTheNumberOfHits) {
  const Bm25Index index = index_of({"lock", "lock", "lock"});
  const auto hits = index.search(Terms{"lock"}, 2);
  ASSERT_EQ(hits.size(), 2u);
  EXPECT_EQ(hits[0].text, 0u);
  EXPECT_EQ(hits[1].text, 1u);
}

TEST(Bm25Index, ListsItsTermsInOrder) {
  const Bm25Index index = index_of({"tide lock", "gate lock"});
  EXPECT_EQ(index.terms(), (std::vector<std::string_view>{"gate", "lock", "tide"}));
}

TEST(Bm25Index, FindsNothingWhereNothingIs) {
  EXPECT_TRUE(Bm25Index().search(Terms{"lock"}, 5).empty());
  const Bm25Index index = index_of({"", "gate"});
  EXPECT_EQ(index.size(), 2u);
  EXPECT_TRUE(index.search(Terms{}, 5).empty());
  EXPECT_TRUE(index.search(Terms{"lock"}, 5).empty());
  EXPECT_TRUE(index.search(Terms{"gate"}, 0).empty());
}

}  // namespace
}  // namespace weir
