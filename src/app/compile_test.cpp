#include "app/compile.h"

#include <algorithm>
#include <chrono>
#include <fstream>
#include <gtest/gtest.h>
#include <unistd.h>

#include "io/test_certificate.h"
#include "provider/credentials.h"
#include "provider/extract_target.h"
#include "provider/key_ring.h"

namespace weir {
namespace {

using Environment = std::map<std::string, std::string>;

class Compile : public testing::Test {
 protected:
  Compilation compile(std::string_view yaml, Environment environment = {},
                      std::shared_ptr<const Snapshot> previous = nullptr) {
    config_ = parse_config("weir.yaml", yaml).value();
    return try_compile({.config = &config_,
                        .environment = std::move(environment),
                        .extract = extract_,
                        .previous = std::move(previous),
                        .generation = 7});
  }
  std::shared_ptr<const Snapshot> snapshot(std::string_view yaml, Environment environment = {},
                                           std::shared_ptr<const Snapshot> previous = nullptr) {
    Compilation made = compile(yaml, std::move(environment), std::move(previous));
    EXPECT_TRUE(made.problems.empty()) << made.problems.front().message;
    return made.snapshot;
  }
  // All problems, one a line.
  std::string complaint(std::string_view yaml, Environment environment = {}) {
    const Compilation made = compile(yaml, std::move(environment));
    EXPECT_EQ(made.snapshot == nullptr, !made.problems.empty());
    return made.problems.empty() ? "" : as_one_error(made.problems).message;
  }

  Pool pool_{"cpu", 1, 4};
  std::shared_ptr<LocalModel> extract_ = make_extract_target(pool_);
  Config config_;
};

const Provider* find_provider(const Snapshot& snapshot, std::string_view name) {
  for (const auto& provider : snapshot.providers) {
    if (provider->name == name) return provider.get();
  }
  return nullptr;
}

// The provider and its name of the model that answer for a public name.
std::pair<std::string, std::string> answers(const Snapshot& snapshot, std::string_view model) {
  const auto match = snapshot.routes.find(model);
  if (!match) return {};
  const RouteTarget& target = match->route->targets.at(0);
  return {target.provider->name, target.model};
}

bool has(std::string_view text, std::string_view part) {
  return text.find(part) != std::string_view::npos;
}

using Answer = std::pair<std::string, std::string>;

TEST_F(Compile, WithoutAnythingTheBuiltInModelAnswers) {
  const auto made = snapshot("");
  EXPECT_EQ(made->generation, 7u);
  EXPECT_EQ(made->providers.size(), 1u);
  EXPECT_EQ(answers(*made, "weir/extract"), Answer("weir", "extract"));
  EXPECT_EQ(made->routes.names(), std::vector<std::string>{"weir/extract"});
  EXPECT_TRUE(made->keys.empty());
}

TEST_F(Compile, ProvidersWhoseUsualKeyIsInTheEnvironmentAreOn) {
  const auto made = snapshot("", {{"ANTHROPIC_API_KEY", "sk-ant-x"}, {"OPENAI_API_KEY", ""}, {"HOME", "/h"}});
  EXPECT_EQ(made->providers.size(), 2u) << "an empty variable is no key";
  const Provider* anthropic = find_provider(*made, "anthropic");
  ASSERT_TRUE(anthropic);
  EXPECT_EQ(anthropic->origin.host, "api.anthropic.com");
  EXPECT_EQ(anthropic->keys->status({}).at(0).name, "ANTHROPIC_API_KEY");
  EXPECT_EQ(answers(*made, "anthropic/whatever-comes"), Answer("anthropic", "*"));
  EXPECT_FALSE(made->routes.find("openai/gpt-4o"));
  const auto both = snapshot("", {{"ANTHROPIC_API_KEY", "sk-ant-x"}, {"OPENAI_API_KEY", "sk-x"}});
  EXPECT_EQ(answers(*both, "openai/gpt-4o"), Answer("openai", "*"));
  EXPECT_EQ(answers(*both, "gpt-4o"), Answer("openai", "gpt-4o")) << "by its bare name too";
  EXPECT_EQ(answers(*both, "weir/extract"), Answer("weir", "extract"));
}

TEST_F(Compile, ConfiguredRoutesReplaceTheDefaultOnesButNotTheBuiltInModel) {
  const auto made = snapshot(R"(
routes: [{model: smart, targets: [{provider: openai, model: gpt-4o}]}]
aliases: {best: smart, finest: best}
)",
                             {{"OPENAI_API_KEY", "sk-x"}});
  EXPECT_EQ(answers(*made, "smart"), Answer("openai", "gpt-4o"));
  EXPECT_EQ(answers(*made, "finest"), Answer("openai", "gpt-4o"));
  EXPECT_FALSE(made->routes.find("gpt-4o"));
  EXPECT_EQ(answers(*made, "weir/extract"), Answer("weir", "extract"));
}

TEST_F(Compile, ConfiguredProvidersReplaceThoseOfTheEnvironment) {
  const auto made = snapshot(R"(
providers:
  - {name: ours, kind: vllm, base_url: "http://127.0.0.1:8000/v1/", region: eu, headers: {x-team: search}}
)",
                             {{"OPENAI_API_KEY", "sk-x"}});
  EXPECT_FALSE(find_provider(*made, "openai"));
  const Provider* ours = find_provider(*made, "ours");
  ASSERT_TRUE(ours);
  EXPECT_EQ(ours->base_path, "/v1");
  EXPECT_EQ(ours->region, "eu");
  EXPECT_EQ(ours->headers.get_or("x-team", ""), "search");
  EXPECT_EQ(answers(*made, "ours/llama"), Answer("ours", "*"));
}

