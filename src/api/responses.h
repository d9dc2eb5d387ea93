// Stored answers of the Responses dialect: GET and DELETE /v1/responses/{id}, GET
// /v1/responses/{id}/input_items.
#pragma once

#include <string>
#include <string_view>

#include "gateway/kept_texts.h"
#include "io/http.h"
#include "io/pool.h"
#include "security/principal.h"

namespace weir {

// `rest` is what follows /v1/responses/; large ones are read in `cpu`. Errors: not_found, bad_request for a
// bad page.
Task<void> send_stored_response(Scope& scope, Pool& cpu, KeptTexts& responses, const Principal& principal,
                                std::string rest, const HttpRequest& request, ResponseWriter& response,
                                const Headers& extra);
// What Weir keeps goes; what a provider keeps of the same answer stays with it.
Task<void> delete_stored_response(Scope& scope, KeptTexts& responses, const Principal& principal,
                                  std::string id, ResponseWriter& response, const Headers& extra);

}  // namespace weir
