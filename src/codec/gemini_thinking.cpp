// What a request asks of reasoning, in Google's terms (translation.md 4.8): a budget of tokens for the 2.5
// models, a level for the 3.x ones.
#include <algorithm>
#include <fmt/core.h>

#include "codec/effort.h"
#include "codec/gemini_request.h"

namespace weir {
namespace {

// https://ai.google.dev/gemini-api/docs/thinking#set-budget
constexpr int64_t kBudgetMax = 24'576;
constexpr int64_t kDynamic = -1;
// What a model may well think when it decides by itself: as much as for a medium effort.
constexpr int64_t kOwnBudget = 8192;

int64_t budget_of(EffortLevel effort, int64_t budget_max) {
  switch (effort) {
    case EffortLevel::off:
      return 0;
    case EffortLevel::minimal:
      return 512;
    case EffortLevel::low:
      return 1024;
    case EffortLevel::medium:
      return kOwnBudget;
    case EffortLevel::high:
      return kBudgetMax;
    case EffortLevel::xhigh:
    case EffortLevel::max:
      break;
  }
  return budget_max;
}

class Planner {
 public:
  Planner(const Reasoning& reasoning, const Capabilities& caps, Fidelity& fidelity)
      : reasoning_(reasoning), caps_(caps), fidelity_(fidelity) {}

  GeminiThinking plan() {
    if (!reasoning_.is_set()) {
      if (caps_.thinking != ThinkingMode::none && caps_.thinking_forced.value_or(false))
        into_.tokens = kOwnBudget;
      return into_;
    }
    const bool is_off = reasoning_.is_disabled || reasoning_.effort == EffortLevel::off;
    if (caps_.thinking == ThinkingMode::none) {
      if (!is_off) lose(LossReason::dropped, "reasoning", "");
      return into_;
    }
    into_.includes_thoughts = !is_off && reasoning_.display != "omitted";
    // Nothing is known of the model: a level is what those to come take, unless the caller counts tokens.
    const bool has_levels =
        caps_.thinking == ThinkingMode::effort || caps_.thinking == ThinkingMode::adaptive ||
        (!caps_.thinking && !reasoning_.budget_tokens && !is_off && !reasoning_.is_adaptive);
    if (has_levels) {
      plan_level(is_off);
    } else {
      plan_budget(is_off);
    }
    return into_;
  }

 private:
  void lose(LossReason reason, std::string from, std::string to) {
    fidelity_.add(Severity::info, reason, "/reasoning", std::move(from), std::move(to));
  }

  void plan_budget(bool is_off) {
    const int64_t most = caps_.thinking_budget_max.value_or(kBudgetMax);
    int64_t wanted = kDynamic;
    if (is_off) {
      wanted = 0;
    } else if (reasoning_.budget_tokens) {
      wanted = *reasoning_.budget_tokens;
    } else if (reasoning_.effort) {
      wanted = budget_of(*reasoning_.effort, most);
      lose(LossReason::emulated, std::string(to_string(*reasoning_.effort)),
           fmt::format("budget {}", wanted));
    }
    int64_t sent = wanted;
    const bool may_be_off = !caps_.thinking_forced.value_or(false);
    if (sent > 0 || (sent == 0 && !may_be_off))
      sent = std::clamp(sent, std::min(caps_.thinking_budget_min.value_or(0), most), most);
    if (sent != wanted)
      lose(LossReason::clamped, fmt::format("budget {}", wanted), fmt::format("budget {}", sent));
    into_.budget = sent;
    into_.tokens = sent == kDynamic ? kOwnBudget : std::max<int64_t>(0, sent);
  }

  void plan_level(bool is_off) {
    if (!is_off && !reasoning_.effort && !reasoning_.budget_tokens) {
      into_.tokens = kOwnBudget;  // the model decides
      return;
    }
    const EffortLevel wanted = is_off ? EffortLevel::off : asked_effort(reasoning_);
    // There is no way to turn it off: the lowest level is the nearest.
    EffortLevel sent = std::clamp(wanted, EffortLevel::minimal, EffortLevel::high);
    if (sent == EffortLevel::medium &&
        caps_.effort_levels == EffortSet{EffortLevel::low, EffortLevel::high}) {
      sent = EffortLevel::high;  // as near as low, and no answer gets less thought than was asked for
    } else if (caps_.effort_levels && !caps_.effort_levels->empty()) {
      sent = caps_.effort_levels->nearest(sent);
    }
    if (!reasoning_.effort && reasoning_.budget_tokens)
      lose(LossReason::emulated, fmt::format("budget {}", *reasoning_.budget_tokens),
           std::string(to_string(sent)));
    if (sent != wanted)
      lose(LossReason::clamped, std::string(to_string(wanted)), std::string(to_string(sent)));
    into_.level = to_string(sent);
    into_.tokens = budget_of(sent, kBudgetMax);
  }

  const Reasoning& reasoning_;
  const Capabilities& caps_;
  Fidelity& fidelity_;
  GeminiThinking into_;
};

}  // namespace

void GeminiThinking::write(JsonWriter& json) const {
  if (!budget && level.empty() && !includes_thoughts) return;
  json.key("thinkingConfig").begin_object();
  if (budget) json.key("thinkingBudget").value(*budget);
  if (!level.empty()) json.key("thinkingLevel").value(level);
  if (includes_thoughts) json.key("includeThoughts").value(true);
  json.end_object();
}

GeminiThinking plan_gemini_thinking(const Reasoning& reasoning, const Capabilities& capabilities,
                                    Fidelity& fidelity) {
  return Planner(reasoning, capabilities, fidelity).plan();
}

}  // namespace weir