TEST_F(Compile, UnknownNamesAreToldWithTheirLineAndTheNearestOne) {
  const std::string kind = complaint("providers:\n  - {name: openia}\n");
  EXPECT_TRUE(has(kind, "weir.yaml line 2: there is no provider kind openia")) << kind;
  EXPECT_TRUE(has(kind, "'openai'")) << kind;
  const std::string provider = complaint(
      "providers:\n  - {name: ours, kind: vllm, base_url: \"http://127.0.0.1:1/v1\"}\n"
      "routes:\n  - model: m\n    targets:\n      - {provider: weir, model: extract}\n"
      "      - {provider: ors, model: x}\n");
  EXPECT_TRUE(has(provider, "weir.yaml line 7: there is no provider ors")) << provider;
  EXPECT_TRUE(has(provider, "'ours'")) << provider;
  const std::string alias = complaint("aliases: {quick: weir/extrakt}\n");
  EXPECT_TRUE(has(alias, "there is no model weir/extrakt")) << alias;
  EXPECT_TRUE(has(alias, "'weir/extract'")) << alias;
}

TEST_F(Compile, SecretsThatAreNotThereAreToldByNameOnly) {
  const std::string unset = complaint("providers:\n  - {name: openai, keys: [{env: NO_SUCH_KEY}]}\n");
  EXPECT_TRUE(has(unset, "line 2: the environment variable NO_SUCH_KEY is not set")) << unset;
  EXPECT_TRUE(has(complaint("keys:\n  - {name: ci, file: /no/such/file}\n"), "line 2: /no/such/file"));
  EXPECT_TRUE(has(complaint("keys:\n  - {name: ci, hash: \"sha256:12\"}\n"), "weir.yaml line 2: "));
}

TEST_F(Compile, SecretsComeFromFilesWithoutTheirLineFeed) {
  const std::string path = testing::TempDir() + "compile_test_key." + std::to_string(getpid());
  std::ofstream(path) << "wk_secret\n";
  const auto made = snapshot("keys: [{name: ci, file: \"" + path + "\", models: [\"a/*\"], admin: true}]");
  unlink(path.c_str());
  const Principal* who = made->keys.find("wk_secret");
  ASSERT_TRUE(who);
  EXPECT_EQ(who->key_name, "ci");
  EXPECT_TRUE(who->is_admin);
  EXPECT_EQ(who->models, std::vector<std::string>{"a/*"});
  EXPECT_FALSE(made->keys.find("wk_other"));
}

