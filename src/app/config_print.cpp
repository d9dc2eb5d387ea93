// The effective configuration as YAML.
#include <charconv>
#include <cmath>

#include "app/config_rows.h"
#include "app/effective.h"
#include "app/settings_yaml.h"
#include "base/assert.h"
#include "base/json.h"

namespace weir {
namespace {

constexpr std::string_view kHidden = "(hidden)";

std::string secret_text(const SecretSource& source) {
  return source.env.empty() ? "file: " + print_value(source.file) : "env: " + print_value(source.env);
}

std::string value_text(bool value) {
  return value ? "true" : "false";
}
std::string value_text(int64_t value) {
  return fmt::format("{}", value);
}
std::string value_text(const TemperatureRange& range) {
  return fmt::format("[{}, {}]", range.min, range.max);
}
std::string value_text(const EffortSet& set) {
  std::vector<std::string> names;
  for (size_t i = 0; i < kEffortLevelCount; ++i) {
    const auto level = static_cast<EffortLevel>(i);
    if (set.contains(level)) names.emplace_back(to_string(level));
  }
  return print_value(names);
}
template <class Enum>
  requires std::is_enum_v<Enum>
std::string value_text(Enum value) {
  return print_value(std::string(to_string(value)));
}

std::string print_capabilities(const Capabilities& capabilities) {
  if (capabilities == Capabilities{}) return "";
  std::string out = "    capabilities:\n";
  for_each_capability([&](std::string_view name, auto member) {
    if (const auto& value = capabilities.*member)
      out += fmt::format("      {}: {}\n", name, value_text(*value));
  });
  if (capabilities.tokenizer != TokenizerKind::estimate)
    out += fmt::format("      tokenizer: {}\n", value_text(capabilities.tokenizer));
  return out;
}

// `has_usual_key`: its keys are none that the configuration says.
std::string print_provider(const ProviderConfig& provider, const PrintContext& context, bool has_usual_key) {
  const ProviderKind* kind = context.catalog->find_kind(provider.kind);
  const std::string base_url =
      effective_base_url(provider, kind ? *kind : ProviderKind(), context.environment);
  std::string out =
      fmt::format("  - name: {}\n    kind: {}\n", print_value(provider.name), print_value(provider.kind));
  for (const auto& [key, value] :
       {std::pair("base_url", &base_url), std::pair("region", &provider.region),
        std::pair("ca_file", &provider.ca_file), std::pair("auth", &provider.auth)}) {
    if (!value->empty()) out += fmt::format("    {}: {}\n", key, print_value(*value));
  }
  if (!provider.keys.empty()) out += "    keys:\n";
  for (const ProviderKeyConfig& key : provider.keys) {
    const std::string id =
        key.access_key_id.empty() ? "" : fmt::format("access_key_id: {}, ", print_value(key.access_key_id));
    out += fmt::format("      - {{{}{}, weight: {}}}{}\n", id, secret_text(key.source),
                       print_value(key.weight), has_usual_key ? "  # the usual variable" : "");
  }
  // A header may be a credential: its name is enough to see that it is there.
  if (!provider.headers.empty()) out += "    headers:\n";
  for (const auto& [name, value] : provider.headers) {
    out += fmt::format("      {}: {}\n", print_value(name), print_value(std::string(kHidden)));
  }
  if (provider.credentials != CredentialConfig{}) {
    out += "    credentials:\n" + print_settings(credential_rows(), provider.credentials, 6);
  }
  out += print_capabilities(provider.capabilities);
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
  if (route.answer > Duration::zero()) out += fmt::format("    answer: {}\n", print_value(route.answer));
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
  out += "    breaker:\n" + print_settings(breaker_rows(), rows_of(route.breaker), 6);
  return out + "    translation:\n" + print_settings(translation_setting_rows(), route.translation, 6);
}

std::string print_key(const KeyConfig& key) {
  std::string what = key.hash.empty() ? secret_text(key.source) : "hash: " + print_value(key.hash);
  if (!key.access_key_id.empty()) what += ", access_key_id: " + print_value(key.access_key_id);
  // Left out, each is all; an empty list would be read as a mistake.
  if (!key.models.empty()) what += ", models: " + print_value(key.models);
  if (!key.regions.empty()) what += ", regions: " + print_value(key.regions);
  return fmt::format("  - {{name: {}, {}, admin: {}}}\n", print_value(key.name), what, key.admin);
}

// A plain scalar that JSON has a form for, else a text.
void write_scalar(JsonWriter& json, const YamlNode& node) {
  double number = 0;
  const char* end = node.text.data() + node.text.size();
  const auto [stop, failed] = std::from_chars(node.text.data(), end, number);
  const std::optional<int64_t> whole = node.is_quoted ? std::nullopt : parse_yaml_int(node.text);
  if (!node.is_quoted && (node.text == "true" || node.text == "false")) {
    json.value(node.text == "true");
  } else if (whole) {
    json.value(*whole);
  } else if (!node.is_quoted && failed == std::errc() && stop == end && std::isfinite(number)) {
    json.value(number);
  } else {
    json.value(node.text);
  }
}

void write_json(JsonWriter& json, const YamlNode& node) {
  switch (node.type) {
    case YamlType::null:
      json.null();
      break;
    case YamlType::scalar:
      write_scalar(json, node);
      break;
    case YamlType::sequence:
      json.begin_array();
      for (const YamlNode& item : node.children) write_json(json, item);
      json.end_array();
      break;
    case YamlType::map:
      json.begin_object();
      for (const YamlNode& member : node.children) {
        json.key(member.key);
        write_json(json, member);
      }
      json.end_object();
      break;
  }
}

std::string print_aliases(const Config& config) {
  std::string out = config.aliases.empty() ? "" : "aliases:\n";
  for (const AliasConfig& alias : config.aliases) {
    out += fmt::format("  {}: {}\n", print_value(alias.alias), print_value(alias.model));
  }
  return out;
}

std::string print_keys(const Config& config) {
  std::string out = config.keys.empty() ? "" : "keys:\n";
  for (const KeyConfig& key : config.keys) out += print_key(key);
  return out;
}

std::string print_providers(const Config& said, const Config& whole, const PrintContext& context) {
  if (whole.providers.empty()) return "";
  std::string out = "providers:";
  if (said.providers.empty()) out += "  # none is configured: those whose usual key is in the environment";
  out += "\n";
  for (size_t i = 0; i < whole.providers.size(); ++i) {
    const bool has_usual_key = i >= said.providers.size() || said.providers[i].keys.empty();
    out += print_provider(whole.providers[i], context, has_usual_key);
  }
  return out;
}

// One line: all that a route of the defaults does not say is as for each route that says nothing.
std::string print_default_route(const RouteConfig& route) {
  const RouteTargetConfig& target = route.targets.front();
  return fmt::format("  - {{model: {}, targets: [{{provider: {}, model: {}}}]}}\n", print_value(route.model),
                     print_value(target.provider), print_value(target.model));
}

std::string print_routes(const Config& said, const Config& whole) {
  std::string out = "routes:\n";
  for (const RouteConfig& route : said.routes) out += print_route(route);
  if (whole.routes.size() > said.routes.size()) out += "  # By default:\n";
  for (size_t i = said.routes.size(); i < whole.routes.size(); ++i)
    out += print_default_route(whole.routes[i]);
  return out;
}

}  // namespace

std::string print_config(const Config& config, const PrintContext& context) {
  const Config whole = completed(config, *context.catalog, context.environment);
  std::string out = "server:\n" + print_settings(server_setting_rows(), config.server);
  out += "gateway:\n" + print_settings(gateway_setting_rows(), config.gateway);
  out += "fetch:\n" + print_settings(fetch_setting_rows(), config.fetch);
  out += "keep:\n" + print_settings(keep_setting_rows(), config.keep);
  out += "translation:\n" + print_settings(translation_setting_rows(), config.translation);
  out += "telemetry:\n" + print_settings(telemetry_setting_rows(), config.telemetry);
  out += print_providers(config, whole, context) + print_routes(config, whole);
  out += print_aliases(config) + print_keys(config);
  out += fmt::format("catalog:\n  providers: {}\n  prices: {}\n", print_value(config.provider_files),
                     print_value(config.price_files));
  return out;
}

// With the routes of the defaults as whole as the others: a program reads no comments.
std::string print_config_json(const Config& config, const PrintContext& context) {
  const Config whole = completed(config, *context.catalog, context.environment);
  const Result<YamlNode> tree = parse_yaml("the configuration", print_config(whole, context));
  std::string out;
  JsonWriter json(out);
  WEIR_ASSERT(tree, "what is printed can be read");
  write_json(json, *tree);
  return out;
}

}  // namespace weir
