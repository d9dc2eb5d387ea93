#include "codec/schema_downlevel.h"

#include <array>
#include <fmt/core.h>
#include <gtest/gtest.h>

#include "codec/anthropic_request.h"
#include "codec/gemini_request.h"
#include "codec/openai.h"
#include "codec/schema_restore.h"

namespace weir {
namespace {

const SchemaRules& openapi_rules() {
  Capabilities capabilities;
  capabilities.openapi_schema = true;
  return gemini_schema_rules(capabilities);
}

struct Made {
  DownleveledSchema schema;
  std::string records;
};

Made downlevel(std::string_view schema, const SchemaRules& rules, SchemaUse use = SchemaUse::arguments) {
  Fidelity fidelity;
  Made made{.schema = downlevel_schema(schema, rules, use, "/s", fidelity), .records = {}};
  made.records = fidelity.header_value();
  return made;
}

std::string openapi(std::string_view schema) {
  return downlevel(schema, openapi_rules()).schema.text;
}

TEST(SchemaDownlevel, LeavesWhatFitsAsItIs) {
  const std::string_view schema =
      R"( {"type":"object", "properties":{"a":{"type":"string","minLength":1}},"required":["a"]} )";
  const Made made = downlevel(schema, openapi_rules());
  EXPECT_EQ(made.schema.text, schema);
  EXPECT_EQ(made.records, "");
  EXPECT_EQ(downlevel("not JSON", openapi_rules()).schema.text, "not JSON");
}

TEST(SchemaDownlevel, InlinesDefinitions) {
  EXPECT_EQ(openapi(R"({"type":"object","properties":{"d":{"$ref":"#/$defs/Dog"}},
                        "$defs":{"Dog":{"type":"object","properties":{"n":{"type":"string"}}}}})"),
            R"({"type":"object","properties":{"d":{"type":"object","properties":{"n":{"type":"string"}}}}})");
}

TEST(SchemaDownlevel, CapsDefinitionsThatHoldThemselves) {
  const Made made = downlevel(R"({"type":"object","properties":{"n":{"$ref":"#/$defs/N"}},
      "$defs":{"N":{"type":"object","properties":{"next":{"$ref":"#/$defs/N"}}}}})",
                              openapi_rules());
  EXPECT_EQ(made.schema.text,
            R"({"type":"object","properties":{"n":{"type":"object","properties":{"next":{"type":"object",)"
            R"("properties":{"next":{"type":"object","properties":{"next":{}}}}}}}}})");
  EXPECT_NE(made.records.find("schema_downleveled;/s/properties/n/properties/next/properties/next/"
                              "properties/next;a_recursive_$ref>any_value"),
            std::string::npos)
      << made.records;
}

TEST(SchemaDownlevel, DropsAdditionalPropertiesAndAnnotationsWithARecord) {
  const Made made = downlevel(
      R"({"$schema":"x","title":"T","type":"object","properties":{"a":{"type":"string","default":"b"}},
          "additionalProperties":false})",
      openapi_rules());
  EXPECT_EQ(made.schema.text, R"({"type":"object","properties":{"a":{"type":"string"}}})");
  EXPECT_EQ(made.records,
            "schema_downleveled;/s/$schema;$schema>, schema_downleveled;/s/title;title>, "
            "schema_downleveled;/s/properties/a/default;default>, "
            "schema_downleveled;/s/additionalProperties;additionalProperties>");
}

TEST(SchemaDownlevel, MergesAllOfAndTurnsOneOfIntoAnyOf) {
  EXPECT_EQ(openapi(R"({"allOf":[{"type":"object","properties":{"a":{"type":"string"}},"required":["a"]},
                                 {"properties":{"b":{"oneOf":[{"type":"string"},{"type":"number"}]}},
        "required":["b"]}]})"),
            R"({"type":"object","properties":{"a":{"type":"string"},)"
            R"("b":{"anyOf":[{"type":"string"},{"type":"number"}]}},"required":["a","b"]})");
}

