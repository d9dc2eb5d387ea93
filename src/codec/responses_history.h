// Conversations that the server keeps in the Responses dialect: the items of requests and answers as JSON,
// put together again for the request that continues them. What a kept conversation looks like:
//   {"provider": "openai", "is_raw": true, "input": [item, ...], "response": {...}}
// `input` has every item that led to the answer, those of earlier requests too, so that one look-up is enough
// and nothing breaks when an earlier answer's time is over. `response` is the answer as the client got it.
#pragma once

#include <string>
#include <string_view>

#include "base/json.h"

namespace weir {

// The text to keep. `body` is the request with all that led to it. REQUIRES a valid JSON object in
// `response`.
std::string keep_responses_conversation(JsonValue body, std::string_view response, std::string_view provider,
                                        bool is_raw);

// The body with the items of the kept conversation and its answer before its own, and without
// previous_response_id. Instructions are not inherited. Errors: bad_request for an `input` that is neither
// text nor items.
Result<std::string> continued_responses_body(JsonValue kept, JsonValue body);

// The whole response out of a streamed answer's bytes: that of the terminal event. Empty: there is none.
std::string response_of_stream(std::string_view bytes);

// The items that led to the answer, as the list that clients page through: each with an id and in the full
// form.
struct ItemPage {
  int64_t limit = 20;
  bool is_ascending = false;
  std::string after{};  // an item's id; empty: from the start
};
std::string responses_input_list(JsonValue kept, const ItemPage& page);

}  // namespace weir
