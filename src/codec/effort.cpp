#include "codec/effort.h"

namespace weir {

EffortLevel effort_of_budget(int64_t tokens) {
  constexpr int64_t kLowMax = 1024;
  constexpr int64_t kMediumMax = 8192;
  if (tokens <= kLowMax) return EffortLevel::low;
  return tokens <= kMediumMax ? EffortLevel::medium : EffortLevel::high;
}

EffortLevel asked_effort(const Reasoning& reasoning) {
  if (reasoning.effort) return *reasoning.effort;
  return reasoning.budget_tokens ? effort_of_budget(*reasoning.budget_tokens) : EffortLevel::medium;
}

}  // namespace weir
