// What a request asks of reasoning, in Anthropic's terms (translation.md 4.8).
#pragma once

#include <optional>
#include <string>

#include "codec/anthropic_provider_messages.h"

namespace weir {

enum class AnthropicThinkingType : uint8_t {
  unsaid,
  disabled,
  enabled,   // with a budget
  adaptive,  // the model decides
};

struct AnthropicThinking {
  AnthropicThinkingType type = AnthropicThinkingType::unsaid;
  int64_t budget_tokens = 0;  // type enabled
  std::optional<EffortLevel> effort;
  std::string display;
  bool is_forced = false;    // the model thinks whatever is said
  bool was_dropped = false;  // fit() found no room for the budget

  // The vendor's rules for thinking apply: no forced tool, no temperature.
  bool is_on() const {
    return is_forced || type == AnthropicThinkingType::enabled || type == AnthropicThinkingType::adaptive;
  }
  // The max_tokens to send: the budget must be smaller. Raises it up to the model's maximum, else shrinks the
  // budget, else gives the thinking up.
  int64_t fit(int64_t max_tokens, std::optional<int64_t> output_max);
  // The member `thinking`, if anything is said.
  void write(JsonWriter& json) const;
};

AnthropicThinking plan_anthropic_thinking(const Chat& chat, const Conversation& conversation,
                                          const TargetModel& target, Fidelity& fidelity);

}  // namespace weir
