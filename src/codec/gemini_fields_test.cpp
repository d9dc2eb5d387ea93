#include "codec/gemini_fields.h"

#include <fmt/core.h>
#include <gtest/gtest.h>

namespace weir {
namespace {

std::string json_schema(std::string text) {
  const Result<JsonDoc> parsed = JsonDoc::parse(std::move(text));
  Arena arena;
  return parsed ? std::string(gemini_json_schema(parsed->root(), arena).text) : parsed.error().message;
}

// The vendor's 64-bit numbers are strings in JSON.
TEST(GeminiFields, ReadEveryCountThatIsAString) {
  for (const std::string_view key :
       {"minItems", "maxItems", "minLength", "maxLength", "minProperties", "maxProperties"}) {
    EXPECT_EQ(json_schema(fmt::format(R"({{"{}":"12"}})", key)), fmt::format(R"({{"{}":12}})", key));
    EXPECT_EQ(json_schema(fmt::format(R"({{"{}":"x"}})", key)), fmt::format(R"({{"{}":"x"}})", key));
    EXPECT_EQ(json_schema(fmt::format(R"({{"{}":3}})", key)), fmt::format(R"({{"{}":3}})", key));
  }
  EXPECT_EQ(json_schema(R"({"min_items":"0","pattern":"12"})"), R"({"minItems":0,"pattern":"12"})");
}

TEST(GeminiFields, WriteASchemaOfOpenApisAsAJsonSchema) {
  EXPECT_EQ(json_schema(R"({"type":"STRING","nullable":true,"enum":["a"]})"),
            R"({"type":["string","null"],"enum":["a",null]})");
  EXPECT_EQ(json_schema(R"({"type":"TYPE_UNSPECIFIED","description":"d"})"), R"({"description":"d"})");
  EXPECT_EQ(json_schema(R"({"anyOf":[{"type":"INTEGER"}],"nullable":true})"),
            R"({"anyOf":[{"type":"integer"},{"type":"null"}]})");
  EXPECT_EQ(json_schema(R"({"type":"ARRAY","items":{"type":"NUMBER"}})"),
            R"({"type":"array","items":{"type":"number"}})");
  EXPECT_EQ(json_schema(R"({"properties":{"a":{},"b":{"type":"BOOLEAN"}},"propertyOrdering":["b"]})"),
            R"({"properties":{"b":{"type":"boolean"},"a":{}}})");
  EXPECT_EQ(json_schema(R"({ "type":"string" })"), R"({ "type":"string" })");
}

}  // namespace
}  // namespace weir