TEST(SchemaDownlevel, WritesNullAsNullable) {
  EXPECT_EQ(openapi(R"({"type":["string","null"]})"), R"({"type":"string","nullable":true})");
  EXPECT_EQ(openapi(R"({"type":["string","integer"]})"),
            R"({"anyOf":[{"type":"string"},{"type":"integer"}]})");
  EXPECT_EQ(openapi(R"({"anyOf":[{"type":"string","maxLength":3},{"type":"null"}],"title":"T"})"),
            R"({"type":"string","maxLength":3,"nullable":true})");
  EXPECT_EQ(openapi(R"({"anyOf":[{"type":"string"},{"type":"number"},{"type":"null"}]})"),
            R"({"anyOf":[{"type":"string"},{"type":"number"}],"nullable":true})");
}

TEST(SchemaDownlevel, WritesConstantsAsEnumOrWords) {
  EXPECT_EQ(openapi(R"({"const":"dog"})"), R"({"type":"string","enum":["dog"]})");
  EXPECT_EQ(openapi(R"({"const":[1],"description":"Legs."})"),
            R"({"description":"Legs. It is always [1]."})");
  EXPECT_EQ(openapi(R"({"type":"integer","const":3,"minimum":0})"), R"({"type":"string","enum":["3"]})");
  EXPECT_EQ(openapi(R"({"type":"integer","enum":[3,4],"const":3})"),
            R"({"type":"string","enum":["3","4"],"description":"It is always 3."})");
}

// Such an enum knows strings only; what the model writes then becomes the client's value again.
TEST(SchemaDownlevel, WritesConstantsThatAreNoStringsAsStringsAndTurnsThemBack) {
  const Made made =
      downlevel(R"({"type":"object","properties":{"legs":{"const":5},"b":{"type":"boolean","const":true},)"
                R"("n":{"type":["number","null"],"format":"double","const":1.0,"description":"Size."}}})",
                openapi_rules());
  EXPECT_EQ(made.schema.text,
            R"({"type":"object","properties":{"legs":{"type":"string","enum":["5"]},)"
            R"("b":{"type":"string","enum":["true"]},)"
            R"("n":{"type":"string","enum":["1.0"],"nullable":true,"description":"Size."}}})");
  EXPECT_EQ(made.records,
            "schema_downleveled;/s/properties/legs/const;const>enum, "
            "schema_downleveled;/s/properties/b/const;const>enum, "
            "schema_downleveled;/s/properties/n/type;type>nullable, "
            "schema_downleveled;/s/properties/n/const;const>enum");
  ASSERT_TRUE(made.schema.needs_restore());
  EXPECT_EQ(restore_json(R"({"legs":"5","b":"true","n":"1.0"})", made.schema.restore),
            R"({"legs":5,"b":true,"n":1.0})");
  EXPECT_EQ(restore_json(R"({"legs":"6","n":null})", made.schema.restore), R"({"legs":"6","n":null})");
}

TEST(SchemaDownlevel, WritesEnumsOfOtherThingsAsStringsAndTurnsThemBack) {
  const Made made = downlevel(
      R"({"type":"object","properties":{"l":{"type":"array","items":{"type":"integer","enum":[1,2]}}}})",
      openapi_rules());
  EXPECT_EQ(
      made.schema.text,
      R"({"type":"object","properties":{"l":{"type":"array","items":{"type":"string","enum":["1","2"]}}}})");
  ASSERT_TRUE(made.schema.needs_restore());
  EXPECT_EQ(restore_json(R"({"l": ["2", "1", "3"], "m": ["1"]})", made.schema.restore),
            R"({"l": [2, 1, "3"], "m": ["1"]})");
}

TEST(SchemaDownlevel, KnowsOnlySomeFormatsAndBounds) {
  EXPECT_EQ(openapi(R"({"type":"string","format":"date-time"})"),
            R"({"type":"string","format":"date-time"})");
  EXPECT_EQ(openapi(R"({"type":"string","format":"uuid"})"),
            R"({"type":"string","description":"Format: uuid."})");
  EXPECT_EQ(openapi(R"({"type":"integer","exclusiveMinimum":0,"maximum":9})"),
            R"({"type":"integer","maximum":9,"description":"exclusiveMinimum: 0."})");
}

TEST(SchemaDownlevel, GivesArraysItemsAndObjectsNoEmptyProperties) {
  EXPECT_EQ(openapi(R"({"type":"array"})"), R"({"type":"array","items":{"type":"string"}})");
  EXPECT_EQ(openapi(R"({"type":"object","properties":{}})"), R"({"type":"object"})");
  EXPECT_EQ(openapi(R"({"type":"array","prefixItems":[{"type":"string"},{"type":"integer"}]})"),
            R"({"type":"array","items":{"anyOf":[{"type":"string"},{"type":"integer"}]}})");
}

