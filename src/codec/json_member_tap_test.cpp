#include "codec/json_member_tap.h"

#include <gtest/gtest.h>

#include "base/limits.h"

namespace weir {
namespace {

std::string found(std::string_view text, size_t cut = 0, size_t bytes_max = 100) {
  JsonMemberTap tap("usage", bytes_max);
  tap.feed(text.substr(0, cut));
  tap.feed(text.substr(cut));
  return std::string(tap.value());
}

TEST(JsonMemberTap, FindsTheMemberOfTheRootHoweverTheTextIsCut) {
  const std::string text =
      R"({"a":[{"usage":1},"usage",{"x":"}"}],"\"usage":2,"usag":3,"text":"say \"usage\": {\\","usage" : )"
      "\n"
      R"({"in": 1, "s":"a \" b, }","l":[1,{"m":2}]} ,"usage_2":4})";
  for (size_t cut = 0; cut <= text.size(); ++cut)
    EXPECT_EQ(found(text, cut), R"({"in":1,"s":"a \" b, }","l":[1,{"m":2}]})") << cut;
  JsonMemberTap tap("usage", 100);
  for (const char c : text) tap.feed({&c, 1});
  EXPECT_EQ(tap.value(), found(text));
}

TEST(JsonMemberTap, GivesTheLastOfSeveralAndNothingBeforeItsEnd) {
  EXPECT_EQ(found(R"({"usage":1,"usage":{"a":2}})"), R"({"a":2})");
  EXPECT_EQ(found(R"({"usage":{"a":2)"), "");
  EXPECT_EQ(found(R"({"usage":12)"), "");
  EXPECT_EQ(found(R"({"usage":1,"usage":12)"), "");
  EXPECT_EQ(found(R"({"usage":12})"), "12");
  EXPECT_EQ(found(R"({"usage":"x"}{"usage":"y"})"), R"("x")") << "what follows the root is no part of it";
}

TEST(JsonMemberTap, FindsNothingWhereTheRootIsNoObject) {
  for (const std::string_view text : {R"(["usage",{"usage":1}])", R"("usage")", "usage: 1", "", "{}",
                                      R"({"a":{"usage":1}})", R"({"xusage":1})", R"({"usagex":1})"})
    EXPECT_EQ(found(text), "") << text;
}

TEST(JsonMemberTap, ForgetsAValueThatIsTooLong) {
  EXPECT_EQ(found(R"({"usage":"0123456789"})", 0, 12), R"("0123456789")");
  EXPECT_EQ(found(R"({"usage":"0123456789"})", 0, 11), "");
  EXPECT_EQ(found(R"({"usage":["0123456789",1]})", 0, 11), "") << "nor its end";
  EXPECT_EQ(found(R"({"usage":1,"usage":"0123456789"})", 0, 11), "");
}

// A provider that sends nothing but escapes must not cost more than its bytes.
TEST(JsonMemberTap, PassesManyEscapesInLinearTime) {
  std::string text = R"({"text":")";
  for (int i = 0; i < 2'000'000; ++i) text += R"(\")";
  EXPECT_EQ(found(text + R"(","usage":7})"), "7");
}

TEST(JsonMemberTap, CountsTheObjectsOfTheLastOfSeveral) {
  JsonMemberTap tap("data", 100);
  tap.feed(R"({"data":[{},{"a":[{}]}],"data":[{}]})");
  EXPECT_EQ(tap.objects(), 1);
}

}  // namespace
}  // namespace weir
