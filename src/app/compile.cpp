#include "app/compile.h"

#include <algorithm>
#include <map>
#include <set>
#include <unistd.h>

#include "app/effective.h"
#include "app/file_text.h"
#include "app/listen.h"
#include "base/log.h"
#include "base/text.h"
#include "codec/codecs.h"
#include "gateway/wildcard.h"
#include "io/http_runs.h"
#include "io/tls.h"
#include "provider/aws_credentials.h"
#include "provider/catalog_yaml.h"
#include "provider/credentials.h"
#include "provider/entra_credentials.h"
#include "provider/google_credentials.h"
#include "provider/key_ring.h"

namespace weir {
namespace {

// Of the models behind wildcards, which a list of models is to help with, not to be complete.
constexpr size_t kListedNamesMax = 2'000;
// Enough to mend a file by; a file with more is wrong as a whole.
constexpr size_t kProblemsMax = 100;

bool is_header(std::string_view name, std::string_view value) {
  return !name.empty() && http_chars::all(name, http_chars::kToken) &&
         http_chars::all(value, http_chars::kValue);
}

// Whether a browser could send it as `origin`: scheme and host, with a port unless it is the usual one.
bool is_origin(std::string_view text) {
  if (text == "*" || text == "null") return true;
  const size_t host = text.find("://");
  if (host == std::string_view::npos || host == 0) return false;
  // Extensions and applications have schemes of their own.
  if (!text.starts_with("http")) return text.find('/', host + 3) == std::string_view::npos;
  const Result<Url> url = parse_url(text);
  return url && to_string(url->origin) == text;
}

class Compiler {
 public:
  explicit Compiler(const CompileInputs& inputs)
      : inputs_(inputs), config_(*inputs.config), snapshot_(std::make_shared<Snapshot>()) {}

  Compilation compile() {
    snapshot_->generation = inputs_.generation;
    snapshot_->settings = config_.gateway;
    snapshot_->fetch = config_.fetch;
    snapshot_->user_key = inputs_.user_key;
    // Not owned: the embedded catalog lives as long as the process.
    snapshot_->catalog = std::shared_ptr<const Catalog>(std::shared_ptr<void>(), &Catalog::embedded());
    note(load_catalog());
    config_ = completed(std::move(config_), *snapshot_->catalog, inputs_.environment);
    add_extract();
    for (const ProviderConfig& provider : config_.providers) {
      if (provider.has_problem || !note(add_provider(provider))) unusable_providers_.insert(provider.name);
    }
    for (const RouteConfig& route : config_.routes) add_route(route);
    check_aliases();
    add_keys();
    const bool has_keys = !config_.keys.empty();
    for (const auto& [name, address] : {std::pair("server.listen", &config_.server.listen),
                                        std::pair("server.admin_listen", &config_.server.admin_listen)})
      note(at(config_.line_of(name), check_listen(name, *address, has_keys)));
    warn_of_open_admin_plane();
    check_origins();
    check_traces();
    // Only whole parts are put together: what follows from a problem above is not a problem of its own.
    if (problems_.empty()) note(assemble());
    if (!problems_.empty()) snapshot_ = nullptr;
    return {
        .snapshot = std::move(snapshot_), .problems = std::move(problems_), .warnings = std::move(warnings_)};
  }

 private:
  // True for success; keeps the error otherwise.
  bool note(Result<void> outcome) {
    if (!outcome && problems_.size() < kProblemsMax) problems_.push_back(std::move(outcome).error());
    return outcome.has_value();
  }

  Error at(int line, std::string_view what) const {
    return yaml_error(config_.file.empty() ? "the defaults" : config_.file, line, what);
  }
  Result<void> at(int line, Result<void> outcome) const {
    if (outcome) return {};
    return fail(at(line, outcome.error().message));
  }

