#include "app/compile.h"

#include <fstream>
#include <iterator>
#include <set>
#include <unistd.h>

#include "base/text.h"
#include "codec/anthropic.h"
#include "codec/openai.h"
#include "provider/catalog_yaml.h"
#include "provider/key_ring.h"

namespace weir {
namespace {

constexpr std::string_view kExtractProvider = "weir";
constexpr std::string_view kExtractModel = "extract";

const ProviderCodec* codec_for(Dialect dialect) {
  switch (dialect) {
    case Dialect::openai_chat:
      return &openai_chat_provider();
    case Dialect::anthropic_messages:
      return &anthropic_messages_provider();
    case Dialect::openai_responses:
    case Dialect::bedrock_converse:
    case Dialect::bedrock_invoke:
    case Dialect::gemini:
      break;
  }
  return nullptr;
}

Result<std::string> read_file(const std::string& path) {
  std::ifstream in(path, std::ios::binary);
  if (!in) return fail(ErrorKind::bad_request, fmt::format("{} cannot be read", path));
  return std::string((std::istreambuf_iterator<char>(in)), std::istreambuf_iterator<char>());
}

class Compiler {
 public:
  explicit Compiler(const CompileInputs& inputs)
      : inputs_(inputs), config_(*inputs.config), snapshot_(std::make_shared<Snapshot>()) {}

  Result<std::shared_ptr<const Snapshot>> compile() {
    snapshot_->generation = inputs_.generation;
    snapshot_->settings = config_.gateway;
    TRY(load_catalog());
    add_extract();
    for (const ProviderConfig& provider : config_.providers) TRY(add_provider(provider));
    if (config_.providers.empty()) TRY(add_providers_of_environment());
    for (const RouteConfig& route : config_.routes) TRY(add_route(route));
    add_default_routes();
    snapshot_->routes = TRY(RouteTable::make(std::move(routes_), config_.aliases));
    TRY(add_keys());
    return snapshot_;
  }

 private:
  Error at(int line, std::string_view what) const {
    return yaml_error(config_.file.empty() ? "the defaults" : config_.file, line, what);
  }

  Result<void> load_catalog() {
    if (config_.provider_files.empty() && config_.price_files.empty()) {
      // Not owned: the embedded catalog lives as long as the process.
      snapshot_->catalog = std::shared_ptr<const Catalog>(std::shared_ptr<void>(), &Catalog::embedded());
      return {};
    }
    std::vector<std::string> texts;
    texts.reserve(config_.provider_files.size() + config_.price_files.size());
    std::vector<CatalogText> providers;
    std::vector<CatalogText> prices;
    for (const std::string& file : config_.provider_files) {
      providers.push_back({ .file = file, .text = texts.emplace_back(TRY(read_file(file))) });
    }
    for (const std::string& file : config_.price_files) {
      prices.push_back({ .file = file, .text = texts.emplace_back(TRY(read_file(file))) });
    }
    snapshot_->catalog =
        std::make_shared<const Catalog>(TRY(Catalog::embedded().extended(providers, prices)));
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
    const Result<std::string> text = read_file(source.file);
    if (!text) return fail(at(line, text.error().message));
    if (trim(*text).empty()) return fail(at(line, fmt::format("{} is empty", source.file)));
    return std::string(trim(*text));
  }

  // The ring of before where it has the same keys, so that a reload forgets no cool-down.
  std::shared_ptr<KeyRing> ring_of(const Provider* before, std::vector<ProviderKey> keys) const {
    if (before && before->keys->has_same_keys(keys)) return before->keys;
    return std::make_shared<KeyRing>(std::move(keys));
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
    provider->kind = *kind;
    provider->codec = codec_for(kind->dialect);
    if (!provider->codec) {
      return fail(
          at(config.line, fmt::format("Weir does not speak {} to providers yet", to_string(kind->dialect))));
    }
    const std::string base_url = config.base_url.empty() ? kind->base_url.value_or("") : config.base_url;
    if (base_url.empty())
      return fail(at(config.line, fmt::format("the provider {} needs a base_url", config.name)));
    Result<Url> url = parse_url(base_url);
    if (!url) return fail(at(config.line, fmt::format("base_url: {}", url.error().message)));
    provider->origin = url->origin;
    provider->base_path = url->target;
    while (provider->base_path.ends_with('/')) provider->base_path.pop_back();
    for (const auto& [name, value] : config.headers) provider->headers.add(name, value);
    provider->region = config.region;
    provider->timeouts = config.timeouts;
    const Provider* before = find_previous(config.name);
    provider->keys = ring_of(before, TRY(keys_of(config, *kind)));
    provider->retry_budget = before ? before->retry_budget : std::make_shared<RetryBudget>();
    snapshot_->providers.push_back(std::move(provider));
    return {};
  }

  Result<std::vector<ProviderKey>> keys_of(const ProviderConfig& config, const ProviderKind& kind) const {
    std::vector<ProviderKey> keys;
    for (const ProviderKeyConfig& key : config.keys) {
      keys.push_back({
        .name = key.source.name(),
        .secret = std::make_shared<const Secret>(TRY(secret_text(key.source, config.line))),
        .weight = key.weight
      });
    }
    if (keys.empty()) {
      if (const auto* variable = usual_variable(kind)) {
        keys.push_back({.name = variable->first,
                        .secret = std::make_shared<const Secret>(Secret::copy_of(variable->second)),
                        .weight = 1});
      }
    }
    return keys;
  }

