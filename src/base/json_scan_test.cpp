#include "base/json_scan.h"

#include <algorithm>
#include <gtest/gtest.h>
#include <string>

#include "base/json.h"
#include "base/random.h"

namespace weir {
namespace {

// The same, byte by byte.
detail::JsonStringScan scan_slowly(const std::string& text) {
  detail::JsonStringScan found{.end = text.data()};
  const char* const end = text.data() + text.size();
  for (const char*& p = found.end; p < end; ++p) {
    const auto byte = static_cast<unsigned char>(*p);
    if (byte < 0x20 || byte == '"') break;
    found.has_high_bytes |= byte >= 0x80;
    if (byte != '\\') continue;
    found.has_escapes = true;
    if (++p == end) break;
  }
  return found;
}

std::string random_text(Rng& rng) {
  std::string text;
  for (size_t size = rng.below(150); text.size() < size;) {
    constexpr std::string_view kRare = "\\\\\\\"\n\xc3";
    const uint64_t kind = rng.below(60);
    text += kind < kRare.size() ? kRare[kind] : static_cast<char>('a' + rng.below(26));
  }
  return text;
}

TEST(JsonScan, FindsTheEndWhereverItStands) {
  Rng rng(7);
  for (int i = 0; i < 20'000; ++i) {
    const std::string text = random_text(rng);
    const detail::JsonStringScan found = detail::scan_json_string(text.data(), text.data() + text.size());
    const detail::JsonStringScan expected = scan_slowly(text);
    ASSERT_EQ(found.end - text.data(), expected.end - text.data()) << text;
    ASSERT_EQ(found.has_escapes, expected.has_escapes) << text;
    if (expected.has_high_bytes) ASSERT_TRUE(found.has_high_bytes) << text;
  }
}

TEST(JsonScan, FindsTheEndOfAPlainWord) {
  Rng rng(8);
  int words = 0;
  for (int i = 0; i < 20'000; ++i) {
    const std::string text = random_text(rng);
    const std::string quoted = '"' + text;
    const size_t last = quoted.size() - std::min(detail::kJsonWordWidth, quoted.size());
    const char* const begin = quoted.data() + 1;
    const detail::JsonWordScan word = detail::scan_json_word(begin, quoted.data() + last);
    const detail::JsonStringScan expected = scan_slowly(text);
    const auto size = static_cast<size_t>(expected.end - text.data());
    const bool is_plain = !expected.has_escapes && size < text.size() && text[size] == '"';
    if (word.end) {
      ++words;
      ASSERT_TRUE(is_plain) << text;
      ASSERT_EQ(word.end - begin, static_cast<ptrdiff_t>(size)) << text;
      if (expected.has_high_bytes) ASSERT_NE(word.high_bytes, 0u) << text;
    } else {
      const bool is_short = size < detail::kJsonWordWidth && text.size() >= detail::kJsonWordWidth;
      ASSERT_FALSE(is_plain && is_short) << text;
    }
  }
  EXPECT_GT(words, 1000);
}

TEST(JsonScan, KnowsAnEscapeAcrossTwoVectors) {
  for (size_t before = 0; before < 70; ++before) {
    const std::string text =
        std::string(before, 'a') + R"(\"b" and what follows, which is longer than a vector)";
    EXPECT_EQ(find_json_string_end(text.data(), text.data() + text.size()), text.data() + before + 3);
  }
}

TEST(JsonScan, GivesNoEndToAStringWithoutOne) {
  for (const std::string text : {"", "abc", "abc\\", "abc\n\"", R"(abc\")"})
    EXPECT_EQ(find_json_string_end(text.data(), text.data() + text.size()), nullptr) << text;
}

}  // namespace
}  // namespace weir
