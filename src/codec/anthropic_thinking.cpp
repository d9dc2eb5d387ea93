#include "codec/anthropic_thinking.h"

#include <algorithm>
#include <fmt/core.h>

#include "codec/effort.h"

namespace weir {
namespace {

// https://platform.claude.com/docs/en/build-with-claude/extended-thinking: the least budget.
constexpr int64_t kBudgetMin = 1024;

int64_t budget_of(EffortLevel effort) {
  switch (effort) {
    case EffortLevel::off:
    case EffortLevel::minimal:
    case EffortLevel::low:
      return kBudgetMin;
    case EffortLevel::medium:
      return 4096;
    case EffortLevel::high:
      return 16'384;
    case EffortLevel::xhigh:
      return 24'576;
    case EffortLevel::max:
      break;
  }
  return 32'768;
}

// The vendor's word for how much of the thinking is shown. OpenAI's names say how a summary is written, which
// this dialect cannot say, and that there is to be one.
std::string_view display_of(std::string_view asked) {
  return asked == "auto" || asked == "concise" || asked == "detailed" ? "summarized" : asked;
}

class Planner {
 public:
  Planner(const Chat& chat, const Conversation& conversation, const TargetModel& target, Fidelity& fidelity)
      : reasoning_(chat.reasoning),
        conversation_(conversation),
        caps_(*target.capabilities),
        fidelity_(fidelity) {}

  AnthropicThinking plan() {
    into_.is_forced = caps_.thinking_forced.value_or(false);
    into_.display = display_of(reasoning_.display);
    if (!reasoning_.is_set()) return into_;
    if (caps_.thinking == ThinkingMode::none) {
      if (!reasoning_.is_disabled) lose(Severity::info, LossReason::dropped, "reasoning", "");
      return into_;
    }
    if (reasoning_.is_disabled) {
      if (into_.is_forced) {
        lose(Severity::info, LossReason::dropped, "reasoning off", "");
      } else {
        into_.type = AnthropicThinkingType::disabled;
      }
      return into_;
    }
    choose();
    if (into_.type == AnthropicThinkingType::enabled) give_up_without_history();
    return into_;
  }

 private:
  void lose(Severity severity, LossReason reason, std::string from, std::string to) {
    fidelity_.add(severity, reason, "/thinking", std::move(from), std::move(to));
  }

  void choose() {
    const bool is_vendors_own = reasoning_.budget_tokens || reasoning_.is_adaptive;
    if (caps_.thinking == ThinkingMode::adaptive) return choose_adaptive();
    if (caps_.thinking == ThinkingMode::effort) {
      set_effort(reasoning_.effort.value_or(effort_of_budget(reasoning_.budget_tokens.value_or(0))));
      return;
    }
    // Nothing is known of the model: what the caller said in this dialect's own words goes on.
    if (!caps_.thinking && is_vendors_own && !reasoning_.budget_tokens) return choose_adaptive();
    choose_budget();
  }

  void choose_adaptive() {
    into_.type = AnthropicThinkingType::adaptive;
    if (reasoning_.effort) {
      set_effort(*reasoning_.effort);
    } else if (reasoning_.budget_tokens) {
      set_effort(effort_of_budget(*reasoning_.budget_tokens));
      lose(Severity::info, LossReason::emulated, fmt::format("budget {}", *reasoning_.budget_tokens),
           std::string(to_string(*into_.effort)));
    }
  }

  void choose_budget() {
    into_.type = AnthropicThinkingType::enabled;
    const int64_t least = caps_.thinking_budget_min.value_or(kBudgetMin);
    if (reasoning_.budget_tokens) {
      into_.budget_tokens = std::max(least, *reasoning_.budget_tokens);
      if (into_.budget_tokens != *reasoning_.budget_tokens)
        lose(Severity::info, LossReason::clamped, fmt::format("budget {}", *reasoning_.budget_tokens),
             fmt::format("budget {}", into_.budget_tokens));
      // Both together are this dialect's own words.
      if (reasoning_.effort) set_effort(*reasoning_.effort);
      return;
    }
    const EffortLevel effort = reasoning_.effort.value_or(EffortLevel::medium);
    into_.budget_tokens = std::max(least, budget_of(effort));
    lose(Severity::info, LossReason::emulated, std::string(to_string(effort)),
         fmt::format("budget {}", into_.budget_tokens));
  }

  void set_effort(EffortLevel wanted) {
    EffortLevel sent = wanted;
    if (caps_.effort_levels && !caps_.effort_levels->empty()) {
      sent = caps_.effort_levels->nearest(wanted);
    } else {
      // What every model with efforts takes.
      sent = std::clamp(wanted, EffortLevel::low, EffortLevel::high);
    }
    if (sent != wanted)
      lose(Severity::info, LossReason::clamped, std::string(to_string(wanted)), std::string(to_string(sent)));
    into_.effort = sent;
  }

  // In a loop of tool calls a budget demands that the assistant's last turn begins with its thinking; clients
  // of other dialects do not send it back.
  void give_up_without_history() {
    const auto& turns = conversation_.turns;
    if (conversation_.ends_with_assistant()) {
      lose(Severity::warning, LossReason::dropped, "thinking", "");
      into_.type = AnthropicThinkingType::unsaid;
      return;
    }
    if (turns.size() < 2) return;
    if (!std::holds_alternative<ToolResultBlock>(turns.back().blocks.front()->body)) return;
    const BlockBody& first = turns[turns.size() - 2].blocks.front()->body;
    if (std::holds_alternative<ThinkingBlock>(first) || std::holds_alternative<RedactedThinkingBlock>(first))
      return;
    lose(Severity::info, LossReason::dropped, "thinking", "");
    into_.type = AnthropicThinkingType::unsaid;
  }

  const Reasoning& reasoning_;
  const Conversation& conversation_;
  const Capabilities& caps_;
  Fidelity& fidelity_;
  AnthropicThinking into_;
};

}  // namespace

int64_t AnthropicThinking::fit(int64_t max_tokens, std::optional<int64_t> output_max) {
  if (type != AnthropicThinkingType::enabled || budget_tokens < max_tokens) return max_tokens;
  const int64_t wanted = budget_tokens + max_tokens;
  if (!output_max || wanted <= *output_max) return wanted;
  budget_tokens = *output_max - max_tokens >= kBudgetMin ? *output_max - max_tokens
                                                         : std::max<int64_t>(0, *output_max / 2);
  if (budget_tokens >= kBudgetMin) return *output_max;
  type = AnthropicThinkingType::unsaid;
  was_dropped = true;
  return max_tokens;
}

void AnthropicThinking::write(JsonWriter& json) const {
  if (type == AnthropicThinkingType::unsaid) return;
  json.key("thinking").begin_object().key("type");
  if (type == AnthropicThinkingType::disabled) {
    json.value("disabled");
  } else if (type == AnthropicThinkingType::adaptive) {
    json.value("adaptive");
  } else {
    json.value("enabled").key("budget_tokens").value(budget_tokens);
  }
  if (!display.empty() && type != AnthropicThinkingType::disabled) json.key("display").value(display);
  json.end_object();
}

AnthropicThinking plan_anthropic_thinking(const Chat& chat, const Conversation& conversation,
                                          const TargetModel& target, Fidelity& fidelity) {
  return Planner(chat, conversation, target, fidelity).plan();
}

}  // namespace weir
