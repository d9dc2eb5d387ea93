#include "app/config.h"

#include <array>
#include <fstream>
#include <iterator>

#include "app/config_rows.h"
#include "app/settings_yaml.h"

namespace weir {
namespace {

// Reads the rows of a map that has members beside them: `others` are taken by the caller.
template <class S>
Result<void> read_rows(std::string_view file, const YamlNode& node, std::string_view what, Rows<S> rows,
                       S& into, std::initializer_list<std::string_view> others) {
  std::vector<std::string_view> known(others);
  for (const Setting<S>& row : rows) known.push_back(row.key);
  TRY(YamlFields(file, node, what).check(known));
  YamlNode own = node;
  std::erase_if(own.children, [&](const YamlNode& child) {
    return std::find(others.begin(), others.end(), child.key) != others.end();
  });
  return read_settings(file, own, what, rows, into);
}

class Reader {
 public:
  explicit Reader(Config& config) : config_(config), file_(config.file) {}

  Result<void> read(const YamlNode& root) {
    if (root.type == YamlType::null) return {};
    const YamlFields fields(file_, root, "the configuration");
    TRY(fields.check(
        {"server", "gateway", "telemetry", "providers", "routes", "aliases", "keys", "catalog"}));
    if (const YamlNode* node = root.find("server")) {
      TRY(read_settings(file_, *node, "server", server_setting_rows(), config_.server));
    }
    if (const YamlNode* node = root.find("gateway")) {
      TRY(read_settings(file_, *node, "gateway", gateway_setting_rows(), config_.gateway));
    }
    if (const YamlNode* node = root.find("telemetry")) {
      TRY(read_settings(file_, *node, "telemetry", telemetry_setting_rows(), config_.telemetry));
    }
    TRY(each(fields, "providers", [this](const YamlNode& node) { return read_provider(node); }));
    TRY(each(fields, "routes", [this](const YamlNode& node) { return read_route(node); }));
    TRY(each(fields, "keys", [this](const YamlNode& node) { return read_key(node); }));
    config_.aliases = TRY(fields.text_map("aliases"));
    if (const YamlNode* node = root.find("catalog")) {
      const YamlFields catalog(file_, *node, "catalog");
      TRY(catalog.check(keys_of(catalog_fields())));
      config_.provider_files = TRY(catalog.texts("providers"));
      config_.price_files = TRY(catalog.texts("prices"));
    }
    return {};
  }

 private:
  template <class Read>
  Result<void> each(const YamlFields& fields, std::string_view key, Read read) {
    const YamlNode* list = TRY(fields.optional_node(key, YamlType::sequence));
    if (!list) return {};
    for (const YamlNode& item : list->children) TRY(read(item));
    return {};
  }

  Result<SecretSource> read_secret(const YamlFields& fields) {
    SecretSource source;
    source.env = TRY(fields.optional_text("env"))
    .value_or("");
    source.file = TRY(fields.optional_text("file"))
    .value_or("");
    if (!source.env.empty() && !source.file.empty())
      return fail(fields.error("env", "give either env or file"));
    return source;
  }

  Result<void> read_provider(const YamlNode& node) {
    const YamlFields fields(file_, node, "a provider");
    TRY(fields.check(keys_of(provider_fields())));
    ProviderConfig& provider = config_.providers.emplace_back();
    provider.line = node.line;
    provider.name = TRY(fields.text("name"));
    provider.kind = TRY(fields.optional_text("kind"))
    .value_or(provider.name);
    provider.base_url = TRY(fields.optional_text("base_url"))
    .value_or("");
    provider.region = TRY(fields.optional_text("region"))
    .value_or("");
    provider.headers = TRY(fields.text_map("headers"));
    if (const YamlNode* timeouts = node.find("timeouts")) {
      TRY(read_settings(file_, *timeouts, "timeouts", timeout_rows(), provider.timeouts));
    }
    return each(fields, "keys", [&](const YamlNode& item) -> Result<void> {
      if (item.type == YamlType::scalar) {
        return fail(
            yaml_error(file_, item.line,
                       "a key is never in the configuration itself: write `{env: NAME}` or `{file: PATH}`"));
      }
      const YamlFields key(file_, item, "a provider's key");
      TRY(key.check(keys_of(provider_key_fields())));
      ProviderKeyConfig entry {
        .source = TRY(read_secret(key))
      };
      if (entry.source.name().empty()) return fail(key.error("env", "a provider's key needs env or file"));
      if (const YamlNode* weight = item.find("weight")) {
        TRY(read_value(file_, *weight, entry.weight));
        TRY(check_range(file_, *weight, entry.weight, 0.000001, 1e9));
      }
      provider.keys.push_back(std::move(entry));
      return {};
    });
  }

