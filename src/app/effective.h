// What holds where the configuration is silent: for compiling it, and for printing it.
#pragma once

#include <map>
#include <memory>
#include <string>

#include "app/config.h"
#include "provider/catalog.h"

namespace weir {

// The place that an address leaves for the region.
inline constexpr std::string_view kRegionPlace = "{region}";

// The built-in model: provider and model.
inline constexpr std::string_view kExtractProvider = "weir";
inline constexpr std::string_view kExtractModel = "extract";

// The embedded catalog with the configuration's own files on top. Errors: bad_request naming the line.
Result<std::shared_ptr<const Catalog>> catalog_of(const Config& config);

// Where the provider is: as configured, else its kind's address, with the region in the place that it leaves
// for one. Where no region is known "{region}" stays.
std::string effective_base_url(const ProviderConfig& config, const ProviderKind& kind,
                               const std::map<std::string, std::string>& environment);

// With what holds where the configuration says nothing: without providers, those whose usual key is in the
// environment; the usual variable of a provider without keys; the route of the built-in model; without
// routes, "PROVIDER/*" of each provider and the catalog's models by their bare names. Providers and routes
// are added behind those that are there.
Config completed(Config config, const Catalog& catalog,
                 const std::map<std::string, std::string>& environment);

}  // namespace weir
