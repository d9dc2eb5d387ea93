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

// The embedded catalog with the configuration's own files on top. Errors: bad_request naming the line.
Result<std::shared_ptr<const Catalog>> catalog_of(const Config& config);

// Where the provider is: as configured, else its kind's address, with the region in the place that it leaves
// for one. Where no region is known "{region}" stays.
std::string effective_base_url(const ProviderConfig& config, const ProviderKind& kind,
                               const std::map<std::string, std::string>& environment);

}  // namespace weir