  // Its keys travel readably. An address that is not taken at all has been told.
  void warn_of_open_admin_plane() {
    const std::string& listen = config_.server.admin_listen;
    if (config_.keys.empty() || !parse_listen_address(listen) || check_listen("", listen, false)) return;
    warnings_.push_back(
        at(config_.line_of("server.admin_listen"),
           fmt::format("server.admin_listen is {}, which others can reach, and the admin plane has no TLS: "
                       "keys and what it tells travel readably; listen on 127.0.0.1, or behind a proxy with "
                       "TLS",
                       listen)));
  }

  void check_origins() {
    for (const std::string& origin : config_.gateway.cors_origins) {
      // Any page has the one, and can give itself the other.
      if (config_.keys.empty() && (origin == "*" || origin == "null")) {
        note(at(config_.line_of("gateway.cors_origins"),
                fail(ErrorKind::bad_request,
                     fmt::format("gateway.cors_origins: '{}' needs `keys`: without them any web page could "
                                 "call your models; name the origins, or configure keys",
                                 origin))));
      }
      if (is_origin(origin)) continue;
      const Result<Url> url = parse_url(origin);
      note(at(config_.line_of("gateway.cors_origins"),
              fail(ErrorKind::bad_request,
                   fmt::format("gateway.cors_origins: no browser sends the origin {}; write {}", origin,
                               url ? to_string(url->origin) : "https://HOST, or '*'"))));
    }
  }

  void check_traces() {
    const std::string& endpoint = config_.telemetry.otlp_endpoint;
    if (endpoint.empty()) return;
    if (const Result<Url> url = parse_url(endpoint); !url) {
      note(at(config_.line_of("telemetry.otlp_endpoint"),
              fail(ErrorKind::bad_request, fmt::format("telemetry.otlp_endpoint: {} is not taken: {}",
                                                       endpoint, url.error().message))));
    }
  }

  Result<void> assemble() {
    std::vector<std::pair<std::string, std::string>> aliases;
    for (const AliasConfig& alias : config_.aliases) aliases.emplace_back(alias.alias, alias.model);
    const std::vector<std::string> known = known_of_wildcards();
    snapshot_->routes = TRY(RouteTable::make(std::move(routes_), std::move(aliases), known));
    snapshot_->keys = TRY(ApiKeys::make(std::move(keys_), std::move(access_keys_)));
    return {};
  }

  // The priced models of the providers that wildcard routes lead to, by the names that the routes give them.
  std::vector<std::string> known_of_wildcards() const {
    std::vector<std::string> names;
    for (const auto& route : routes_) {
      const size_t star = route->pattern.find('*');
      if (star == std::string::npos) continue;
      for (const RouteTarget& target : route->targets) {
        for (const ModelRow& row : snapshot_->catalog->models()) {
          if (row.provider != target.provider->kind.name) continue;
          if (names.size() == kListedNamesMax) return names;
          if (const auto part = starred_part(target.model, row.model))
            names.push_back(std::string(route->pattern).replace(star, 1, *part));
        }
      }
    }
    return names;
  }

  Result<void> load_catalog() {
    snapshot_->catalog = TRY(catalog_of(config_));
    return {};
  }

  void add_extract() {
    auto provider = std::make_shared<Provider>();
    provider->name = kExtractProvider;
    provider->kind.name = kExtractProvider;
    provider->kind.otel_name = kExtractProvider;
    provider->kind.needs_key = false;
    provider->local = inputs_.extract;
    provider->keys = std::make_shared<KeyRing>(std::vector<ProviderKey>{});
    provider->retry_budget = std::make_shared<RetryBudget>();
    snapshot_->providers.push_back(std::move(provider));
  }

  const Provider* find_previous(std::string_view name) const {
    if (!inputs_.previous) return nullptr;
    for (const auto& provider : inputs_.previous->providers) {
      if (provider->name == name) return provider.get();
    }
    return nullptr;
  }

  std::shared_ptr<const Provider> find_provider(std::string_view name) const {
    for (const auto& provider : snapshot_->providers) {
      if (provider->name == name) return provider;
    }
    return nullptr;
  }

