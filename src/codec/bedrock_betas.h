// Which beta features and fields of Claude's models Bedrock knows: it refuses a request that names another.
#pragma once

#include <string_view>
#include <vector>

#include "llm/chat.h"
#include "llm/fidelity.h"

namespace weir {

// The names of a list joined by commas that Bedrock documents; a record for each of the others. `raw` is the
// list as a JSON string; one that had to be escaped holds no name.
std::vector<std::string_view> bedrock_betas(std::string_view raw, Fidelity& fidelity);

// What a call of a model of Anthropic names: of the caller's betas those that Bedrock knows, and those that
// its tools need there.
std::vector<std::string_view> bedrock_betas_of(const Chat& chat, Fidelity& fidelity);

// Whether a body for InvokeModel may hold the field, of those that the IR has no place for.
bool bedrock_takes_field(std::string_view key);

}  // namespace weir
