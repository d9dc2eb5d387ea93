#include "base/clock.h"

namespace weir {

MonoTime SystemClock::now() const {
  return std::chrono::steady_clock::now();
}

int64_t SystemClock::wall_ns() const {
  return std::chrono::duration_cast<Duration>(std::chrono::system_clock::now().time_since_epoch()).count();
}

const SystemClock& SystemClock::instance() {
  static const SystemClock clock;
  return clock;
}

}  // namespace weir
