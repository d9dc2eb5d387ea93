#include "base/json.h"

#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <gtest/gtest.h>
#include <iterator>

namespace weir {
namespace {

JsonDoc parsed(std::string text, const JsonLimits& limits = {}) {
  auto doc = JsonDoc::parse(std::move(text), limits);
  if (!doc) ADD_FAILURE() << doc.error().message;
  return doc ? std::move(*doc) : JsonDoc();
}

Error refused(std::string text, const JsonLimits& limits = {}) {
  auto doc = JsonDoc::parse(std::move(text), limits);
  if (doc) {
    ADD_FAILURE() << "accepted: " << doc->source();
    return {};
  }
  EXPECT_EQ(doc.error().kind, ErrorKind::bad_request);
  return std::move(doc).error();
}

constexpr std::string_view kChat = R"({
  "model": "gpt-4o", "temperature": 0.70, "stream": true, "stop": null,
  "messages": [
    {"role": "system", "content": "Be brief."},
    {"role": "user", "content": [ {"type": "text", "text": "caf\u00e9 \"x\"\n"}, 7 ]}
  ],
  "empty": {}, "none": []
})";

TEST(JsonDoc, ReadsTheMembersAndElementsOfABody) {
  const JsonDoc doc = parsed(std::string(kChat));
  const JsonValue root = doc.root();
  EXPECT_EQ(root.type(), JsonType::object);
  EXPECT_EQ(root.size(), 7u);
  EXPECT_EQ(root["model"].as_string().value(), "gpt-4o");
  EXPECT_EQ(root["temperature"].as_double().value(), 0.7);
  EXPECT_EQ(root["temperature"].raw(), "0.70");
  EXPECT_TRUE(root["stream"].as_bool().value());
  EXPECT_TRUE(root["stop"].is_null());
  EXPECT_TRUE(root["stop"].is_absent());
  const JsonValue parts = root["messages"].at(1)["content"];
  EXPECT_EQ(parts.at(0)["text"].as_string().value(), "caf\xC3\xA9 \"x\"\n");
  EXPECT_EQ(parts.at(1).as_int().value(), 7);
  EXPECT_EQ(root["empty"].size(), 0u);
  EXPECT_EQ(root["none"].size(), 0u);
}

TEST(JsonDoc, KeepsTheExactBytesAndPlaceOfEachValue) {
  const JsonDoc doc = parsed(std::string(kChat));
  const JsonValue parts = doc.root()["messages"].at(1)["content"];
  EXPECT_EQ(parts.raw(), R"([ {"type": "text", "text": "caf\u00e9 \"x\"\n"}, 7 ])");
  EXPECT_EQ(doc.source().substr(parts.offset(), parts.raw().size()), parts.raw());
  EXPECT_EQ(doc.source().substr(parts.key_offset(), 9), "\"content\"");
  EXPECT_EQ(parts.key(), "content");
  EXPECT_EQ(doc.root().raw().front(), '{');
  EXPECT_EQ(doc.root().raw(), doc.source());
}

TEST(JsonDoc, IteratesInTheOrderOfTheText) {
  const JsonDoc doc = parsed(R"( {"b":[1,[2,3],{}],"a":{"x":{"y":[]}},"c":"s"} )");
  std::string keys;
  for (const JsonValue member : doc.root()) keys += member.key();
  EXPECT_EQ(keys, "bac");
  std::string elements;
  for (const JsonValue element : doc.root()["b"]) elements += std::string(element.raw()) + ";";
  EXPECT_EQ(elements, "1;[2,3];{};");
  for (const JsonValue element : doc.root()["c"])
    ADD_FAILURE() << "a string has no elements: " << element.raw();
  for (const JsonValue element : doc.root()["a"]["x"]["y"]) ADD_FAILURE() << element.raw();
  for (const JsonValue element : JsonValue()) ADD_FAILURE() << element.raw();
  EXPECT_TRUE(doc.root()["b"].at(0).key().empty());
}

