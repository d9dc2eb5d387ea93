#include "base/free_lists.h"

#include <cstring>
#include <gtest/gtest.h>
#include <vector>

#include "base/random.h"

namespace weir {
namespace {

struct OpenLists : FreeLists {
  OpenLists() { open(); }
  ~OpenLists() { close(); }
};

TEST(FreeLists, GiveABlockAgainForEverySizeThatFitsIt) {
  for (size_t size = 0; size <= FreeLists::kBytesMax; ++size) {
    OpenLists lists;
    void* const block = lists.take(size);
    std::memset(block, 'x', size);
    lists.give(block, size);
    ASSERT_EQ(lists.kept(), 1u) << size;
    void* const again = lists.take(size);
    EXPECT_EQ(again, block) << size;
    std::memset(again, 'y', size);
    EXPECT_EQ(lists.kept(), 0u);
    lists.give(again, size);
  }
}

TEST(FreeLists, LeaveLargeBlocksToMalloc) {
  OpenLists lists;
  lists.give(lists.take(FreeLists::kBytesMax + 1), FreeLists::kBytesMax + 1);
  EXPECT_EQ(lists.kept(), 0u);
}

TEST(FreeLists, LeaveABlockToMallocThatHoldsMoreThanItsSizeSays) {
  OpenLists lists;
  lists.give(std::malloc(4 * FreeLists::kBytesMax), FreeLists::kBytesMax);
  EXPECT_EQ(lists.kept(), 0u);
}

TEST(FreeLists, KeepNothingBeforeTheyAreOpenAndAfterTheyAreClosed) {
  FreeLists lists;
  lists.give(lists.take(100), 100);
  EXPECT_EQ(lists.kept(), 0u);
  lists.open();
  lists.give(lists.take(100), 100);
  EXPECT_EQ(lists.kept(), 1u);
  lists.close();
  EXPECT_EQ(lists.kept(), 0u);
  lists.give(lists.take(100), 100);
  EXPECT_EQ(lists.kept(), 0u);
}

TEST(FreeLists, KeepNoMoreThanTheirLimitOfEachSize) {
  OpenLists lists;
  std::vector<void*> blocks(1000);
  for (void*& block : blocks) block = lists.take(1000);
  for (void* block : blocks) lists.give(block, 1000);
  EXPECT_GT(lists.kept(), 16u);
  EXPECT_LE(lists.kept() * 1000, FreeLists::kClassBytesMax);
}

// What a library took from malloc may come back here. The sanitizer's malloc tells the size exactly, so that
// a block given out for more than it holds is written past its end and found.
TEST(FreeLists, NeverGiveOutABlockOfMallocForMoreThanItHolds) {
  Rng rng(3);
  OpenLists lists;
  for (int i = 0; i < 20'000; ++i) {
    const size_t size = 1025 + rng.below(FreeLists::kBytesMax - 1024);
    lists.give(std::malloc(size), size);
    const size_t wanted = 1025 + rng.below(FreeLists::kBytesMax - 1024);
    void* const block = lists.take(wanted);
    std::memset(block, 'x', wanted);
    lists.give(block, wanted);
  }
}

TEST(FreeLists, AgreeWithThemselvesInAnyOrder) {
  Rng rng(5);
  OpenLists lists;
  struct Held {
    char* block;
    size_t size;
    char mark;
  };
  std::vector<Held> held;
  for (int i = 0; i < 50'000; ++i) {
    if (held.size() < 200 && rng.below(2) == 0) {
      const size_t size = 1 + rng.below(rng.below(4) == 0 ? 9000 : 200);
      char* const block = static_cast<char*>(lists.take(size));
      held.push_back({block, size, static_cast<char>(rng.below(256))});
      std::memset(block, held.back().mark, size);
    } else if (!held.empty()) {
      std::swap(held[rng.below(held.size())], held.back());
      const Held last = held.back();
      held.pop_back();
      for (size_t at = 0; at < last.size; ++at) ASSERT_EQ(last.block[at], last.mark);
      lists.give(last.block, last.size);
    }
  }
  for (const Held& left : held) lists.give(left.block, left.size);
}

}  // namespace
}  // namespace weir
