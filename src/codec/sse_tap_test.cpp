#include "codec/sse_tap.h"

#include <gtest/gtest.h>

namespace weir {
namespace {

// Forwards everything but events whose data is "mine"; gives what was forwarded over all feeds.
std::string forward(const std::vector<std::string_view>& chunks) {
  SseTap tap;
  std::string seen;
  const auto handle = [](const SseEvent& event) -> Result<SseVerdict> {
    if (event.data == "bad") return fail(ErrorKind::upstream_error, "bad");
    return event.data == "mine" ? SseVerdict::drop : SseVerdict::keep;
  };
  for (const std::string_view chunk : chunks) {
    const bool fed = tap.feed(chunk, handle).has_value();
    seen += tap.forwardable();
    if (!fed) return seen;
  }
  EXPECT_TRUE(tap.finish(handle));
  return seen + std::string(tap.forwardable());
}

constexpr std::string_view kStream = ": hi\n\ndata: a\n\ndata: mine\n\nevent: x\ndata: b\n\n";
constexpr std::string_view kForwarded = ": hi\n\ndata: a\n\nevent: x\ndata: b\n\n";

TEST(SseTap, ForwardsWholeEventsButTheDroppedOneHoweverTheyAreCut) {
  EXPECT_EQ(forward({kStream}), kForwarded);
  for (size_t cut = 0; cut <= kStream.size(); ++cut) {
    EXPECT_EQ(forward({kStream.substr(0, cut), kStream.substr(cut)}), kForwarded) << "cut at " << cut;
  }
}

TEST(SseTap, HoldsAnEventBackUntilItIsWhole) {
  SseTap tap;
  const auto keep = [](const SseEvent&) -> Result<SseVerdict> { return SseVerdict::keep; };
  ASSERT_TRUE(tap.feed("data: a\n\ndata: b", keep));
  EXPECT_EQ(tap.forwardable(), "data: a\n\n");
  ASSERT_TRUE(tap.feed("\n\n", keep));
  EXPECT_EQ(tap.forwardable(), "data: b\n\n");
}

TEST(SseTap, NothingFromAFailingEventOnIsForwarded) {
  EXPECT_EQ(forward({"data: a\n\ndata: bad\n\ndata: b\n\n"}), "data: a\n\n");
}

TEST(SseTap, CompletesALastEventWithoutItsBlankLine) {
  EXPECT_EQ(forward({"data: a"}), "data: a\n\n");
}

TEST(SseTap, DropsAFieldThatWasCutBeforeItsValue) {
  EXPECT_EQ(forward({"data: a\n\ndata:"}), "data: a\n\n");
  EXPECT_EQ(forward({"data: a\n\neve"}), "data: a\n\n");
}

TEST(SseTap, AddsWhatTheProviderLeftOut) {
  const auto keep = [](const SseEvent&) -> Result<SseVerdict> { return SseVerdict::keep; };
  for (const std::string_view last : {"", "data: b", "data:"}) {
    SseTap tap;
    ASSERT_TRUE(tap.feed("data: a\n\n", keep));
    ASSERT_TRUE(tap.feed(last, keep));
    ASSERT_TRUE(tap.finish(keep));
    tap.add("data: end\n\n");
    EXPECT_EQ(tap.forwardable(), last == "data: b" ? "data: b\n\ndata: end\n\n" : "data: end\n\n");
  }
}

TEST(SseTap, IsCopyableInMidEvent) {
  SseTap tap;
  const auto keep = [](const SseEvent&) -> Result<SseVerdict> { return SseVerdict::keep; };
  ASSERT_TRUE(tap.feed("data: a", keep));
  SseTap copy = tap;
  ASSERT_TRUE(copy.feed("b\n\n", keep));
  EXPECT_EQ(copy.forwardable(), "data: ab\n\n");
  ASSERT_TRUE(tap.feed("c\n\n", keep));
  EXPECT_EQ(tap.forwardable(), "data: ac\n\n");
}

}  // namespace
}  // namespace weir
