#include <cmath>
#include <gtest/gtest.h>
#include <limits>

#include "base/json.h"

namespace weir {
namespace {

std::string literal(std::string_view text) {
  std::string out;
  append_json_string(out, text);
  return out;
}

TEST(AppendJsonString, EscapesWhatJsonDemandsAndNothingElse) {
  EXPECT_EQ(literal(""), R"("")");
  EXPECT_EQ(literal("plain / text"), R"("plain / text")");
  EXPECT_EQ(literal("\"\\\b\f\n\r\t"), R"("\"\\\b\f\n\r\t")");
  EXPECT_EQ(literal(std::string_view("\0\x01\x1f\x7f", 4)), "\"\\u0000\\u0001\\u001f\x7f\"");
  EXPECT_EQ(literal("caf\xC3\xA9 日本 \xF0\x9F\x98\x80"), "\"caf\xC3\xA9 日本 \xF0\x9F\x98\x80\"");
}

TEST(AppendJsonString, EscapesAtEveryPlaceInAWord) {
  for (size_t size = 1; size < 20; ++size) {
    for (size_t place = 0; place < size; ++place) {
      for (const char special : {'"', '\\', '\n', '\x1f', '\x01'}) {
        std::string text(size, 'x');
        text[place] = special;
        const auto doc = JsonDoc::parse(literal(text));
        ASSERT_TRUE(doc) << size << " " << place;
        EXPECT_EQ(doc->root().as_string().value(), text);
      }
    }
  }
}

TEST(AppendJsonString, ReplacesWhatIsNotUtf8) {
  EXPECT_EQ(literal("a\xFF"
                    "b"),
            "\"a\xEF\xBF\xBD"
            "b\"");
  EXPECT_EQ(literal("\xE2\x82"), "\"\xEF\xBF\xBD\"");
  EXPECT_EQ(literal("\xED\xA0\x80"), "\"\xEF\xBF\xBD\xEF\xBF\xBD\xEF\xBF\xBD\"");
  EXPECT_EQ(literal("\xC0\xAF"), "\"\xEF\xBF\xBD\xEF\xBF\xBD\"");
}

TEST(JsonWriter, PlacesCommas) {
  std::string out;
  JsonWriter w(out);
  w.begin_object();
  w.key("a")
      .value(1)
      .key("b")
      .begin_array()
      .value("x")
      .value(true)
      .null()
      .begin_object()
      .end_object()
      .end_array();
  w.key("c")
      .begin_array()
      .end_array()
      .key("d\n")
      .raw(R"({"z":1.0})")
      .key("e")
      .raw("")
      .key("f")
      .begin_object();
  w.key("g").value(std::string("s")).end_object().end_object();
  EXPECT_EQ(out, R"({"a":1,"b":["x",true,null,{}],"c":[],"d\n":{"z":1.0},"e":null,"f":{"g":"s"}})");
}

TEST(JsonWriter, AppendsToWhatIsThere) {
  std::string out = "data: ";
  JsonWriter(out).begin_array().value(2).end_array();
  EXPECT_EQ(out, "data: [2]");
}

TEST(JsonWriter, WritesNumbersThatReadBackTheSame) {
  std::string out;
  JsonWriter w(out);
  w.begin_array();
  w.value(INT64_MIN)
      .value(INT64_MAX)
      .value(UINT64_MAX)
      .value(0.1)
      .value(1.0)
      .value(-0.0)
      .value(1e300)
      .value(5e-324);
  w.value(std::nan("")).value(std::numeric_limits<double>::infinity()).end_array();
  EXPECT_EQ(
      out,
      "[-9223372036854775808,9223372036854775807,18446744073709551615,0.1,1,-0,1e+300,5e-324,null,null]");
  const auto doc = JsonDoc::parse(out);
  ASSERT_TRUE(doc);
  EXPECT_EQ(doc->root().at(3).as_double().value(), 0.1);
  EXPECT_TRUE(std::signbit(doc->root().at(5).as_double().value()));
  EXPECT_EQ(doc->root().at(7).as_double().value(), 5e-324);
}

TEST(Splice, ReplacesInsertsAndRemoves) {
  const std::string_view source = R"({"model":"public-name","n":1})";
  const auto doc = JsonDoc::parse(std::string(source));
  ASSERT_TRUE(doc);
  const JsonValue model = doc->root()["model"];
  EXPECT_EQ(splice(source, {}), source);
  EXPECT_EQ(splice(source, {{model.offset(), model.raw().size(), R"("gpt-4o")"}}),
            R"({"model":"gpt-4o","n":1})");
  EXPECT_EQ(splice(source,
                   {{1, 0, R"("x":0,)"}, {model.offset(), model.raw().size(), "null"}, {28, 0, R"(,"y":2)"}}),
            R"({"x":0,"model":null,"n":1,"y":2})");
  EXPECT_EQ(splice("abcdef", {{0, 2, ""}, {2, 0, "-"}, {5, 1, ""}}), "-cde");
}

}  // namespace
}  // namespace weir
