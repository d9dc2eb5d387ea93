#include "io/event_stream.h"

#include <gtest/gtest.h>

#include "base/json.h"
#include "io/test_vectors.h"

namespace weir {
namespace {

using enum EventStreamType;

// Every message as text, then the error or "cut" or "end".
std::vector<std::string> decode(const std::vector<std::string_view>& pieces, size_t bytes_max = 1 * kMiB) {
  EventStreamDecoder decoder(bytes_max);
  std::vector<std::string> seen;
  for (const std::string_view piece : pieces) {
    const std::string copy(piece);
    std::string_view rest = copy;
    for (;;) {
      const auto message = decoder.next(rest);
      if (!message) {
        seen.push_back(message.error().message);
        return seen;
      }
      if (!*message) break;
      std::string text;
      for (const EventStreamHeader& header : (*message)->headers)
        text += fmt::format("{}:{}={}{} ", header.name, static_cast<int>(header.type), header.text,
                            header.number);
      seen.push_back(text + std::string((*message)->payload));
    }
  }
  seen.push_back(decoder.is_at_boundary() ? "end" : "cut");
  return seen;
}

TEST(EventStream, DecodesTheVectorsOfTheSdks) {
  if (!test::read_shared("vectors/aws-eventstream/encoded/positive/empty_message"))
    GTEST_SKIP() << "the shared vectors are absent";
  const std::string folder = "vectors/aws-eventstream/";
  for (const std::string name :
       {"all_headers", "int32_header", "payload_one_str_header", "empty_message", "payload_no_headers"}) {
    const std::string encoded = *test::read_shared(folder + "encoded/positive/" + name);
    const auto expected = JsonDoc::parse(*test::read_shared(folder + "decoded/positive/" + name));
    ASSERT_TRUE(expected) << name;
    std::string_view rest = encoded;
    EventStreamDecoder decoder;
    const auto message = decoder.next(rest);
    ASSERT_TRUE(message && *message) << name;
    ASSERT_EQ((*message)->headers.size(), expected->root()["headers"].size()) << name;
    for (size_t i = 0; i < (*message)->headers.size(); ++i) {
      const EventStreamHeader& header = (*message)->headers[i];
      const JsonValue wanted = expected->root()["headers"].at(i);
      EXPECT_EQ(header.name, wanted["name"].string_or(""));
      EXPECT_EQ(static_cast<int64_t>(header.type), wanted["type"].int_or(-1));
      if (wanted["value"].is_number()) EXPECT_EQ(header.number, wanted["value"].int_or(0)) << header.name;
    }
    EXPECT_TRUE(rest.empty());
    std::string again;
    ASSERT_TRUE(append_event_stream(again, (*message)->headers, (*message)->payload));
    EXPECT_EQ(again, encoded) << name;
  }
  for (const std::string name :
       {"corrupted_payload", "corrupted_length", "corrupted_headers", "corrupted_header_len"}) {
    const std::string encoded = *test::read_shared(folder + "encoded/negative/" + name);
    const std::string why = *test::read_shared(folder + "decoded/negative/" + name);
    const std::string seen = decode({encoded}).at(0);
    EXPECT_NE(seen.find(why.starts_with("Prelude") ? "checksum of a prelude" : "checksum of a message"),
              std::string::npos)
        << name << ": " << seen;
  }
}

std::string two_frames() {
  const std::vector<EventStreamHeader> headers = {{":message-type", string, "event"},
                                                  {"t", true_value, {}, 1},
                                                  {"f", false_value},
                                                  {"b", int8, {}, -49},
                                                  {"h", int16, {}, -2},
                                                  {"i", int32, {}, INT32_MIN},
                                                  {"l", int64, {}, INT64_MIN},
                                                  {"d", timestamp, {}, 8675309},
                                                  {"x", bytes, "\x01\xff"},
                                                  {"u", uuid, "0123456789abcdef"}};
  std::string out;
  EXPECT_TRUE(append_event_stream(out, headers, "{\"a\":1}"));
  EXPECT_TRUE(append_event_stream(out, {}, ""));
  return out;
}

TEST(EventStream, ReadsAllHeaderTypesThatItWritesHoweverTheyAreCut) {
  const std::string input = two_frames();
  const std::vector<std::string> whole = decode({input});
  ASSERT_EQ(whole.size(), 3U);
  EXPECT_EQ(whole[0],
            ":message-type:7=event0 t:0=1 f:1=0 b:2=-49 h:3=-2 i:4=-2147483648 l:5=-9223372036854775808 "
            "d:8=8675309 x:6=\x01\xff"
            "0 u:9=0123456789abcdef0 {\"a\":1}");
  EXPECT_EQ(whole[1], "");
  EXPECT_EQ(whole[2], "end");
  test::for_each_cut(input,
                     [&](const std::vector<std::string_view>& pieces) { EXPECT_EQ(decode(pieces), whole); });
}

TEST(EventStream, RefusesEveryFlippedByte) {
  const std::string input = two_frames();
  const std::vector<std::string> whole = decode({input});
  for (size_t i = 0; i < input.size(); ++i) {
    std::string flipped = input;
    flipped[i] = static_cast<char>(flipped[i] ^ 0x10);
    EXPECT_NE(decode({flipped}).back(), "end") << i;
  }
}

TEST(EventStream, KnowsThatAStreamWasCut) {
  const std::string input = two_frames();
  EXPECT_EQ(decode({std::string_view(input).substr(0, 5)}).back(), "cut");
  EXPECT_EQ(decode({std::string_view(input).substr(0, input.size() - 1)}).back(), "cut");
}

TEST(EventStream, RefusesLengthsThatDoNotFitWithRightChecksums) {
  std::string out;
  ASSERT_TRUE(append_event_stream(out, {}, std::string(100, 'x')));
  EXPECT_NE(decode({out}, 115).at(0).find("too large"), std::string::npos);
  EXPECT_EQ(decode({out}, 116).back(), "end");
}

TEST(EventStream, RefusesToWriteHeadersThatDoNotFit) {
  std::string out = "before";
  const std::string long_name(256, 'n');
  const std::string long_text(32768, 't');
  EXPECT_FALSE(append_event_stream(out, std::vector<EventStreamHeader>{{"", string, "x"}}, ""));
  EXPECT_FALSE(append_event_stream(out, std::vector<EventStreamHeader>{{long_name, string, "x"}}, ""));
  EXPECT_FALSE(append_event_stream(out, std::vector<EventStreamHeader>{{"n", string, long_text}}, ""));
  EXPECT_FALSE(append_event_stream(out, std::vector<EventStreamHeader>{{"n", uuid, "short"}}, ""));
  EXPECT_EQ(out, "before");
}

}  // namespace
}  // namespace weir
