// Answers that follow a JSON schema, or are a JSON object, from a model that cannot be made to: it is told,
// its answer is held back and checked, and it gets one more chance with what was wrong.
#pragma once

#include "gateway/stage.h"

namespace weir {

// Whether the caller wants a format that the target can only be told of (codec/format_words.h).
bool needs_validation(const Exchange& exchange);

// The answer, whole, its text the JSON alone without fences around it. An answer that does not follow the
// schema at the second try either is given as it is, and that is recorded (in strict mode: refused). Answers
// that call tools are not looked at. Errors: unsupported in strict mode, bad_request for a schema that cannot
// be used, those of the calls.
Task<std::unique_ptr<EventSource>> validated_answer(Exchange& exchange, Next next);

// The JSON in a model's answer: without white space and a Markdown fence around it.
std::string_view json_in_answer(std::string_view text);

}  // namespace weir
