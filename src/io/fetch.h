// Fetching what a URL of a user names. Whether the address may be connected to is the connector's to judge,
// for each connection anew (NetworkConnectorOptions::refuses_private_addresses), so that neither a name that
// changes its mind nor a redirect leads inside.
#pragma once

#include <string>

#include "base/limits.h"
#include "io/http.h"
#include "io/scope.h"

namespace weir {

struct FetchLimits {
  size_t bytes_max = 20 * kMiB;
  Duration timeout = std::chrono::seconds(20);  // of everything, redirects included
  int redirects_max = 3;
};

// The bytes behind an http or https URL. No credentials are sent, none are kept. Errors: bad_request (no such
// URL, a redirect that is none, a status other than 200), forbidden (the connector's), body_too_large,
// upstream_timeout, upstream_unreachable, upstream_malformed, the scope's reason.
Task<std::string> fetch_url(Scope& scope, HttpClient& client, std::string url, FetchLimits limits);

// An error's message as it reads where the server is another than a provider, as the clients of this folder
// call theirs: with `server` in its place, e.g. "its server".
std::string in_words_of(std::string_view server, std::string message);

// The URL that `location` names, seen from `base`, without its fragment. Errors: bad_request, also for a step
// from https to http.
Result<std::string> resolve_location(const Url& base, std::string_view location);

}  // namespace weir
