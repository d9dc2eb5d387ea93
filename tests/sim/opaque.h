// Calls that pass the gateway as bytes: what a caller sends, and what the scripted provider answers.
#pragma once

#include <string>
#include <string_view>

#include "sim/answers.h"
#include "sim/plan.h"

namespace weir::sim {

// The body of the caller's request. It is the same for the provider but for the name of the model, byte for
// byte.
std::string opaque_body(const CallerPlan& caller, size_t index, std::string_view model);
std::string_view opaque_path(Ask ask);
std::string_view opaque_content_type(Ask ask);

// What a provider's request asks for; chat for any other path.
Ask ask_of_path(std::string_view path);
// What is wrong with the body that a provider got for its model; empty: nothing.
std::string wrong_in_opaque(const Plan& plan, Ask ask, std::string_view body, std::string_view model);

// A good answer: JSON, or events. Fills the counts of `script`.
AnswerPieces make_opaque_pieces(Rng& rng, Script& script, const Asked& asked, size_t number);

}  // namespace weir::sim
