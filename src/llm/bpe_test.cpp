#include "llm/bpe.h"

#include <gtest/gtest.h>
#include <zstd.h>

namespace weir {
namespace {

constexpr std::string_view kDigits = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";

std::string base64(std::string_view bytes) {
  std::string out;
  for (size_t i = 0; i < bytes.size(); i += 3) {
    uint32_t group = 0;
    for (size_t k = 0; k < 3; ++k)
      group = group << 8 | (i + k < bytes.size() ? static_cast<uint8_t>(bytes[i + k]) : 0);
    for (size_t k = 0; k < 4; ++k) out += i + k <= bytes.size() ? kDigits[group >> (18 - 6 * k) & 63] : '=';
  }
  return out;
}

// The 256 single bytes, then the given tokens in order of rank.
std::string vocabulary(std::initializer_list<std::string_view> tokens) {
  std::string lines;
  int rank = 0;
  const auto add = [&](std::string_view token) {
    lines += base64(token) + " " + std::to_string(rank++) + "\n";
  };
  for (int byte = 0; byte < 256; ++byte) {
    const char c = static_cast<char>(byte);
    add({&c, 1});
  }
  for (const std::string_view token : tokens) add(token);
  return lines;
}

std::vector<std::string> tokens_of(const BpeRanks& ranks, std::string_view piece) {
  std::vector<uint32_t> encoded;
  ranks.encode(piece, encoded);
  std::vector<std::string> out;
  for (const uint32_t token : encoded) out.emplace_back(ranks.token(token));
  return out;
}

using Tokens = std::vector<std::string>;

TEST(BpeRanks, JoinsThePairOfLowestRankFirst) {
  const auto ranks = BpeRanks::parse(vocabulary({"bc", "ab", "abc", "cd"}));
  ASSERT_TRUE(ranks.has_value());
  EXPECT_EQ(tokens_of(*ranks, "abcd"), (Tokens{"abc", "d"}));
  EXPECT_EQ(tokens_of(*ranks, "abd"), (Tokens{"ab", "d"}));
  EXPECT_EQ(tokens_of(*ranks, "xcd"), (Tokens{"x", "cd"}));
}

TEST(BpeRanks, JoinsTheLeftmostOfEqualPairs) {
  const auto ranks = BpeRanks::parse(vocabulary({"aa"}));
  ASSERT_TRUE(ranks.has_value());
  EXPECT_EQ(tokens_of(*ranks, "aaaaa"), (Tokens{"aa", "aa", "a"}));
}

TEST(BpeRanks, TakesAWholePieceThatIsAToken) {
  // No merges lead to "xyz", yet it is in the vocabulary: tiktoken looks the whole piece up first.
  const auto ranks = BpeRanks::parse(vocabulary({"xyz"}));
  ASSERT_TRUE(ranks.has_value());
  EXPECT_EQ(tokens_of(*ranks, "xyz"), (Tokens{"xyz"}));
  EXPECT_EQ(ranks->count("xyzx"), 4u);
}

TEST(BpeRanks, GivesTheSameForLongPiecesByAHeapAsForShortOnesByAScan) {
  const auto ranks = BpeRanks::parse(vocabulary({"ab", "ba", "abab", "aba", "cab", "bca", "ababab"}));
  ASSERT_TRUE(ranks.has_value());
  // "|" joins with nothing, so a long piece of parts must give what the parts give one by one.
  uint32_t state = 1;
  for (int round = 0; round < 200; ++round) {
    std::string whole;
    Tokens expected;
    for (int part = 0; part < 12; ++part) {
      std::string text;
      for (uint32_t i = 0; i < 12; ++i) {
        state = state * 1664525 + 1013904223;
        text += "abc"[state >> 16 & 3 ? (state >> 20) % 2 : 2];
      }
      const Tokens tokens = tokens_of(*ranks, text + "|");
      expected.insert(expected.end(), tokens.begin(), tokens.end());
      whole += text + "|";
    }
    EXPECT_EQ(tokens_of(*ranks, whole), expected) << whole;
    EXPECT_EQ(ranks->count(whole), expected.size());
  }
}

TEST(BpeRanks, EncodesPiecesLongerThanAWindow) {
  const auto ranks = BpeRanks::parse(vocabulary({"aa"}));
  ASSERT_TRUE(ranks.has_value());
  EXPECT_EQ(ranks->count(std::string(BpeRanks::kWindowBytes + 3, 'a')), BpeRanks::kWindowBytes / 2 + 2);
}

TEST(BpeRanks, FindsTokensOfAnyLength) {
  const auto ranks = BpeRanks::parse(vocabulary({"12345678", "123456789", "1234567890abcdefXYZ"}));
  ASSERT_TRUE(ranks.has_value());
  EXPECT_EQ(ranks->find("12345678"), 256u);
  EXPECT_EQ(ranks->find("123456789"), 257u);
  EXPECT_EQ(ranks->find("1234567890abcdefXYZ"), 258u);
  EXPECT_EQ(ranks->find("1234567890abcdefXYz"), BpeRanks::kNotAToken);
  EXPECT_EQ(ranks->find(""), BpeRanks::kNotAToken);
  EXPECT_EQ(ranks->find(std::string_view("1\0", 2)), BpeRanks::kNotAToken);
}

TEST(BpeRanks, RefusesDamagedTables) {
  const std::string good = vocabulary({"ab"});
  EXPECT_FALSE(BpeRanks::parse("").has_value()) << "single bytes missing";
  EXPECT_FALSE(BpeRanks::parse(good + "YWI= 257\n").has_value()) << "a token twice";
  EXPECT_FALSE(BpeRanks::parse(good + "YWJj 258\n").has_value()) << "a gap";
  EXPECT_FALSE(BpeRanks::parse(good + "Y*Jj 257\n").has_value()) << "not base64";
  EXPECT_FALSE(BpeRanks::parse(good + "YWJj").has_value()) << "no rank";
  EXPECT_FALSE(BpeRanks::unpack("not zstd").has_value());

  std::string frame(ZSTD_compressBound(good.size()), '\0');
  frame.resize(ZSTD_compress(frame.data(), frame.size(), good.data(), good.size(), 3));
  EXPECT_EQ(BpeRanks::unpack(frame).value().size(), 257u);
  frame[frame.size() / 2] ^= 0x55;
  EXPECT_FALSE(BpeRanks::unpack(frame.substr(0, frame.size() - 10)).has_value());
}

}  // namespace
}  // namespace weir
