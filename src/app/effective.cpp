#include "app/effective.h"

#include <deque>
#include <set>

#include "app/file_text.h"
#include "base/text.h"
#include "provider/aws_credentials.h"
#include "provider/catalog_yaml.h"

namespace weir {
namespace {

using Environment = std::map<std::string, std::string>;

// The first of the kind's usual variables that is set; empty: none is.
std::string usual_variable(const ProviderKind& kind, const Environment& environment) {
  for (const std::string& name : kind.key_env) {
    const auto found = environment.find(name);
    if (found != environment.end() && !trim(found->second).empty()) return name;
  }
  return "";
}

// Adds the route unless the model has one.
void add_default_route(Config& config, std::set<std::string>& models, std::string model,
                       std::string_view provider, std::string_view its_name) {
  if (!models.insert(model).second) return;
  RouteConfig& route = config.routes.emplace_back();
  route.model = std::move(model);
  route.translation = config.translation;
  route.targets.push_back({.provider = std::string(provider), .model = std::string(its_name)});
}

void add_default_routes(Config& config, const Catalog& catalog) {
  const bool has_routes = !config.routes.empty();
  std::set<std::string> models;
  for (const RouteConfig& route : config.routes) models.insert(route.model);
  add_default_route(config, models, fmt::format("{}/{}", kExtractProvider, kExtractModel), kExtractProvider,
                    kExtractModel);
  if (has_routes) return;
  for (const ProviderConfig& provider : config.providers) {
    if (provider.has_problem) continue;
    add_default_route(config, models, provider.name + "/*", provider.name, "*");
    for (const ModelRow& row : catalog.models()) {
      if (row.provider == provider.kind)
        add_default_route(config, models, row.model, provider.name, row.model);
    }
  }
}

}  // namespace

Result<std::shared_ptr<const Catalog>> catalog_of(const Config& config) {
  // Not owned: the embedded catalog lives as long as the process.
  if (config.provider_files.empty() && config.price_files.empty())
    return std::shared_ptr<const Catalog>(std::shared_ptr<void>(), &Catalog::embedded());
  std::deque<std::string> texts;
  const auto read = [&](const std::string& file) -> Result<CatalogText> {
    Result<std::string> text = read_file_text(file);
    if (!text) return fail(yaml_error(config.file, config.catalog_line, text.error().message));
    return CatalogText{.file = file, .text = texts.emplace_back(*std::move(text))};
  };
  std::vector<CatalogText> providers;
  std::vector<CatalogText> prices;
  for (const std::string& file : config.provider_files) providers.push_back(TRY(read(file)));
  for (const std::string& file : config.price_files) prices.push_back(TRY(read(file)));
  return std::make_shared<const Catalog>(TRY(Catalog::embedded().extended(providers, prices)));
}

std::string effective_base_url(const ProviderConfig& config, const ProviderKind& kind,
                               const std::map<std::string, std::string>& environment) {
  std::string url = config.base_url.empty() ? kind.base_url.value_or("") : config.base_url;
  const size_t place = url.find(kRegionPlace);
  if (place == std::string::npos) return url;
  const std::string region = config.region.empty() ? aws_region_of_environment(environment) : config.region;
  return region.empty() ? url : url.replace(place, kRegionPlace.size(), region);
}

Config completed(Config config, const Catalog& catalog, const Environment& environment) {
  if (config.providers.empty()) {
    for (const ProviderKind& kind : catalog.kinds()) {
      if (!kind.enabled_by_env || !kind.base_url || usual_variable(kind, environment).empty()) continue;
      ProviderConfig& provider = config.providers.emplace_back();
      provider.name = kind.name;
      provider.kind = kind.name;
    }
  }
  for (ProviderConfig& provider : config.providers) {
    const ProviderKind* kind = catalog.find_kind(provider.kind);
    if (!kind || !provider.keys.empty()) continue;
    if (std::string variable = usual_variable(*kind, environment); !variable.empty()) {
      provider.keys.push_back({.line = provider.line,
                               .source = {.env = std::move(variable), .file = {}},
                               .access_key_id = {},
                               .weight = 1});
    }
  }
  add_default_routes(config, catalog);
  return config;
}

}  // namespace weir
