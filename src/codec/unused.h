// What of a request a dialect has no place for, reported for all dialects in one way (translation.md R0.2).
#pragma once

#include <vector>

#include "llm/codec.h"

namespace weir {

// The settings of a Chat that not every dialect has.
enum class ChatField : uint8_t {
  stop,
  top_k,
  frequency_penalty,
  presence_penalty,
  seed,
  logprobs,
  verbosity,
  reasoning,
  reasoning_display,  // without reasoning that it would be about
  end_user,
  service_tier,
  prompt_cache_key,
  metadata,
};
inline constexpr size_t kChatFieldCount = static_cast<size_t>(ChatField::metadata) + 1;

// Error: unsupported when the caller wants its history shortened to fit (translation.md 4.5): for whoever
// does not do that, be it that the prompt is only counted.
Result<void> refuse_truncation(const Chat& chat);

// Error: what the client's decoder did not understand. For whoever does not pass the client's own bytes.
Result<void> refuse_unknown_values(const Chat& chat);

// A record for each field that the chat states and the target does not take. `taken` names those that it
// writes, or reports by itself where they do not fit: so a field that is added here is reported by each
// dialect until that says otherwise. Blocks of which another dialect said more are reported too, and the
// nested members of the client's body that nobody reads. Error: unsupported for what must not be left out.
Result<void> report_unused(const Chat& chat, Dialect target, const std::vector<ChatField>& taken,
                           Fidelity& fidelity);

}  // namespace weir