  Result<std::string> secret_text(const SecretSource& source, int line) const {
    if (!source.env.empty()) {
      const auto found = inputs_.environment.find(source.env);
      if (found == inputs_.environment.end() || found->second.empty()) {
        return fail(at(line, fmt::format("the environment variable {} is not set", source.env)));
      }
      return std::string(trim(found->second));
    }
    const Result<std::string> text = read_file_text(source.file);
    if (!text) return fail(at(line, text.error().message));
    if (trim(*text).empty()) return fail(at(line, fmt::format("{} is empty", source.file)));
    return std::string(trim(*text));
  }

  // What was learnt of the provider stays while it is the same: a reload forgets no cool-down. At another
  // address, or with other keys, it begins anew.
  void keep_or_make_states(Provider& provider, std::vector<ProviderKey> keys) const {
    const Provider* before = find_previous(provider.name);
    if (before && before->origin == provider.origin && before->base_path == provider.base_path &&
        before->keys->has_same_keys(keys)) {
      provider.keys = before->keys;
      provider.retry_budget = before->retry_budget;
      return;
    }
    provider.keys = std::make_shared<KeyRing>(std::move(keys));
    provider.retry_budget = std::make_shared<RetryBudget>();
  }

  Result<void> add_provider(const ProviderConfig& config) {
    const ProviderKind* kind = snapshot_->catalog->find_kind(config.kind);
    if (!kind) {
      std::vector<std::string_view> names;
      for (const ProviderKind& known : snapshot_->catalog->kinds()) names.push_back(known.name);
      return fail(at(config.line, fmt::format("there is no provider kind {}{}", config.kind,
                                              did_you_mean(config.kind, names))));
    }
    if (find_provider(config.name))
      return fail(at(config.line, fmt::format("there are two providers {}", config.name)));
    auto provider = std::make_shared<Provider>();
    provider->name = config.name;
    provider->kind = TRY(with_scheme(config, *kind));
    provider->codec = &provider_codec(kind->dialect);
    const std::string base_url = TRY(base_url_of(config, *kind));
    if (base_url.empty())
      return fail(at(config.line, fmt::format("the provider {} needs a base_url", config.name)));
    Result<Url> url = parse_url(base_url);
    if (!url) return fail(at(config.line, fmt::format("base_url: {}", url.error().message)));
    provider->origin = url->origin;
    provider->base_path = url->target;
    while (provider->base_path.ends_with('/')) provider->base_path.pop_back();
    for (const auto& [name, value] : config.headers) {
      if (!is_header(name, value))
        return fail(
            at(config.line, fmt::format("headers: '{}' is no name of a header, or its value has a line "
                                        "feed or another control character",
                                        name)));
      provider->headers.add(name, value);
    }
    provider->region = TRY(region_of(config, *provider));
    provider->capabilities = config.capabilities;
    provider->timeouts = config.timeouts;
    provider->tls = TRY(tls_of(config, provider->origin));
    keep_or_make_states(*provider, TRY(keys_of(config, provider->kind)));
    if (provider->keys->size() == 0) TRY(add_credentials(config, *provider));
    warn_of_no_key(config, *provider);
    snapshot_->providers.push_back(std::move(provider));
    return {};
  }

  void warn_of_no_key(const ProviderConfig& config, const Provider& provider) {
    if (!provider.kind.needs_key || provider.keys->size() > 0 || provider.credentials) return;
    std::string variables;
    for (const std::string& name : provider.kind.key_env)
      variables += (variables.empty() ? "" : " or ") + name;
    warnings_.push_back(at(
        config.line,
        fmt::format("the provider {} has no key, so each call to it will fail; "
                    "{}{}",
                    config.name, variables.empty() ? "" : "set " + variables + ", or ", "give it `keys`")));
  }

