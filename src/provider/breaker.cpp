#include <array>

#include "provider/target_state.h"

namespace weir {

std::string_view to_string(BreakerState state) {
  constexpr std::array<std::string_view, 3> kNames = {"closed", "open", "half_open"};
  return kNames[static_cast<size_t>(state)];
}

bool Breaker::would_pass(MonoTime now) const {
  if (state_.load(std::memory_order_relaxed) == BreakerState::closed) return true;
  const std::lock_guard lock(mutex_);
  return state_ == BreakerState::closed || (now >= open_until_ && !probe_is_out_);
}

MonoTime Breaker::passes_at(MonoTime now) const {
  if (state_.load(std::memory_order_relaxed) == BreakerState::closed) return now;
  const std::lock_guard lock(mutex_);
  if (state_ == BreakerState::closed || (now >= open_until_ && !probe_is_out_)) return now;
  return std::max(open_until_, now + std::chrono::seconds(probe_is_out_ ? 1 : 0));
}

BreakerPass Breaker::try_pass(MonoTime now) {
  if (state_.load(std::memory_order_relaxed) == BreakerState::closed) return BreakerPass::usual;
  const std::lock_guard lock(mutex_);
  if (state_ == BreakerState::closed) return BreakerPass::usual;
  if (now < open_until_ || probe_is_out_) return BreakerPass::refused;
  state_ = BreakerState::half_open;
  probe_is_out_ = true;
  return BreakerPass::probe;
}

void Breaker::report(MonoTime now, BreakerPass pass, bool is_success) {
  if (is_success && pass == BreakerPass::usual && is_spotless_.load(std::memory_order_relaxed)) return;
  const std::lock_guard lock(mutex_);
  if (pass == BreakerPass::probe) {
    probe_is_out_ = false;
    if (!is_success) return open(now);
    state_ = BreakerState::closed;
    open_for_ = {};
    failures_in_a_row_ = 0;
    return;
  }
  // A call that began before the breaker opened says nothing new.
  if (state_ != BreakerState::closed) return;
  failures_in_a_row_ = is_success ? 0 : failures_in_a_row_ + 1;
  failures_ += is_success ? 0 : 1;
  outcomes_.push_back(!is_success);
  while (outcomes_.size() > static_cast<size_t>(settings_.window)) {
    failures_ -= outcomes_.front() ? 1 : 0;
    outcomes_.pop_front();
  }
  const bool window_is_full = outcomes_.size() >= static_cast<size_t>(settings_.window);
  const bool share_is_bad =
      window_is_full &&
      static_cast<double>(failures_) >= settings_.failure_share * static_cast<double>(outcomes_.size());
  is_spotless_ = window_is_full && failures_ == 0;
  if (failures_in_a_row_ >= settings_.failures_to_open || share_is_bad) open(now);
}

void Breaker::open(MonoTime now) {
  open_for_ =
      open_for_ == Duration::zero() ? settings_.open_for : std::min(settings_.open_for_max, 2 * open_for_);
  open_until_ = now + open_for_;
  state_ = BreakerState::open;
  is_spotless_ = false;
  failures_in_a_row_ = 0;
  failures_ = 0;
  outcomes_.clear();
}

void Breaker::abandon(BreakerPass pass) {
  if (pass != BreakerPass::probe) return;
  const std::lock_guard lock(mutex_);
  probe_is_out_ = false;
}

void Breaker::set(const BreakerSettings& settings) {
  const std::lock_guard lock(mutex_);
  settings_ = settings;
  is_spotless_ = false;  // the window may have grown
}

BreakerState Breaker::state(MonoTime now) const {
  const std::lock_guard lock(mutex_);
  return state_ == BreakerState::open && now >= open_until_ ? BreakerState::half_open : state_.load();
}

}  // namespace weir
