#include "io/headers.h"

#include <gtest/gtest.h>

namespace weir {
namespace {

TEST(Headers, FindsNamesWithoutCaseAndKeepsTheOrder) {
  Headers headers = {{"Content-Type", "a"}, {"X", "1"}, {"x", "2"}};
  EXPECT_EQ(headers.get("content-type"), "a");
  EXPECT_EQ(headers.get("X"), "1");
  EXPECT_EQ(headers.count("x"), 2U);
  EXPECT_EQ(headers.get("content"), std::nullopt);
  std::string order;
  for (const HeaderField field : headers)
    order.append(field.name).append("=").append(field.value).append(" ");
  EXPECT_EQ(order, "Content-Type=a X=1 x=2 ");
}

TEST(Headers, ReplacesAllFieldsOfAName) {
  Headers headers = {{"x", "1"}, {"y", "2"}, {"X", "3"}};
  headers.set("x", "4");
  EXPECT_EQ(headers.size(), 2U);
  EXPECT_EQ(headers[1].value, "4");
  headers.remove("Y");
  EXPECT_EQ(headers.size(), 1U);
  headers.clear();
  EXPECT_TRUE(headers.empty());
  EXPECT_FALSE(headers.contains("x"));
}

TEST(Headers, MayBeGivenViewsOfItself) {
  Headers headers = {{"a", std::string(100, 'v')}};
  for (int i = 0; i < 20; ++i) headers.add("b", *headers.get("a"));
  headers.set("a", *headers.get("b"));
  EXPECT_EQ(headers.get("a"), std::string(100, 'v'));
  EXPECT_EQ(headers.count("b"), 20U);
}

TEST(Headers, HoldsABlockOfTextWithItsFields) {
  const std::string block = "Host:  a \r\nX: 1\r\n\r\n";
  const std::string_view view = block;
  Headers headers;
  headers.hold(view);
  headers.note(view, {view.substr(0, 4), view.substr(7, 1)});
  headers.note(view, {view.substr(11, 1), view.substr(14, 1)});
  EXPECT_EQ(headers.get("host"), "a");
  headers.add("y", *headers.get("x"));
  headers.remove("host");
  EXPECT_EQ(headers[0].value, "1");
  EXPECT_EQ(headers.get("Y"), "1");
  EXPECT_GE(headers.bytes(), 3u);
}

TEST(Headers, SurvivesCopyAndMove) {
  Headers headers = {{"a", "b"}};
  Headers copy = headers;
  const Headers moved = std::move(headers);
  copy.set("a", "c");
  EXPECT_EQ(moved.get("a"), "b");
  EXPECT_EQ(copy.get("a"), "c");
}

}  // namespace
}  // namespace weir
