#include "provider/catalog.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "base/text.h"
#include "provider/catalog_yaml.h"
#include "provider/yaml_tree.h"

namespace weir {
namespace {

using ::testing::HasSubstr;

constexpr std::string_view kOneProvider = R"(
providers:
  - name: acme
    display_name: Acme
    dialect: openai_chat
    base_url: https://acme.example/v1
    serves: [chat]
    auth: bearer
    otel_name: acme
    source: https://acme.example/docs
)";

// A provider's row with one line replaced or added.
std::string provider_with(std::string_view line) {
  std::string text(kOneProvider);
  if (line.starts_with("name:")) return text.replace(text.find("name: acme"), 10, line);
  const std::string key = "    " + std::string(line.substr(0, line.find(':') + 1));
  if (const size_t at = text.find("\n" + key); at != std::string::npos) {
    text.erase(at + 1, text.find('\n', at + 1) - at);
  }
  return text + "    " + std::string(line) + "\n";
}

std::string model_with(std::string_view lines) {
  std::string text =
      "models:\n  - provider: acme\n    model: m1\n    source: https://acme.example/prices\n    as_of: "
      "2026-11-20\n";
  return text.append(lines);
}

Result<Catalog> parse(std::string_view providers, std::string_view prices = "models: []") {
  const CatalogText p{"p.yaml", providers};
  const CatalogText m{"m.yaml", prices};
  return Catalog().extended({&p, 1}, {&m, 1});
}

std::string error_of(const Result<Catalog>& result) {
  if (result) return "";
  EXPECT_EQ(result.error().kind, ErrorKind::bad_request);
  return result.error().message;
}

// ---- The language of the files

TEST(CatalogParse, NamesTheLineAndTheNearestFieldOfATypo) {
  EXPECT_EQ(error_of(parse(provider_with("display_nam: Acme"))),
            "p.yaml line 11: a provider has no field 'display_nam'; did you mean 'display_name'?");
  EXPECT_THAT(error_of(parse(kOneProvider, model_with("    cache_reed: 1.00\n"))),
              HasSubstr("m.yaml line 6: a model has no field 'cache_reed'; did you mean 'cache_read'?"));
  EXPECT_THAT(error_of(parse(kOneProvider, model_with("    capabilities: {visoin: true}\n"))),
              HasSubstr("'vision'"));
  EXPECT_THAT(error_of(parse(provider_with("quirks: [no_stream_option]"))),
              HasSubstr("'no_stream_option' is not a known quirk; did you mean 'no_stream_options'?"));
}

TEST(CatalogParse, RefusesBadProviders) {
  const std::pair<std::string_view, std::string_view> bad[] = {
      {"name: Acme Corp", "must consist of"},
      {"dialect: cobol", "is not one that Weir speaks"},
      {"serves: [chat, count_tokens]", "openai_chat has no count_tokens"},
      {"base_url: acme.example", "must start with https:// or http://"},
      {"base_url: https://acme.example/v1/", "must not end with a slash"},
      {"base_url: https://acme.example/v1?x=1", "without query"},
      {"serves: []", "at least one endpoint"},
      {"serves: [chat, telepathy]", "unknown endpoint 'telepathy'"},
      {"paths: {chat: v1/chat}", "must start with a slash"},
      {"paths: {embeddings: /e}", "embeddings is not served"},
      {"paths: {dance: /d}", "unknown endpoint 'dance'"},
      {"auth: magic", "not one of bearer, x_api_key, api_key_header, sigv4, google, entra, none"},
      {"auth: api_key_header", "goes with auth: api_key_header"},
      {"auth_header: x-key", "goes with auth: api_key_header"},
      {"enabled_by_env: true", "needs key_env and base_url"},
      {"enabled_by_env: yes", "must be true or false"},
      {"headers: {X-Upper: a}", "lower case"},
      {"headers: [a, b]", "must be a map, not a list"},
      {"defaults: {temperature: [2, 0]}", "must be [min, max]"},
      {"defaults: {thinking: hard}", "not a known value"},
      {"defaults: {effort_levels: [low, lots]}", "not a known effort"},
      {"defaults: {context: -1}", "must be an integer from 0"},
      {"source: \"\"", "must not be empty"},
      {"models_of: nobody", "models_of: no provider 'nobody' above"},
  };
  for (const auto& [line, message] : bad) {
    EXPECT_THAT(error_of(parse(provider_with(line))), HasSubstr(message)) << line;
  }
  EXPECT_EQ(error_of(parse(kOneProvider)), "");
}

TEST(CatalogParse, RefusesBadModels) {
  const std::pair<std::string_view, std::string_view> bad[] = {
      {"    input: 0\n", "0 is only for rows with free: true"},
      {"    input: 0.00\n", "0 is only for rows with free: true"},
      {"    input: -1\n", "not an amount of dollars"},
      {"    input: 1e3\n", "not an amount of dollars"},
      {"    input: 0.0000000001\n", "not an amount of dollars"},
      {"    input: 1000001\n", "not an amount of dollars"},
      {"    input: [1]\n", "must be a single value, not a list"},
      {"    aliases: [\"*\"]\n", "does not start with *"},
      {"    aliases: [m1]\n", "is given twice"},
      {"    profile: nope\n", "no profile 'nope'"},
      {"    use: dancing\n", "not one of chat, text_completion, embeddings"},
      {"    tiers: [{input: 1}]\n", "above_input: is missing"},
      {"    tiers: [{above_input: 5, input: 1}, {above_input: 5, input: 2}]\n", "rising order"},
      {"    tiers: [{above_input: 5, input: 0}]\n", "0 is only for"},
  };
  for (const auto& [line, message] : bad) {
    EXPECT_THAT(error_of(parse(kOneProvider, model_with(line))), HasSubstr(message)) << line;
  }
  EXPECT_EQ(error_of(parse(kOneProvider, model_with("    input: 1.00\n"))), "");
  EXPECT_THAT(
      error_of(parse(kOneProvider, "models: [{provider: acme, model: m, source: https://a.example}]")),
      HasSubstr("as_of: is missing"));
  EXPECT_THAT(
      error_of(parse(kOneProvider, "models: [{provider: acme, model: m, source: hearsay, as_of: null}]")),
      HasSubstr("must be an https:// address"));
  EXPECT_THAT(error_of(parse(kOneProvider,
                             "models: [{provider: acme, model: m, source: https://a.example, as_of: May}]")),
              HasSubstr("must be a day"));
  EXPECT_THAT(error_of(parse(kOneProvider,
                             "models: [{provider: emca, model: m, source: https://a.example, as_of: null}]")),
              HasSubstr("no provider 'emca'"));
}

TEST(CatalogParse, RefusesTheSameRowTwiceInAFile) {
  const std::string twice =
      std::string(kOneProvider) + std::string(kOneProvider.substr(kOneProvider.find("  - name")));
  EXPECT_THAT(error_of(parse(twice)), HasSubstr("provider 'acme' is given twice, first in line 3"));
}

TEST(CatalogParse, ReadsPricesExactlyAndTellsLeftOutFromUnknown) {
  const auto catalog = parse(kOneProvider, model_with("    input: 0.000000001\n    output: \"0.075\"\n"));
  ASSERT_TRUE(catalog) << catalog.error().message;
  const ModelRow* row = catalog->find_model("acme", "m1");
  ASSERT_NE(row, nullptr);
  EXPECT_EQ(row->price.input, 1);
  EXPECT_EQ(row->price.output, 75'000'000);
  EXPECT_EQ(row->price.reasoning, 75'000'000) << "left out: as output";
  EXPECT_EQ(row->price.image_in, 1) << "left out: as input";
  EXPECT_EQ(row->price.image_out, 75'000'000) << "left out: as output";
  EXPECT_EQ(row->nano_usd_per_minute, std::nullopt);
  EXPECT_EQ(row->price.cache_read, std::nullopt);
  EXPECT_EQ(row->nano_usd_per_request, 0) << "left out: no such fee";
  EXPECT_EQ(row->as_of, (Date{2026, 11, 20}));

  const auto unknown =
      parse(kOneProvider, model_with("    output: 1\n    reasoning: null\n    per_1k_requests: ~\n"));
  ASSERT_TRUE(unknown) << unknown.error().message;
  EXPECT_EQ(unknown->find_model("acme", "m1")->price.reasoning, std::nullopt) << "null: unknown";
  EXPECT_EQ(unknown->find_model("acme", "m1")->nano_usd_per_request, std::nullopt);
}

TEST(CatalogParse, ReadsPricesThatAreNotOfTokens) {
  const auto catalog = parse(kOneProvider, model_with("    per_minute: 0.006\n    per_1m_characters: 15\n"
                                                      "    per_image: 0.02\n    image_out: 40\n"));
  ASSERT_TRUE(catalog) << catalog.error().message;
  const ModelRow* row = catalog->find_model("acme", "m1");
  ASSERT_NE(row, nullptr);
  EXPECT_EQ(row->nano_usd_per_minute, 6'000'000);
  EXPECT_EQ(row->nano_usd_per_mchar, 15'000'000'000);
  EXPECT_EQ(row->nano_usd_per_image, 20'000'000);
  EXPECT_EQ(row->price.image_out, 40'000'000'000);
  EXPECT_THAT(error_of(parse(kOneProvider, model_with("    per_minute: 0\n"))),
              HasSubstr("0 is only for rows with free"));
}

TEST(CatalogParse, ReadsPricesOfImagesByForm) {
  const auto catalog = parse(
      kOneProvider, model_with("    image_prices:\n      - {size: 512x512, quality: hd, per_image: 0.1}\n"
                               "      - {size: 1024x1024, per_image: 0.2}\n"));
  ASSERT_TRUE(catalog) << catalog.error().message;
  EXPECT_EQ(catalog->find_model("acme", "m1")->image_prices,
            (std::vector<ImagePrice>{{"512x512", "hd", 100'000'000}, {"1024x1024", "", 200'000'000}}));
  const auto wrong = [](std::string_view list) {
    return error_of(parse(kOneProvider, model_with(fmt::format("    image_prices: [{}]\n", list))));
  };
  EXPECT_THAT(wrong("{size: 1x1}"), HasSubstr("per_image: is missing"));
  EXPECT_THAT(wrong("{size: 1x1, per_image: null}"), HasSubstr("leave out the form"));
  EXPECT_THAT(wrong("{size: 1x1, per_image: 0}"), HasSubstr("0 is only for rows with free"));
  EXPECT_THAT(wrong("{size: 1x1, per_image: 1}, {size: 1x1, per_image: 2}"),
              HasSubstr("has a price already"));
  EXPECT_THAT(wrong("{size: a b, per_image: 1}"), HasSubstr("must be a word"));
  EXPECT_THAT(wrong("{sise: 1x1, per_image: 1}"), HasSubstr("size"));
}

TEST(CatalogParse, LetsALaterFileReplaceRowsAndNames) {
  const CatalogText providers[] = {{"a", kOneProvider}, {"b", R"(
providers:
  - {name: acme, display_name: Acme 2, dialect: openai_chat, serves: [chat], auth: none,
     otel_name: a, source: https://b.example}
)"}};
  const CatalogText prices[] = {{"a", R"(
models:
  - {provider: acme, model: one, aliases: ["one-*", uno], input: 1, source: https://a.example, as_of: null}
  - {provider: acme, model: two, input: 2, source: https://a.example, as_of: null}
)"},
                                {"b", R"(
models:
  - {provider: acme, model: one, input: 7, source: https://b.example, as_of: null}
  - {provider: acme, model: three, aliases: [two], input: 3, source: https://b.example, as_of: null}
)"}};
  const auto catalog = Catalog().extended(providers, prices);
  ASSERT_TRUE(catalog) << catalog.error().message;
  EXPECT_EQ(catalog->find_kind("acme")->display_name, "Acme 2");
  EXPECT_EQ(catalog->kinds().size(), 1U);
  EXPECT_EQ(catalog->find_model("acme", "one")->price.input, 7'000'000'000);
  EXPECT_EQ(catalog->find_model("acme", "uno"), nullptr) << "the aliases of the replaced row are gone";
  EXPECT_EQ(catalog->find_model("acme", "two")->model, "three") << "the later file's name wins";
}

TEST(CatalogParse, FindsTheMostLiteralPattern) {
  const auto catalog = parse(kOneProvider, R"(
models:
  - {provider: acme, model: a, aliases: ["big-*"], source: https://a.example, as_of: null}
  - {provider: acme, model: b, aliases: ["big-model-*"], source: https://a.example, as_of: null}
  - {provider: acme, model: c, aliases: ["big-model-####"], source: https://a.example, as_of: null}
)");
  ASSERT_TRUE(catalog) << catalog.error().message;
  EXPECT_EQ(catalog->find_model("acme", "big-thing")->model, "a");
  EXPECT_EQ(catalog->find_model("acme", "big-model-x")->model, "b");
  EXPECT_EQ(catalog->find_model("acme", "big-"), catalog->find_model("acme", "big-thing"));
  EXPECT_EQ(catalog->find_model("acme", "big"), nullptr);
}

TEST(MatchesPattern, KnowsDigitsAndRuns) {
  EXPECT_TRUE(matches_pattern("gpt-####-##-##", "gpt-2024-08-06"));
  EXPECT_FALSE(matches_pattern("gpt-####-##-##", "gpt-2024-08-0x"));
  EXPECT_FALSE(matches_pattern("gpt-####-##-##", "gpt-2024-08-066"));
  EXPECT_TRUE(matches_pattern("a*b*c", "a--b--b--c"));
  EXPECT_FALSE(matches_pattern("a*b*c", "a--b--b"));
  EXPECT_TRUE(matches_pattern("a*", "a"));
  EXPECT_FALSE(matches_pattern("", "a"));
  EXPECT_TRUE(matches_pattern("", ""));
  EXPECT_FALSE(matches_pattern(std::string(50, '*') + "b", std::string(5'000, 'a'))) << "and quickly";
}

TEST(ParseUsd, IsExact) {
  EXPECT_EQ(parse_usd("2.50"), 2'500'000'000);
  EXPECT_EQ(parse_usd("0.0375"), 37'500'000);
  EXPECT_EQ(parse_usd("1000000"), 1'000'000'000'000'000);
  for (std::string_view bad :
       {"", ".5", "5.", "1,5", "+1", "-1", "1e3", " 1", "1000001", "0.1234567891", "0x1"}) {
    EXPECT_EQ(parse_usd(bad), std::nullopt) << bad;
  }
}

TEST(ParseDate, TakesDaysOnly) {
  EXPECT_EQ(parse_date("2026-02-28"), (Date{2026, 2, 28}));
  for (std::string_view bad :
       {"2026-13-01", "2026-00-01", "2026-01-32", "26-01-01", "2026/01/01", "2026-1-1", ""}) {
    EXPECT_EQ(parse_date(bad), std::nullopt) << bad;
  }
}

TEST(ParseYaml, RefusesWhatTheFilesMayNotUse) {
  const std::pair<std::string_view, std::string_view> bad[] = {
      {"a: 1\na: 2\n", "f line 2: 'a' is given twice, first in line 1"},
      {"a: &x 1\nb: *x\n", "anchors are not supported"},
      {"a: !!int 1\n", "tags are not supported"},
      {"<<: {a: 1}\n", "merge keys are not supported"},
      {"? [a, b]\n: 1\n", "a key must be a plain name"},
      {"---\na: 1\n---\nb: 1\n", "more than one document"},
      {"a: [1, 2\n", "f line"},
      {"\tx: 1\n", "f line"},
      {"[[[[[[[[[[[[[[[[[1]]]]]]]]]]]]]]]]]", "nesting deeper than 16"},
  };
  for (const auto& [text, message] : bad) {
    const auto result = parse_yaml("f", text);
    ASSERT_FALSE(result) << text;
    EXPECT_THAT(result.error().message, HasSubstr(message)) << text;
  }
  EXPECT_THAT(parse_yaml("f", std::string_view("a\0b", 3)).error().message, HasSubstr("NUL"));
  EXPECT_THAT(parse_yaml("f", "[1, 2, 3]", {.nodes_max = 3}).error().message, HasSubstr("too many values"));
  EXPECT_THAT(parse_yaml("f", "[1, 2, 3]", {.bytes_max = 3}).error().message, HasSubstr("larger than"));
}

TEST(ParseYaml, KeepsLinesOrderAndTheTextOfNumbers) {
  const auto root = parse_yaml("f", "a: 1.50\nb:\n  - ~\n  - \"7\"\nc:\n");
  ASSERT_TRUE(root) << root.error().message;
  ASSERT_EQ(root->children.size(), 3U);
  EXPECT_EQ(root->find("a")->text, "1.50");
  EXPECT_EQ(root->find("a")->line, 1);
  EXPECT_EQ(root->find("b")->children[0].type, YamlType::null);
  EXPECT_TRUE(root->find("b")->children[1].is_quoted);
  EXPECT_EQ(root->find("b")->children[1].line, 4);
  EXPECT_EQ(root->find("c")->type, YamlType::null);
  EXPECT_EQ(root->find("c")->line, 5);
  EXPECT_EQ(parse_yaml("f", "")->type, YamlType::null);
  EXPECT_EQ(parse_yaml_int("1_050_000"), 1'050'000);
  EXPECT_EQ(parse_yaml_int("_1"), std::nullopt);
  EXPECT_EQ(parse_yaml_int("1_"), std::nullopt);
  EXPECT_EQ(parse_yaml_int("1__0"), std::nullopt);
  EXPECT_EQ(parse_yaml_int("99999999999999999999"), std::nullopt);
}

TEST(YamlTree, IsReadBackAsItWasWritten) {
  const std::string long_text(300, 'x');
  const auto root = parse_yaml(
      "f", "a: 1.50\n\nb:\n  - ~\n  - \"7\"\n  - {deep: [[]], empty: {}}\nc:\nd: '" + long_text + "'\n");
  ASSERT_TRUE(root) << root.error().message;
  EXPECT_EQ(read_yaml_tree(write_yaml_tree(*root)), *root);
  EXPECT_EQ(read_yaml_tree(write_yaml_tree(YamlNode())), YamlNode());
}

TEST(YamlTreeDeathTest, RefusesBytesThatWereCut) {
  const std::string bytes = write_yaml_tree(*parse_yaml("f", "a: [1, two]\n"));
  EXPECT_DEATH(read_yaml_tree(std::string_view(bytes).substr(0, bytes.size() - 1)), "the tree is whole");
  EXPECT_DEATH(read_yaml_tree(bytes + "x"), "nothing follows the tree");
}

}  // namespace
}  // namespace weir
