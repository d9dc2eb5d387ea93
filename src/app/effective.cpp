#include "app/effective.h"

#include <deque>

#include "app/file_text.h"
#include "provider/aws_credentials.h"
#include "provider/catalog_yaml.h"

namespace weir {

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

}  // namespace weir
