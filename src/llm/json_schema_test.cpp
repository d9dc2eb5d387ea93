#include "llm/json_schema.h"

#include <gtest/gtest.h>

#include "base/limits.h"

namespace weir {
namespace {

Result<SchemaVerdict> verdict(std::string value, std::string schema) {
  const JsonDoc value_doc = JsonDoc::parse(std::move(value)).value();
  const JsonDoc schema_doc = JsonDoc::parse(std::move(schema)).value();
  return check_json_schema(value_doc.root(), schema_doc.root());
}

// The violation; empty when the value follows the schema.
std::string violation(std::string value, std::string schema) {
  const auto result = verdict(std::move(value), std::move(schema));
  return result ? result->violation.value_or("") : "broken: " + result.error().message;
}

struct Case {
  const char* schema;
  const char* good;
  const char* bad;
};

TEST(JsonSchema, EveryCheckedKeywordTellsGoodFromBad) {
  const Case cases[] = {
      {R"({"type":"object"})", "{}", "[]"},
      {R"({"type":["string","null"]})", "null", "1"},
      {R"({"type":"integer"})", "1.0", "1.5"},
      {R"({"enum":["a",1,{"b":[2]}]})", R"({"b":[2.0]})", R"({"b":[3]})"},
      {R"({"const":{"a":1,"b":2}})", R"({"b":2,"a":1})", R"({"a":1})"},
      {R"({"allOf":[{"minimum":1},{"maximum":3}]})", "2", "4"},
      {R"({"anyOf":[{"type":"string"},{"minimum":5}]})", "5", "4"},
      {R"({"oneOf":[{"multipleOf":2},{"multipleOf":3}]})", "4", "6"},
      {R"({"not":{"type":"string"}})", "1", R"("x")"},
      {R"({"if":{"type":"string"},"then":{"minLength":2},"else":{"minimum":2}})", R"("ab")", "1"},
      {R"({"exclusiveMinimum":1,"exclusiveMaximum":3})", "2", "3"},
      {R"({"multipleOf":0.1})", "0.3", "0.35"},
      {R"({"minLength":2,"maxLength":2})", R"("äö")", R"("a")"},
      {R"({"items":{"type":"string"}})", R"(["a"])", R"(["a",1])"},
      {R"({"prefixItems":[{"type":"string"}],"items":false})", R"(["a"])", R"(["a","b"])"},
      {R"({"contains":{"const":7}})", "[1,7]", "[1,2]"},
      {R"({"minItems":1,"maxItems":2})", "[1]", "[1,2,3]"},
      {R"({"uniqueItems":true})", "[1,2]", "[1,2,1.0]"},
      {R"({"required":["a"]})", R"({"a":null})", "{}"},
      {R"({"properties":{"a":{"type":"string"}},"additionalProperties":false})", R"({"a":"x"})",
       R"({"b":1})"},
      {R"({"additionalProperties":{"type":"number"}})", R"({"x":1})", R"({"x":"1"})"},
      {R"({"minProperties":1,"maxProperties":1})", R"({"a":1})", "{}"},
      {R"({"$ref":"#/$defs/n","$defs":{"n":{"type":"number"}}})", "1", R"("1")"},
      {R"({"$ref":"#/$defs/a~1b","$defs":{"a/b":{"const":1}}})", "1", "2"},
  };
  for (const Case& each : cases) {
    EXPECT_EQ(violation(each.good, each.schema), "") << each.schema << " of " << each.good;
    EXPECT_NE(violation(each.bad, each.schema), "") << each.schema << " of " << each.bad;
  }
}

TEST(JsonSchema, TellsThePlaceOfTheFirstViolation) {
  EXPECT_EQ(violation(R"({"items":[{"price":1},{"price":"x"}]})",
                      R"({"properties":{"items":{"items":{"properties":{"price":{"type":"number"}}}}}})"),
            R"(at /items/1/price: must be of type "number")");
  EXPECT_EQ(violation("1", R"({"type":"string"})"), R"(at the top: must be of type "string")");
}

TEST(JsonSchema, WhatABranchBreaksIsNoViolation) {
  EXPECT_EQ(violation("1", R"({"anyOf":[{"type":"string"},{"type":"number"}]})"), "");
}

TEST(JsonSchema, RecursiveSchemasFollowTheValue) {
  const char* tree =
      R"({"type":"object","properties":{"children":{"items":{"$ref":"#"}}},"required":["name"]})";
  EXPECT_EQ(violation(R"({"name":"a","children":[{"name":"b","children":[]}]})", tree), "");
  EXPECT_EQ(violation(R"({"name":"a","children":[{"children":[]}]})", tree),
            R"(at /children/0: must have "name")");
}

TEST(JsonSchema, NamesTheKeywordsThatItDoesNotCheck) {
  const auto result = verdict(R"("x")", R"({"type":"string","pattern":"^a","format":"date","title":"t"})");
  ASSERT_TRUE(result);
  EXPECT_EQ(result->violation, std::nullopt);
  EXPECT_EQ(result->unchecked, (std::vector<std::string>{"pattern", "format"}));
}

TEST(JsonSchema, ASchemaThatCannotBeUsedIsAnError) {
  EXPECT_FALSE(verdict("1", R"({"$ref":"#/$defs/no"})"));
  EXPECT_FALSE(verdict("1", R"({"$ref":"https://example.com/schema"})"));
  EXPECT_FALSE(verdict("1", R"({"$ref":"#"})"));
}

TEST(JsonSchema, BranchesThatMultiplyEnd) {
  std::string schema = R"({"$defs":{"a0":{"type":"string"})";
  for (int i = 1; i < 40; ++i) {
    const std::string below = fmt::format(R"({{"$ref":"#/$defs/a{}"}})", i - 1);
    schema += fmt::format(R"(,"a{}":{{"anyOf":[{},{}]}})", i, below, below);
  }
  schema += R"(},"$ref":"#/$defs/a39"})";
  const auto result = verdict("1", schema);
  ASSERT_FALSE(result);
  EXPECT_NE(result.error().message.find("too many steps"), std::string::npos);
}

TEST(JsonSchema, WideSchemasForManyValuesEnd) {
  constexpr int kCount = 50'000;
  std::string keywords;
  std::string words;
  std::string values;
  for (int i = 0; i < kCount; ++i) {
    keywords += fmt::format(R"("x{}":0,)", i);
    words += fmt::format(R"("w{}",)", i);
    values += R"("w",)";
  }
  const std::string value = "[" + values + R"("w"])";
  for (const std::string& schema :
       {R"({"items":{)" + keywords + R"("type":"string"}})", R"({"items":{"enum":[)" + words + R"("w"]}})"}) {
    const auto result = verdict(value, schema);
    ASSERT_FALSE(result);
    EXPECT_NE(result.error().message.find("too many steps"), std::string::npos);
  }
}

TEST(JsonSchema, LooksWidePropertiesUpAtOnce) {
  std::string properties;
  std::string members;
  std::string names;
  for (int i = 0; i < 60'000; ++i) {
    properties += fmt::format(R"("p{}":true,)", i);
    members += fmt::format(R"("p{}":0,)", i);
    names += fmt::format(R"("p{}",)", i);
  }
  const std::string schema =
      R"({"properties":{)" + properties + R"("q":true},"required":[)" + names + R"("q"]})";
  EXPECT_EQ(violation("{" + members + R"("q":0})", schema), "");
  EXPECT_EQ(violation("{" + members + R"("r":0})", schema), R"(at the top: must have "q")");
}

}  // namespace
}  // namespace weir