TEST(JsonDoc, KeepsItsViewsWhenItMoves) {
  JsonDoc doc = parsed(R"({"a":"short","b":"caf\u00e9"})");
  const JsonValue b = doc.root()["b"];
  const std::string_view text = b.as_string().value();
  const JsonDoc moved = std::move(doc);
  EXPECT_EQ(text, "caf\xC3\xA9");
  EXPECT_EQ(b.as_string().value(), text);
  EXPECT_EQ(moved.root()["a"].as_string().value(), "short");
}

TEST(JsonDoc, ReusesItsMemoryForTheNextText) {
  JsonDoc doc;
  EXPECT_FALSE(doc.root());
  EXPECT_TRUE(doc.source().empty());
  for (int i = 0; i < 100; ++i) {
    const std::string text = R"({"n":)" + std::to_string(i) + R"(,"s":"\n)" +
                             std::string(static_cast<size_t>(i * 37), 'x') + "\"}";
    ASSERT_TRUE(doc.reparse(text));
    EXPECT_EQ(doc.root()["n"].int_or(-1), i);
    EXPECT_EQ(doc.root()["s"].string_or("").size(), static_cast<size_t>(i * 37 + 1));
  }
  EXPECT_FALSE(doc.reparse("{"));
  EXPECT_FALSE(doc.root()) << "nothing of a text that failed is to be seen";
  EXPECT_TRUE(doc.reparse("[]"));
  EXPECT_TRUE(doc.root().is_array());
}

TEST(JsonValue, NamesThePathAndTheExpectedTypeInItsErrors) {
  const JsonDoc doc = parsed(std::string(kChat));
  const Error wrong = doc.root()["messages"].at(1)["content"].at(1).as_string().error();
  EXPECT_EQ(wrong.path, "messages[1].content[1]");
  EXPECT_EQ(wrong.message, "'messages[1].content[1]' must be a string, not a number");
  const Error missing = doc.root()["messages"].at(0)["name"].as_string().error();
  EXPECT_EQ(missing.path, "messages[0].name");
  EXPECT_EQ(missing.message, "'messages[0].name' is required and must be a string");
  EXPECT_EQ(doc.root()["messages"].at(9).as_string().error().path, "messages[9]");
  EXPECT_EQ(doc.root()["tools"]["function"].at(3).expect(JsonType::object).error().path, "tools");
  EXPECT_EQ(doc.root().as_bool().error().message, "the JSON text must be a boolean, not an object");
  EXPECT_EQ(JsonValue().as_int().error().path, "");
  EXPECT_EQ(doc.root()["temperature"].as_int().error().path, "temperature");
  EXPECT_TRUE(doc.root()["none"].expect(JsonType::array));
}

TEST(JsonValue, WritesOddKeysOfAPathInBrackets) {
  const JsonDoc doc = parsed(R"({"a.b":{"":{"x-y":[[1]]}},")" + std::string(200, 'k') + R"(":1})");
  EXPECT_EQ(doc.root()["a.b"][""]["x-y"].at(0).at(0).path(), R"(["a.b"][""].x-y[0][0])");
  std::string last;
  for (const JsonValue member : doc.root()) last = member.path();
  EXPECT_EQ(last, "[\"" + std::string(64, 'k') + "...\"]");
}

TEST(JsonValue, FallsBackWhereTheTypeIsAnother) {
  const JsonDoc doc = parsed(R"({"s":"x","n":3,"b":false,"z":null})");
  const JsonValue root = doc.root();
  EXPECT_EQ(root["s"].string_or("d"), "x");
  EXPECT_EQ(root["n"].string_or("d"), "d");
  EXPECT_EQ(root["q"].int_or(5), 5);
  EXPECT_EQ(root["n"].int_or(5), 3);
  EXPECT_EQ(root["s"].double_or(0.5), 0.5);
  EXPECT_EQ(root["n"].double_or(0.5), 3.0);
  EXPECT_TRUE(root["z"].bool_or(true));
  EXPECT_FALSE(root["b"].bool_or(true));
}