  Result<ProviderKind> with_scheme(const ProviderConfig& config, const ProviderKind& kind) const {
    ProviderKind made = kind;
    if (config.auth.empty()) return made;
    const std::optional<AuthScheme> scheme = auth_scheme_from_string(config.auth);
    if (!scheme || (*scheme == AuthScheme::api_key_header && kind.auth != *scheme)) {
      return fail(at(
          config.line,
          fmt::format("auth: {} is not one of bearer, x_api_key, sigv4, google, entra, none", config.auth)));
    }
    if (*scheme == kind.auth) return made;
    made.auth = *scheme;
    made.needs_key = *scheme != AuthScheme::none;
    made.auth_header = *scheme == AuthScheme::x_api_key ? "x-api-key" : "authorization";
    return made;
  }

  Result<std::string> base_url_of(const ProviderConfig& config, const ProviderKind& kind) const {
    std::string url = effective_base_url(config, kind, inputs_.environment);
    if (url.find(kRegionPlace) != std::string::npos)
      return fail(at(config.line, fmt::format("the provider {} needs a region, or AWS_REGION", config.name)));
    return url;
  }

  // Signatures name the region: said, or in the address, or in the environment.
  Result<std::string> region_of(const ProviderConfig& config, const Provider& provider) const {
    if (!config.region.empty() || provider.kind.auth != AuthScheme::sigv4) return config.region;
    std::string region = aws_region_of_host(provider.origin.host);
    if (region.empty()) region = aws_region_of_environment(inputs_.environment);
    if (region.empty()) {
      return fail(at(config.line, fmt::format("the provider {} needs a region, or AWS_REGION", config.name)));
    }
    return region;
  }

  // What a scheme with a source uses where no key is configured.
  Result<void> add_credentials(const ProviderConfig& config, Provider& provider) const {
    if (!has_source(provider.kind.auth)) return {};
    Result<std::optional<ChosenSource>> chosen = choose_source(config, provider);
    if (!chosen)
      return fail(at(config.line, fmt::format("the provider {}: {}", config.name, chosen.error().message)));
    if (!*chosen) return {};
    const Provider* before = find_previous(provider.name);
    if (before && before->credentials && before->credentials->identity() == (*chosen)->identity) {
      provider.credentials = before->credentials;
    } else {
      provider.credentials = std::make_shared<Credentials>(provider.name, *std::move(*chosen));
    }
    return {};
  }

  Result<std::optional<ChosenSource>> choose_source(const ProviderConfig& config,
                                                    const Provider& provider) const {
    const CredentialConfig& said = config.credentials;
    if (provider.kind.auth == AuthScheme::sigv4) {
      return choose_aws_source(
          {.environment = inputs_.environment, .profile = said.profile, .region = provider.region});
    }
    if (provider.kind.auth == AuthScheme::google) {
      return choose_google_source(
          {.environment = inputs_.environment, .file = said.file, .scope = said.scope});
    }
    EntraInputs inputs{.environment = inputs_.environment,
                       .tenant_id = said.tenant_id,
                       .client_id = said.client_id,
                       .client_secret = {},
                       .scope = said.scope,
                       .uses_managed_identity = said.managed_identity};
    const SecretSource secret{.env = said.client_secret_env, .file = said.client_secret_file};
    if (!secret.name().empty()) inputs.client_secret = Secret(TRY(secret_text(secret, config.line)));
    // Not a word of Entra: the provider's key is missing, and a call will say so.
    if (!has_entra_inputs(inputs)) return std::nullopt;
    return choose_entra_source(inputs);
  }

  // Connections are shared between the providers of one origin, so they trust alike.
  Result<std::shared_ptr<TlsClientContext>> tls_of(const ProviderConfig& config, const Origin& origin) {
    if (!origin.is_tls && config.ca_file.empty()) return nullptr;
    if (!origin.is_tls) return fail(at(config.line, "ca_file is for a base_url that starts with https://"));
    const auto [other, is_new] = ca_files_.emplace(to_string(origin), config.ca_file);
    if (!is_new && other->second != config.ca_file) {
      return fail(
          at(config.line, fmt::format("another provider at {} has another ca_file, or none: give all of "
                                      "them the same",
                                      other->first)));
    }
    if (config.ca_file.empty()) return nullptr;
    Result<std::shared_ptr<TlsClientContext>> context = TlsClientContext::make(config.ca_file);
    if (!context) return fail(at(config.line, "ca_file: " + context.error().message));
    return context;
  }

