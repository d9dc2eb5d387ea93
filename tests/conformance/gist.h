// What a request or an answer says, as lines that can be compared across dialects: call ids become ordinals,
// equal JSON is written equally, neighbours that mean one thing are one line.
#pragma once

#include <string>
#include <vector>

#include "llm/answer.h"
#include "llm/chat.h"

namespace weir::conformance {

using Gist = std::vector<std::string>;

Gist gist_of(const Chat& chat);
Gist gist_of(const Answer& answer);
// The lines of `wanted` that `found` lacks with a '-', those it has besides with a '+'; long ones shortened.
std::vector<std::string> differences(const Gist& wanted, const Gist& found);

}  // namespace weir::conformance
