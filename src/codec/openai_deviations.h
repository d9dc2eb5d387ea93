// Servers that speak OpenAI's chat dialect with deviations (quirks) refuse parts of requests that OpenAI
// takes.
#pragma once

#include "base/json.h"
#include "llm/quirks.h"

namespace weir {

// Whether the client's own bytes hold something that the server refuses or reads otherwise, so that the
// request must be written anew. The usual server has no such quirk, and then only reasoning is looked for.
// REQUIRES a body of a chat or of embeddings.
bool must_be_rewritten(JsonValue body, const Quirks& quirks);

}  // namespace weir