  Result<std::vector<ProviderKey>> keys_of(const ProviderConfig& config, const ProviderKind& kind) const {
    std::vector<ProviderKey> keys;
    for (const ProviderKeyConfig& key : config.keys) {
      if (!key.access_key_id.empty() && kind.auth != AuthScheme::sigv4) {
        return fail(at(key.line, "access_key_id goes with auth: sigv4"));
      }
      ProviderKey& made = keys.emplace_back();
      made.name = key.source.name();
      made.secret = std::make_shared<const Secret>(TRY(secret_text(key.source, key.line)));
      made.weight = key.weight;
      made.access_key_id = key.access_key_id;
    }
    return keys;
  }

  void add_route(const RouteConfig& config) {
    if (config.has_problem) {
      patterns_.emplace(config.model, config.line);
      return;
    }
    if (!note(check_pattern(config))) return;
    auto route = std::make_unique<Route>();
    route->pattern = config.model;
    route->strategy = *strategy_from_string(config.strategy);
    route->is_sticky = config.sticky;
    route->retry = config.retry;
    route->fallback = config.fallback;
    route->breaker = config.breaker;
    if (config.timeout > Duration::zero()) route->timeout = config.timeout;
    if (config.first_event > Duration::zero()) route->first_event = config.first_event;
    if (config.answer > Duration::zero()) route->answer = config.answer;
    route->choices = config.choices;
    route->on_client_gone = config.on_client_gone;
    route->translation = config.translation;
    for (const RouteTargetConfig& target : config.targets) note(add_target(config, target, *route));
    routes_.push_back(std::move(route));
  }

  Result<void> check_pattern(const RouteConfig& config) {
    if (std::count(config.model.begin(), config.model.end(), '*') > 1) {
      return fail(at(config.line, fmt::format("the route {} has more than one '*'", config.model)));
    }
    const auto [other, is_new] = patterns_.emplace(config.model, config.line);
    if (is_new) return {};
    return fail(at(config.line, fmt::format("there are two routes for {}; the other is in line {}",
                                            config.model, other->second)));
  }

  Result<void> add_target(const RouteConfig& config, const RouteTargetConfig& target, Route& route) const {
    std::shared_ptr<const Provider> provider = find_provider(target.provider);
    if (!provider) {
      if (unusable_providers_.contains(target.provider)) return {};  // that has been said
      std::vector<std::string_view> names;
      for (const auto& known : snapshot_->providers) names.push_back(known->name);
      return fail(at(target.line, fmt::format("there is no provider {}{}", target.provider,
                                              did_you_mean(target.provider, names))));
    }
    if (target.model.find('*') != std::string::npos && config.model.find('*') == std::string::npos) {
      return fail(at(target.line,
                     fmt::format("the target's model has a '*', but the route {} has none", config.model)));
    }
    route.targets.push_back({.provider = std::move(provider),
                             .model = target.model,
                             .weight = target.weight,
                             .priority = static_cast<int>(target.priority),
                             .concurrency = static_cast<size_t>(target.concurrency),
                             .region = target.region});
    return {};
  }

  // An alias has a name of its own and leads to a route, or to an alias before it.
  void check_aliases() {
    std::vector<std::string_view> wildcards;
    for (const auto& [pattern, its_line] : patterns_) {
      if (pattern.find('*') != std::string::npos) wildcards.push_back(pattern);
    }
    std::set<std::string_view> before;
    for (const auto& [line, alias, model] : config_.aliases) {
      if (patterns_.contains(alias)) {
        note(fail(at(line, fmt::format("the alias {} has the name of a route", alias))));
      }
      const bool is_known = patterns_.contains(model) || before.contains(model) ||
                            std::any_of(wildcards.begin(), wildcards.end(),
                                        [&](std::string_view pattern) { return glob_match(pattern, model); });
      if (!is_known) {
        std::vector<std::string_view> names;
        for (const auto& [pattern, its_line] : patterns_) names.push_back(pattern);
        note(fail(at(line, fmt::format("the alias {}: there is no model {}{}", alias, model,
                                       did_you_mean(model, names)))));
      }
      before.insert(alias);
    }
  }

