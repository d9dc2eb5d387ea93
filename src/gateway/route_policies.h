// What a route's `translation` settings make of a request for the target of an attempt. The steps themselves
// are in codec/chat_policies.h; here stands when each is taken.
#pragma once

#include "base/secret.h"
#include "gateway/exchange.h"

namespace weir {

// Whether there is anything to do for this attempt's target. One look at the settings where they are the
// usual ones.
bool needs_policies(const Exchange& exchange);
// Does it, to the chat of the attempt. REQUIRES a chat.
void apply_policies(const Exchange& exchange, Chat& chat, Fidelity& fidelity);

// Whether the end user's id has still to be hashed, in the request and in the client's body.
bool needs_hashed_user(const Exchange& exchange);
// A client's body with the hash; null when it states no id. Pure, for a pool.
Result<std::shared_ptr<const JsonDoc>> body_with_hashed_user(Dialect dialect, const JsonDoc& body,
                                                             const Secret& key);

// Error with the route's `sampling: error` when temperature or top_p had to be brought into the target's
// range: bad_request that names the field. The records are in the IR's words.
Result<void> check_sampling(const Exchange& exchange, const Fidelity& fidelity);

}  // namespace weir
