// Where a target has no way to the format of an answer but to be told of it.
#pragma once

#include "llm/codec.h"

namespace weir {

// Whether the model is only told in words to answer by the format that the chat asks for: the target has no
// field and no forced tool for it, or none beside what else is asked, since thinking forbids such a tool.
// Of a model that nobody described the same is assumed as by whoever writes the request.
bool is_format_by_words(const Chat& chat, Dialect dialect, const TargetModel& target);

}  // namespace weir
