#include "codec/end_user.h"

#include <fmt/core.h>
#include <gtest/gtest.h>

#include "base/crypto.h"

namespace weir {
namespace {

// printf %s ada@example.com | openssl dgst -sha256 -hmac key
constexpr std::string_view kAda = "20caa94149b865c2f3a23002c8ca0b02e3dba113236448a96eae078e7e3a6cc0";

std::string hashed(Dialect dialect, std::string body) {
  const Secret key("key");
  return with_hidden_end_user(dialect, JsonDoc::parse(std::move(body)).value(), key)
      .value_or("nothing to hash");
}

TEST(EndUser, WhoHasAnotherKeyCannotVerifyAGuess) {
  EXPECT_EQ(hidden_end_user("ada@example.com", Secret("key")), kAda);
  EXPECT_NE(hidden_end_user("ada@example.com", Secret("another")), kAda);
}

TEST(EndUser, StandsInABodyAsItsHashAndNothingElseChanges) {
  const std::string_view ada = kAda;
  EXPECT_EQ(hashed(Dialect::openai_chat,
                   R"({ "user" : "ada@example.com","n":1.0 ,"safety_identifier":"ada@example.com"})"),
            fmt::format(R"({{ "user" : "{}","n":1.0 ,"safety_identifier":"{}"}})", ada, ada));
  EXPECT_EQ(hashed(Dialect::openai_chat,
                   R"({"safety_identifier":"ada@example.com","n":1.0,"user":"ada@example.com"})"),
            fmt::format(R"({{"safety_identifier":"{}","n":1.0,"user":"{}"}})", ada, ada));
  EXPECT_EQ(
      hashed(Dialect::anthropic_messages, R"({"user":"u","metadata":{"x":1,"user_id":"ada@example.com"}})"),
      fmt::format(R"({{"user":"u","metadata":{{"x":1,"user_id":"{}"}}}})", ada));
}

TEST(EndUser, OfABodyThatNamesNoneThereIsNothingToHash) {
  EXPECT_EQ(hashed(Dialect::openai_chat, R"({"user":"","metadata":{"user_id":"a"}})"), "nothing to hash");
  EXPECT_EQ(hashed(Dialect::openai_responses, R"({"user":7})"), "nothing to hash");
  EXPECT_EQ(hashed(Dialect::gemini, R"({"user":"a"})"), "nothing to hash");
}

TEST(EndUser, TooLongAnIdIsHashedAndReported) {
  Fidelity fidelity;
  EXPECT_EQ(fitting_end_user("ada", 3, fidelity), "ada");
  EXPECT_TRUE(fidelity.empty());
  EXPECT_EQ(fitting_end_user("ada@", 3, fidelity), sha256_hex("ada@"));
  EXPECT_EQ(fidelity.header_value(), "emulated;/user;>sha256");
  EXPECT_FALSE(fidelity.has_warnings());
}

}  // namespace
}  // namespace weir
