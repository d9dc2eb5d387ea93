#include "codec/json_members.h"

#include <gtest/gtest.h>

namespace weir {
namespace {

TEST(JsonMembers, GivesEachMemberInTheOrderOfTheNames) {
  const auto doc = JsonDoc::parse(R"({"other":{"model":0},"usage":{"total":7},"id":"x","index":3})");
  ASSERT_TRUE(doc);
  const auto [id, usage, model, index] = members_of<4>(doc->root(), {"id", "usage", "model", "index"});
  EXPECT_EQ(id.string_or(""), "x");
  EXPECT_EQ(usage["total"].int_or(0), 7);
  EXPECT_EQ(index.int_or(0), 3);
  EXPECT_FALSE(model) << "one of another object is none of this one";
}

TEST(JsonMembers, TakesTheFirstOfSeveralWithOneName) {
  const auto doc = JsonDoc::parse(R"({"id":1,"i\u0064":2,"id":null})", {.rejects_duplicate_keys = false});
  ASSERT_TRUE(doc);
  const auto [id] = members_of<1>(doc->root(), {"id"});
  EXPECT_EQ(id.int_or(0), 1);
  EXPECT_EQ(id.raw(), doc->root()["id"].raw());
}

TEST(JsonMembers, GivesNothingOfWhatIsNoObject) {
  const auto doc = JsonDoc::parse(R"(["id",{"id":1}])");
  ASSERT_TRUE(doc);
  for (const JsonValue value : {doc->root(), doc->root().at(0), doc->root().at(7), JsonValue()}) {
    const auto [id] = members_of<1>(value, {"id"});
    EXPECT_FALSE(id) << value.raw();
  }
}

}  // namespace
}  // namespace weir
