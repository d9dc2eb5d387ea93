// OpenAI's entries of logprobs in their two forms: chat completions and the finished parts of a response have
// the bytes of each token, the events of a response's stream forbid them.
#pragma once

#include <string>

#include "base/json.h"

namespace weir {

// The entries (an array) with the bytes of each token: those given, else those of its text.
std::string logprobs_with_bytes(JsonValue entries);
std::string logprobs_without_bytes(JsonValue entries);

}  // namespace weir
