// When a provider says to come back, in all its spellings.
#pragma once

#include <cstdint>
#include <optional>
#include <string_view>

#include "io/headers.h"

namespace weir {

// Milliseconds from now: `retry-after-ms`, then `retry-after` (seconds or an HTTP date), then the later of
// the exhausted `x-ratelimit-reset-*` ("1m30s", "20ms", seconds), then `anthropic-ratelimit-*-reset` (RFC
// 3339). nullopt: nothing said. `wall_ns`: now, in nanoseconds since the epoch.
std::optional<int64_t> retry_after_ms(const Headers& headers, int64_t wall_ns);

// Seconds since the epoch: "Fri, 20 Nov 2026 11:33:14 GMT" (RFC 9110 IMF-fixdate), "2026-11-20T11:33:14Z"
// (RFC 3339).
std::optional<int64_t> parse_http_date(std::string_view text);
std::optional<int64_t> parse_rfc3339(std::string_view text);

}  // namespace weir
