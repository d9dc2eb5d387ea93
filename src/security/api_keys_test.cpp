#include "security/api_keys.h"

#include <gtest/gtest.h>
#include <memory>

namespace weir {
namespace {

TEST(ApiKeys, FindsAPrincipalByItsKeyAlone) {
  const std::string key = make_api_key();
  ApiKey entry{.hash = hash_api_key(key), .principal = {}};
  entry.principal.key_name = "ci";
  const ApiKeys keys = ApiKeys::make({entry}).value();
  ASSERT_NE(keys.find(key), nullptr);
  EXPECT_EQ(keys.find(key)->key_name, "ci");
  EXPECT_EQ(keys.find(key + "x"), nullptr);
  EXPECT_EQ(keys.find(""), nullptr);
}

TEST(ApiKeys, MadeKeysHaveWeirsFormAndDiffer) {
  const std::string key = make_api_key();
  EXPECT_TRUE(has_weir_form(key));
  EXPECT_EQ(key.size(), 46u);
  EXPECT_NE(key, make_api_key());
  EXPECT_FALSE(has_weir_form("sk-abc"));
}

TEST(ApiKeys, AHashReadsBackFromItsText) {
  const KeyHash hash = hash_api_key("wk_test");
  EXPECT_EQ(parse_key_hash(to_string(hash)).value(), hash);
  EXPECT_FALSE(parse_key_hash("wk_test"));
  EXPECT_FALSE(parse_key_hash("sha256:00"));
}

TEST(ApiKeys, MadePairsHaveAwssFormAndAreFoundByTheirId) {
  AccessKey pair = make_access_key();
  EXPECT_TRUE(is_access_key_id(pair.id)) << pair.id;
  EXPECT_TRUE(has_weir_form(pair.id));
  EXPECT_EQ(pair.secret.size(), 40u);
  EXPECT_NE(pair.id, make_access_key().id);
  EXPECT_FALSE(is_access_key_id("AKIAIOSFODNN7EXAMPLE"));
  EXPECT_FALSE(is_access_key_id("WKIAabcdefghijklmnop"));
  pair.principal.key_name = "sdk";
  const ApiKeys keys = ApiKeys::make({}, {pair}).value();
  EXPECT_FALSE(keys.empty());
  EXPECT_EQ(keys.find_pair(pair.id)->principal.key_name, "sdk");
  EXPECT_EQ(keys.find_pair("WKIAAAAAAAAAAAAAAAAA"), nullptr);
  EXPECT_FALSE(ApiKeys::make({}, {pair, pair}));
}

TEST(ApiKeys, TheSameKeyTwiceIsRefusedByName) {
  ApiKey entry{.hash = hash_api_key("wk_a"), .principal = {}};
  entry.principal.key_name = "twin";
  const auto made = ApiKeys::make({entry, entry});
  ASSERT_FALSE(made);
  EXPECT_NE(made.error().message.find("twin"), std::string::npos);
}

TEST(ApiKeys, ForgetAKeyWithTheSetThatHadIt) {
  const std::string key = make_api_key();
  ApiKey entry{.hash = hash_api_key(key), .principal = {}};
  entry.principal.key_name = "first";
  auto keys = std::make_unique<ApiKeys>(ApiKeys::make({entry}).value());
  for (int i = 0; i < 2; ++i) {
    ASSERT_NE(keys->find(key), nullptr);
    EXPECT_EQ(keys->find(key)->key_name, "first");
  }
  // The same key of another principal, and then nobody's.
  entry.principal.key_name = "second";
  keys = std::make_unique<ApiKeys>(ApiKeys::make({entry}).value());
  ASSERT_NE(keys->find(key), nullptr);
  EXPECT_EQ(keys->find(key)->key_name, "second");
  entry.hash = hash_api_key(make_api_key());
  keys = std::make_unique<ApiKeys>(ApiKeys::make({entry}).value());
  EXPECT_EQ(keys->find(key), nullptr);
  EXPECT_EQ(ApiKeys().find(key), nullptr);
}

}  // namespace
}  // namespace weir
