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

TEST(Headers, KeepsItsFieldsAsTheLinesOfAHead) {
  Headers headers;
  EXPECT_EQ(headers.lines(), "");
  headers.add("a", "1");
  headers.add(std::string("X-Long"), std::string(1000, 'v'));
  headers.add("empty", "");
  const std::string lines = "a: 1\r\nX-Long: " + std::string(1000, 'v') + "\r\nempty: \r\n";
  EXPECT_EQ(headers.lines(), lines);
  EXPECT_EQ(Headers(headers).lines(), lines);
  headers.set("b", "2");
  EXPECT_EQ(headers.lines(), lines + "b: 2\r\n");
}

TEST(Headers, GivesNoLinesThatMayNotBeSentAsTheyAre) {
  for (const std::string name : {"Host", "te", "Content-Length", "a b", "a:", "", "\r\n"}) {
    Headers headers = {{"a", "1"}};
    headers.add(name, "x");
    EXPECT_EQ(headers.lines(), std::nullopt) << name;
    headers.add("b", "2");
    EXPECT_EQ(headers.lines(), std::nullopt) << name;
    EXPECT_EQ(headers.get("b"), "2");
    EXPECT_EQ(headers.get(name), "x");
    headers.clear();
    EXPECT_EQ(headers.lines(), "");
  }
  // What was removed leaves a gap.
  Headers headers = {{"a", "1"}, {"b", "2"}};
  headers.set("a", "3");
  EXPECT_EQ(headers.lines(), std::nullopt);
  EXPECT_EQ(headers.get("b"), "2");
  EXPECT_EQ(headers.get("a"), "3");
}

TEST(Headers, KnowsWhenItIsCompiledWhichNamesMayBeSent) {
  static_assert(FieldName("x-request-id").is_sendable());
  static_assert(FieldName("Content-Type").is_sendable());
  static_assert(!FieldName("Transfer-Encoding").is_sendable());
  static_assert(!FieldName("keep-alive").is_sendable());
  static_assert(!FieldName("a b").is_sendable());
  static_assert(!FieldName("").is_sendable());
  EXPECT_TRUE(FieldName(std::string("x_y")).is_sendable());
  EXPECT_FALSE(FieldName(std::string("Upgrade")).is_sendable());
}

TEST(Headers, ComparesNamesOfEveryLength) {
  for (size_t size = 1; size <= 20; ++size) {
    const std::string name(size, 'n');
    for (size_t at = 0; at < size; ++at) {
      for (const char c : {'N', 'm', '.', '\x4e', '\xce', '\xee'}) {
        std::string other = name;
        other[at] = c;
        EXPECT_EQ(equals_ignoring_case(name, other), c == 'N') << size << " " << at << " " << c;
      }
    }
    // They differ in the bit that makes a letter small, and are none.
    EXPECT_FALSE(equals_ignoring_case(std::string(size, '@'), std::string(size, '`')));
    EXPECT_FALSE(equals_ignoring_case(std::string(size, '['), std::string(size, '{')));
  }
  EXPECT_TRUE(equals_ignoring_case("", ""));
  EXPECT_FALSE(equals_ignoring_case("a", ""));
}

TEST(Headers, HoldsABlockOfTextWithItsFields) {
  const std::string block = "Host:  a \r\nX: 1\r\n\r\n";
  const std::string_view view = block;
  Headers headers;
  headers.note(view, {view.substr(0, 4), view.substr(7, 1)});
  headers.note(view, {view.substr(11, 1), view.substr(14, 1)});
  headers.hold(view);
  EXPECT_EQ(headers.lines(), std::nullopt);
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
