// Config: what the configuration file says, parsed and checked row by row, not yet resolved. Lines are kept,
// so that what only the compiler can see (an unknown provider) names its place too.
#pragma once

#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "app/server_settings.h"
#include "base/result.h"
#include "gateway/route.h"
#include "gateway/settings.h"
#include "ops/telemetry_settings.h"
#include "provider/catalog.h"

namespace weir {

// Where a secret is: never in the file itself.
struct SecretSource {
  std::string env;
  std::string file;
  std::string name() const { return env.empty() ? file : env; }
};

struct ProviderKeyConfig {
  int line = 0;
  SecretSource source;
  std::string access_key_id;  // of the AWS pair whose secret `source` is; empty: a key
  double weight = 1;
};

// Of providers whose scheme has a source of credentials: over what the environment says.
struct CredentialConfig {
  std::string profile;
  std::string file;
  std::string tenant_id;
  std::string client_id;
  std::string client_secret_env;
  std::string client_secret_file;
  bool managed_identity = false;
  std::string scope;
  bool operator==(const CredentialConfig&) const = default;
};

struct ProviderConfig {
  int line = 0;
  bool has_problem = false;  // told by the reader; only the name is sure
  std::string name;
  std::string kind;
  std::string base_url;
  std::string auth;  // instead of the kind's; empty: that
  std::vector<ProviderKeyConfig> keys;
  CredentialConfig credentials;
  std::vector<std::pair<std::string, std::string>> headers;
  std::string region;
  std::string ca_file;
  Capabilities capabilities;
  ProviderTimeouts timeouts;
};

struct RouteTargetConfig {
  int line = 0;
  std::string provider;
  std::string model = "*";
  double weight = 1;
  int64_t priority = 0;
  int64_t concurrency = 0;
  std::string region{};  // empty: the provider's
};

struct RouteConfig {
  int line = 0;
  bool has_problem = false;  // told by the reader; only the model is sure
  std::string model;
  std::string strategy = "weighted";
  bool sticky = false;
  std::vector<RouteTargetConfig> targets;
  RetryPolicy retry;
  FallbackRules fallback;
  BreakerSettings breaker;
  Duration timeout{};               // zero: not said
  Duration first_event{};           // zero: not said
  Duration answer{};                // zero: not said
  std::string choices;              // empty: not said
  std::string on_client_gone;       // empty: not said
  TranslationSettings translation;  // with that of the whole configuration where it says nothing
};

struct AliasConfig {
  int line = 0;
  std::string alias;
  std::string model;
};

struct KeyConfig {
  int line = 0;
  bool has_problem = false;  // told by the reader
  std::string name;
  std::string hash;           // or
  SecretSource source;        // of the key, or of the pair's secret
  std::string access_key_id;  // a pair for AWS's SDKs; empty: a key
  std::vector<std::string> models;
  std::vector<std::string> regions{};
  bool admin = false;
};

struct Config {
  std::string file;  // for messages; empty: no file
  ServerSettings server;
  std::map<std::string, int, std::less<>> lines;  // of the members of sections: "server.listen"
  ServerSettings server_in_file;  // as the file says it; the command line may have changed `server`
  GatewaySettings gateway;
  FetchSettings fetch;
  KeepSettings keep;
  TranslationSettings translation;
  TelemetrySettings telemetry;
  std::vector<ProviderConfig> providers;
  std::vector<RouteConfig> routes;
  std::vector<AliasConfig> aliases;
  std::vector<KeyConfig> keys;
  int catalog_line = 0;
  std::vector<std::string> provider_files;  // over the embedded tables
  std::vector<std::string> price_files;

  // 0: the file does not say it.
  int line_of(std::string_view setting) const {
    const auto found = lines.find(setting);
    return found == lines.end() ? 0 : found->second;
  }
};

struct ReadConfig {
  Config config;                // with problems: what could be read
  std::vector<Error> problems;  // bad_request, "FILE line N: ..." with the nearest known key
};

// Goes on with the next part, provider, route or key after an error.
ReadConfig read_config(std::string file, std::string_view text);
// Reads the file too; an empty path gives the defaults.
ReadConfig read_config_file(const std::string& path);

// The same where a configuration with problems is of no use. Errors: bad_request, all problems, one a line.
Result<Config> parse_config(std::string file, std::string_view text);
Result<Config> load_config(const std::string& path);

// One bad_request whose message has a problem on each line. REQUIRES at least one.
Error as_one_error(const std::vector<Error>& problems);

// What fills in where the configuration is silent.
struct PrintContext {
  const Catalog* catalog = &Catalog::embedded();
  std::map<std::string, std::string> environment{};
};
// The effective configuration as YAML, with what is added where it is silent: providers of the environment
// and routes, each with a comment that says so. It reads back, and holds names of secrets, never secrets.
std::string print_config(const Config& config, const PrintContext& context = {});
// The same as one line of JSON: durations and sizes are texts, as in YAML.
std::string print_config_json(const Config& config, const PrintContext& context = {});

}  // namespace weir
