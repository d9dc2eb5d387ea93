#include "base/query.h"

#include <gtest/gtest.h>

namespace weir {
namespace {

TEST(Query, GivesItsFieldsInOrderAndDecoded) {
  const std::vector<QueryField> fields = query_fields("a=1&&b%5B%5D=x+y%2Bz&c&d=e=f").value();
  ASSERT_EQ(fields.size(), 4U);
  EXPECT_EQ(fields[0].name + ":" + fields[0].value, "a:1");
  EXPECT_EQ(fields[1].name + ":" + fields[1].value, "b[]:x y+z");
  EXPECT_EQ(fields[2].name + ":" + fields[2].value, "c:");
  EXPECT_EQ(fields[3].name + ":" + fields[3].value, "d:e=f");
  EXPECT_TRUE(query_fields("").value().empty());
}

TEST(Query, NamesTheFieldThatCannotBeRead) {
  const auto fields = query_fields("a=1&limit=%zz");
  ASSERT_FALSE(fields);
  EXPECT_EQ(fields.error().kind, ErrorKind::bad_request);
  EXPECT_EQ(fields.error().path, "limit");
}

TEST(Query, GivesTheFirstValueOfAName) {
  EXPECT_EQ(query_value("x=%zz&key=a%20b&key=c", "key").value(), "a b") << "others may be as they like";
  EXPECT_EQ(query_value("akey=1", "key").value(), std::nullopt);
  EXPECT_EQ(query_value("key", "key").value(), "");
  EXPECT_FALSE(query_value("key=%", "key"));
}

}  // namespace
}  // namespace weir
