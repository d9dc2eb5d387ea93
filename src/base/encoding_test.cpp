#include "base/encoding.h"

#include <cmath>
#include <gtest/gtest.h>
#include <limits>

namespace weir {
namespace {

std::string bytes_up_to(size_t size) {
  std::string bytes;
  for (size_t i = 0; i < size; ++i) bytes += static_cast<char>(i * 37 + 251);
  return bytes;
}

TEST(Base64, EncodesTheExamplesOfRfc4648) {
  const std::vector<std::pair<std::string, std::string>> examples = {{"", ""},
                                                                     {"f", "Zg=="},
                                                                     {"fo", "Zm8="},
                                                                     {"foo", "Zm9v"},
                                                                     {"foob", "Zm9vYg=="},
                                                                     {"fooba", "Zm9vYmE="},
                                                                     {"foobar", "Zm9vYmFy"}};
  for (const auto& [bytes, text] : examples) {
    EXPECT_EQ(base64_encode(bytes), text);
    EXPECT_EQ(base64_decode(text).value(), bytes);
  }
  EXPECT_EQ(base64_encode("\xFB\xFF\xFE"), "+//+");
  EXPECT_EQ(base64url_encode("\xFB\xFF\xFE"), "-__-");
  EXPECT_EQ(base64url_encode("f"), "Zg");
  std::string out = "data:;base64,";
  append_base64(out, "fo");
  EXPECT_EQ(out, "data:;base64,Zm8=");
}

TEST(Base64, ReadsBackEveryLength) {
  for (size_t size = 0; size < 300; ++size) {
    const std::string bytes = bytes_up_to(size);
    EXPECT_EQ(base64_decode(base64_encode(bytes)).value(), bytes);
    EXPECT_EQ(base64url_decode(base64url_encode(bytes)).value(), bytes);
  }
}

TEST(Base64, RefusesEverySecondSpelling) {
  for (const char* text : {"Zg", "Zg=", "Zh==", "Zm9=", "Zg==\n", "Z g=", "Zg==Zg==", "====", "=",
                           "A===", "-__-", "Zm9v=", "AA=A", "Zm9v!"}) {
    const auto read = base64_decode(text);
    ASSERT_FALSE(read) << text;
    EXPECT_EQ(read.error().kind, ErrorKind::bad_request);
  }
  EXPECT_EQ(base64_decode("Zg", Base64Padding::optional).value(), "f");
  EXPECT_EQ(base64_decode("Zg==", Base64Padding::optional).value(), "f");
  EXPECT_FALSE(base64_decode("Zg=", Base64Padding::optional));
  EXPECT_FALSE(base64url_decode("Zg=="));
  EXPECT_FALSE(base64url_decode("+//+"));
  EXPECT_FALSE(base64url_decode("Zh"));
  EXPECT_NE(base64_decode("Zm9vZ*8=").error().message.find("byte 5"), std::string::npos);
}

TEST(Float32Base64, IsLittleEndianFloatsInARow) {
  EXPECT_EQ(float32_base64_encode(std::vector<float>{1.0F, -2.0F}),
            base64_encode({"\x00\x00\x80\x3f\x00\x00\x00\xc0", 8}));
  const std::vector<float> values = {0.0F, -0.0F, 1e-38F, std::numeric_limits<float>::infinity(), 0.1F};
  EXPECT_EQ(float32_base64_decode(float32_base64_encode(values)).value(), values);
  EXPECT_TRUE(float32_base64_decode("").value().empty());
  EXPECT_FALSE(float32_base64_decode("Zm9v"));
  EXPECT_FALSE(float32_base64_decode("Zm9vYg="));
}

TEST(Hex, WritesLowerCaseAndReadsBoth) {
  EXPECT_EQ(hex_encode(std::string_view("\x00\xAB\xff", 3)), "00abff");
  EXPECT_EQ(hex_decode("00aBFf").value(), std::string("\x00\xAB\xff", 3));
  EXPECT_FALSE(hex_decode("0"));
  EXPECT_FALSE(hex_decode("0g"));
  EXPECT_NE(hex_decode("00:0").error().message.find("byte 2"), std::string::npos);
}

TEST(PercentEncode, LeavesWhatThePartAllows) {
  constexpr std::string_view kText = "aZ9-._~:/?#[]@!$&'()*+,;= %\xC3\xA9";
  EXPECT_EQ(percent_encode(kText, UrlPart::unreserved),
            "aZ9-._~%3A%2F%3F%23%5B%5D%40%21%24%26%27%28%29%2A%2B%2C%3B%3D%20%25%C3%A9");
  EXPECT_EQ(percent_encode(kText, UrlPart::segment), "aZ9-._~:%2F%3F%23%5B%5D@!$&'()*+,;=%20%25%C3%A9");
  EXPECT_EQ(percent_encode(kText, UrlPart::path), "aZ9-._~:/%3F%23%5B%5D@!$&'()*+,;=%20%25%C3%A9");
  EXPECT_EQ(percent_encode(std::string_view("\0", 1), UrlPart::path), "%00");
}

TEST(PercentDecode, ReadsBackEveryByteAndRefusesHalfAnEscape) {
  const std::string all = bytes_up_to(256);
  for (const UrlPart part : {UrlPart::unreserved, UrlPart::segment, UrlPart::path}) {
    EXPECT_EQ(percent_decode(percent_encode(all, part)).value(), all);
  }
  EXPECT_EQ(percent_decode("a+b%2fc").value(), "a+b/c");
  EXPECT_EQ(query_decode("a+b%2Bc").value(), "a b+c");
  for (const char* text : {"%", "%4", "%4g", "%g4", "abc%", "%%41", "% 1"})
    EXPECT_FALSE(percent_decode(text)) << text;
  EXPECT_NE(percent_decode("ab%2").error().message.find("byte 2"), std::string::npos);
}

TEST(Utf8, KnowsEveryCodePointAndNoSurrogate) {
  for (uint32_t code_point = 0; code_point <= 0x10FFFF; ++code_point) {
    std::string text;
    append_utf8(text, code_point);
    const bool is_surrogate = code_point >= 0xD800 && code_point < 0xE000;
    ASSERT_EQ(is_utf8(text), !is_surrogate) << code_point;
  }
}

TEST(Utf8, FindsTheFirstBadByte) {
  EXPECT_EQ(utf8_valid_prefix("0123456789\xC3\xA9"), 12u);
  const std::vector<std::pair<std::string, size_t>> bad = {{"\x80", 0},
                                                           {"ab\xC3", 2},
                                                           {"\xC0\xAF", 0},
                                                           {"\xC1\xBF", 0},
                                                           {"\xE0\x9F\xBF", 0},
                                                           {"\xED\xA0\x80", 0},
                                                           {"\xF0\x8F\xBF\xBF", 0},
                                                           {"\xF4\x90\x80\x80", 0},
                                                           {"\xF5\x80\x80\x80", 0},
                                                           {"\xFF", 0},
                                                           {"0123456\xE2\x82z", 7},
                                                           {"012345678\xC3\xA9\xC3", 11}};
  for (const auto& [text, at] : bad) EXPECT_EQ(utf8_valid_prefix(text), at) << text;
}

TEST(Utf8UnfinishedTail, IsWhatTheNextChunkMayFinish) {
  const std::string text = "a\xC3\xA9\xE2\x82\xAC\xF0\x9F\x98\x80";
  const std::vector<size_t> tails = {0, 0, 1, 0, 1, 2, 0, 1, 2, 3, 0};  // after 0, 1, 2 … bytes
  for (size_t size = 0; size < tails.size(); ++size) {
    EXPECT_EQ(utf8_unfinished_tail(std::string_view(text).substr(0, size)), tails[size]) << size;
    EXPECT_TRUE(is_utf8(std::string_view(text).substr(0, size - tails[size])));
  }
  // What no further byte can make right is not kept back.
  for (const char* hopeless :
       {"\xFF", "\x80", "a\x80\x80", "\xE0\x80", "\xED\xA0", "\xF4\x90\x80", "\xC0", "\xC3\xA9\xA9"}) {
    EXPECT_EQ(utf8_unfinished_tail(hopeless), 0u) << hopeless;
  }
}

TEST(SanitizeUtf8, ReplacesMaximalParts) {
  EXPECT_EQ(sanitize_utf8("plain \xC3\xA9"), "plain \xC3\xA9");
  EXPECT_EQ(sanitize_utf8(""), "");
  // The example of the Unicode standard, table 3-8.
  EXPECT_EQ(
      sanitize_utf8("\xC0\xAF\xE0\x80\xBF\xF0\x81\x82\x41"),
      "\xEF\xBF\xBD\xEF\xBF\xBD\xEF\xBF\xBD\xEF\xBF\xBD\xEF\xBF\xBD\xEF\xBF\xBD\xEF\xBF\xBD\xEF\xBF\xBD\x41");
  // Table 3-11: truncated sequences.
  EXPECT_EQ(sanitize_utf8("\xE1\x80\xE2\xF0\x91\x92\xF1\xBF\x41"),
            "\xEF\xBF\xBD\xEF\xBF\xBD\xEF\xBF\xBD\xEF\xBF\xBD\x41");
}

TEST(ClipUtf8, NeverEndsInsideACodePoint) {
  const std::string_view text = "a\xC3\xA9\xF0\x9F\x98\x80z";
  EXPECT_EQ(clip_utf8(text, 100), text);
  EXPECT_EQ(clip_utf8(text, text.size()), text);
  EXPECT_EQ(clip_utf8(text, 7), text.substr(0, 7));
  for (const size_t size : {3u, 4u, 5u, 6u}) EXPECT_EQ(clip_utf8(text, size), text.substr(0, 3));
  EXPECT_EQ(clip_utf8(text, 2), "a");
  EXPECT_EQ(clip_utf8(text, 0), "");
}

}  // namespace
}  // namespace weir
