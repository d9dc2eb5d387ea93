// Which blocks of an answer the clients of a dialect can be given: what its encoders write, and what is
// reported as lost.
#pragma once

#include "llm/event.h"

namespace weir {

bool has_answer_form(Dialect client, const BlockStart& started);

}  // namespace weir
