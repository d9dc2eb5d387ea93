// Answers that a caller continues by their id (OpenAI Responses' previous_response_id), at any target: the
// conversation before is put into the request in the client's own dialect and decoded anew, so there is no
// second form of a conversation.
#pragma once

#include "gateway/exchange.h"
#include "gateway/kept_texts.h"
#include "io/pool.h"
#include "llm/answer.h"

namespace weir {

// Makes this attempt a request with the whole conversation. A target that speaks the dialect and keeps the
// earlier answer itself gets the request as it is. Large bodies are decoded in `cpu`. Errors: not_found
// naming the field.
Task<void> continue_response(Exchange& exchange, KeptTexts& responses, Pool& cpu);

// Whether the request names what its target keeps (an item, a conversation) by the target's own ids, and the
// caller may name only what it got itself: Weir's key at the provider is shared with the callers that have
// other keys of Weir.
bool names_provider_ids(const Exchange& exchange);
// Error: bad_request that names the field with an id that is not known as this caller's own.
Task<void> check_provider_ids(Exchange& exchange, KeptTexts& responses);

// What is kept of the items of raw answers, whose ids are good at that provider, has keys that begin so: no
// id of an answer does.
inline constexpr std::string_view kItemKeyStart = "item ";

// Whether the answer is to be kept: the dialect keeps answers, the caller did not say otherwise, and Weir
// knows all that led to it.
bool is_to_be_stored(const Exchange& exchange);

// Keeps an answer that is over, as the client gets it. What cannot be kept is logged.
void store_response(const Exchange& exchange, KeptTexts& responses, const Answer& answer);
// The same for the provider's own bytes, whole or a stream.
void store_raw_response(const Exchange& exchange, KeptTexts& responses, std::string_view bytes);

}  // namespace weir
