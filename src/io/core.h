// A core: one thread's event loop with its clock, timers and random numbers. A request lives on one core from
// accept to last byte, so nothing here is locked; other threads reach a core only through post_remote().
#pragma once

#include <coroutine>
#include <cstddef>
#include <functional>
#include <memory>
#include <vector>

#include "base/clock.h"
#include "base/random.h"
#include "io/timer_wheel.h"

namespace boost::asio {
class io_context;
}

namespace weir {

class Core {
 public:
  Core(size_t index, const Clock& clock, uint64_t seed);
  ~Core();
  Core(const Core&) = delete;
  Core& operator=(const Core&) = delete;

  size_t index() const { return index_; }
  const Clock& clock() const { return clock_; }
  MonoTime now() const { return clock_.now(); }
  Rng& rng() { return rng_; }
  TimerWheel& timers() { return timers_; }
  boost::asio::io_context& context() { return *context_; }

  // Resumes the coroutine soon, from the loop, after the current one has suspended. This core's thread only.
  void post(std::coroutine_handle<> coroutine);
  // Runs the function on this core's thread. From any thread.
  void post_remote(std::function<void()> function);

  // The loop of a real core: runs until stop(). Keeps the timers going by the system's clock.
  void run();
  // From any thread.
  void stop();
  // One turn for tests and the simulator: runs everything that is ready now, fires the timers that are due,
  // and never waits. Returns false when there was nothing to do.
  bool poll();

 private:
  struct Ticker;
  void drain();
  void wake_at(MonoTime due);

  const size_t index_;
  const Clock& clock_;
  Rng rng_;
  std::unique_ptr<boost::asio::io_context> context_;
  TimerWheel timers_;
  std::unique_ptr<Ticker> ticker_;
  std::vector<std::coroutine_handle<>> ready_;
  bool drain_is_posted_ = false;
};

}  // namespace weir
