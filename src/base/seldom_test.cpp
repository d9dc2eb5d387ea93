#include "base/seldom.h"

#include <gtest/gtest.h>

namespace weir {
namespace {

TEST(Seldom, IsEmptyUntilSomethingIsMade) {
  const Seldom<std::set<int>> none;
  EXPECT_TRUE(none->empty());
  EXPECT_EQ(&*none, &*Seldom<std::set<int>>());
  EXPECT_EQ(sizeof(none), sizeof(void*));
}

TEST(Seldom, CopiesWhatItHoldsAndGivesItAwayWhenMoved) {
  Seldom<std::set<int>> first;
  first.make().insert(1);
  Seldom<std::set<int>> copy = first;
  copy.make().insert(2);
  EXPECT_EQ(*first, (std::set{1}));
  EXPECT_EQ(*copy, (std::set{1, 2}));
  first = copy;
  EXPECT_EQ(*first, (std::set{1, 2}));
  const Seldom<std::set<int>> taken = std::move(first);
  EXPECT_EQ(*taken, (std::set{1, 2}));
  copy = Seldom<std::set<int>>();
  EXPECT_TRUE(copy->empty());
}

}  // namespace
}  // namespace weir
