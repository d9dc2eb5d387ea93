#include "codec/sse_tap.h"

#include <algorithm>
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

TEST(SseTap, ForwardsEventsThatEndInBothLineEndsHoweverTheyAreCut) {
  constexpr std::string_view stream = ": hi\r\n\r\ndata: a\r\n\r\ndata: mine\r\n\r\ndata: b\r\n\r\n";
  constexpr std::string_view forwarded = ": hi\r\n\r\ndata: a\r\n\r\ndata: b\r\n\r\n";
  EXPECT_EQ(forward({stream}), forwarded);
  for (size_t cut = 0; cut <= stream.size(); ++cut) {
    EXPECT_EQ(forward({stream.substr(0, cut), stream.substr(cut)}), forwarded) << "cut at " << cut;
  }
  std::vector<std::string_view> bytes;
  for (size_t i = 0; i < stream.size(); ++i) bytes.push_back(stream.substr(i, 1));
  EXPECT_EQ(forward(bytes), forwarded);
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

// Calls for the text of `bytes`, cut into pieces of `size` bytes, after the first event was taken as one of
// many alike; what was forwarded must be what came.
std::vector<std::string> handed_out(std::string_view bytes, size_t size) {
  SseTap tap;
  std::vector<std::string> seen;
  std::string forwarded;
  const auto handle = [&](const SseEvent& event) -> Result<SseVerdict> {
    seen.emplace_back(event.data);
    return event.data.starts_with('{') ? SseVerdict::keep_alike : SseVerdict::keep;
  };
  for (size_t at = 0; at < bytes.size(); at += size) {
    EXPECT_TRUE(tap.feed(bytes.substr(at, size), handle));
    forwarded += tap.forwardable();
  }
  EXPECT_EQ(forwarded, bytes);
  return seen;
}

TEST(SseTap, HandsOutOneOfManyEventsThatDifferInTheirText) {
  const std::string stream =
      "data: {\"text\":\"a\",\"stop\":null}\n\n"
      "data: {\"text\":\"b \\\" c\",\"stop\":null}\n\n"
      "data: {\"text\":\"\",\"stop\":null}\n\n"
      "data: {\"text\":\"d\",\"stop\":\"length\"}\n\n"
      "data: [DONE]\n\n"
      "data: {\"text\":\"late\",\"stop\":null}\n\n";
  const std::vector<std::string> told = {R"({"text":"a","stop":null})", R"({"text":"d","stop":"length"})",
                                         "[DONE]", R"({"text":"late","stop":null})"};
  EXPECT_EQ(handed_out(stream, stream.size()), told);
  for (size_t size = 1; size < stream.size(); ++size) {
    const std::vector<std::string> seen = handed_out(stream, size);
    // More are handed out where an event is cut, but never fewer.
    for (const std::string& data : told) EXPECT_EQ(std::count(seen.begin(), seen.end(), data), 1) << size;
  }
}

TEST(SseTap, HandsOutWhatFollowsACommentWithinAnEvent) {
  EXPECT_EQ(handed_out("data: {\"text\":\"a\"}\n\ndata: x\n:hm\n\ndata: {\"text\":\"b\"}\n\n", 100),
            (std::vector<std::string>{R"({"text":"a"})", "hm", "x", R"({"text":"b"})"}));
}

}  // namespace
}  // namespace weir