TEST(SchemaDownlevel, WrapsARootThatIsNoObjectInAnswersOnly) {
  const std::string_view schema = R"({"type":"array","items":{"type":"string"}})";
  EXPECT_EQ(downlevel(schema, openapi_rules()).schema.text, schema);
  const Made made = downlevel(schema, openapi_rules(), SchemaUse::answer);
  EXPECT_EQ(made.schema.text,
            R"({"type":"object","properties":{"value":{"type":"array","items":{"type":"string"}}},)"
            R"("required":["value"]})");
  EXPECT_TRUE(made.schema.restore.is_wrapped);
  // A root that leads to an object is one.
  EXPECT_FALSE(
      downlevel(R"({"$ref":"#/$defs/A","$defs":{"A":{"type":"object"}}})", openapi_rules(), SchemaUse::answer)
          .schema.restore.is_wrapped);
  EXPECT_FALSE(downlevel(R"({"allOf":[{"type":"object"}]})", openapi_rules(), SchemaUse::answer)
                   .schema.restore.is_wrapped);
  EXPECT_TRUE(downlevel(R"({"allOf":{"x":{"type":"object"}}})", openapi_rules(), SchemaUse::answer)
                  .schema.restore.is_wrapped)
      << "no list of schemas";
}

TEST(SchemaDownlevel, KeepsReferencesAloneForTheNewerFields) {
  const SchemaRules& rules = gemini_schema_rules({});
  EXPECT_EQ(downlevel(R"({"type":"object","properties":{"a":{"$ref":"#/$defs/A","description":"x"}},
                          "additionalProperties":false,"$defs":{"A":{"type":["string","null"],
        "const":"q"}}})",
                      rules)
                .schema.text,
            R"({"type":"object","properties":{"a":{"$ref":"#/$defs/A"}},"additionalProperties":false,)"
            R"("$defs":{"A":{"type":["string","null"],"const":"q"}}})");
}

TEST(SchemaDownlevel, BoundsWhatItWrites) {
  // Ten definitions, each naming the next twice: a thousand schemas when written out, and more at each level.
  std::string schema = R"({"type":"object","properties":{"a":{"$ref":"#/$defs/d0"}},"$defs":{)";
  for (int i = 0; i < 30; ++i) {
    schema += R"("d)" + std::to_string(i) + R"(":{"type":"object","properties":{"x":{"$ref":"#/$defs/d)" +
              std::to_string(i + 1) + R"("},"y":{"$ref":"#/$defs/d)" + std::to_string(i + 1) + R"("}}},)";
  }
  schema += R"("d30":{"type":"string"}}})";
  const Made made = downlevel(schema, openapi_rules());
  EXPECT_LT(made.schema.text.size(), 1'000'000u);
  EXPECT_NE(made.records.find("a_schema_that_grows_without_end"), std::string::npos) << made.records;
}

TEST(SchemaDownlevel, FollowsChainsOfReferencesOfAnyLength) {
  constexpr int kLength = 60'000;
  std::string schema = R"({"type":"object","properties":{"a":{"$ref":"#/$defs/d0"}},"$defs":{)";
  for (int i = 0; i < kLength; ++i)
    schema += fmt::format(R"("d{}":{{"items":{{"$ref":"#/$defs/d{}"}}}},)", i, i + 1);
  schema += fmt::format(R"("d{}":{{"type":"string"}}}}}})", kLength);
  for (const SchemaRules* rules : {&anthropic_schema_rules(), &openai_strict_rules(), &openapi_rules()}) {
    const Made made = downlevel(schema, *rules);
    EXPECT_LT(made.schema.text.size(), 2 * schema.size());
  }
}

TEST(SchemaDownlevel, TellsAnObjectByManyReferencesToItself) {
  constexpr int kReferences = 4000;
  std::string schema = R"({"allOf":[)";
  for (int i = 0; i < kReferences; ++i) schema += R"({"$ref":"#"},)";
  schema += R"({"title":"x"}]})";
  EXPECT_TRUE(downlevel(schema, openapi_rules(), SchemaUse::answer).schema.restore.is_wrapped);
  schema.insert(schema.size() - 2, R"(,{"type":"object"})");
  EXPECT_FALSE(downlevel(schema, openapi_rules(), SchemaUse::answer).schema.restore.is_wrapped);
}

TEST(SchemaDownlevel, FindsARecursionBesideAReferenceToNothing) {
  const Made made = downlevel(R"({"type":"object","properties":{"a":{"$ref":"#/$defs/A"}},
      "$defs":{"A":{"anyOf":[{"$ref":"#"},{"$ref":"#/nope"}]}}})",
                              anthropic_schema_rules());
  EXPECT_EQ(made.schema.text.find(R"("$ref":"#/$defs/A")"), std::string::npos) << made.schema.text;
}

TEST(SchemaDownlevel, EndsWhereANullableSchemaHoldsItself) {
  const Made made = downlevel(R"({"type":"object","properties":{"a":{"$ref":"#/$defs/A"}},
      "$defs":{"A":{"anyOf":[{"$ref":"#/$defs/A"},{"type":"null"}]}}})",
                              openapi_rules());
  EXPECT_EQ(made.schema.text, R"({"type":"object","properties":{"a":{"nullable":true}}})");
}

