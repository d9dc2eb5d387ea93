// The effort that a caller asks of reasoning, in whichever words (translation.md 4.8).
#pragma once

#include "llm/chat.h"

namespace weir {

// The named effort that is nearest to a budget of tokens.
EffortLevel effort_of_budget(int64_t tokens);

// The effort that was named, or that of the budget; medium when neither was said. REQUIRES a wish for
// reasoning: one that is off has no effort.
EffortLevel asked_effort(const Reasoning& reasoning);

}  // namespace weir