TEST(JsonValue, ReadsIntegersExactlyInEverySpelling) {
  const std::vector<std::pair<std::string, int64_t>> good = {{"0", 0},
                                                             {"-0", 0},
                                                             {"-0.0", 0},
                                                             {"1.0", 1},
                                                             {"1.50e2", 150},
                                                             {"1500e-1", 150},
                                                             {"0.001E+3", 1},
                                                             {"0e999999999999", 0},
                                                             {"9223372036854775807", INT64_MAX},
                                                             {"-9223372036854775808", INT64_MIN},
                                                             {"9223372036854775807.0", INT64_MAX},
                                                             {"9007199254740993.000", 9007199254740993},
                                                             {"1e18", 1'000'000'000'000'000'000}};
  for (const auto& [text, value] : good) EXPECT_EQ(parsed(text).root().as_int().value_or(-77), value) << text;
  for (const char* text : {"1.5", "9223372036854775808", "1e19", "1e999999999999999999999", "1e-1",
                           "9007199254740993.5", "1e-999999999999999999999"}) {
    EXPECT_FALSE(parsed(text).root().as_int()) << text;
    EXPECT_EQ(parsed(text).root().int_or(-77), -77) << text;
  }
}

TEST(JsonValue, ReadsDoublesToTheNearest) {
  EXPECT_EQ(parsed("0.1").root().as_double().value(), 0.1);
  EXPECT_EQ(parsed("-1E-2").root().as_double().value(), -0.01);
  EXPECT_EQ(parsed("1e-400").root().as_double().value(), 0.0);
  EXPECT_EQ(parsed("5e-324").root().as_double().value(), 5e-324);
  EXPECT_EQ(parsed("12345678901234567890").root().as_double().value(), 12345678901234567890.0);
  EXPECT_FALSE(parsed("1e400").root().as_double());
  EXPECT_EQ(parsed("1e400").root().raw(), "1e400");
}

TEST(JsonDoc, UnescapesStringsAndKeys) {
  const JsonDoc doc = parsed(R"({"k\u0065y":"\"\\\/\b\f\n\r\t","u":"\u0041\u00e9\u20AC\ud83d\ude00\u0000z",
      "long":"0123456789abcdef\n0123456789abcdef\\","é\"":"日本語\tと"})");
  const JsonValue root = doc.root();
  EXPECT_EQ(root["key"].as_string().value(), "\"\\/\b\f\n\r\t");
  EXPECT_EQ(root["u"].as_string().value(), std::string_view("A\xC3\xA9\xE2\x82\xAC\xF0\x9F\x98\x80\0z", 12));
  EXPECT_EQ(root["long"].as_string().value(), "0123456789abcdef\n0123456789abcdef\\");
  EXPECT_EQ(root["é\""].as_string().value(), "日本語\tと");
}

TEST(JsonDoc, KeepsEveryUnescapedStringOfALargeText) {
  std::string text = "[";
  for (int i = 0; i < 5000; ++i) text += (i ? ",\"\\n" : "\"\\n") + std::to_string(i) + "\"";
  const JsonDoc doc = parsed(text + "]");
  int i = 0;
  for (const JsonValue element : doc.root()) EXPECT_EQ(element.string_or(""), "\n" + std::to_string(i++));
  EXPECT_EQ(i, 5000);
}

