// One request as several calls at the same time: choices for a target that gives one at a time, embeddings in
// batches. Each call is an exchange of its own below the client's, at the same target, and has a place of its
// own there: where the target's `concurrency` leaves none, calls follow one another.
#pragma once

#include <functional>
#include <memory>
#include <vector>

#include "gateway/stage.h"

namespace weir {

// How one of the calls is made, and metered as a part; it may change the child's `adapted`. The child
// outlives the source.
using MakeCall = std::function<Task<std::unique_ptr<EventSource>>(Exchange& child, Next next)>;

// `n` choices from as many calls, merged: the choices are numbered, the usage is the sum (the prompt counts n
// times), and the events of all come in step. The request of each is what `exchange` would send, with one
// choice. Errors: unsupported past kChoiceCallsMax; the first call's error ends all.
Task<std::unique_ptr<EventSource>> call_for_choices(Exchange& exchange, Next next, size_t n,
                                                    MakeCall make_call);

// The vectors of all inputs in their order, from calls with at most `inputs_max` each. REQUIRES an Embed.
// Errors: unsupported past kBatchesMax; the first call's error ends all.
Task<std::unique_ptr<EventSource>> call_in_batches(Exchange& exchange, Next next, size_t inputs_max);

}  // namespace weir