  // The first of the kind's usual variables that is set.
  const std::pair<const std::string, std::string>* usual_variable(const ProviderKind& kind) const {
    for (const std::string& name : kind.key_env) {
      const auto found = inputs_.environment.find(name);
      if (found != inputs_.environment.end() && !found->second.empty()) return &*found;
    }
    return nullptr;
  }

  // Without providers in the configuration: every kind whose usual key is in the environment.
  Result<void> add_providers_of_environment() {
    for (const ProviderKind& kind : snapshot_->catalog->kinds()) {
      if (!kind.enabled_by_env || !kind.base_url || !usual_variable(kind) || !codec_for(kind.dialect))
        continue;
      ProviderConfig config;
      config.name = kind.name;
      config.kind = kind.name;
      TRY(add_provider(config));
    }
    return {};
  }

  Result<void> add_route(const RouteConfig& config) {
    auto route = std::make_unique<Route>();
    route->pattern = config.model;
    route->strategy = *strategy_from_string(config.strategy);
    route->is_sticky = config.sticky;
    route->retry = config.retry;
    route->fallback = config.fallback;
    route->breaker = config.breaker;
    if (config.timeout > Duration::zero()) route->timeout = config.timeout;
    if (config.first_event > Duration::zero()) route->first_event = config.first_event;
    const bool is_wildcard = config.model.find('*') != std::string::npos;
    for (const RouteTargetConfig& target : config.targets) {
      std::shared_ptr<const Provider> provider = find_provider(target.provider);
      if (!provider) {
        std::vector<std::string_view> names;
        for (const auto& known : snapshot_->providers) names.push_back(known->name);
        return fail(at(target.line, fmt::format("there is no provider {}{}", target.provider,
                                                did_you_mean(target.provider, names))));
      }
      if (target.model.find('*') != std::string::npos && !is_wildcard) {
        return fail(at(target.line,
                       fmt::format("the target's model has a '*', but the route {} has none", config.model)));
      }
      route->targets.push_back({.provider = std::move(provider),
                                .model = target.model,
                                .weight = target.weight,
                                .priority = static_cast<int>(target.priority),
                                .concurrency = static_cast<size_t>(target.concurrency)});
    }
    patterns_.insert(route->pattern);
    routes_.push_back(std::move(route));
    return {};
  }

  void add_simple_route(std::string pattern, const std::shared_ptr<const Provider>& provider,
                        std::string model) {
    if (!patterns_.insert(pattern).second) return;
    auto route = std::make_unique<Route>();
    route->pattern = std::move(pattern);
    route->targets.push_back({.provider = provider, .model = std::move(model)});
    routes_.push_back(std::move(route));
  }

  // weir/extract always; and without routes in the configuration, "PROVIDER/*" and the catalog's models by
  // their bare names.
  void add_default_routes() {
    add_simple_route(fmt::format("{}/{}", kExtractProvider, kExtractModel), snapshot_->providers.front(),
                     std::string(kExtractModel));
    if (!config_.routes.empty()) return;
    for (const auto& provider : snapshot_->providers) {
      if (provider->local) continue;
      add_simple_route(provider->name + "/*", provider, "*");
      for (const ModelRow& row : snapshot_->catalog->models()) {
        if (row.provider == provider->kind.name) add_simple_route(row.model, provider, row.model);
      }
    }
  }

  Result<void> add_keys() {
    std::vector<ApiKey> keys;
    keys.reserve(config_.keys.size());
    for (const KeyConfig& config : config_.keys) {
      ApiKey key;
      if (config.hash.empty()) {
        key.hash = hash_api_key(TRY(secret_text(config.source, config.line)));
      } else {
        const Result<KeyHash> hash = parse_key_hash(config.hash);
        if (!hash) return fail(at(config.line, hash.error().message));
        key.hash = *hash;
      }
      key.principal.key_id = config.name;
      key.principal.key_name = config.name;
      key.principal.models = config.models;
      key.principal.is_admin = config.admin;
      keys.push_back(std::move(key));
    }
    snapshot_->keys = TRY(ApiKeys::make(std::move(keys)));
    return {};
  }

  const CompileInputs& inputs_;
  const Config& config_;
  std::shared_ptr<Snapshot> snapshot_;
  std::vector<std::unique_ptr<Route>> routes_;
  std::set<std::string> patterns_;
};

}  // namespace

Result<std::shared_ptr<const Snapshot>> compile_snapshot(const CompileInputs& inputs) {
  return Compiler(inputs).compile();
}

std::map<std::string, std::string> process_environment() {
  std::map<std::string, std::string> environment;
  for (char** entry = environ; entry && *entry; ++entry) {
    if (const auto pair = split_once(*entry, '=')) environment.emplace(pair->first, pair->second);
  }
  return environment;
}

}  // namespace weir
