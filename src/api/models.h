// GET /v1/models and /v1/models/{id}, in OpenAI's, Anthropic's or Google's shape.
#pragma once

#include <string_view>

#include "gateway/snapshot.h"
#include "io/http.h"
#include "io/pool.h"
#include "security/principal.h"

namespace weir {

// True when the caller speaks Anthropic's dialect: only its SDKs send anthropic-version.
bool wants_anthropic_shape(const Headers& headers);
// True when the caller speaks Google's dialect: by the version in the path, else by the headers of its SDKs.
bool wants_gemini_shape(std::string_view path, const Headers& headers);

// The models that this caller may use, sorted by name. Anthropic's shape knows `limit` (1 to 1000, default
// 20), `after_id` and `before_id`; Google's `pageSize` (1 to 1000, default 50) and `pageToken`; OpenAI's has
// no pages.
// REQUIRES a principal that lives as long as the snapshot.
Task<void> send_models(Scope& scope, Pool& cpu, std::shared_ptr<const Snapshot> snapshot,
                       const Principal& principal, const HttpRequest& request, ResponseWriter& response,
                       const Headers& extra);
// One model. Error: model_not_found.
Task<void> send_model(Scope& scope, const Snapshot& snapshot, const Principal& principal, std::string_view id,
                      const HttpRequest& request, ResponseWriter& response, const Headers& extra);

}  // namespace weir
