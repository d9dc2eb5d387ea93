// The effective configuration as YAML.
#include "app/config_rows.h"
#include "app/settings_yaml.h"

namespace weir {
namespace {

constexpr std::string_view kHidden = "(hidden)";

std::string secret_text(const SecretSource& source) {
  return source.env.empty() ? "file: " + print_value(source.file) : "env: " + print_value(source.env);
}

std::string print_provider(const ProviderConfig& provider) {
  std::string out =
      fmt::format("  - name: {}\n    kind: {}\n", print_value(provider.name), print_value(provider.kind));
  for (const auto& [key, value] :
       {std::pair("base_url", &provider.base_url), std::pair("region", &provider.region),
        std::pair("ca_file", &provider.ca_file), std::pair("auth", &provider.auth)}) {
    if (!value->empty()) out += fmt::format("    {}: {}\n", key, print_value(*value));
  }
  if (!provider.keys.empty()) out += "    keys:\n";
  for (const ProviderKeyConfig& key : provider.keys) {
    const std::string id =
        key.access_key_id.empty() ? "" : fmt::format("access_key_id: {}, ", print_value(key.access_key_id));
    out +=
        fmt::format("      - {{{}{}, weight: {}}}\n", id, secret_text(key.source), print_value(key.weight));
  }
  // A header may be a credential: its name is enough to see that it is there.
  if (!provider.headers.empty()) out += "    headers:\n";
  for (const auto& [name, value] : provider.headers) {
    out += fmt::format("      {}: {}\n", print_value(name), print_value(std::string(kHidden)));
  }
  if (provider.credentials != CredentialConfig{}) {
    out += "    credentials:\n" + print_settings(credential_rows(), provider.credentials, 6);
  }
  return out + "    timeouts:\n" + print_settings(timeout_rows(), provider.timeouts, 6);
}

RetryConfig rows_of(const RetryPolicy& retry) {
  return {.attempts_max = retry.attempts_max,
          .attempts_per_target_max = retry.attempts_per_target_max,
          .backoff_base = retry.backoff_base,
          .backoff_max = retry.backoff_max,
          .retry_after_max = retry.retry_after_max};
}

BreakerConfig rows_of(const BreakerSettings& breaker) {
  return {.failures_to_open = breaker.failures_to_open,
          .failure_share = breaker.failure_share,
          .window = breaker.window,
          .open_for = breaker.open_for,
          .open_for_max = breaker.open_for_max};
}

std::string print_route(const RouteConfig& route) {
  std::string out = fmt::format("  - model: {}\n    strategy: {}\n    sticky: {}\n", print_value(route.model),
                                route.strategy, route.sticky);
  if (route.timeout > Duration::zero()) out += fmt::format("    timeout: {}\n", print_value(route.timeout));
  if (route.first_event > Duration::zero()) {
    out += fmt::format("    first_event: {}\n", print_value(route.first_event));
  }
  if (!route.choices.empty()) out += fmt::format("    choices: {}\n", route.choices);
  if (!route.on_client_gone.empty()) out += fmt::format("    on_client_gone: {}\n", route.on_client_gone);
  if (!route.targets.empty()) out += "    targets:\n";
  for (const RouteTargetConfig& target : route.targets) {
    out += fmt::format("      - {{provider: {}, model: {}, weight: {}, priority: {}, concurrency: {}",
                       print_value(target.provider), print_value(target.model), target.weight,
                       target.priority, target.concurrency);
    out += target.region.empty() ? "}\n" : fmt::format(", region: {}}}\n", print_value(target.region));
  }
  out += "    retry:\n" + print_settings(retry_rows(), rows_of(route.retry), 6);
  out += "    fallback:\n" + print_settings(fallback_rows(), route.fallback, 6);
  return out + "    breaker:\n" + print_settings(breaker_rows(), rows_of(route.breaker), 6);
}

std::string print_key(const KeyConfig& key) {
  std::string what = key.hash.empty() ? secret_text(key.source) : "hash: " + print_value(key.hash);
  if (!key.access_key_id.empty()) what += ", access_key_id: " + print_value(key.access_key_id);
  return fmt::format("  - {{name: {}, {}, models: {}, regions: {}, admin: {}}}\n", print_value(key.name),
                     what, print_value(key.models), print_value(key.regions), key.admin);
}

}  // namespace

std::string print_config(const Config& config) {
  std::string out = "server:\n" + print_settings(server_setting_rows(), config.server);
  out += "gateway:\n" + print_settings(gateway_setting_rows(), config.gateway);
  out += "fetch:\n" + print_settings(fetch_setting_rows(), config.fetch);
  out += "keep:\n" + print_settings(keep_setting_rows(), config.keep);
  out += "telemetry:\n" + print_settings(telemetry_setting_rows(), config.telemetry);
  if (!config.providers.empty()) out += "providers:\n";
  for (const ProviderConfig& provider : config.providers) out += print_provider(provider);
  if (!config.routes.empty()) out += "routes:\n";
  for (const RouteConfig& route : config.routes) out += print_route(route);
  if (!config.aliases.empty()) out += "aliases:\n";
  for (const AliasConfig& alias : config.aliases) {
    out += fmt::format("  {}: {}\n", print_value(alias.alias), print_value(alias.model));
  }
  if (!config.keys.empty()) out += "keys:\n";
  for (const KeyConfig& key : config.keys) out += print_key(key);
  out += fmt::format("catalog:\n  providers: {}\n  prices: {}\n", print_value(config.provider_files),
                     print_value(config.price_files));
  return out;
}

}  // namespace weir
