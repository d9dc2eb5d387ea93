#include "app/config.h"

#include <algorithm>
#include <fstream>
#include <gtest/gtest.h>
#include <iterator>
#include <set>

#include "app/config_docs.h"
#include "base/json.h"
#include "base/text.h"
#include "provider/catalog_yaml.h"

namespace weir {
namespace {

std::string read_file(const char* path) {
  std::ifstream in(path);
  return std::string((std::istreambuf_iterator<char>(in)), std::istreambuf_iterator<char>());
}

std::string complaint(std::string_view text) {
  const Result<Config> config = parse_config("weir.yaml", text);
  return config ? "" : config.error().message;
}

TEST(Config, ReadsWhatItSays) {
  const Config config = parse_config("weir.yaml", R"(
server: {listen: "127.0.0.1:1", threads: 3, drain_timeout: 1m30s}
gateway: {body_bytes_max: 1MiB, cors_origins: ["https://a.example"]}
providers:
  - {name: a, kind: openai, base_url: "http://127.0.0.1:9/v1", keys: [{env: A, weight: 2}, {file: /k}]}
routes:
  - model: m
    strategy: ordered
    targets: [{provider: a, model: x, weight: 3, priority: 1, concurrency: 4, region: eu}]
    retry: {attempts_max: 7}
    breaker: {open_for: 2s}
aliases: {n: m}
keys: [{name: k, env: K, models: ["m"], regions: ["eu-*"], admin: true}]
)")
                            .value();
  EXPECT_EQ(config.server.listen, "127.0.0.1:1");
  EXPECT_EQ(config.server.threads, 3);
  EXPECT_EQ(config.server.drain_timeout, std::chrono::seconds(90));
  EXPECT_EQ(config.gateway.body_bytes_max, 1024u * 1024u);
  ASSERT_EQ(config.providers.size(), 1u);
  EXPECT_EQ(config.providers[0].keys[0].weight, 2);
  EXPECT_EQ(config.providers[0].keys[1].source.file, "/k");
  ASSERT_EQ(config.routes.size(), 1u);
  EXPECT_EQ(config.routes[0].targets[0].concurrency, 4);
  EXPECT_EQ(config.routes[0].targets[0].region, "eu");
  EXPECT_EQ(config.routes[0].retry.attempts_max, 7);
  EXPECT_EQ(config.routes[0].breaker.open_for, std::chrono::seconds(2));
  EXPECT_EQ(config.aliases[0].model, "m");
  EXPECT_EQ(config.keys[0].regions, std::vector<std::string>{"eu-*"});
  EXPECT_TRUE(config.keys[0].admin);
}

TEST(Config, UnknownKeysAreRefusedWithTheirLineAndTheNearestKnownOne) {
  const std::string text = complaint("server:\n  listen: \"127.0.0.1:1\"\n  drain_timeut: 3s\n");
  EXPECT_NE(text.find("weir.yaml line 3"), std::string::npos) << text;
  EXPECT_NE(text.find("drain_timeout"), std::string::npos) << text;
  EXPECT_NE(complaint("routs: []").find("routes"), std::string::npos);
  EXPECT_NE(complaint("routes: [{model: m, targets: [{provider: p, modle: x}]}]").find("model"),
            std::string::npos);
}

TEST(Config, EachProblemOfAMapIsToldOnItsOwnLine) {
  const ReadConfig read = read_config("weir.yaml",
                                      "server:\n  threds: 1\n  drain_timeout: soon\n  log_level: loud\n"
                                      "providers:\n  - name: a\n    knd: x\n    kyes:\n      - {env: A}\n"
                                      "    timeouts:\n      idel: 1s\n"
                                      "routes:\n  - model: m\n    targets:\n      - {provider: a, modle: x}\n"
                                      "    strategy: best\n");
  std::vector<std::string> told;
  for (const Error& problem : read.problems)
    told.push_back(problem.message.substr(0, problem.message.find(": ")));
  std::ranges::sort(told);
  EXPECT_EQ(told, (std::vector<std::string>{"weir.yaml line 11", "weir.yaml line 15", "weir.yaml line 16",
                                            "weir.yaml line 2", "weir.yaml line 3", "weir.yaml line 4",
                                            "weir.yaml line 7", "weir.yaml line 8"}))
      << "a key whose value is a list or a map is told in the key's line";
}

TEST(Config, ValuesOutOfRangeAndOfTheWrongTypeSayWhatIsAccepted) {
  EXPECT_NE(complaint("server: {threads: 1000}").find("between 0 and 256"), std::string::npos);
  EXPECT_NE(complaint("server: {drain_timeout: soon}").find("250ms"), std::string::npos);
  EXPECT_NE(complaint("server: {log_level: loud}").find("debug|info|warn|error"), std::string::npos);
  EXPECT_NE(complaint("gateway: {cors_origins: x}").find("list"), std::string::npos);
  EXPECT_NE(complaint("routes: [{model: m, strategy: wieghted, targets: [{provider: p}]}]").find("weighted"),
            std::string::npos);
}

TEST(Config, ABodyMayBeAsLargeAsTheBudgetOfAll) {
  EXPECT_EQ(complaint("gateway: {body_bytes_max: 1GiB}"), "");
  EXPECT_NE(complaint("gateway: {body_bytes_max: 2GiB}"), "");
}

TEST(Config, SecretsAreNeverInTheFile) {
  const std::string text = complaint("providers:\n  - {name: openai, keys: [sk-secret]}\n");
  EXPECT_NE(text.find("env"), std::string::npos) << text;
  EXPECT_EQ(text.find("sk-secret"), std::string::npos) << "and are not repeated";
}

TEST(Config, AnAddressHoldsNoSecretAndEndsWithAPath) {
  for (const char* bad : {"https://x/v1?api-key=s3cr3t", "https://u:s3cr3t@x/v1", "https://x/v1#s3cr3t"}) {
    const std::string text =
        complaint(fmt::format("providers:\n  - {{name: a, kind: vllm, base_url: \"{}\"}}\n", bad));
    EXPECT_NE(text.find("weir.yaml line 2: base_url: has no query"), std::string::npos) << text;
    EXPECT_EQ(text.find("s3cr3t"), std::string::npos) << text;
  }
  EXPECT_EQ(complaint("providers: [{name: a, kind: vllm, base_url: \"https://x/v1/@me\"}]"), "");
}

TEST(Config, AKeyThatMayUseNothingIsAMistake) {
  for (const char* limit : {"models", "regions"}) {
    const std::string text = complaint(fmt::format("keys:\n  - name: k\n    env: K\n    {}: []\n", limit));
    EXPECT_NE(text.find(fmt::format("weir.yaml line 4: {}: names nothing", limit)), std::string::npos)
        << text;
  }
}

TEST(Config, PartsThatNeedOthersSayWhich) {
  EXPECT_NE(complaint("routes: [{model: m}]").find("target"), std::string::npos);
  EXPECT_NE(complaint("routes: [{targets: [{provider: p}]}]").find("model"), std::string::npos);
  EXPECT_NE(complaint("routes: [{model: m, targets: [{model: x}]}]").find("provider"), std::string::npos);
  EXPECT_NE(complaint("keys: [{name: k}]").find("weir key"), std::string::npos);
  EXPECT_NE(complaint("keys: [{name: k, env: A, hash: b}]").find("one of"), std::string::npos);
}

TEST(Config, ProvidersSayWhomTheyTrustAndWhatTheyCanDo) {
  const Config config = parse_config("weir.yaml", R"(
providers:
  - {name: a, kind: vllm, ca_file: /ca.pem, capabilities: {vision: false, context: 8192}}
)")
                            .value();
  EXPECT_EQ(config.providers.at(0).ca_file, "/ca.pem");
  EXPECT_EQ(config.providers.at(0).capabilities.vision, false);
  EXPECT_EQ(config.providers.at(0).capabilities.context, 8192);
  const std::string text = complaint("providers:\n  - name: a\n    capabilities: {visoin: true}\n");
  EXPECT_NE(text.find("weir.yaml line 3"), std::string::npos) << text;
  EXPECT_NE(text.find("vision"), std::string::npos) << text;
}

TEST(Config, GoesOnBehindAProblem) {
  const ReadConfig read = read_config("weir.yaml", R"(serverr: {}
server: {threads: many}
providers:
  - {name: broken, knid: openai}
  - {name: whole, kind: openai}
routes:
  - {model: m, targets: []}
  - {model: n, targets: [{provider: whole}]}
keys:
  - {name: k}
aliases: {a: n}
)");
  std::vector<std::string> lines;
  for (const Error& problem : read.problems) lines.push_back(problem.message.substr(0, 17));
  EXPECT_EQ(lines, (std::vector<std::string>{"weir.yaml line 1:", "weir.yaml line 2:", "weir.yaml line 4:",
                                             "weir.yaml line 7:", "weir.yaml line 10"}));
  ASSERT_EQ(read.config.providers.size(), 2u);
  EXPECT_TRUE(read.config.providers[0].has_problem);
  EXPECT_EQ(read.config.providers[0].name, "broken");
  EXPECT_FALSE(read.config.providers[1].has_problem);
  EXPECT_EQ(read.config.aliases.at(0).line, 11);
}

TEST(Config, ARouteTranslatesAsTheWholeConfigurationSaysUnlessItSaysOtherwise) {
  const Config config = parse_config("weir.yaml", R"(
routes:
  - {model: a, targets: [{provider: p}], translation: {strict: false, missing_results: repair}}
  - {model: b, targets: [{provider: p}]}
translation: {strict: true, hash_user: true}
)")
                            .value();
  EXPECT_TRUE(config.routes[1].translation == config.translation);
  EXPECT_TRUE(config.translation.strict && config.translation.hash_user);
  EXPECT_FALSE(config.routes[0].translation.strict);
  EXPECT_TRUE(config.routes[0].translation.hash_user);
  EXPECT_EQ(config.routes[0].translation.missing_results, "repair");
  EXPECT_NE(
      complaint("routes: [{model: a, targets: [{provider: p}], translation: {sampling: x}}]").find("clamp"),
      std::string::npos);
}

TEST(Config, WhatIsPrintedReadsBackToTheSame) {
  const Config example = parse_config("weir.example.yaml", read_file("config/weir.example.yaml")).value();
  const std::string printed = print_config(example);
  const Config again = parse_config("printed", printed).value();
  EXPECT_EQ(print_config_json(again), print_config_json(example));
  EXPECT_EQ(again.routes.size(), example.routes.size() + 1) << "that of weir/extract";
  EXPECT_EQ(again.routes[0].first_event, example.routes[0].first_event);
  EXPECT_EQ(again.routes[0].answer, std::chrono::minutes(2));
  EXPECT_EQ(again.routes[0].targets[1].region, example.routes[0].targets[1].region);
  EXPECT_EQ(again.keys[0].models, example.keys[0].models);
  EXPECT_EQ(again.keys[0].regions, example.keys[0].regions);
  EXPECT_EQ(printed.find("lexicon"), std::string::npos) << "values of headers are not shown";
}

TEST(Config, WhatIsPrintedIsWhatHolds) {
  const Config config = parse_config("weir.yaml", R"(providers:
  - name: openai
    capabilities: {vision: false, context: 8192, temperature: [0, 1.5], effort_levels: [low, high]}
  - {name: aws, kind: bedrock}
)")
                            .value();
  const std::string printed = print_config(config, {.environment = {{"AWS_REGION", "eu-west-1"}}});
  for (const char* part :
       {"base_url: \"https://api.openai.com/v1\"", "eu-west-1.amazonaws.com", "vision: false",
        "context: 8192", "temperature: [0, 1.5]", "effort_levels: [\"low\", \"high\"]"})
    EXPECT_NE(printed.find(part), std::string::npos) << part << " in " << printed;
  const Config again = parse_config("printed", printed).value();
  EXPECT_EQ(again.providers[0].capabilities, config.providers[0].capabilities);
}

TEST(Config, WhatComesFromTheEnvironmentAndTheDefaultsIsPrintedWithAWordOfIt) {
  const PrintContext context{.environment = {{"OPENAI_API_KEY", "zqsecret"}, {"HOME", "/h"}}};
  const std::string bare = print_config(Config(), context);
  for (const char* part :
       {"providers:  # none is configured: those whose usual key is in the environment\n  - name: \"openai\"",
        "{env: \"OPENAI_API_KEY\", weight: 1}  # the usual variable",
        "# By default:\n  - {model: \"weir/extract\", targets: [{provider: \"weir\", model: \"extract\"}]}\n",
        "{model: \"openai/*\", targets: [{provider: \"openai\", model: \"*\"}]}\n",
        "{model: \"gpt-4o\", targets: [{provider: \"openai\", model: \"gpt-4o\"}]}\n"})
    EXPECT_NE(bare.find(part), std::string::npos) << part << " in " << bare;
  EXPECT_EQ(bare.find("zqsecret"), std::string::npos);
  EXPECT_EQ(bare.find("anthropic"), std::string::npos);
  const Config again = parse_config("printed", bare).value();
  EXPECT_EQ(print_config_json(again, context), print_config_json(Config(), context));

  const Config one = parse_config("weir.yaml",
                                  "providers: [{name: ours, kind: vllm, base_url: \"http://h/\"}]\n"
                                  "translation: {strict: true}\n")
                         .value();
  const std::string printed = print_config(one, context);
  EXPECT_EQ(printed.find("openai"), std::string::npos) << "configured providers replace those";
  EXPECT_NE(printed.find("{model: \"ours/*\", targets: "), std::string::npos) << printed;
  EXPECT_EQ(print_config_json(parse_config("printed", printed).value()), print_config_json(one));
}

TEST(Config, IsPrintedForProgramsToo) {
  const Config config =
      parse_config("weir.yaml", "server: {threads: 3}\nproviders: [{name: openai}]\n").value();
  const JsonDoc json = JsonDoc::parse(print_config_json(config)).value();
  EXPECT_EQ(json.root()["server"]["threads"].int_or(0), 3);
  EXPECT_EQ(json.root()["server"]["listen"].string_or(""), "127.0.0.1:7480");
  EXPECT_EQ(json.root()["providers"].at(0)["name"].string_or(""), "openai");
  EXPECT_EQ(json.root()["providers"].at(0)["timeouts"]["connect"].string_or(""), "5s");
}

TEST(Docs, ConfigurationPageIsUpToDate) {
  EXPECT_EQ(read_file("docs/configuration.md"), configuration_docs())
      << "make it anew: weir config --docs > docs/configuration.md";
}

TEST(Docs, ADefaultThatTheFileCouldNotSayIsNone) {
  const std::string docs = configuration_docs();
  EXPECT_NE(
      docs.find("| `timeout` | duration | none | 1ms to 1d | live | Time limit of a whole model call on "),
      std::string::npos);
  EXPECT_NE(docs.find("| `on_client_gone` | text | none | cancel, drain |"), std::string::npos);
  EXPECT_NE(docs.find("| `drain_timeout` | duration | `30s` | 0s to 1h |"), std::string::npos);
  EXPECT_EQ(docs.find("`\"\"`"), std::string::npos) << "an empty text is nothing";
}

// The text with the settings that it holds as comments: a comment sign in the first column before a key or an
// item of a list. They show alternatives.
std::string with_alternatives(std::string_view text) {
  std::string out;
  for (const std::string_view line : split(text, '\n')) {
    const std::string_view said = line.starts_with('#') ? trim(line.substr(1)) : std::string_view();
    const size_t key_end = said.find_first_not_of("abcdefghijklmnopqrstuvwxyz_");
    const bool is_key = key_end != std::string_view::npos && key_end > 0 && said[key_end] == ':';
    const bool is_setting = is_key || said.starts_with("- ");
    if (is_setting) out += ' ';
    out += is_setting ? line.substr(1) : line;
    out += '\n';
  }
  return out;
}

// The paths of all keys below the node, as configuration_keys() writes them: items of a list have the list's.
std::set<std::string> paths_below(const YamlNode& node, const std::string& path) {
  std::set<std::string> paths;
  for (const YamlNode& child : node.children) {
    std::string below = path;
    if (!child.key.empty()) {
      below += (path.empty() ? "" : ".") + child.key;
      paths.insert(below);
    }
    paths.merge(paths_below(child, below));
  }
  return paths;
}

TEST(Docs, EverySettingAppearsInTheExampleInItsPlace) {
  const std::string example = with_alternatives(read_file("config/weir.example.yaml"));
  const Result<YamlNode> root = parse_yaml("config/weir.example.yaml", example);
  ASSERT_TRUE(root) << root.error().message;
  const std::set<std::string> shown = paths_below(*root, "");
  constexpr std::string_view kOfRoutes = "routes.translation.";
  for (const std::string& key : configuration_keys()) {
    // A route may say whatever `translation` says for all of them, and one example of that is enough.
    const bool is_of_route = key.starts_with(kOfRoutes);
    const std::string path = is_of_route ? "translation." + key.substr(kOfRoutes.size()) : key;
    EXPECT_TRUE(shown.contains(path)) << key;
  }
  EXPECT_TRUE(shown.contains("routes.translation"));
}

}  // namespace
}  // namespace weir
