#include "base/text.h"

#include <algorithm>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <limits>
#include <random>

namespace weir {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;

std::vector<std::string_view> parts(std::string_view text, char separator) {
  std::vector<std::string_view> all;
  for (const std::string_view part : split(text, separator)) all.push_back(part);
  return all;
}

TEST(Case, IsIgnoredForAsciiOnly) {
  EXPECT_TRUE(equals_ignore_case("Content-TYPE", "content-type"));
  EXPECT_FALSE(equals_ignore_case("content-type", "content-typ"));
  EXPECT_FALSE(equals_ignore_case("\xC3\x89", "\xC3\xA9"));
  EXPECT_FALSE(equals_ignore_case("@", "`"));
  EXPECT_TRUE(starts_with_ignore_case("Bearer x", "bearer "));
  EXPECT_FALSE(starts_with_ignore_case("Bear", "bearer"));
  EXPECT_EQ(to_lower("AbZ[\xC3\x89"), "abz[\xC3\x89");
}

TEST(Trim, RemovesWhiteSpaceAtBothEnds) {
  EXPECT_EQ(trim(" \t a b\r\n"), "a b");
  EXPECT_EQ(trim(" \n "), "");
  EXPECT_EQ(trim(""), "");
}

TEST(Characters, AreCodePoints) {
  EXPECT_EQ(characters(""), 0);
  EXPECT_EQ(characters("plain"), 5);
  EXPECT_EQ(characters("Gr\xC3\xBC\xC3\x9F"
                       "e"),
            5);
  EXPECT_EQ(characters("\xE2\x82\xAC\xF0\x9F\x99\x82"), 2) << "of three and of four bytes";
}

TEST(Split, GivesOnePartMoreThanThereAreSeparators) {
  EXPECT_THAT(parts("a,,b", ','), ElementsAre("a", "", "b"));
  EXPECT_THAT(parts(",", ','), ElementsAre("", ""));
  EXPECT_THAT(parts("", ','), ElementsAre(""));
  EXPECT_THAT(parts("abc", ','), ElementsAre("abc"));
  EXPECT_THAT(parts("a,", ','), ElementsAre("a", ""));
}

TEST(SplitOnce, CutsAtTheFirstSeparator) {
  EXPECT_EQ(split_once("a=b=c", '='), std::pair(std::string_view("a"), std::string_view("b=c")));
  EXPECT_EQ(split_once("=", '='), std::pair(std::string_view(""), std::string_view("")));
  EXPECT_FALSE(split_once("abc", '='));
}

TEST(EditDistance, CountsSingleEdits) {
  EXPECT_EQ(edit_distance("", ""), 0u);
  EXPECT_EQ(edit_distance("abc", ""), 3u);
  EXPECT_EQ(edit_distance("kitten", "sitting"), 3u);
  EXPECT_EQ(edit_distance("gpt-4o", "GPT-4O"), 0u);
  EXPECT_EQ(edit_distance("gtp-4o", "gpt-4o"), 1u);
  EXPECT_EQ(edit_distance("ca", "abc"), 3u);  // optimal string alignment; true Damerau would say 2
}

// The textbook table, without a band.
size_t slow_distance(std::string_view a, std::string_view b) {
  std::vector<std::vector<size_t>> d(a.size() + 1, std::vector<size_t>(b.size() + 1));
  for (size_t i = 0; i <= a.size(); ++i) {
    for (size_t j = 0; j <= b.size(); ++j) {
      if (i == 0 || j == 0) {
        d[i][j] = i + j;
        continue;
      }
      d[i][j] =
          std::min({d[i - 1][j] + 1, d[i][j - 1] + 1, d[i - 1][j - 1] + (a[i - 1] == b[j - 1] ? 0 : 1)});
      if (i > 1 && j > 1 && a[i - 1] == b[j - 2] && a[i - 2] == b[j - 1]) {
        d[i][j] = std::min(d[i][j], d[i - 2][j - 2] + 1);
      }
    }
  }
  return d[a.size()][b.size()];
}

TEST(EditDistance, AgreesWithTheFullTableWithinItsLimit) {
  std::mt19937 random(7);
  const auto word = [&random](size_t longest) {
    std::string text(random() % (longest + 1), 'a');
    for (char& c : text) c = static_cast<char>('a' + random() % 3);
    return text;
  };
  for (int i = 0; i < 10'000; ++i) {
    const size_t longest = i % 10 == 0 ? 100 : 12;
    const std::string a = word(longest), b = word(longest);
    const size_t limit = random() % (i % 20 == 0 ? 80 : 8);
    ASSERT_EQ(edit_distance(a, b, limit), std::min(slow_distance(a, b), limit + 1))
        << a << " " << b << " " << limit;
  }
}

constexpr std::string_view kModels[] = {"gpt-4o",          "gpt-4o-mini",  "gpt-4.1", "claude-sonnet-4-5",
                                        "claude-opus-4-1", "weir/extract", "o3",      "mistral-large",
                                        "llama-3.3-70b",   "openai/gpt-4o"};

TEST(Nearest, FindsWhatWasMeant) {
  EXPECT_THAT(nearest("gtp-4o", kModels, 1), ElementsAre("gpt-4o"));
  EXPECT_THAT(nearest("GPT-4O", kModels, 1), ElementsAre("gpt-4o"));
  EXPECT_THAT(nearest("gpt-4o", kModels, 3), ElementsAre("gpt-4o", "gpt-4.1", "gpt-4o-mini"));
  EXPECT_THAT(nearest("claude-sonnet-4-5-20250929", kModels, 3), ElementsAre("claude-sonnet-4-5"));
  EXPECT_THAT(nearest("claude-sonet-45", kModels, 1), ElementsAre("claude-sonnet-4-5"));
  EXPECT_THAT(nearest("completely different", kModels, 3), ElementsAre());
  EXPECT_THAT(nearest("", kModels, 3), ElementsAre());
  EXPECT_THAT(nearest(std::string(10'000, 'g'), kModels, 3), ElementsAre());
  EXPECT_THAT(nearest("gpt-4o", {}, 3), ElementsAre());
}

TEST(DidYouMean, ReadsAsTheEndOfASentence) {
  EXPECT_EQ(did_you_mean("mistral-lrage", kModels), "; did you mean 'mistral-large'?");
  EXPECT_EQ(did_you_mean("gpt-4o", kModels, 3), "; did you mean 'gpt-4o', 'gpt-4.1' or 'gpt-4o-mini'?");
  EXPECT_EQ(did_you_mean("zzzzzz", kModels), "");
}

TEST(GlobMatch, LetsAStarStandForAnyRun) {
  EXPECT_TRUE(glob_match("openai/*", "openai/gpt-4o"));
  EXPECT_TRUE(glob_match("openai/*", "openai/"));
  EXPECT_TRUE(glob_match("*", ""));
  EXPECT_TRUE(glob_match("*", "a/b"));
  EXPECT_TRUE(glob_match("a*b*c", "a-b-b-c"));
  EXPECT_TRUE(glob_match("**a", "aa"));
  EXPECT_TRUE(glob_match("exact", "exact"));
  EXPECT_TRUE(glob_match("", ""));
  EXPECT_FALSE(glob_match("openai/*", "openai"));
  EXPECT_FALSE(glob_match("openai/*", "xopenai/gpt"));
  EXPECT_FALSE(glob_match("*-mini", "gpt-4o-mini-2"));
  EXPECT_FALSE(glob_match("", "a"));
  EXPECT_FALSE(glob_match("a*b", "a"));
  EXPECT_FALSE(glob_match("*a*a*a*a*a*a*b", std::string(2000, 'a')));  // and this ends soon
}

TEST(ParseDuration, ReadsWhatPeopleWrite) {
  const std::vector<std::pair<std::string_view, int64_t>> good = {{"0", 0},
                                                                  {"0s", 0},
                                                                  {"250ms", 250'000'000},
                                                                  {"10s", 10'000'000'000},
                                                                  {"1m30s", 90'000'000'000},
                                                                  {"2h", 7'200'000'000'000},
                                                                  {"1d", 86'400'000'000'000},
                                                                  {"1.5s", 1'500'000'000},
                                                                  {"0.000000001s", 1},
                                                                  {"5us", 5'000},
                                                                  {"5\xC2\xB5s", 5'000},
                                                                  {"5\xCE\xBCs", 5'000},
                                                                  {"7ns", 7},
                                                                  {" 1 m 30 s ", 90'000'000'000},
                                                                  {"9223372036854775807ns", INT64_MAX}};
  for (const auto& [text, value] : good) {
    const auto read = parse_duration(text);
    ASSERT_TRUE(read) << text;
    EXPECT_EQ(*read, value) << text;
  }
  for (const std::string_view text :
       {"", " ", "10", "s", "1x", "-1s", "1.s", ".5s", "1s1s", "30s1m", "1e3s", "1s ?", "1,5s", "1.5.5s"}) {
    const auto read = parse_duration(text);
    ASSERT_FALSE(read) << text;
    EXPECT_THAT(read.error().message, HasSubstr("not a duration")) << text;
  }
  for (const std::string_view text :
       {"107000d", "99999999999999999999999999999999999999999999s", "106751d24h"}) {
    const auto read = parse_duration(text);
    ASSERT_FALSE(read) << text;
    EXPECT_THAT(read.error().message, HasSubstr("292 years")) << text;
  }
}

TEST(FormatDuration, ReadsBackTheSame) {
  EXPECT_EQ(format_duration(0), "0s");
  EXPECT_EQ(format_duration(90'000'000'000), "1m30s");
  EXPECT_EQ(format_duration(250'000'000), "250ms");
  EXPECT_EQ(format_duration(86'400'000'000'001), "1d1ns");
  EXPECT_EQ(format_duration(-1'500), "-1us500ns");
  EXPECT_EQ(format_duration(INT64_MIN).front(), '-');
  std::mt19937_64 random(3);
  for (int i = 0; i < 1000; ++i) {
    const auto value = static_cast<int64_t>(random() >> (1 + random() % 62));
    EXPECT_EQ(parse_duration(format_duration(value)).value(), value);
  }
}

TEST(ParseSize, TellsPowersOfTenFromPowersOfTwo) {
  const std::vector<std::pair<std::string_view, int64_t>> good = {{"0", 0},
                                                                  {"512", 512},
                                                                  {"7B", 7},
                                                                  {"256KB", 256'000},
                                                                  {"64MB", 64'000'000},
                                                                  {"1GiB", 1 << 30},
                                                                  {"1gib", 1 << 30},
                                                                  {"1.5KiB", 1536},
                                                                  {"64 MiB", 64 << 20},
                                                                  {"2TB", 2'000'000'000'000},
                                                                  {"1TiB", 1LL << 40}};
  for (const auto& [text, value] : good) {
    const auto read = parse_size(text);
    ASSERT_TRUE(read) << text;
    EXPECT_EQ(*read, value) << text;
  }
  for (const std::string_view text : {"", "MB", "1XB", "-1", "1.", "1MB2KB", "1M", "1 M B"}) {
    ASSERT_FALSE(parse_size(text)) << text;
    EXPECT_THAT(parse_size(text).error().message, HasSubstr("not a size")) << text;
  }
  EXPECT_THAT(parse_size("9000000TiB").error().message, HasSubstr("larger"));
}

TEST(FormatSize, ReadsBackTheSame) {
  EXPECT_EQ(format_size(0), "0B");
  EXPECT_EQ(format_size(64 << 20), "64MiB");
  EXPECT_EQ(format_size(1'500'000), "1500KB");
  EXPECT_EQ(format_size(7), "7B");
  std::mt19937_64 random(4);
  for (int i = 0; i < 1000; ++i) {
    const auto value = static_cast<int64_t>(random() >> (1 + random() % 62));
    EXPECT_EQ(parse_size(format_size(value)).value(), value);
  }
}

}  // namespace
}  // namespace weir
