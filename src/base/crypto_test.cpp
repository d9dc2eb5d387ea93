#include "base/crypto.h"

#include <gtest/gtest.h>
#include <thread>

#include "base/encoding.h"

namespace weir {
namespace {

std::string hex(std::string_view bytes) {
  return hex_encode(bytes);
}
std::string unhex(std::string_view text) {
  return hex_decode(text).value();
}

TEST(Sha256Hash, GivesTheDigestsOfTheStandard) {
  // FIPS 180-4's own examples.
  EXPECT_EQ(sha256_hex(""), "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855");
  EXPECT_EQ(sha256_hex("abc"), "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad");
  EXPECT_EQ(sha256_hex("abcdbcdecdefdefgefghfghighijhijkijkljklmklmnlmnomnopnopq"),
            "248d6a61d20638b8e5c026930c3e6039a33ce45964ff2167f6ecedd419db06c1");
}

TEST(Sha256Hash, OfPiecesIsTheHashOfTheWholeAndStartsAfresh) {
  Sha256 hash;
  const std::string text = "a river in pieces";
  for (const char c : text) hash.update(std::string_view(&c, 1));
  EXPECT_EQ(hash.finish(), sha256(text));
  hash.update("abc");
  EXPECT_EQ(hash.finish(), sha256("abc"));
}

TEST(Sha256Hash, IsTheSameOnEveryThread) {
  const Sha256Digest expected = sha256("shared");
  std::array<Sha256Digest, 4> digests;
  {
    std::vector<std::jthread> threads;
    for (Sha256Digest& digest : digests) {
      threads.emplace_back([&digest] {
        for (int round = 0; round < 100; ++round) digest = sha256("shared");
      });
    }
  }
  for (const Sha256Digest& digest : digests) EXPECT_EQ(digest, expected);
}

TEST(HmacSha256, GivesTheCodesOfRfc4231) {
  EXPECT_EQ(hex(as_text(hmac_sha256(std::string(20, '\x0b'), "Hi There"))),
            "b0344c61d8db38535ca8afceaf0bf12b881dc200c9833da726e9376c2e32cff7");
  EXPECT_EQ(hex(as_text(hmac_sha256("Jefe", "what do ya want for nothing?"))),
            "5bdcc146bf60754e6a042426089575c75a003f089d2739839dec58b964ec3843");
  EXPECT_EQ(hex(as_text(hmac_sha256(std::string(20, '\xaa'), std::string(50, '\xdd')))),
            "773ea91e36800e46854db8ebd09181a72959098b3ef8c122d9635514ced565fe");
  // A key longer than a block is hashed first.
  EXPECT_EQ(hex(as_text(hmac_sha256(std::string(131, '\xaa'),
                                    "Test Using Larger Than Block-Size Key - Hash Key First"))),
            "60e431591ee0b67f0d8a26aacbf5b77f8e0bc6213728c5140546040f0ee37f54");
}

TEST(HmacSha256, DoesNotReuseTheLastKeyForAnEmptyOne) {
  const Sha256Digest empty = hmac_sha256(std::string_view(), "");
  EXPECT_EQ(hex(as_text(empty)), "b613679a0814d9ec772f95d778c35fc5ff1697c493715653c6c712144292c5ad");
  (void)hmac_sha256("another key", "");
  EXPECT_EQ(hmac_sha256(std::string_view(), ""), empty);
}

TEST(HkdfSha256, GivesTheBytesOfRfc5869) {
  const std::string key(22, '\x0b');
  const Secret first =
      hkdf_sha256(key, unhex("000102030405060708090a0b0c"), unhex("f0f1f2f3f4f5f6f7f8f9"), 42);
  EXPECT_EQ(hex(first.reveal()),
            "3cb25f25faacd57a90434f64d0362f2a2d2d0a90cf1a5a4c5db02d56ecc4c5bf34007208d5b887185865");
  const Secret third = hkdf_sha256(key, "", "", 42);
  EXPECT_EQ(hex(third.reveal()),
            "8da4e775a563c18f715f802a063c5a31b8a11f5c5ee1879ec3454e5f3c738d2d9d201395faa4b61a96c8");
}

TEST(ConstantTimeEqual, ComparesLengthAndEveryByte) {
  EXPECT_TRUE(constant_time_equal("", ""));
  EXPECT_TRUE(constant_time_equal("same", "same"));
  EXPECT_FALSE(constant_time_equal("same", "same "));
  EXPECT_FALSE(constant_time_equal("Xame", "same"));
  EXPECT_FALSE(constant_time_equal("samX", "same"));
  // Wherever the difference is, within a word or behind the last whole one.
  const std::string key = "0123456789abcdefghi";
  for (size_t at = 0; at < key.size(); ++at) {
    std::string other = key;
    other[at] ^= 1;
    EXPECT_FALSE(constant_time_equal(key, other)) << at;
    EXPECT_TRUE(constant_time_equal(key.substr(0, at), key.substr(0, at))) << at;
  }
}

TEST(RandomBytes, AreAsManyAsAskedAndNeverTheSame) {
  EXPECT_EQ(random_bytes(33).size(), 33U);
  EXPECT_EQ(random_bytes(0), "");
  EXPECT_NE(random_bytes(16), random_bytes(16));
  EXPECT_NE(random_seed(), random_seed());
}

}  // namespace
}  // namespace weir
