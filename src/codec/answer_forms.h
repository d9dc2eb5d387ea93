// Which blocks of an answer the clients of a dialect can be given: what its encoders write, and what is
// reported as lost.
#pragma once

#include "llm/answer.h"

namespace weir {

bool has_answer_form(Dialect client, const BlockStart& started);

// A thought of which the client can be given nothing: no text, and another vendor's signature.
bool is_empty_thought(Dialect client, const AnswerBlock& block);

}  // namespace weir
