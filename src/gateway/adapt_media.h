// Images and documents by URL for a target that takes only their bytes: fetched, recognised, put in.
#pragma once

#include <functional>

#include "base/metrics.h"
#include "gateway/exchange.h"
#include "gateway/settings.h"
#include "io/http.h"
#include "io/pool.h"

namespace weir {

// Whether a block of the chat names a URL that the target cannot fetch itself.
bool needs_media(const Chat& chat, const Candidate& target);

struct MediaFetcher {
  // The guarded client of this core; made when it is first asked for.
  std::function<HttpClient&()> client;
  Pool* cpu = nullptr;    // encodes what is too large for a core; never null
  CounterFamily fetches;  // weir_fetches_total by result
};
CounterFamily fetch_counter(MetricsRegistry& metrics);

// Puts the bytes in place of each such URL of `adapted`, a chat that nobody else changes, and records it. All
// are fetched at the same time. Errors: bad_request naming the field and why; the scope's reason.
Task<void> fetch_media(Scope& scope, const MediaFetcher& fetcher, const FetchSettings& settings,
                       const Candidate& target, Chat& adapted, Fidelity& fidelity);

}  // namespace weir
