// Stored answers of the Responses dialect: GET and DELETE /v1/responses/{id}, GET
// /v1/responses/{id}/input_items, POST /v1/responses/{id}/cancel.
#pragma once

#include <functional>
#include <string>
#include <string_view>

#include "gateway/kept_texts.h"
#include "io/http.h"
#include "io/pool.h"
#include "security/principal.h"

namespace weir {

// The answer itself, or the list of the items that led to it.
enum class StoredPart : uint8_t { response, input_items };

// Large ones are read in `cpu`. Errors: not_found, bad_request for a bad page.
Task<void> send_stored_response(Scope& scope, Pool& cpu, KeptTexts& responses, const Principal& principal,
                                std::string id, StoredPart part, const HttpRequest& request,
                                ResponseWriter& response, const Headers& extra);
// As OpenAI has it, only what was begun in the background can be cancelled, and Weir refuses to begin that.
// Errors: bad_request for an answer that is there, else not_found.
Task<void> refuse_to_cancel(Scope& scope, KeptTexts& responses, const Principal& principal, std::string id);
// Deletes what the provider of that name keeps of the answer; false: it cannot.
using DeleteCopy = std::function<Task<bool>(std::string provider, std::string id)>;
// First the copy of the provider that gave the answer by that id, then Weir's: so who is told of a failure
// can try again. `deleted` is false where the provider's stays.
Task<void> delete_stored_response(Scope& scope, Pool& cpu, KeptTexts& responses, const Principal& principal,
                                  std::string id, DeleteCopy delete_copy, ResponseWriter& response,
                                  const Headers& extra);

}  // namespace weir
