#include "codec/end_user.h"

#include <fmt/core.h>
#include <gtest/gtest.h>

namespace weir {
namespace {

// printf %s ada@example.com | sha256sum
constexpr std::string_view kAda = "b5fc85e55755f9e0d030a10ab4429b6b2944855f9a0d60077fe832becbc41d72";

std::string hashed(Dialect dialect, std::string body) {
  return with_hashed_end_user(dialect, JsonDoc::parse(std::move(body)).value()).value_or("nothing to hash");
}

TEST(EndUser, StandsInABodyAsItsHashAndNothingElseChanges) {
  const std::string ada = end_user_hash("ada@example.com");
  EXPECT_EQ(ada, kAda);
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
  EXPECT_EQ(fitting_end_user("ada@", 3, fidelity), end_user_hash("ada@"));
  EXPECT_EQ(fidelity.header_value(), "emulated;/user;>sha256");
  EXPECT_FALSE(fidelity.has_warnings());
}

}  // namespace
}  // namespace weir
