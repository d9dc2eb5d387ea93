#include "io/sse.h"

#include <gtest/gtest.h>

#include "base/json.h"
#include "io/test_vectors.h"

namespace weir {
namespace {

struct Seen {
  std::string event;
  std::string data;
  std::string id;
  bool operator==(const Seen&) const = default;
};
std::ostream& operator<<(std::ostream& out, const Seen& seen) {
  return out << seen.event << '|' << seen.data << '|' << seen.id;
}

struct Decoded {
  std::vector<Seen> events;
  std::vector<std::string> comments;
  std::optional<Seen> last;  // without its blank line
  bool is_too_large = false;
  bool operator==(const Decoded&) const = default;
};

Decoded decode(const std::vector<std::string_view>& pieces, size_t bytes_max = kSseEventBytesMax) {
  SseDecoder decoder(bytes_max);
  Decoded decoded;
  for (const std::string_view piece : pieces) {
    const std::string copy(piece);  // gone after this round, so that the sanitizer sees a view kept too long
    std::string_view rest = copy;
    for (;;) {
      const auto event = decoder.next(rest);
      if (!event) {
        decoded.is_too_large = true;
        return decoded;
      }
      if (!*event) break;
      if ((*event)->is_comment) {
        decoded.comments.emplace_back((*event)->data);
      } else {
        decoded.events.push_back(
            {std::string((*event)->event), std::string((*event)->data), std::string((*event)->id)});
      }
    }
    EXPECT_TRUE(rest.empty());
  }
  if (const auto event = decoder.finish())
    decoded.last = Seen{std::string(event->event), std::string(event->data), std::string(event->id)};
  return decoded;
}

// The text as a browser shows it: bytes that are not UTF-8 replaced.
std::string as_text(std::string_view bytes) {
  std::string json;
  append_json_string(json, bytes);
  return std::string(JsonDoc::parse(json)->root().string_or("not a string"));
}

TEST(Sse, DecodesTheWhatwgCasesHoweverTheyAreCut) {
  const auto text = test::read_shared("vectors/sse-whatwg/cases.json");
  if (!text) GTEST_SKIP() << "the shared vectors are absent";
  const auto doc = JsonDoc::parse(*text, {.rejects_duplicate_keys = true, .replaces_lone_surrogates = true});
  ASSERT_TRUE(doc) << doc.error().message;
  for (const JsonValue entry : doc->root()) {
    const std::string id(entry["id"].string_or(""));
    std::vector<Seen> expected;
    for (const JsonValue event : entry["expected"])
      expected.push_back({std::string(event["event"].string_or("")), std::string(event["data"].string_or("")),
                          std::string(event["id"].string_or(""))});
    const std::string input = test::from_hex(entry["input_hex"].string_or(""));
    test::for_each_cut(input, [&](const std::vector<std::string_view>& pieces) {
      Decoded decoded = decode(pieces);
      for (Seen& seen : decoded.events) {
        if (seen.event.empty()) seen.event = "message";
        seen.data = as_text(seen.data);
      }
      EXPECT_EQ(decoded.events, expected) << id;
    });
  }
}

TEST(Sse, ReportsCommentsAndTheEventWithoutBlankLine) {
  const std::string_view input = ": ping\ndata: a\n:mid\n\ndata: b\nevent: x";
  test::for_each_cut(input, [&](const std::vector<std::string_view>& pieces) {
    const Decoded decoded = decode(pieces);
    EXPECT_EQ(decoded.events, (std::vector<Seen>{{"", "a", ""}}));
    EXPECT_EQ(decoded.comments, (std::vector<std::string>{" ping", "mid"}));
    EXPECT_EQ(decoded.last, (Seen{"x", "b", ""}));
  });
}

TEST(Sse, GivesDataOfAWholeEventAsAViewOfTheInput) {
  const std::string input = "event: delta\ndata: {\"a\":1}\n\ndata: next\n\n";
  std::string_view rest = input;
  SseDecoder decoder;
  const auto event = decoder.next(rest);
  ASSERT_TRUE(event && *event);
  EXPECT_EQ((*event)->data, "{\"a\":1}");
  EXPECT_GE((*event)->data.data(), input.data());
  EXPECT_LT((*event)->data.data(), input.data() + input.size());
}

TEST(Sse, BoundsTheBytesOfOneEventHoweverTheyAreCut) {
  const std::string line = "data: 0123456789\n";
  std::string input = line + "\n";
  for (int i = 0; i < 10; ++i) input += line;
  for (const size_t bytes_max : {15U, 16U, 60U, 109U, 119U, 120U, 200U}) {
    const Decoded whole = decode({input}, bytes_max);
    EXPECT_EQ(whole.is_too_large, bytes_max < 115) << bytes_max;
    test::for_each_cut(input, [&](const std::vector<std::string_view>& pieces) {
      EXPECT_EQ(decode(pieces, bytes_max), whole) << bytes_max;
    });
  }
  EXPECT_TRUE(decode({std::string(100, 'x')}, 99).is_too_large);
}

TEST(Sse, KeepsRetry) {
  SseDecoder decoder;
  std::string_view rest = "retry: 3000\nretry: 1x\nretry: -1\n\n";
  EXPECT_FALSE(*decoder.next(rest));
  EXPECT_EQ(decoder.retry_ms(), 3000U);
}

TEST(Sse, ReadsWhatItWrites) {
  std::string out;
  append_sse_event(out, "message_start", "{\"a\":1}");
  append_sse_comment(out, "keep-alive");
  append_sse_event(out, "", "one\ntwo\r\nthree\rfour\n");
  EXPECT_TRUE(out.starts_with("event: message_start\ndata: {\"a\":1}\n\n: keep-alive\n\n"));
  const Decoded decoded = decode({out});
  EXPECT_EQ(decoded.events,
            (std::vector<Seen>{{"message_start", "{\"a\":1}", ""}, {"", "one\ntwo\nthree\nfour\n", ""}}));
  EXPECT_EQ(decoded.comments, std::vector<std::string>{" keep-alive"});
}

}  // namespace
}  // namespace weir
