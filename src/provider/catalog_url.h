// Where a call goes: the path and query under a provider's base URL.
#pragma once

#include <string>
#include <string_view>

#include "provider/catalog.h"

namespace weir {

// The path of an endpoint as the vendors' own SDKs append it to the base URL that people configure: the base
// URL of OpenAI's dialect holds the "/v1", that of Anthropic's does not. Empty: the dialect has no such
// endpoint.
std::string_view default_path(Dialect dialect, Endpoint endpoint);

// The request target for a codec's `wire_path` (a default path of the kind's dialect, or any other path,
// which is kept as it is): the path of the kind where it differs, with the model percent-encoded in the place
// of "{model}", and the kind's query. `base_path` is that of the configured base URL, without a slash at the
// end. `api_version` replaces the kind's api-version; empty: the kind's.
//
// Azure (quirk azure_paths, source: learn.microsoft.com, "Azure OpenAI in Azure AI Foundry Models v1 API"): a
// base URL that ends in /openai/v1 is the newer API, which has the paths of OpenAI and needs no api-version.
std::string upstream_target(const ProviderKind& kind, std::string_view base_path, std::string_view wire_path,
                            std::string_view model, std::string_view api_version = {});

}  // namespace weir