TEST(JsonDoc, RefusesHalfASurrogatePairUnlessAsked) {
  const std::vector<std::pair<std::string, std::string>> lone = {
      {R"("\ud83d")", "\xEF\xBF\xBD"},
      {R"("\ude00")", "\xEF\xBF\xBD"},
      {R"("\ud83dx")", "\xEF\xBF\xBDx"},
      {R"("\ud83d\n")", "\xEF\xBF\xBD\n"},
      {R"("\ude00\ud83d")", "\xEF\xBF\xBD\xEF\xBF\xBD"},
      {R"("\ud83d\ud83d\ude00")", "\xEF\xBF\xBD\xF0\x9F\x98\x80"},
  };
  for (const auto& [text, replaced] : lone) {
    EXPECT_NE(refused(text).message.find("surrogate"), std::string::npos) << text;
    const JsonDoc doc = parsed(text, {.replaces_lone_surrogates = true});
    EXPECT_EQ(doc.root().as_string().value(), replaced) << text;
    EXPECT_EQ(doc.root().raw(), text);
  }
  EXPECT_NE(refused(R"("\ud83d\uZZZZ")", {.replaces_lone_surrogates = true}).message.find("hexadecimal"),
            std::string::npos);
}

TEST(JsonDoc, RefusesTheSameKeyTwiceAtAnyLevel) {
  const Error shallow = refused(R"({"model":"a","messages":[],"model":"b"})");
  EXPECT_EQ(shallow.path, "model");
  EXPECT_EQ(shallow.message, "invalid JSON at byte 27: duplicate key (in 'model')");
  EXPECT_EQ(refused(R"({"messages":[1,{"role":"u","r\u006fle":"s"}]})").path, "messages[1].role");
  EXPECT_EQ(refused(R"({"":1,"":2})").path, R"([""])");
  parsed(R"({"a":{"a":{"a":1}},"b":[{"a":1},{"a":2}]})");
  const JsonDoc lax = parsed(R"({"a":1,"a":2})", {.rejects_duplicate_keys = false});
  EXPECT_EQ(lax.root()["a"].int_or(0), 1);
  EXPECT_EQ(lax.root().size(), 2u);
}

TEST(JsonDoc, FindsDuplicateKeysAmongThousands) {
  for (const int count : {2, 15, 16, 17, 18, 1000, 5000}) {
    std::string members;
    for (int i = 0; i < count; ++i) members += "\"key_number_" + std::to_string(i) + "\":[{}],";
    parsed("{" + members + "\"last\":1}");
    EXPECT_EQ(refused("{" + members + "\"key_number_0\":1}").path, "key_number_0");
    EXPECT_EQ(refused("{\"x\":0," + members + "\"x\":1}").path, "x");
  }
}

