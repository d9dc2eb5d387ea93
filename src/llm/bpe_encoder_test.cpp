#include "llm/bpe_encoder.h"

#include <algorithm>
#include <gtest/gtest.h>
#include <random>
#include <stdexcept>
#include <thread>

#include "llm/test_vocabulary.h"

namespace weir {
namespace embedded {
extern const std::string_view o200k_base;
extern const std::string_view cl100k_base;
}  // namespace embedded

namespace {

using Tokens = std::vector<std::string>;

BpeEncoder encoder_of(Result<BpeRanks> ranks) {
  if (!ranks) throw std::runtime_error(ranks.error().message);
  auto encoder = BpeEncoder::create(*std::move(ranks));
  if (!encoder) throw std::runtime_error(encoder.error().message);
  return *std::move(encoder);
}
BpeEncoder encoder_of(std::span<const std::string> tokens) {
  return encoder_of(BpeRanks::parse(vocabulary(tokens)));
}
BpeEncoder encoder_of(std::initializer_list<std::string> tokens) {
  return encoder_of(std::span(tokens.begin(), tokens.size()));
}

Tokens tokens_of(const BpeEncoder& encoder, std::string_view piece) {
  std::vector<uint32_t> encoded;
  encoder.encode(piece, encoded);
  EXPECT_EQ(encoder.count(piece), encoded.size()) << piece;
  Tokens out;
  for (const uint32_t token : encoded) out.emplace_back(encoder.ranks().token(token));
  return out;
}

// The definition itself: joins the pair of lowest rank, the leftmost of equals, until there is none.
Tokens joined_pair_by_pair(const BpeRanks& ranks, std::string_view piece) {
  if (ranks.find(piece) != BpeRanks::kNotAToken) return {std::string(piece)};
  Tokens parts;
  for (const char byte : piece) parts.emplace_back(1, byte);
  while (true) {
    uint32_t lowest = BpeRanks::kNotAToken;
    size_t where = 0;
    for (size_t i = 0; i + 1 < parts.size(); ++i) {
      const uint32_t rank = ranks.find(parts[i] + parts[i + 1]);
      if (rank < lowest) lowest = rank, where = i;
    }
    if (lowest == BpeRanks::kNotAToken) return parts;
    parts[where] += parts[where + 1];
    parts.erase(parts.begin() + static_cast<ptrdiff_t>(where) + 1);
  }
}

size_t below(std::mt19937& random, size_t end) {
  return random() % end;
}

TEST(BpeEncoder, JoinsThePairOfLowestRankFirst) {
  const BpeEncoder encoder = encoder_of({"bc", "ab", "abc", "cd"});
  EXPECT_EQ(tokens_of(encoder, "abcd"), (Tokens{"abc", "d"}));
  EXPECT_EQ(tokens_of(encoder, "abd"), (Tokens{"ab", "d"}));
  EXPECT_EQ(tokens_of(encoder, "xcd"), (Tokens{"x", "cd"}));
  EXPECT_EQ(tokens_of(encoder, ""), Tokens());
}

TEST(BpeEncoder, JoinsTheLeftmostOfEqualPairs) {
  EXPECT_EQ(tokens_of(encoder_of({"aa"}), "aaaaa"), (Tokens{"aa", "aa", "a"}));
}

TEST(BpeEncoder, RefusesTokensThatJoiningDoesNotMake) {
  for (const auto& tokens : {std::vector<std::string>{"xyz"}, {"bc", "ab", "cd", "abcd"}, {"abc", "ab"}}) {
    const auto encoder = BpeEncoder::create(BpeRanks::parse(vocabulary(tokens)).value());
    EXPECT_FALSE(encoder.has_value()) << tokens.front();
  }
}

TEST(BpeEncoder, TakesBackWhatLeadsToADeadEnd) {
  // "abc" is the longest beginning of "abcd", but "cd" is joined before it.
  const BpeEncoder encoder = encoder_of({"ab", "cd", "abc"});
  EXPECT_EQ(tokens_of(encoder, "abcd"), (Tokens{"ab", "cd"}));
  EXPECT_EQ(tokens_of(encoder, "abcabcd"), (Tokens{"abc", "ab", "cd"}));
}

TEST(BpeEncoder, TakesSingleBytesOfAnyRank) {
  // "z" comes after "ab" and "aba", so that its rank says nothing about when it was made.
  std::vector<std::string> tokens = single_bytes();
  std::erase(tokens, "z");
  tokens.insert(tokens.end(), {"ab", "aba", "z", "bz", "abz"});
  const BpeEncoder encoder = encoder_of(BpeRanks::parse(vocabulary_of_all(tokens)));
  for (int text = 0; text < 729; ++text) {
    std::string piece;
    for (int rest = text, i = 0; i < 6; ++i, rest /= 3) piece += "abz"[rest % 3];
    ASSERT_EQ(tokens_of(encoder, piece), joined_pair_by_pair(encoder.ranks(), piece)) << piece;
  }
}

// A vocabulary as training makes it: time and again, two neighbours in a text become a new token.
std::vector<std::string> trained(std::mt19937& random, std::string_view letters) {
  Tokens parts;
  for (int i = 0; i < 300; ++i) parts.emplace_back(1, letters[below(random, letters.size())]);
  std::vector<std::string> made;
  for (size_t joins = 4 + below(random, 40); joins > 0 && parts.size() > 1; --joins) {
    const size_t where = below(random, parts.size() - 1);
    const std::string left = parts[where], right = parts[where + 1];
    if (left.size() + right.size() > 40 || std::ranges::find(made, left + right) != made.end()) continue;
    made.push_back(left + right);
    for (size_t i = 0; i + 1 < parts.size(); ++i) {
      if (parts[i] != left || parts[i + 1] != right) continue;
      parts[i] += right;
      parts.erase(parts.begin() + static_cast<ptrdiff_t>(i) + 1);
    }
  }
  return made;
}

TEST(BpeEncoder, FindsWhatJoiningPairByPairEndsWith) {
  std::mt19937 random(7);
  for (int round = 0; round < 60; ++round) {
    const std::string_view letters = std::string_view("abcd").substr(0, 1 + below(random, 4));
    const std::vector<std::string> made = trained(random, letters);
    const BpeEncoder encoder = encoder_of(made);
    for (int text = 0; text < 60; ++text) {
      std::string piece;
      const size_t size = 1 + below(random, text % 6 == 0 ? 400 : 40);
      while (piece.size() < size) {
        if (below(random, 2) == 0) piece += made[below(random, made.size())];
        piece += letters[below(random, letters.size())];
      }
      ASSERT_EQ(tokens_of(encoder, piece), joined_pair_by_pair(encoder.ranks(), piece)) << piece;
    }
  }
}

// Threads share what is remembered of pairs.
TEST(BpeEncoder, CountsTheSameFromManyThreads) {
  std::mt19937 random(3);
  const BpeEncoder encoder = encoder_of(trained(random, "abcd"));
  std::vector<std::string> pieces(200);
  std::vector<size_t> expected;
  for (std::string& piece : pieces) {
    for (int i = 0; i < 50; ++i) piece += "abcd"[below(random, 4)];
    expected.push_back(joined_pair_by_pair(encoder.ranks(), piece).size());
  }
  std::vector<std::vector<size_t>> counted(4);
  {
    std::vector<std::jthread> threads;
    for (auto& mine : counted) {
      threads.emplace_back([&] {
        for (const std::string& piece : pieces) mine.push_back(encoder.count(piece));
      });
    }
  }
  for (const auto& mine : counted) EXPECT_EQ(mine, expected);
}

class RealVocabulary : public testing::TestWithParam<std::string_view> {
 protected:
  const BpeEncoder encoder_ = encoder_of(BpeRanks::unpack(GetParam()));
  std::mt19937 random_{11};

