// The tables of schema_downlevel and of the rules by which the dialects ask for it, row by row: each keyword
// stands alone in a schema, so that one that is lost shows.
#include <array>
#include <fmt/core.h>
#include <gtest/gtest.h>

#include "codec/anthropic_test_util.h"
#include "codec/gemini_request.h"
#include "codec/schema_downlevel.h"

namespace weir {
namespace {

struct Made {
  std::string text;
  std::vector<FidelityRecord> records;
};

Made downlevel(std::string_view schema, const SchemaRules& rules) {
  Fidelity fidelity;
  DownleveledSchema made = downlevel_schema(schema, rules, SchemaUse::arguments, "/s", fidelity);
  return {.text = std::move(made.text), .records = fidelity.records()};
}

const SchemaRules& openapi_rules() {
  Capabilities capabilities;
  capabilities.openapi_schema = true;
  return gemini_schema_rules(capabilities);
}
const SchemaRules& json_rules() {
  return gemini_schema_rules({});
}

struct BoundCase {
  std::string_view member;
  std::string_view word;  // of the description where it is not known
  bool is_openapi;
  bool is_json;
};

TEST(SchemaTables, KeepEveryKnownBoundAndDescribeTheOthers) {
  constexpr std::array<BoundCase, 15> kCases = {{
      {R"("pattern":"a")", R"(pattern: \"a\".)", true, false},
      {R"("minLength":1)", "minLength: 1.", true, false},
      {R"("maxLength":2)", "maxLength: 2.", true, false},
      {R"("minimum":3)", "minimum: 3.", true, true},
      {R"("maximum":4)", "maximum: 4.", true, true},
      {R"("exclusiveMinimum":5)", "exclusiveMinimum: 5.", false, false},
      {R"("exclusiveMaximum":6)", "exclusiveMaximum: 6.", false, false},
      {R"("multipleOf":7)", "multipleOf: 7.", false, false},
      {R"("minItems":8)", "minItems: 8.", true, true},
      {R"("maxItems":9)", "maxItems: 9.", true, true},
      {R"("uniqueItems":true)", "uniqueItems: true.", false, false},
      {R"("minProperties":1)", "minProperties: 1.", true, false},
      {R"("maxProperties":2)", "maxProperties: 2.", true, false},
      {R"("minContains":3)", "minContains: 3.", false, false},
      {R"("maxContains":4)", "maxContains: 4.", false, false},
  }};
  for (const BoundCase& bound : kCases) {
    const std::string schema = fmt::format(R"({{{}}})", bound.member);
    const std::string described = fmt::format(R"({{"description":"{}"}})", bound.word);
    EXPECT_EQ(downlevel(schema, openapi_rules()).text, bound.is_openapi ? schema : described);
    EXPECT_EQ(downlevel(schema, json_rules()).text, bound.is_json ? schema : described);
    EXPECT_EQ(downlevel(schema, {}).text, schema);
    EXPECT_EQ(downlevel(schema, {.describes_bounds = true}).text, described);
  }
}

// "minLength" becomes words, so that the schema is written anew.
TEST(SchemaTables, WriteEveryKeywordOfStructureOnce) {
  constexpr std::array<std::string_view, 15> kMembers = {
      R"("type":"string")",
      R"("enum":["a","b"])",
      R"("const":"a")",
      R"("format":"uuid")",
      R"("$ref":"#/$defs/A")",
      R"("$anchor":"here")",
      R"("propertyOrdering":["a"])",
      R"("properties":{"a":{}})",
      R"("required":["a"])",
      R"("prefixItems":[{"type":"string"}])",
      R"("items":{"type":"string"})",
      R"("anyOf":[{"type":"string"},{"type":"number"}])",
      R"("oneOf":[{"type":"string"},{"type":"number"}])",
      R"("allOf":[{"type":"string"}])",
      R"("$defs":{"A":{"type":"string"}})",
  };
  const SchemaRules rules{.describes_bounds = true};
  for (const std::string_view member : kMembers) {
    const Made made = downlevel(fmt::format(R"({{"minLength":1,{}}})", member), rules);
    EXPECT_EQ(made.text, fmt::format(R"({{{},"description":"minLength: 1."}})", member));
    EXPECT_EQ(made.records.size(), 1U) << member;
  }
  EXPECT_EQ(downlevel(R"({"minLength":1,"definitions":{"A":{"type":"string"}}})", rules).text,
            R"({"definitions":{"A":{"type":"string"}},"description":"minLength: 1."})");
  EXPECT_EQ(downlevel(R"({"minLength":1,"description":"d"})", rules).text,
            R"({"description":"d minLength: 1."})");
  EXPECT_EQ(
      downlevel(R"({"minLength":1,"nullable":true})", {.has_null_type = false, .describes_bounds = true})
          .text,
      R"({"nullable":true,"description":"minLength: 1."})");
}

TEST(SchemaTables, DropWhatSaysNothingOfTheValueWithAWord) {
  struct Case {
    std::string_view member;
    bool is_known_to_json;
  };
  constexpr std::array<Case, 11> kCases = {{
      {R"("$schema":"x")", false},
      {R"("$id":"x")", true},
      {R"("$anchor":"x")", true},
      {R"("$comment":"x")", false},
      {R"("title":"x")", true},
      {R"("examples":[1])", false},
      {R"("example":1)", false},
      {R"("default":1)", false},
      {R"("deprecated":true)", false},
      {R"("readOnly":true)", false},
      {R"("writeOnly":true)", false},
  }};
  for (const Case& one : kCases) {
    const std::string schema = fmt::format(R"({{"type":"string",{}}})", one.member);
    const Made openapi = downlevel(schema, openapi_rules());
    EXPECT_EQ(openapi.text, R"({"type":"string"})") << one.member;
    ASSERT_EQ(openapi.records.size(), 1U) << one.member;
    EXPECT_EQ(openapi.records[0].severity, Severity::info) << one.member;
    if (one.is_known_to_json) continue;
    const Made json = downlevel(schema, json_rules());
    EXPECT_EQ(json.text, R"({"type":"string"})") << one.member;
    ASSERT_EQ(json.records.size(), 1U) << one.member;
    EXPECT_EQ(json.records[0].severity, Severity::info) << one.member;
  }
  const Made unknown = downlevel(R"({"type":"string","if":{}})", openapi_rules());
  EXPECT_EQ(unknown.text, R"({"type":"string"})");
  ASSERT_EQ(unknown.records.size(), 1U);
  EXPECT_EQ(unknown.records[0].severity, Severity::warning);
}

TEST(SchemaTables, KeepEveryFormatOfOpenApi) {
  for (const std::string_view format : {"enum", "date-time", "int32", "int64", "float", "double"}) {
    const std::string schema = fmt::format(R"({{"type":"string","format":"{}"}})", format);
    EXPECT_EQ(downlevel(schema, openapi_rules()).text, schema);
  }
  EXPECT_EQ(downlevel(R"({"type":"string","format":"email"})", openapi_rules()).text,
            R"({"type":"string","description":"Format: email."})");
}

TEST(SchemaTables, TakeWhatAnAlternativeBesideNullSays) {
  EXPECT_EQ(
      downlevel(R"({"anyOf":[{"type":"string","description":"d"},{"type":"null"}]})", openapi_rules()).text,
      R"({"type":"string","nullable":true,"description":"d"})");
  EXPECT_EQ(downlevel(R"({"type":"string","nullable":true,"title":"t"})", openapi_rules()).text,
            R"({"type":"string","nullable":true})");
}

// A request whose answer has the schema, which is to be enforced.
std::string asking_for(std::string_view schema) {
  return fmt::format(R"({{"model":"m","max_tokens":9,"messages":[{{"role":"user","content":"hi"}}],)"
                     R"("response_format":{{"type":"json_schema","json_schema":{{"name":"n","strict":true,)"
                     R"("schema":{}}}}}}})",
                     schema);
}

TEST(SchemaTables, KeepEveryFormatThatAnthropicEnforces) {
  const Capabilities native = test::caps(&Capabilities::json_schema, JsonSchemaSupport::native);
  const auto sends = [&](std::string_view schema, std::string_view part) {
    return test::body_of(test::to_anthropic(asking_for(schema), native)).find(part) != std::string::npos;
  };
  for (const std::string_view format :
       {"date-time", "time", "date", "duration", "email", "hostname", "uri", "ipv4", "ipv6", "uuid"}) {
    const std::string schema = fmt::format(R"({{"type":"string","format":"{}"}})", format);
    EXPECT_TRUE(sends(schema, schema)) << format;
  }
  EXPECT_TRUE(
      sends(R"({"type":"string","format":"regex"})", R"({"type":"string","description":"Format: regex."})"));
  EXPECT_TRUE(sends(R"({"type":"array","minItems":1})", R"({"type":"array","minItems":1})"));
  EXPECT_TRUE(sends(R"({"type":"array","minItems":2})", R"({"type":"array","description":"minItems: 2."})"));
  EXPECT_TRUE(sends(R"({"type":"number","maximum":2})", R"({"type":"number","description":"maximum: 2."})"));
}

TEST(SchemaTables, KeepEveryFormatAndBoundThatOpenAiEnforces) {
  const auto sends = [](std::string_view schema, std::string_view part) {
    const Capabilities any;
    const auto call = openai_chat_provider().encode_request(test::openai_chat(asking_for(schema)),
                                                            {.model = "gpt", .capabilities = &any});
    return test::body_of(call).find(part) != std::string::npos;
  };
  for (const std::string_view format :
       {"date-time", "time", "date", "duration", "email", "hostname", "ipv4", "ipv6", "uuid"}) {
    const std::string schema = fmt::format(R"({{"type":"string","format":"{}"}})", format);
    EXPECT_TRUE(sends(schema, schema)) << format;
  }
  EXPECT_TRUE(
      sends(R"({"type":"string","format":"uri"})", R"({"type":"string","description":"Format: uri."})"));
  for (const std::string_view bound :
       {R"("pattern":"a")", R"("multipleOf":2)", R"("minimum":3)", R"("maximum":4)",
        R"("exclusiveMinimum":5)", R"("exclusiveMaximum":6)", R"("minItems":7)", R"("maxItems":8)"}) {
    const std::string schema = fmt::format(R"({{"type":"string",{}}})", bound);
    EXPECT_TRUE(sends(schema, schema)) << bound;
  }
  EXPECT_TRUE(
      sends(R"({"type":"string","minLength":1})", R"({"type":"string","description":"minLength: 1."})"));
}

}  // namespace
}  // namespace weir
