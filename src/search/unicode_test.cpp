#include "search/unicode.h"

#include <gtest/gtest.h>
#include <vector>

namespace weir {
namespace {

std::vector<std::string> words_of(std::string_view text) {
  std::vector<std::string> words;
  WordScanner scanner(text);
  while (const auto word = scanner.next()) words.emplace_back(text.substr(word->offset, word->size));
  return words;
}

using Words = std::vector<std::string>;

TEST(DecodeUtf8, GivesCodePointsAndGoesOnByOneByteWhenInvalid) {
  EXPECT_EQ(decode_utf8("a", 0).value, U'a');
  EXPECT_EQ(decode_utf8("\u00e9", 0).size, 2u);
  EXPECT_EQ(decode_utf8("\u20ac", 0).value, U'\u20ac');
  EXPECT_EQ(decode_utf8("\xf0\x9f\x98\x80", 0).value, U'\U0001f600');
  for (const std::string_view bad :
       {"\x80", "\xc0\xaf", "\xe2\x82", "\xed\xa0\x80", "\xf4\x90\x80\x80", "\xff", "\xf0\x82\x82\xac"}) {
    EXPECT_EQ(decode_utf8(bad, 0).value, U'\ufffd');
    EXPECT_EQ(decode_utf8(bad, 0).size, 1u);
  }
}

TEST(Fold, TakesCaseAndAccentsAwayInEuropesScripts) {
  EXPECT_EQ(fold("ÀÉÎõÜ ẞß Æœ Ñ"), "aeiou ssss aeoe n");
  EXPECT_EQ(fold("Łódź ČŘ ąęı"), "lodz cr aei");
  EXPECT_EQ(fold("Việt Nam"), "viet nam");
  EXPECT_EQ(fold("ΆΛΦΑ Σίσυφος"), "αλφα σισυφοσ");
  EXPECT_EQ(fold("ЁЖИК Її"), "ежик її");
  EXPECT_EQ(fold("e\u0301"), "e") << "a combining accent";
  EXPECT_EQ(fold("\uff21\uff42\uff13"), "ab3") << "full width";
}

TEST(Fold, LeavesWhatHasNoCase) {
  EXPECT_EQ(fold("東京 한국 שלום"), "東京 한국 שלום");
}

TEST(IsUpper, KnowsTheCaseOfEuropesLetters) {
  for (const char32_t c : {U'A', U'É', U'Č', U'Ž', U'Ω', U'Ж', U'Ё', U'Ł'}) {
    EXPECT_TRUE(is_upper(c) && !is_lower(c)) << static_cast<uint32_t>(c);
  }
  for (const char32_t c : {U'a', U'é', U'č', U'ž', U'ω', U'ж', U'ё', U'ł', U'ß', U'ÿ'}) {
    EXPECT_TRUE(is_lower(c) && !is_upper(c)) << static_cast<uint32_t>(c);
  }
  for (const char32_t c : {U'1', U'-', U'×', U'÷', U'東'}) EXPECT_FALSE(is_upper(c) || is_lower(c));
}

TEST(WordScanner, KeepsApostrophesAndDecimalsInside) {
  EXPECT_EQ(words_of("Don't pay 3.14 or 1,000 (now)."),
            (Words{"Don't", "pay", "3.14", "or", "1,000", "now"}));
  EXPECT_EQ(words_of("'quoted' rock'n'roll 5. x."), (Words{"quoted", "rock'n'roll", "5", "x"}));
  EXPECT_EQ(words_of("l\u2019eau max_tokens well-known a.b"),
            (Words{"l\u2019eau", "max", "tokens", "well", "known", "a", "b"}));
}

TEST(WordScanner, CutsIdeographsIntoOverlappingPairs) {
  EXPECT_EQ(words_of("東京都は"), (Words{"東京", "京都", "都は"}));
  EXPECT_EQ(words_of("a東b"), (Words{"a", "東", "b"}));
  EXPECT_EQ(words_of("世界。你好"), (Words{"世界", "你好"}));
}

TEST(WordScanner, FindsNothingInPunctuationAndInvalidBytes) {
  EXPECT_EQ(words_of(""), Words{});
  EXPECT_EQ(words_of(" .,;!\u3002\u2026 \xff\xfe"), Words{});
  EXPECT_EQ(words_of("a\xff"
                     "b"),
            (Words{"a", "b"}));
}

}  // namespace
}  // namespace weir