TEST(JsonDoc, HoldsItsLimits) {
  const auto nested = [](size_t depth) { return std::string(depth, '[') + std::string(depth, ']'); };
  parsed(nested(kJsonDepthMax));
  EXPECT_NE(refused(nested(kJsonDepthMax + 1)).message.find("nesting deeper than 200"), std::string::npos);
  EXPECT_NE(refused(std::string(100'000, '[')).message.find("nesting deeper"), std::string::npos);
  parsed("[1,2,3]", {.nodes_max = 4});
  EXPECT_NE(refused("[1,2,3,4]", {.nodes_max = 4}).message.find("more than 4 values"), std::string::npos);
  parsed(R"({"a":1,"b":{"c":2}})", {.nodes_max = 4});
  refused("1", {.nodes_max = 0});
  EXPECT_EQ(refused(R"({"a":[{"b":[[]]}]})", {.depth_max = 3}).path, "a[0]");
}

TEST(JsonDoc, SaysWhatIsWrongAndWhere) {
  const std::vector<std::pair<std::string, std::string>> cases = {
      {"", "empty"},
      {" \n", "white space"},
      {R"({"a" 1})", "byte 5: expected ':'"},
      {R"({"a":1 "b":2})", "byte 7: expected ',' or '}'"},
      {R"([1 2])", "byte 3: expected ',' or ']'"},
      {R"({"a":1,})", "byte 7: expected a key"},
      {R"({a:1})", "byte 1: expected a key"},
      {"[1,]", "byte 3: expected a value"},
      {"[1}", "byte 2: expected ','"},
      {R"({"a":tru})", "byte 5: expected a value"},
      {"[truex]", "byte 5: unexpected text"},
      {"[1\"a\"]", "byte 2: unexpected text"},
      {"[01]", "byte 2: unexpected text"},
      {"[1.]", "byte 1: this is not a number"},
      {"{} {}", "byte 3: nothing may follow"},
      {R"({"a":[1)", "byte 7: the text ends too early"},
      {R"({"a)", "byte 3: the text ends inside the string that starts at byte 1"},
      {"[\"a\nb\"]", "byte 3: a control character"},
      {"[\"\xC3\"]", "byte 2: this is not UTF-8"},
      {"[\"\xED\xA0\x80\"]", "byte 2: this is not UTF-8"},
      {R"(["a\x"])", "byte 3: an escape that JSON does not have"},
      {R"(["\u12"])", "byte 2: \\u must be followed"},
      {R"([\"a" ]"])", "byte 1: expected a value"},
      {R"(["a"b])", "byte 4: expected ','"},
      {"\xEF\xBB\xBF{}", "byte 0: expected a value"},
      {std::string("1\0", 2), "byte 1: unexpected text"},
      {std::string("[1\x0c]", 4), "byte 2: unexpected text"},
  };
  for (const auto& [text, part] : cases) {
    const std::string message = refused(text).message;
    EXPECT_NE(message.find(part), std::string::npos)
        << text << "\n  says: " << message << "\n  not:  " << part;
  }
  EXPECT_EQ(refused(R"({"messages":[{},{"content":[1 2]}]})").path, "messages[1].content");
}

// The published JSON parsing test suite (Nicolas Seriot): y_ must be accepted, n_ refused, i_ may be either.
TEST(JsonDoc, AgreesWithTheParsingTestSuite) {
  const char* shared = std::getenv("WEIR_SHARED_DIR");
  const std::filesystem::path folder =
      std::filesystem::path(shared ? shared : "../shared") / "vectors/json-test-suite/test_parsing";
  if (!std::filesystem::exists(folder)) GTEST_SKIP() << "there is no " << folder;
  const JsonLimits limits{.depth_max = 1000, .rejects_duplicate_keys = false};
  int files = 0;
  for (const auto& entry : std::filesystem::directory_iterator(folder)) {
    std::ifstream file(entry.path(), std::ios::binary);
    const std::string text{std::istreambuf_iterator<char>(file), {}};
    const std::string name = entry.path().filename().string();
    const bool accepted = JsonDoc::parse(text, limits).has_value();
    if (name.starts_with("y_")) EXPECT_TRUE(accepted) << name;
    if (name.starts_with("n_")) EXPECT_FALSE(accepted) << name;
    ++files;
  }
  EXPECT_GE(files, 300);
}

TEST(JsonScratch, KeepsItsDocFromOneUseToTheNext) {
  const JsonDoc* first = nullptr;
  {
    JsonScratch scratch;
    ASSERT_TRUE(scratch.doc().reparse(R"({"a":1})"));
    first = &scratch.doc();
  }
  JsonScratch scratch;
  EXPECT_EQ(&scratch.doc(), first);
}

TEST(JsonScratch, NestedOnesDoNotShare) {
  JsonScratch outer;
  ASSERT_TRUE(outer.doc().reparse(R"({"a":1})"));
  {
    JsonScratch inner;
    ASSERT_TRUE(inner.doc().reparse(R"({"a":2})"));
    EXPECT_EQ(inner.doc().root()["a"].int_or(0), 2);
  }
  EXPECT_EQ(outer.doc().root()["a"].int_or(0), 1);
}

TEST(JsonScratch, GivesTheMemoryOfALargeTextBack) {
  {
    JsonScratch scratch;
    ASSERT_TRUE(scratch.doc().reparse('"' + std::string(100'000, 'x') + '"'));
  }
  JsonScratch scratch;
  EXPECT_EQ(scratch.doc().source(), "");
}

}  // namespace
}  // namespace weir
