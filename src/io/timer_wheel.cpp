#include "io/timer_wheel.h"

#include <algorithm>
#include <bit>
#include <utility>

namespace weir {

void Timer::disarm() {
  if (wheel_) wheel_->unlink(*this);
}

TimerWheel::TimerWheel(const Clock& clock) : current_tick_(tick_of(clock.now())) {}

TimerWheel::~TimerWheel() {
  for (Timer* timer : slots_) {
    while (timer) {
      Timer* next = timer->next_;
      timer->wheel_ = nullptr;
      timer = next;
    }
  }
}

int64_t TimerWheel::tick_of(MonoTime time) const {
  return time.time_since_epoch() / kTick;
}

void TimerWheel::arm(Timer& timer, MonoTime due) {
  if (timer.wheel_) {
    if (due >= timer.linked_due_) {
      timer.due_ = due;
      return;
    }
    unlink(timer);
  }
  timer.due_ = due;
  link(timer);
}

void TimerWheel::link(Timer& timer) {
  // Round up, so that a timer never fires early; at least the next tick, so that advance() cannot loop on
  // re-arming.
  const int64_t tick = std::max(tick_of(timer.due_ + kTick - Duration(1)), current_tick_ + 1);
  const size_t slot = static_cast<size_t>(tick) % kSlots;
  timer.wheel_ = this;
  timer.linked_due_ = timer.due_;
  timer.slot_ = slot;
  timer.previous_ = nullptr;
  timer.next_ = slots_[slot];
  if (timer.next_) timer.next_->previous_ = &timer;
  slots_[slot] = &timer;
  occupied_[slot / 64] |= uint64_t{1} << (slot % 64);
  ++armed_;
}

void TimerWheel::unlink(Timer& timer) {
  if (timer.previous_) {
    timer.previous_->next_ = timer.next_;
  } else {
    slots_[timer.slot_] = timer.next_;
    if (!timer.next_ && timer.slot_ != kFiring)
      occupied_[timer.slot_ / 64] &= ~(uint64_t{1} << (timer.slot_ % 64));
  }
  if (timer.next_) timer.next_->previous_ = timer.previous_;
  timer.wheel_ = nullptr;
  timer.previous_ = timer.next_ = nullptr;
  --armed_;
}

size_t TimerWheel::advance(MonoTime now) {
  const int64_t target = tick_of(now);
  size_t fired = 0;
  // After a long sleep one round over the slots finds every due timer.
  if (target - current_tick_ > static_cast<int64_t>(kSlots))
    current_tick_ = target - static_cast<int64_t>(kSlots);
  while (current_tick_ < target) {
    ++current_tick_;
    const size_t slot = static_cast<size_t>(current_tick_) % kSlots;
    // The slot's list moves aside first: firing may arm and disarm any timer, and what is not due goes back.
    slots_[kFiring] = std::exchange(slots_[slot], nullptr);
    occupied_[slot / 64] &= ~(uint64_t{1} << (slot % 64));
    for (Timer* timer = slots_[kFiring]; timer; timer = timer->next_) timer->slot_ = kFiring;
    while (Timer* timer = slots_[kFiring]) {
      unlink(*timer);
      if (timer->due_ > now) {
        if (timer->due_ != Timer::kNever) link(*timer);  // a later round, or moved later since it was armed
        continue;
      }
      ++fired;
      timer->fire();
    }
  }
  return fired;
}

std::optional<MonoTime> TimerWheel::next_due() const {
  if (armed_ == 0) return std::nullopt;
  for (size_t step = 1; step <= kSlots;) {
    const size_t slot = static_cast<size_t>(current_tick_ + static_cast<int64_t>(step)) % kSlots;
    const uint64_t word = occupied_[slot / 64] >> (slot % 64);
    if (word != 0) {
      step += static_cast<size_t>(std::countr_zero(word));
      return MonoTime(kTick * (current_tick_ + static_cast<int64_t>(step)));
    }
    step += 64 - slot % 64;
  }
  return std::nullopt;
}

}  // namespace weir
