#include "base/flat_text.h"

#include <gtest/gtest.h>
#include <limits>

#include "base/inline_text.h"

namespace weir {
namespace {

template <class Write>
std::string written(Write&& write) {
  std::string out = "before ";
  append_flat(out, 200, write);
  return out.substr(7);
}

TEST(FlatText, WritesPiecesOneBehindTheOther) {
  EXPECT_EQ(written([](FlatText& out) { out.text("a=").decimal(-12).byte(';').text("").text("b"); }),
            "a=-12;b");
  EXPECT_EQ(written([](FlatText& out) { out.decimal(std::numeric_limits<int64_t>::min()); }),
            "-9223372036854775808");
}

TEST(FlatText, WritesPartsAsDecimals) {
  EXPECT_EQ(written([](FlatText& out) { out.fixed<3>(1234); }), "1.234");
  EXPECT_EQ(written([](FlatText& out) { out.fixed<3>(98'765); }), "98.765");
  EXPECT_EQ(written([](FlatText& out) { out.fixed<3>(987'654); }), "987.654");
  EXPECT_EQ(written([](FlatText& out) { out.fixed<3>(5); }), "0.005");
  EXPECT_EQ(written([](FlatText& out) { out.fixed<9>(123'000); }), "0.000123000");
  EXPECT_EQ(written([](FlatText& out) { out.fixed<3>(-1500); }), "-1.500");
  EXPECT_EQ(written([](FlatText& out) { out.fixed<3>(std::numeric_limits<int64_t>::min()); }),
            "-9223372036854775.808");
}

TEST(FlatText, WritesAWordAsSixteenDigits) {
  EXPECT_EQ(written([](FlatText& out) { out.hex(0x0123'4567'89ab'cdef); }), "0123456789abcdef");
  EXPECT_EQ(written([](FlatText& out) { out.hex(1); }), "0000000000000001");
  EXPECT_EQ(written([](FlatText& out) { out.hex(0xfedc'ba98'7654'3210); }), "fedcba9876543210");
  EXPECT_EQ(written([](FlatText& out) { out.hex(~uint64_t{0}); }), "ffffffffffffffff");
}

TEST(FlatText, AppendsToWhatIsThere) {
  std::string out(100, 'x');
  append_flat(out, 10, [](FlatText& to) { to.text("end"); });
  EXPECT_EQ(out, std::string(100, 'x') + "end");
}

TEST(InlineText, HoldsItsText) {
  InlineText<8> text = "abc";
  EXPECT_EQ(text, "abc");
  EXPECT_EQ(text.size(), 3U);
  text = std::string_view("12345678");
  EXPECT_EQ(text, "12345678");
  EXPECT_TRUE(InlineText<8>().empty());
  EXPECT_EQ(InlineText<8>::written([](FlatText& out) { out.text("w").byte('!'); }), "w!");
}

}  // namespace
}  // namespace weir