TEST(SchemaDownlevel, TakesWideSchemasInOnePass) {
  constexpr int kCount = 60'000;
  std::string properties;
  std::string required;
  std::string definitions;
  for (int i = 0; i < kCount; ++i) {
    properties += fmt::format(R"("p{}":{{"$ref":"#/$defs/d{}"}},)", i, kCount - i - 1);
    required += fmt::format(R"("p{}",)", i);
    definitions += fmt::format(R"("d{}":{{"type":"string"}},)", i);
  }
  const std::string wide = R"({"type":"object","properties":{)" + properties + R"("q":true},"required":[)" +
                           required + R"("q"],"$defs":{)" + definitions + R"("e":true}})";
  for (const SchemaRules* rules : {&anthropic_schema_rules(), &gemini_schema_rules({}), &openapi_rules()}) {
    const Made made = downlevel(wide, *rules);
    EXPECT_NE(made.schema.text.find(fmt::format(R"("p{}":{{)", kCount - 1)), std::string::npos);
    EXPECT_FALSE(made.schema.has_optional);
  }
}

TEST(SchemaDownlevel, BoundsWhatItMergesForEachProperty) {
  std::string schema = R"({"type":"object","properties":{)";
  for (int i = 0; i < 4000; ++i) schema += fmt::format(R"("p{}":{{"$ref":"#/$defs/A"}},)", i);
  schema += R"("q":{}},"$defs":{"A":{"allOf":[)";
  for (int i = 0; i < 60'000; ++i) schema += R"({"minimum":1},)";
  schema += R"({}]}}})";
  const Made made = downlevel(schema, openapi_rules());
  EXPECT_NE(made.records.find("a_schema_that_grows_without_end"), std::string::npos);
}

TEST(SchemaRestore, UnwrapsTextInAnyCut) {
  const SchemaRestore wrapped{.is_wrapped = true, .literals = {}};
  const std::string text = R"( { "value" : [{"a": "}]\"x"}, 2] } )";
  const std::string expected = R"([{"a": "}]\"x"}, 2])";
  EXPECT_EQ(restore_json(text, wrapped), expected);
  for (size_t cut = 0; cut <= text.size(); ++cut) {
    StreamRestore stream(wrapped);
    std::string out = stream.feed(std::string_view(text).substr(0, cut));
    out += stream.feed(std::string_view(text).substr(cut));
    out += stream.finish();
    EXPECT_EQ(out, expected) << cut;
  }
  // What is not wrapped, or was cut off, is handed on.
  EXPECT_EQ(restore_json("[1]", wrapped), "[1]");
  EXPECT_EQ(restore_json(R"([{"value":1}])", wrapped), R"([{"value":1}])");
  EXPECT_EQ(restore_json(R"({"other": 1})", wrapped), R"({"other": 1})");
  EXPECT_EQ(restore_json(R"({"value": [1, )", wrapped), "[1, ");
  EXPECT_EQ(restore_json(R"({"val)", wrapped), R"({"val)");
}

TEST(SchemaRestore, TurnsLiteralsBackInsideAWrapper) {
  const SchemaRestore restore{.is_wrapped = true, .literals = {{.pointer = "/*", .text = "1", .json = "1"}}};
  EXPECT_EQ(restore_json(R"({"value":["1","2"]})", restore), R"([1,"2"])");
}

}  // namespace
}  // namespace weir