  Result<void> read_route(const YamlNode& node) {
    RouteConfig& route = config_.routes.emplace_back();
    route.line = node.line;
    TRY(read_rows(file_, node, "a route", route_rows(), route, {"targets", "retry", "fallback", "breaker"}));
    const YamlFields fields(file_, node, "a route");
    TRY(fields.text("model"));
    RetryConfig retry;
    if (const YamlNode* part = node.find("retry"))
      TRY(read_settings(file_, *part, "retry", retry_rows(), retry));
    route.retry = {.attempts_max = static_cast<int>(retry.attempts_max),
                   .attempts_per_target_max = static_cast<int>(retry.attempts_per_target_max),
                   .backoff_base = retry.backoff_base,
                   .backoff_max = retry.backoff_max,
                   .retry_after_max = retry.retry_after_max};
    if (const YamlNode* part = node.find("fallback")) {
      TRY(read_settings(file_, *part, "fallback", fallback_rows(), route.fallback));
    }
    BreakerConfig breaker;
    if (const YamlNode* part = node.find("breaker"))
      TRY(read_settings(file_, *part, "breaker", breaker_rows(), breaker));
    route.breaker = {.failures_to_open = static_cast<int>(breaker.failures_to_open),
                     .failure_share = breaker.failure_share,
                     .window = static_cast<int>(breaker.window),
                     .open_for = breaker.open_for,
                     .open_for_max = breaker.open_for_max};
    TRY(each(fields, "targets", [&](const YamlNode& item) -> Result<void> {
      RouteTargetConfig& target = route.targets.emplace_back();
      target.line = item.line;
      TRY(read_settings(file_, item, "a target", target_rows(), target));
      TRY(YamlFields(file_, item, "a target").text("provider"));
      return {};
    }));
    if (route.targets.empty()) return fail(fields.error("targets", "a route needs at least one target"));
    return {};
  }

  Result<void> read_key(const YamlNode& node) {
    const YamlFields fields(file_, node, "a key");
    TRY(fields.check(keys_of(key_fields())));
    KeyConfig& key = config_.keys.emplace_back();
    key.line = node.line;
    key.name = TRY(fields.text("name"));
    key.hash = TRY(fields.optional_text("hash"))
    .value_or("");
    key.source = TRY(read_secret(fields));
    key.models = TRY(fields.texts("models"));
    key.admin = TRY(fields.optional_bool("admin"))
    .value_or(false);
    if (key.hash.empty() == key.source.name().empty()) {
      return fail(fields.error(
          "hash", "a key needs one of hash, env and file; `weir key` makes a key with its hash"));
    }
    return {};
  }

  Config& config_;
  const std::string_view file_;
};

std::string secret_text(const SecretSource& source) {
  return source.env.empty() ? "file: " + print_value(source.file) : "env: " + print_value(source.env);
}

}  // namespace

Result<Config> parse_config(std::string file, std::string_view text) {
  Config config;
  config.file = std::move(file);
  const YamlNode root = TRY(parse_yaml(config.file, text));
  TRY(Reader(config).read(root));
  config.server_in_file = config.server;
  return config;
}

Result<Config> load_config(const std::string& path) {
  if (path.empty()) return Config{};
  std::ifstream in(path, std::ios::binary);
  if (!in) return fail(ErrorKind::bad_request, fmt::format("{} cannot be read", path));
  const std::string text((std::istreambuf_iterator<char>(in)), std::istreambuf_iterator<char>());
  return parse_config(path, text);
}

std::string print_config(const Config& config) {
  std::string out;
  out += "server:\n" + print_settings(server_setting_rows(), config.server);
  out += "gateway:\n" + print_settings(gateway_setting_rows(), config.gateway);
  out += "telemetry:\n" + print_settings(telemetry_setting_rows(), config.telemetry);
  if (!config.providers.empty()) out += "providers:\n";
  for (const ProviderConfig& provider : config.providers) {
    out +=
        fmt::format("  - name: {}\n    kind: {}\n", print_value(provider.name), print_value(provider.kind));
    if (!provider.base_url.empty()) out += fmt::format("    base_url: {}\n", print_value(provider.base_url));
    for (size_t i = 0; i < provider.keys.size(); ++i) {
      out += fmt::format("{}      - {{{}, weight: {}}}\n", i == 0 ? "    keys:\n" : "",
                         secret_text(provider.keys[i].source), print_value(provider.keys[i].weight));
    }
  }
  if (!config.routes.empty()) out += "routes:\n";
  for (const RouteConfig& route : config.routes) {
    out += fmt::format("  - model: {}\n    strategy: {}\n    targets:\n", print_value(route.model),
                       route.strategy);
    for (const RouteTargetConfig& target : route.targets) {
      out += fmt::format("      - {{provider: {}, model: {}, weight: {}, priority: {}, concurrency: {}}}\n",
                         print_value(target.provider), print_value(target.model), target.weight,
                         target.priority, target.concurrency);
    }
  }
  if (!config.aliases.empty()) out += "aliases:\n";
  for (const auto& [alias, name] : config.aliases)
    out += fmt::format("  {}: {}\n", print_value(alias), print_value(name));
  if (!config.keys.empty()) out += "keys:\n";
  for (const KeyConfig& key : config.keys) {
    out +=
        fmt::format("  - {{name: {}, {}, admin: {}}}\n", print_value(key.name),
                    key.hash.empty() ? secret_text(key.source) : "hash: " + print_value(key.hash), key.admin);
  }
  return out;
}

}  // namespace weir
