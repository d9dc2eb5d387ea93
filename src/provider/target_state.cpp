#include "provider/target_state.h"

namespace weir {

TargetState::TargetState(std::string name, BreakerSettings breaker, size_t concurrency, size_t waiters_max)
    : name_(std::move(name)),
      breaker_(breaker),
      permits_(std::make_shared<Permits>(concurrency, waiters_max)) {}

void TargetState::observe_first_event(Duration elapsed) {
  constexpr double kNewest = 0.2;
  int64_t old = first_event_ns_.load(std::memory_order_relaxed);
  int64_t mean;
  do {
    const double weighted =
        (1 - kNewest) * static_cast<double>(old) + kNewest * static_cast<double>(elapsed.count());
    mean = old == 0 ? elapsed.count() : static_cast<int64_t>(weighted);
  } while (
      !first_event_ns_.compare_exchange_weak(old, std::max<int64_t>(1, mean), std::memory_order_relaxed));
}

std::shared_ptr<TargetState> TargetStates::get(const std::string& name, const Settings& settings) {
  const std::lock_guard lock(mutex_);
  ++clock_;
  const auto found = states_.find(name);
  if (found != states_.end() && found->second.upstream == settings.upstream) {
    found->second.used = clock_;
    found->second.state->permits()->set_concurrency(settings.concurrency);
    found->second.state->breaker().set(settings.breaker);
    return found->second.state;
  }
  if (found == states_.end() && states_.size() >= states_max_) forget_oldest();
  auto state =
      std::make_shared<TargetState>(name, settings.breaker, settings.concurrency, settings.waiters_max);
  states_.insert_or_assign(name, Entry{.state = state, .upstream = settings.upstream, .used = clock_});
  return state;
}

// Rare (past ten thousand names), so a walk over all will do; an eighth goes at once. What somebody holds
// stays: two states of one target would not see each other's failures.
void TargetStates::forget_oldest() {
  std::vector<uint64_t> ages;
  ages.reserve(states_.size());
  for (const auto& [name, entry] : states_) ages.push_back(entry.used);
  const auto cut = ages.begin() + static_cast<ptrdiff_t>(ages.size() / 8);
  std::nth_element(ages.begin(), cut, ages.end());
  std::erase_if(states_, [limit = *cut](const auto& item) {
    return item.second.used <= limit && item.second.state.use_count() == 1;
  });
}

void TargetStates::for_each(const std::function<void(const TargetState&)>& visit) const {
  std::vector<std::shared_ptr<TargetState>> all;
  {
    const std::lock_guard lock(mutex_);
    for (const auto& [name, entry] : states_) all.push_back(entry.state);
  }
  for (const auto& state : all) visit(*state);
}

}  // namespace weir
