#include "io/memory_stream.h"

#include <gtest/gtest.h>

#include "io/test_core.h"

namespace weir {
namespace {

struct MemoryStreamTest : testing::Test {
  static size_t put(ByteStream& stream, std::string_view bytes) {
    const std::array<std::string_view, 1> pieces = {bytes};
    const IoResult written = stream.try_write(pieces);
    state = written.state;
    return written.bytes;
  }
  static std::string take(ByteStream& stream, size_t bytes_max = 100) {
    std::string bytes(bytes_max, '\0');
    const IoResult read = stream.try_read(bytes);
    state = read.state;
    bytes.resize(read.bytes);
    return bytes;
  }

  static inline IoState state = IoState::done;
  TestCore test;
  MemoryStream::Pair ends = MemoryStream::pair(test.core, 8);
};

Task<void> note(Task<void> task, bool& done) {
  CO_TRY(co_await std::move(task));
  done = true;
  co_return {};
}

TEST_F(MemoryStreamTest, CarriesBytesBothWaysUpToItsCapacity) {
  EXPECT_EQ(put(*ends.first, "0123456789"), 8u);
  EXPECT_EQ(put(*ends.first, "x"), 0u);
  EXPECT_EQ(state, IoState::would_block);
  EXPECT_EQ(take(*ends.second, 3), "012");
  EXPECT_EQ(put(*ends.first, "abcdef"), 3u);
  EXPECT_EQ(take(*ends.second), "34567abc");
  EXPECT_EQ(take(*ends.second), "");
  EXPECT_EQ(state, IoState::would_block);
  EXPECT_EQ(put(*ends.second, "back"), 4u);
  EXPECT_EQ(take(*ends.first), "back");
}

TEST_F(MemoryStreamTest, WakesReadersAndWriters) {
  Scope scope(test.core);
  bool can_read = false;
  bool can_write = false;
  put(*ends.first, "01234567");
  scope.spawn(note(ends.first->readable(scope), can_read));
  scope.spawn(note(ends.first->writable(scope), can_write));
  test.settle();
  EXPECT_FALSE(can_read || can_write);
  take(*ends.second, 1);
  put(*ends.second, "x");
  test.settle();
  EXPECT_TRUE(can_read && can_write);
}

TEST_F(MemoryStreamTest, AnOrderlyCloseEndsBehindTheBytes) {
  put(*ends.first, "last");
  ends.first->close();
  EXPECT_EQ(take(*ends.second), "last");
  EXPECT_EQ(take(*ends.second), "");
  EXPECT_EQ(state, IoState::end);
  EXPECT_EQ(put(*ends.second, "x"), 0u);
  EXPECT_EQ(state, IoState::broken);
}

TEST_F(MemoryStreamTest, OneSideMayEndWhileTheOtherGoesOn) {
  ends.first->end_sending();
  take(*ends.second);
  EXPECT_EQ(state, IoState::end);
  EXPECT_EQ(put(*ends.second, "more"), 4u);
  EXPECT_EQ(take(*ends.first), "more");
}

TEST_F(MemoryStreamTest, TheWatchSeesAHangUpButNotBytes) {
  int hung_up = 0;
  ends.second->watch_hangup([&hung_up] { ++hung_up; });
  put(*ends.first, "bytes");
  test.settle();
  EXPECT_EQ(hung_up, 0);
  take(*ends.second);
  ends.first->close();
  test.settle();
  EXPECT_EQ(hung_up, 1);
}

TEST_F(MemoryStreamTest, TheWatchOfInputSeesBytesOnce) {
  int seen = 0;
  ends.second->watch_input([&seen] { ++seen; });
  put(*ends.first, "a");
  put(*ends.first, "b");
  test.settle();
  EXPECT_EQ(seen, 1);
  ends.second->watch_input([&seen] { ++seen; });
  ends.second->watch_input(nullptr);
  test.settle();
  EXPECT_EQ(seen, 1);
}

TEST_F(MemoryStreamTest, Stalls) {
  ends.first->stall(true);
  put(*ends.first, "held");
  ends.first->end_sending();
  take(*ends.second);
  EXPECT_EQ(state, IoState::would_block);
  ends.first->stall(false);
  EXPECT_EQ(take(*ends.second), "held");
  take(*ends.second);
  EXPECT_EQ(state, IoState::end);
}

TEST_F(MemoryStreamTest, Dribbles) {
  ends.first->dribble(2);
  put(*ends.first, "abc");
  EXPECT_EQ(take(*ends.second), "ab");
  EXPECT_EQ(take(*ends.second), "c");
}

TEST_F(MemoryStreamTest, CutsInTheMiddle) {
  ends.first->cut_after(3);
  EXPECT_EQ(put(*ends.first, "abcdef"), 6u);
  EXPECT_EQ(put(*ends.first, "more"), 4u);
  EXPECT_EQ(take(*ends.second), "abc");
  take(*ends.second);
  EXPECT_EQ(state, IoState::end);
}

TEST_F(MemoryStreamTest, ResetsInTheMiddle) {
  ends.first->reset_after(3);
  EXPECT_EQ(put(*ends.first, "ab"), 2u);
  EXPECT_EQ(take(*ends.second), "ab");
  put(*ends.first, "cd");
  take(*ends.second);
  EXPECT_EQ(state, IoState::broken);
  put(*ends.second, "x");
  EXPECT_EQ(state, IoState::broken);
}

}  // namespace
}  // namespace weir
