#include "llm/bpe_ranks.h"

#include <gtest/gtest.h>
#include <zstd.h>

#include "llm/test_vocabulary.h"

namespace weir {
namespace {

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
  EXPECT_FALSE(BpeRanks::parse(vocabulary({std::string(256, 'a')})).has_value()) << "too long";
  EXPECT_FALSE(BpeRanks::unpack("not zstd").has_value());

  std::string frame(ZSTD_compressBound(good.size()), '\0');
  frame.resize(ZSTD_compress(frame.data(), frame.size(), good.data(), good.size(), 3));
  EXPECT_EQ(BpeRanks::unpack(frame).value().size(), 257u);
  frame[frame.size() / 2] ^= 0x55;
  EXPECT_FALSE(BpeRanks::unpack(frame.substr(0, frame.size() - 10)).has_value());
}

}  // namespace
}  // namespace weir
