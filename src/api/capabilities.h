// GET /v1/capabilities: what each target carries, emulates or refuses of what each dialect's clients can say.
#pragma once

#include "gateway/snapshot.h"
#include "io/http.h"
#include "io/pool.h"
#include "security/principal.h"

namespace weir {

// With `?model=NAME` the targets of that model; without, every configured provider with what is known of its
// models at large. The shape:
// {"object":"list","data":[{"provider","model","dialect","from":{DIALECT:{FEATURE:{"support","how"}}}}]}.
// Errors: model_not_found, query parameters that are none.
Task<void> send_capabilities(Scope& scope, Pool& cpu, std::shared_ptr<const Snapshot> snapshot,
                             const Principal& principal, const HttpRequest& request, ResponseWriter& response,
                             const Headers& extra);

}  // namespace weir
