// What the provider halves share of offering the caller's tools.
#pragma once

#include "llm/codec.h"

namespace weir {

// Reports that a custom tool (free text) is offered as a function with one string, and the grammar that
// nobody enforces then.
void report_wrapped_tool(const Tool& tool, Fidelity& fidelity);

}  // namespace weir