  std::string any_token() {
    return std::string(
        encoder_.ranks().token(static_cast<uint32_t>(below(random_, encoder_.ranks().size()))));
  }
  std::string cut_anywhere(const std::string& text) { return text.substr(below(random_, text.size())); }
  void expect_as_joined(const std::string& piece) {
    ASSERT_EQ(tokens_of(encoder_, piece), joined_pair_by_pair(encoder_.ranks(), piece)) << piece;
  }
};

TEST_P(RealVocabulary, FindsWhatJoiningPairByPairEndsWith) {
  for (int round = 0; round < 2000; ++round) {
    std::string piece;
    for (size_t parts = 1 + below(random_, 4); parts > 0; --parts) piece += cut_anywhere(any_token());
    expect_as_joined(piece);
  }
  for (const std::string_view unit : {"=", " ", "-=", "\n", "a", "ab", "xyq", "abcdefghijklmnopqrstuvwxyz",
                                      "\u00e9", "\u4e16", "\u0e01", "\xff", "aA"}) {
    std::string piece;
    for (int length = 1; piece.size() < 400; ++length) {
      piece += unit;
      if (length < 40 || length % 7 == 0) expect_as_joined(piece);
    }
  }
}

// So many pairs that some take others' places among what is remembered.
TEST_P(RealVocabulary, FindsTheSameInLongPieces) {
  for (int round = 0; round < 60; ++round) {
    std::string piece;
    while (piece.size() < 800) piece += cut_anywhere(any_token());
    expect_as_joined(piece);
  }
}

// After the same token, tokens that are remembered at the same place: BpeEncoder::kVerdicts apart.
TEST_P(RealVocabulary, RemembersEachPairByItself) {
  constexpr size_t kApart = size_t{1} << 16;
  const BpeRanks& ranks = encoder_.ranks();
  for (int round = 0; round < 2000; ++round) {
    const std::string left = any_token();
    const auto right = static_cast<uint32_t>(below(random_, ranks.size() - kApart));
    expect_as_joined(left + std::string(ranks.token(right)));
    expect_as_joined(left + std::string(ranks.token(right + kApart)));
  }
}

TEST_P(RealVocabulary, MakesEachTokenOfItsOwnBytes) {
  // Beside whole pieces that are looked up: the same bytes at the end of a longer piece.
  for (int round = 0; round < 3000; ++round) {
    const std::string token = any_token();
    const std::string piece = token + std::string(1, '\xff') + token;
    const Tokens tokens = tokens_of(encoder_, piece);
    EXPECT_EQ(tokens.front(), token);
    EXPECT_EQ(tokens.back(), token);
  }
}

INSTANTIATE_TEST_SUITE_P(AllKinds, RealVocabulary,
                         testing::Values(embedded::o200k_base, embedded::cl100k_base),
                         [](const auto& about) { return about.index == 0 ? "o200k_base" : "cl100k_base"; });

}  // namespace
}  // namespace weir
