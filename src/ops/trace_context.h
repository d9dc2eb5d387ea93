// W3C Trace Context: the traceparent header, in and out (https://www.w3.org/TR/trace-context/).
#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "base/random.h"
#include "gateway/exchange.h"
#include "io/headers.h"

namespace weir {

// "00-<32 hex>-<16 hex>-<2 hex>". nullopt for anything malformed, for all-zero ids and for version ff.
// parent_span_id is set, span_id is not.
std::optional<TraceContext> parse_traceparent(std::string_view text);

// The caller's trace with a new span, or a new trace that is sampled with that chance.
TraceContext trace_from(const Headers& headers, Rng& rng, double sample_ratio = 1.0);

}  // namespace weir