  void add_keys() {
    keys_.reserve(config_.keys.size());
    for (const KeyConfig& config : config_.keys) {
      if (!config.has_problem) note(add_key(config));
    }
  }

  Result<void> add_key(const KeyConfig& config) {
    const auto [other, is_new] = key_lines_.emplace(config.name, config.line);
    if (!is_new) {
      return fail(at(config.line, fmt::format("there are two keys {}; the other is in line {}", config.name,
                                              other->second)));
    }
    Principal principal;
    principal.key_id = config.name;
    principal.key_name = config.name;
    principal.models = config.models;
    principal.regions = config.regions;
    principal.is_admin = config.admin;
    if (!config.access_key_id.empty()) return add_access_key(config, std::move(principal));
    ApiKey key;
    if (config.hash.empty()) {
      key.hash = hash_api_key(TRY(secret_text(config.source, config.line)));
    } else {
      const Result<KeyHash> hash = parse_key_hash(config.hash);
      if (!hash) return fail(at(config.line, hash.error().message));
      key.hash = *hash;
    }
    if (is_well_known(key.hash)) {
      warnings_.push_back(at(config.line, fmt::format("the key {} is a word that anybody would try; `weir "
                                                      "key` makes one that nobody can guess",
                                                      config.name)));
    }
    const auto [twin, is_single] = key_names_.emplace(key.hash, config.name);
    if (!is_single) {
      return fail(
          at(config.line, fmt::format("the keys {} and {} are the same key", twin->second, config.name)));
    }
    key.principal = std::move(principal);
    keys_.push_back(std::move(key));
    return {};
  }

  Result<void> add_access_key(const KeyConfig& config, Principal principal) {
    if (!is_access_key_id(config.access_key_id)) {
      return fail(
          at(config.line, fmt::format("access_key_id: {} is not WKIA and 16 letters and digits; `weir key "
                                      "--sigv4` makes a pair",
                                      config.access_key_id)));
    }
    for (const AccessKey& other : access_keys_) {
      if (other.id == config.access_key_id) {
        return fail(at(config.line, fmt::format("the keys {} and {} have the same access_key_id",
                                                other.principal.key_name, config.name)));
      }
    }
    Secret secret(TRY(secret_text(config.source, config.line)));
    access_keys_.push_back(
        {.id = config.access_key_id, .secret = std::move(secret), .principal = std::move(principal)});
    return {};
  }

  const CompileInputs& inputs_;
  Config config_;  // completed
  std::shared_ptr<Snapshot> snapshot_;
  std::vector<Error> problems_;
  std::vector<Error> warnings_;
  std::set<std::string> unusable_providers_;
  std::map<std::string, std::string> ca_files_;  // by origin
  std::vector<std::unique_ptr<Route>> routes_;
  std::map<std::string, int> patterns_;  // and their lines; 0: of the defaults
  std::vector<ApiKey> keys_;
  std::vector<AccessKey> access_keys_;
  std::map<std::string, int> key_lines_;
  std::map<KeyHash, std::string> key_names_;
};

}  // namespace

Compilation try_compile(const CompileInputs& inputs) {
  return Compiler(inputs).compile();
}

Result<std::shared_ptr<const Snapshot>> compile_snapshot(const CompileInputs& inputs) {
  Compilation made = try_compile(inputs);
  if (!made.snapshot) return fail(as_one_error(made.problems));
  for (const Error& warning : made.warnings) log_warn("configuration", {{"warning", warning.message}});
  return std::move(made.snapshot);
}

std::map<std::string, std::string> process_environment() {
  std::map<std::string, std::string> environment;
  for (char** entry = environ; entry && *entry; ++entry) {
    if (const auto pair = split_once(*entry, '=')) environment.emplace(pair->first, pair->second);
  }
  return environment;
}

}  // namespace weir
