// Chats with a tool at targets that speak Gemini's dialect, whose models get the call of it wrong at times:
// what a caller sends, and what the scripted provider answers.
#pragma once

#include <string>
#include <string_view>

#include "sim/answers.h"
#include "sim/plan.h"

namespace weir::sim {

// The route to these targets, as callers name it.
inline constexpr std::string_view kCallsModel = "calls";

// The body of the caller's request, in OpenAI's dialect.
std::string calls_body(const CallerPlan& caller);

// The path of a provider's request for its model.
std::string calls_path(std::string_view model, bool is_streamed);

// An answer that speaks, and ends well or in a call that nobody can read. Fills the counts of `script`, and
// whether it did.
AnswerPieces make_call_pieces(Rng& rng, Script& script, size_t number);

}  // namespace weir::sim
