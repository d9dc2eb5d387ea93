#include "codec/event_stream_tap.h"

#include <gtest/gtest.h>

#include "codec/bedrock_test_util.h"

namespace weir {
namespace {

struct Seen {
  std::string payloads;
  std::string forwarded;
  bool failed = false;
};

// Feeds the pieces; a payload "bad" fails.
Seen feed_pieces(std::string_view bytes, size_t piece) {
  EventStreamTap tap;
  Seen seen;
  for (size_t at = 0; at < bytes.size() && !seen.failed; at += piece) {
    const std::string copy(bytes.substr(at, piece));
    const Result<void> fed = tap.feed(copy, [&](const EventStreamMessage& message) -> Result<void> {
      if (message.payload == "bad") return fail(ErrorKind::upstream_error, "bad");
      seen.payloads += std::string(message.payload) + ";";
      return {};
    });
    seen.failed = !fed;
    seen.forwarded += tap.forwardable();
  }
  tap.finish();
  seen.forwarded += tap.forwardable();
  return seen;
}

TEST(EventStreamTap, PassesWholeMessagesOnUntouchedHoweverCut) {
  const std::string stream = test::frames({{"a", "one"}, {"b", "two"}, {"c", ""}});
  for (size_t piece = 1; piece <= stream.size(); ++piece) {
    const Seen seen = feed_pieces(stream, piece);
    EXPECT_FALSE(seen.failed);
    EXPECT_EQ(seen.payloads, "one;two;;");
    EXPECT_EQ(seen.forwarded, stream) << piece;
  }
}

TEST(EventStreamTap, PassesNothingFromAFailingMessageOn) {
  const std::string good = test::frames({{"a", "one"}});
  const std::string stream = good + test::frames({{"b", "bad"}, {"c", "three"}});
  for (size_t piece = 1; piece <= stream.size(); ++piece) {
    const Seen seen = feed_pieces(stream, piece);
    EXPECT_TRUE(seen.failed);
    EXPECT_EQ(seen.forwarded, good) << piece;
  }
}

TEST(EventStreamTap, RefusesAMessageWhoseChecksumIsWrong) {
  const std::string good = test::frames({{"a", "one"}});
  std::string stream = good + test::frames({{"b", "two"}});
  stream[stream.size() - 6] ^= 1;  // in the payload
  const Seen seen = feed_pieces(stream, 7);
  EXPECT_TRUE(seen.failed);
  EXPECT_EQ(seen.forwarded, good);
}

TEST(EventStreamTap, KeepsACutMessageBack) {
  const std::string good = test::frames({{"a", "one"}});
  const std::string stream = good + test::frames({{"b", "two"}});
  EXPECT_EQ(feed_pieces(stream.substr(0, stream.size() - 1), 5).forwarded, good);
}

}  // namespace
}  // namespace weir