TEST_F(Compile, NamesAreGivenOnce) {
  const std::string provider = complaint(
      "providers:\n  - {name: a, kind: ollama}\n  - {name: a, kind: ollama}\n"
      "routes:\n  - {model: m, targets: [{provider: a}]}\n  - {model: m, targets: [{provider: a}]}\n");
  EXPECT_TRUE(has(provider, "line 3: there are two providers a")) << provider;
  EXPECT_TRUE(has(provider, "line 6: there are two routes for m; the other is in line 5")) << provider;
  const std::string keys =
      complaint("keys:\n  - {name: k, env: A}\n  - {name: k, env: B}\n", {{"A", "wk_a"}, {"B", "wk_b"}});
  EXPECT_TRUE(has(keys, "line 3: there are two keys k; the other is in line 2")) << keys;
  const std::string same =
      complaint("keys:\n  - {name: k, env: A}\n  - {name: l, env: B}\n", {{"A", "wk_a"}, {"B", "wk_a"}});
  EXPECT_TRUE(has(same, "line 3: the keys k and l are the same key")) << same;
  EXPECT_FALSE(has(same, "wk_a"));
  EXPECT_TRUE(has(complaint("aliases: {weir/extract: weir/extract}"), "has the name of a route"));
}

TEST_F(Compile, StarsStandOnceAndOnBothSides) {
  EXPECT_TRUE(has(complaint("routes: [{model: \"a*b*\", targets: [{provider: weir, model: extract}]}]"),
                  "more than one '*'"));
  EXPECT_TRUE(has(complaint("routes: [{model: m, targets: [{provider: weir, model: \"x*\"}]}]"),
                  "the target's model has a '*'"));
}

TEST_F(Compile, EveryProblemIsToldAndWhatFollowsFromOneIsNot) {
  const std::string text = complaint(R"(providers:
  - {name: bad, kind: nothing}
  - {name: openai}
  - {name: far, kind: vllm, base_url: "not a url"}
  - {name: lost, kind: azure_openai}
routes:
  - {model: a, targets: [{provider: bad, model: x}]}
  - {model: b, targets: [{provider: unheard-of, model: x}]}
aliases: {c: a, d: nowhere}
keys:
  - {name: ci, env: NOT_SET}
)");
  EXPECT_EQ(std::count(text.begin(), text.end(), '\n'), 5) << text;
  for (const char* line : {"line 2: ", "line 4: base_url: ", "line 5: the provider lost needs a base_url",
                           "line 8: ", "line 9: the alias d", "line 11: "}) {
    EXPECT_TRUE(has(text, line)) << line << " in " << text;
  }
}

TEST_F(Compile, WithoutKeysOnlyThisMachineMayReachWeir) {
  for (const char* open : {"0.0.0.0:1", ":1", "[::]:1", "192.0.2.1:1"}) {
    const std::string server = std::string("server: {listen: \"") + open + "\"}\n";
    EXPECT_TRUE(has(complaint(server), "server.listen is")) << open;
    EXPECT_EQ(complaint(server + "keys: [{name: k, env: K}]", {{"K", "wk_k"}}), "") << open;
  }
  for (const char* closed : {"127.0.0.1:0", "[::1]:0", "localhost:1", "127.8.8.8:1"}) {
    EXPECT_EQ(complaint(std::string("server: {listen: \"") + closed + "\"}"), "") << closed;
  }
  EXPECT_TRUE(has(complaint("server: {admin_listen: \"0.0.0.0:1\"}"), "server.admin_listen is"));
  EXPECT_TRUE(has(complaint("server: {listen: \"localhost:65536\"}"), "not between 0 and 65535"));
  for (const char* wrong : {"localhost", "localhost:", "localhost:http", "localhost:-1"}) {
    EXPECT_TRUE(has(complaint(std::string("server: {listen: \"") + wrong + "\"}"), "write HOST:PORT"))
        << wrong;
  }
}

