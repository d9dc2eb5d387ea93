#include "io/sse_events.h"

#include <gtest/gtest.h>
#include <vector>

namespace weir {
namespace {

constexpr size_t kNoLimit = 1'000'000;

// What passes of each piece.
std::vector<std::string> passed(const std::vector<std::string>& pieces, size_t held_bytes_max = kNoLimit) {
  WholeSseEvents events(held_bytes_max);
  std::vector<std::string> seen;
  for (const std::string& piece : pieces) seen.emplace_back(events.feed(piece));
  return seen;
}

using Pieces = std::vector<std::string>;

TEST(WholeSseEvents, PassWithWhatIsWholeAndHoldWhatIsNot) {
  EXPECT_EQ(passed({"data: a\n\ndata: b\n\nda", "ta: c", "\n", "\ndata: d\n\n"}),
            (Pieces{"data: a\n\ndata: b\n\n", "", "", "data: c\n\ndata: d\n\n"}));
  EXPECT_EQ(passed({"event: e\nid: 1\n", "data: a\n", "\n", ": hi\n\n"}),
            (Pieces{"", "", "event: e\nid: 1\ndata: a\n\n", ": hi\n\n"}));
}

TEST(WholeSseEvents, EndWithABlankLineOfEachKind) {
  for (const std::string& end : {"\n", "\r", "\r\n"}) {
    const std::string event = "event: e" + end + "data: {\"a\":1}" + end + end;
    EXPECT_EQ(passed({event + "data: b" + end}), (Pieces{event}));
    // A carriage return ends a line by itself; what belongs to it may pass behind it.
    std::string all;
    for (const std::string& one : passed({event.substr(0, event.size() - 1), event.substr(event.size() - 1)}))
      all += one;
    EXPECT_EQ(all, event);
  }
  EXPECT_EQ(passed({"data: a\r", "\ndata: b\r", "\n", "\r\n"}).back(), "data: a\r\ndata: b\r\n\r\n")
      << "one CR LF, however it is cut, ends a line and not an event";
}

TEST(WholeSseEvents, CostNoCopyWhereTheyLieInOnePiece) {
  WholeSseEvents events(kNoLimit);
  const std::string piece = "data: a\n\ndata: b\n\ndata: c";
  EXPECT_EQ(events.feed(piece).data(), piece.data());
}

TEST(WholeSseEvents, OverTheLimitPassAsTheyComeUntilOneEnds) {
  WholeSseEvents events(10);
  EXPECT_EQ(events.feed("data: abc"), "");
  EXPECT_FALSE(events.is_within_event());
  EXPECT_EQ(events.feed("de"), "data: abcde");
  EXPECT_TRUE(events.is_within_event());
  EXPECT_EQ(events.feed("f"), "f");
  EXPECT_EQ(events.feed("\n\ndata"), "\n\n");
  EXPECT_FALSE(events.is_within_event());
  EXPECT_EQ(events.feed("\n\ndata: of twenty bytes"), "data\n\ndata: of twenty bytes");
  EXPECT_TRUE(events.is_within_event());
}

TEST(WholeSseEvents, OfAStreamThatEndedInOrderAllIsGiven) {
  WholeSseEvents events(kNoLimit);
  EXPECT_EQ(events.feed("data: a\n\nda"), "data: a\n\n");
  EXPECT_EQ(events.finish("ta: b"), "data: b");
  EXPECT_EQ(WholeSseEvents(kNoLimit).finish("data: c"), "data: c");
}

// Nothing is lost, added or moved in any cut, and what has passed always ends where an event may begin.
TEST(WholeSseEvents, AreTheSameInAnyCut) {
  const std::string text =
      "\r\n: hi\n\ndata: a\r\ndata: b\r\n\r\nevent: e\rdata: c\r\rdata: d\n\n\n\ndata: x";
  for (size_t first = 0; first <= text.size(); ++first) {
    for (size_t second = first; second <= text.size(); ++second) {
      WholeSseEvents events(kNoLimit);
      std::string all;
      for (const std::string_view piece :
           {std::string_view(text).substr(0, first), std::string_view(text).substr(first, second - first)}) {
        all += events.feed(piece);
        EXPECT_TRUE(all.empty() || all.back() == '\n' || all.back() == '\r') << all;
        EXPECT_EQ(all.find("data: x"), std::string::npos);
      }
      all += events.finish(std::string_view(text).substr(second));
      EXPECT_EQ(all, text);
    }
  }
}

}  // namespace
}  // namespace weir
