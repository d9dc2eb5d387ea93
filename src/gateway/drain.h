// Reading an answer for nobody: its client is gone, or another call of the same request failed.
#pragma once

#include "gateway/exchange.h"
#include "llm/event_source.h"

namespace weir {

bool has_end(const EventBatch& batch);

// Pulls what is left of the answer, within the bounds that are set, so that its source tells what was used.
// Where nothing more may be waited for that ends at once, with what is there already. Gives nothing: an end
// is as good as another.
Task<void> drain(Exchange& exchange, EventSource& source);

}  // namespace weir
