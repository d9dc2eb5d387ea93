// What one call used, and calls that are parts of an answer: each is settled by itself when it ends or is
// given up, so that what was spent is known also of an answer that nobody got.
#pragma once

#include <memory>

#include "gateway/exchange.h"
#include "llm/event_source.h"

namespace weir {

// What a call used: what its provider reported; where an answer came and nothing of it was reported, or less
// than came of one that is marked as estimated, Weir's estimate, marked. `content_bytes`: of the answer's
// text and visible thinking, as far as it came.
Usage settled_usage(const Exchange& exchange, Usage reported, size_t content_bytes, bool is_complete);

// The source as it is. What it used is spent by `call`, whose sent() it answers and which outlives it.
std::unique_ptr<EventSource> metered_part(std::unique_ptr<EventSource> inner, Exchange& call);

}  // namespace weir
