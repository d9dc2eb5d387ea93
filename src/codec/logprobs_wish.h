// The log probabilities that a request wants, as far as its target gives them: one reading for all dialects
// that have them.
#pragma once

#include <optional>

#include "llm/capabilities.h"
#include "llm/chat.h"
#include "llm/fidelity.h"

namespace weir {

struct LogprobsWish {
  std::optional<int64_t> top{};  // how many alternatives of each token
};

// Nothing: none are to be asked for. What the target does not give (translation.md 4.5, logprobs_max), and a
// number of alternatives of what is not asked for, is reported.
std::optional<LogprobsWish> logprobs_wish(const Chat& chat, const Capabilities& capabilities,
                                          Fidelity& fidelity);

}  // namespace weir