TEST_F(Compile, WhatIsKnownOfWildcardsIsListed) {
  const auto made = snapshot(R"(
providers: [{name: oai, kind: openai}]
routes:
  - {model: s/*, targets: [{provider: oai}]}
  - {model: mini-*, targets: [{provider: oai, model: gpt-4o-*}]}
)",
                             {{"OPENAI_API_KEY", "k"}});
  const std::vector<std::string>& names = made->routes.names();
  for (const char* name : {"s/gpt-4o", "s/gpt-4o-mini", "mini-mini", "weir/extract"})
    EXPECT_TRUE(std::ranges::find(names, name) != names.end()) << name;
  EXPECT_TRUE(std::ranges::find(names, "s/claude-opus-4-1") == names.end()) << "another vendor's";
}

TEST_F(Compile, AProviderWithoutItsKeyIsAWarning) {
  const Compilation without = compile("providers:\n  - {name: openai}\n");
  EXPECT_TRUE(without.problems.empty());
  ASSERT_EQ(without.warnings.size(), 1u);
  EXPECT_TRUE(has(without.warnings[0].message, "weir.yaml line 2: the provider openai has no key"));
  EXPECT_TRUE(has(without.warnings[0].message, "set OPENAI_API_KEY, or give it `keys`"));
  EXPECT_TRUE(compile("providers: [{name: openai}]", {{"OPENAI_API_KEY", "k"}}).warnings.empty());
  EXPECT_TRUE(
      compile(R"(providers: [{name: v, kind: vllm, base_url: "http://127.0.0.1:1"}])").warnings.empty())
      << "it needs none";
}

TEST_F(Compile, AKeyThatAnybodyWouldTryIsAWarning) {
  const std::string hash = to_string(hash_api_key("test"));
  const Compilation made = compile(
      "keys:\n  - {name: ci, hash: \"" + hash + "\"}\n  - {name: dev, env: K}\n  - {name: good, env: G}\n",
      {{"K", "changeme"}, {"G", make_api_key()}});
  EXPECT_TRUE(made.problems.empty());
  ASSERT_EQ(made.warnings.size(), 2u);
  EXPECT_TRUE(has(made.warnings[0].message, "weir.yaml line 2: the key ci is a word that anybody would try"));
  EXPECT_TRUE(has(made.warnings[1].message, "weir.yaml line 3: the key dev"));
  EXPECT_FALSE(has(made.warnings[1].message, "changeme"));
}

TEST_F(Compile, AnAdminPlaneThatOthersReachIsAWarningSinceItHasNoTls) {
  const auto warned = [&](std::string_view admin_listen) {
    return compile(fmt::format("server:\n  admin_listen: \"{}\"\nkeys: [{{name: k, env: K}}]", admin_listen),
                   {{"K", make_api_key()}})
        .warnings;
  };
  ASSERT_EQ(warned("0.0.0.0:1").size(), 1u);
  EXPECT_TRUE(has(warned(":1")[0].message, "weir.yaml line 2: server.admin_listen is :1, "));
  EXPECT_TRUE(warned("127.0.0.1:1").empty());
  EXPECT_TRUE(warned("[::1]:1").empty());
}

TEST_F(Compile, OriginsAreWhatABrowserSends) {
  const auto told = [&](std::string_view origin, std::string_view more = "keys: [{name: k, env: K}]") {
    return complaint(fmt::format("gateway: {{cors_origins: [\"{}\"]}}\n{}", origin, more), {{"K", "wk_k"}});
  };
  for (const char* good : {"*", "https://app.example.com", "http://localhost:3000", "chrome-extension://abc"})
    EXPECT_EQ(told(good), "") << good;
  for (const char* bad :
       {"example.com", "https://a.example/", "https://a.example:443", "https://A.example", "x://a/"})
    EXPECT_TRUE(has(told(bad), "weir.yaml line 1: gateway.cors_origins: ")) << bad;
  EXPECT_TRUE(has(told("https://a.example/"), "write https://a.example"));
  // No page may be let in by what every page has.
  for (const char* any : {"*", "null"}) EXPECT_TRUE(has(told(any, ""), "needs `keys`")) << any;
  EXPECT_EQ(told("https://app.example.com", ""), "");
}

TEST_F(Compile, ProvidersHeadersAndTheCollectorAreChecked) {
  const auto told = [&](std::string_view header) {
    return complaint(fmt::format(
        R"(providers: [{{name: a, kind: vllm, base_url: "http://127.0.0.1:1/v1", headers: {{{}}}}}])",
        header));
  };
  EXPECT_EQ(told("x-team: red"), "");
  EXPECT_TRUE(has(told("\"x y\": red"), "line 1: headers: 'x y' is no name"));
  EXPECT_TRUE(has(told("x: \"a\\nb\""), "control character"));
  EXPECT_TRUE(has(complaint("telemetry:\n  otlp_endpoint: foo"), "line 2: telemetry.otlp_endpoint: foo"));
}

TEST_F(Compile, AFileOfAuthoritiesIsReadAndBelongsToAnHttpsAddress) {
  const std::string missing =
      complaint("providers:\n  - {name: a, kind: vllm, base_url: \"https://x/v1\", ca_file: /no/such.pem}\n");
  EXPECT_TRUE(has(missing, "weir.yaml line 2: ca_file: ")) << missing;
  EXPECT_TRUE(has(missing, "/no/such.pem")) << missing;
  EXPECT_TRUE(has(complaint("providers: [{name: a, kind: vllm, base_url: \"http://x/v1\", ca_file: /a.pem}]"),
                  "ca_file is for a base_url that starts with https://"));
}

// Their connections are shared: what one trusts the other would.
TEST_F(Compile, ProvidersAtOneAddressTrustAlike) {
  const TestCertificate authority(testing::TempDir() + "compile_test_ca." + std::to_string(getpid()));
  const std::string authorities = authority.files().certificate;
  const auto told = [&](std::string_view second) {
    return complaint(
        fmt::format("providers:\n  - {{name: a, kind: vllm, base_url: \"https://x/v1\", ca_file: {}}}\n"
                    "  - {{name: b, kind: vllm, base_url: \"https://{}}}\n",
                    authorities, second));
  };
  EXPECT_TRUE(
      has(told("x/v2\""), "weir.yaml line 3: another provider at https://x has another ca_file, or none"));
  EXPECT_EQ(told(fmt::format("x/v2\", ca_file: {}", authorities)), "");
  EXPECT_EQ(told("y/v1\""), "");
}

TEST_F(Compile, ProvidersSayWhatTheirModelsCanDo) {
  const auto made = snapshot(
      R"(providers: [{name: a, kind: vllm, base_url: "http://127.0.0.1:1/v1", capabilities: {vision: false}}])");
  EXPECT_EQ(find_provider(*made, "a")->capabilities.vision, false);
}

constexpr std::string_view kOneProvider =
    R"(providers: [{name: a, kind: vllm, base_url: "http://127.0.0.1:1/v1", keys: [{env: A}]}])";

TEST_F(Compile, ARecompileKeepsWhatWasLearntOfAProviderThatIsTheSame) {
  const auto before = snapshot(kOneProvider, {{"A", "key"}});
  const auto after = snapshot(std::string(kOneProvider) + "\ngateway: {timeout: 3s}", {{"A", "key"}}, before);
  EXPECT_EQ(find_provider(*after, "a")->keys, find_provider(*before, "a")->keys);
  EXPECT_EQ(find_provider(*after, "a")->retry_budget, find_provider(*before, "a")->retry_budget);
}

TEST_F(Compile, ARecompileForgetsAProviderWithOtherKeysOrAtAnotherAddress) {
  const auto before = snapshot(kOneProvider, {{"A", "key"}});
  const auto other_key = snapshot(kOneProvider, {{"A", "another"}}, before);
  EXPECT_NE(find_provider(*other_key, "a")->keys, find_provider(*before, "a")->keys);
  EXPECT_NE(find_provider(*other_key, "a")->retry_budget, find_provider(*before, "a")->retry_budget);
  const auto moved =
      snapshot(R"(providers: [{name: a, kind: vllm, base_url: "http://127.0.0.1:2/v1", keys: [{env: A}]}])",
               {{"A", "key"}}, before);
  EXPECT_NE(find_provider(*moved, "a")->keys, find_provider(*before, "a")->keys);
}

constexpr std::string_view kSigned = R"(providers: [{name: b, kind: bedrock_openai, region: eu-west-1}])";

TEST_F(Compile, ASignedProviderTakesTheBearerKeyElseAPairElseASource) {
  const Environment pair = {{"AWS_ACCESS_KEY_ID", "AKIA"}, {"AWS_SECRET_ACCESS_KEY", "s"}};
  const auto fetched = snapshot(kSigned, pair);
  const Provider* provider = find_provider(*fetched, "b");
  EXPECT_EQ(provider->origin.host, "bedrock-runtime.eu-west-1.amazonaws.com");
  EXPECT_EQ(provider->region, "eu-west-1");
  ASSERT_TRUE(provider->credentials);
  EXPECT_EQ(provider->credentials->name(), "AWS keys of the environment");
  Environment with_bearer = pair;
  with_bearer["AWS_BEARER_TOKEN_BEDROCK"] = "ABSK";
  const auto bearer = snapshot(kSigned, with_bearer);
  EXPECT_FALSE(find_provider(*bearer, "b")->credentials);
  EXPECT_EQ(find_provider(*bearer, "b")->keys->size(), 1u);
  const auto own =
      snapshot(R"(providers: [{name: b, kind: bedrock_openai, keys: [{access_key_id: AKIAOWN, env: S}]}])",
               {{"S", "secret"}, {"AWS_REGION", "us-west-2"}});
  Rng rng(1);
  const auto pick = find_provider(*own, "b")->keys->pick(MonoTime{}, rng, "m");
  EXPECT_EQ(pick->credential->access_key_id, "AKIAOWN");
  EXPECT_EQ(pick->credential->secret.reveal(), "secret");
  EXPECT_EQ(find_provider(*own, "b")->region, "us-west-2");
}

TEST_F(Compile, SaysWhatASignedProviderLacks) {
  EXPECT_TRUE(has(complaint("providers: [{name: b, kind: bedrock_openai}]"),
                  "line 1: the provider b needs a region"));
  EXPECT_TRUE(
      has(complaint(R"(providers: [{name: b, kind: vllm, auth: sigv4, base_url: "http://127.0.0.1:1"}])"),
          "needs a region"));
  EXPECT_TRUE(
      has(complaint(kSigned, {{"AWS_EC2_METADATA_DISABLED", "true"}}), "the provider b: no AWS credentials"));
  EXPECT_TRUE(
      has(complaint(R"(providers: [{name: b, kind: vllm, auth: basic, base_url: "http://127.0.0.1:1"}])"),
          "auth: basic is not one of"));
  EXPECT_TRUE(
      has(complaint(R"(providers: [{name: openai, keys: [{access_key_id: A, env: S}]}])", {{"S", "s"}}),
          "access_key_id goes with auth: sigv4"));
}

TEST_F(Compile, AnAzureProviderTakesItsKeyElseEntraElseNothing) {
  constexpr std::string_view kAzure =
      R"(providers: [{name: a, kind: azure_openai, base_url: "https://x/openai/v1", credentials: {tenant_id: t,
         client_id: c, client_secret_env: S}}])";
  const auto entra = snapshot(kAzure, {{"S", "secret"}});
  ASSERT_TRUE(find_provider(*entra, "a")->credentials);
  EXPECT_EQ(find_provider(*entra, "a")->credentials->name(), "Entra client secret");
  EXPECT_FALSE(
      find_provider(*snapshot(kAzure, {{"S", "s"}, {"AZURE_OPENAI_API_KEY", "k"}}), "a")->credentials);
  EXPECT_TRUE(has(complaint(kAzure), "the environment variable S is not set"));
  const auto nothing =
      snapshot(R"(providers: [{name: a, kind: azure_openai, base_url: "https://x/openai/v1"}])");
  EXPECT_FALSE(find_provider(*nothing, "a")->credentials);
}

TEST_F(Compile, ARecompileKeepsCredentialsThatComeFromTheSameSource) {
  const Environment pair = {{"AWS_ACCESS_KEY_ID", "AKIA"}, {"AWS_SECRET_ACCESS_KEY", "s"}};
  Environment other = pair;
  other["AWS_SECRET_ACCESS_KEY"] = "t";
  const auto before = snapshot(kSigned, pair);
  EXPECT_EQ(find_provider(*snapshot(kSigned, pair, before), "b")->credentials,
            find_provider(*before, "b")->credentials);
  EXPECT_NE(find_provider(*snapshot(kSigned, other, before), "b")->credentials,
            find_provider(*before, "b")->credentials);
}

TEST_F(Compile, PairsForAwssSdksAreKeysToo) {
  const auto made =
      snapshot("keys: [{name: sdk, access_key_id: WKIAAAAAAAAAAAAAAAAA, env: S, models: [m]}]", {{"S", "x"}});
  const AccessKey* pair = made->keys.find_pair("WKIAAAAAAAAAAAAAAAAA");
  ASSERT_TRUE(pair);
  EXPECT_EQ(pair->secret.reveal(), "x");
  EXPECT_EQ(pair->principal.key_name, "sdk");
  EXPECT_EQ(pair->principal.models, std::vector<std::string>{"m"});
  EXPECT_TRUE(has(complaint("keys: [{name: sdk, access_key_id: AKIAAAAAAAAAAAAAAAAA, env: S}]", {{"S", "x"}}),
                  "is not WKIA and 16 letters and digits"));
  EXPECT_TRUE(has(complaint("keys:\n  - {name: a, access_key_id: WKIAAAAAAAAAAAAAAAAA, env: S}\n"
                            "  - {name: b, access_key_id: WKIAAAAAAAAAAAAAAAAA, env: S}\n",
                            {{"S", "x"}}),
                  "line 3: the keys a and b have the same access_key_id"));
}

TEST_F(Compile, TenThousandModelsAndKeysCompile) {
  constexpr int kCount = 10'000;
  std::string yaml = "routes:\n";
  for (int i = 0; i < kCount; ++i) {
    yaml += fmt::format("  - {{model: model-{}, targets: [{{provider: weir, model: extract}}]}}\n", i);
  }
  yaml += "keys:\n";
  for (int i = 0; i < kCount; ++i) yaml += fmt::format("  - {{name: k{}, hash: \"sha256:{:064x}\"}}\n", i, i);
  const auto start = std::chrono::steady_clock::now();
  const auto made = snapshot(yaml);
  const std::chrono::duration<double, std::milli> took = std::chrono::steady_clock::now() - start;
  std::printf("10,000 models and 10,000 keys: read and compiled in %.0f ms\n", took.count());
  ASSERT_TRUE(made);
  EXPECT_EQ(made->routes.names().size(), static_cast<size_t>(kCount) + 1);
  EXPECT_EQ(made->keys.size(), static_cast<size_t>(kCount));
  EXPECT_EQ(answers(*made, "model-9999"), Answer("weir", "extract"));
}

}  // namespace
}  // namespace weir
