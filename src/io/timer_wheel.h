// Timers of one core: coarse (10 ms), cheap to arm, move and cancel, none of it allocating.
#pragma once

#include <array>
#include <cstddef>
#include <optional>

#include "base/clock.h"

namespace weir {

class TimerWheel;

// One timer; embed it or derive from it. Destroying it disarms it. Fires at most once per arming, never
// early, and up to one tick late.
class Timer {
 public:
  Timer() = default;
  Timer(const Timer&) = delete;
  Timer& operator=(const Timer&) = delete;
  virtual ~Timer() { disarm(); }

  void disarm();
  // As disarm(), for a timer that is armed again soon: its place in the wheel is kept, and given up when it
  // comes up in the meantime.
  void rest() { due_ = kNever; }
  bool is_armed() const { return wheel_ && due_ != kNever; }
  MonoTime due() const { return due_; }

 protected:
  virtual void fire() = 0;

 private:
  friend class TimerWheel;
  TimerWheel* wheel_ = nullptr;
  Timer* previous_ = nullptr;
  Timer* next_ = nullptr;
  static constexpr MonoTime kNever = MonoTime::max();
  size_t slot_ = 0;
  MonoTime due_{};
  MonoTime linked_due_{};  // for which its slot was chosen
};

class TimerWheel {
 public:
  static constexpr Duration kTick = std::chrono::milliseconds(10);

  explicit TimerWheel(const Clock& clock);
  ~TimerWheel();
  TimerWheel(const TimerWheel&) = delete;
  TimerWheel& operator=(const TimerWheel&) = delete;

  // Arms or moves the timer. Moving it later than it was when it got its slot is one store: the slot is
  // corrected when it comes up.
  void arm(Timer& timer, MonoTime due);
  // Fires what is due. Returns how many fired.
  size_t advance(MonoTime now);
  // When the next slot that holds a timer comes up; nothing when no timer is armed or rests. May be early for
  // those that were moved or rest.
  std::optional<MonoTime> next_due() const;
  bool empty() const { return armed_ == 0; }

 private:
  friend class Timer;
  static constexpr size_t kSlots = 1024;     // 10.24 s; later timers wait in their slot for more rounds
  static constexpr size_t kFiring = kSlots;  // the list that advance() is working on

  int64_t tick_of(MonoTime time) const;
  void link(Timer& timer);
  void unlink(Timer& timer);

  std::array<Timer*, kSlots + 1> slots_{};
  std::array<uint64_t, kSlots / 64> occupied_{};  // one bit per slot
  int64_t current_tick_;                          // every earlier tick was fired
  size_t armed_ = 0;
};

}  // namespace weir
