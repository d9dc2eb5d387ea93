// What the policies of a route make of a chat before it is encoded, for targets that would refuse it or take
// it otherwise: each is a step over the IR, recorded, and deterministic. `has_...` and the like tell whether
// there is anything to do, without changing anything. Whoever asks knows which target needs what.
#pragma once

#include "llm/chat.h"
#include "llm/codec.h"

namespace weir {

// Whether there is a call of a tool without a result before the next turn of the assistant, or none at all.
bool lacks_results(const Chat& chat);
// Answers such calls with an error that says that they were not completed.
void add_missing_results(Chat& chat, Fidelity& fidelity);

// Whether the first message that is no instruction is the assistant's.
bool begins_with_assistant(const Chat& chat);
// Whether the target's vendor wants the user to begin.
bool wants_user_first(Dialect dialect, const Capabilities& capabilities);
// Lets the user begin, with a full stop.
void pad_beginning(Chat& chat, Fidelity& fidelity);

// Users with names, for targets that know none: the name goes before their words.
bool has_user_names(const Chat& chat);
void prefix_user_names(Chat& chat, Fidelity& fidelity);

// Whether the caller marks the ends of prefixes that are to be cached, anywhere.
bool has_cache_markers(const Chat& chat);
// Marks the last tool, the last instruction at the start, and the ends of the last turn of the user and of
// the one before it: what the next request of the conversation shares with this one. REQUIRES that there are
// none.
void mark_prefixes(Chat& chat, Fidelity& fidelity);

// Tools that a vendor defines itself and that the target does not take: another vendor's, and its own beside
// functions, where it runs them only alone.
bool has_foreign_tools(const Chat& chat, Dialect dialect, const TargetModel& target);
// Leaves them out, and a choice that names one or that nothing is left for.
void drop_foreign_tools(Chat& chat, Dialect dialect, const TargetModel& target, Fidelity& fidelity);

}  // namespace weir
