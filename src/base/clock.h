// The Clock port: what time it is. The system's clock, or a simulated one that tests move by hand.
#pragma once

#include <chrono>
#include <cstdint>

namespace weir {

using Duration = std::chrono::nanoseconds;
// A point on the monotonic clock, in nanoseconds since an arbitrary start. Comparable within one Clock only.
using MonoTime = std::chrono::time_point<std::chrono::steady_clock, Duration>;

class Clock {
 public:
  virtual ~Clock() = default;
  virtual MonoTime now() const = 0;
  // Nanoseconds since 1970-01-01T00:00:00Z.
  virtual int64_t wall_ns() const = 0;
};

class SystemClock final : public Clock {
 public:
  MonoTime now() const override;
  int64_t wall_ns() const override;
  static const SystemClock& instance();
};

// Stands still until advance(). The wall clock starts at 2026-01-01T00:00:00Z and moves along.
class ManualClock final : public Clock {
 public:
  MonoTime now() const override { return MonoTime(elapsed_); }
  int64_t wall_ns() const override { return kStartWallNs + elapsed_.count(); }
  void advance(Duration by) { elapsed_ += by; }
  void advance_to(MonoTime to) {
    if (to.time_since_epoch() > elapsed_) elapsed_ = to.time_since_epoch();
  }

 private:
  static constexpr int64_t kStartWallNs = 1'767'225'600'000'000'000;
  Duration elapsed_{1'000'000'000};
};

}  // namespace weir
