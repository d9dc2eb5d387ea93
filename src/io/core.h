// A core: one thread's event loop with its clock, timers and random numbers. A request lives on one core from
// accept to last byte, so nothing here is locked; other threads reach a core only through post_remote().
#pragma once

#include <atomic>
#include <coroutine>
#include <cstddef>
#include <functional>
#include <mutex>
#include <vector>

#include "base/clock.h"
#include "base/random.h"
#include "io/poller.h"
#include "io/timer_wheel.h"

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
  // When the loop woke up, which costs no look at the clock: what a deadline is reckoned from, and when the
  // bytes were there that it woke up for.
  MonoTime turn_began() const { return is_running_ ? turn_began_ : clock_.now(); }
  Rng& rng() { return rng_; }
  TimerWheel& timers() { return timers_; }
  Poller& poller() { return poller_; }

  // Resumes the coroutine soon, from the loop, after the current one has suspended. This core's thread only.
  void post(std::coroutine_handle<> coroutine) { ready_.push_back(coroutine); }
  // co_await it to let what else is ready run first. For loops that may never have to wait.
  auto next_round() { return Turn{*this, false}; }
  // Whether nothing else became ready together with what runs, so that a write need not wait for others.
  bool may_write() const { return !poller_.is_mid_round(); }
  // co_await it before a write: what became ready at the same time is taken up first, so that the writes of
  // one round stand together. A receiver on this machine is woken by the first of them and is awake for the
  // others, and waking it is a third of what a write costs. Costs nothing when nothing else is ready.
  auto gather_writes() { return Turn{*this, may_write()}; }
  // Whether no other write of the round follows the one that was made.
  bool is_last_write() const { return !is_mid_batch_ && ready_.empty(); }
  // co_await it behind a write: the other writes of the round follow before anything is done that can wait.
  auto let_writes_follow() { return Turn{*this, is_last_write()}; }
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
  // Wakes the loop; the kernel reports each write of an edge-triggered eventfd, so nobody has to read it.
  struct Alarm final : Poller::Watch {
    void on_ready(uint32_t) override {}
    int fd = -1;
  };
  // What a coroutine awaits to be resumed from the loop, unless it is its turn already.
  struct Turn {
    Core& core;
    bool has_come;
    bool await_ready() const { return has_come; }
    void await_suspend(std::coroutine_handle<> handle) { core.post(handle); }
    void await_resume() {}
  };
  void run_reports();
  size_t run_ready();
  size_t run_remote();
  void wait();
  void wake();

  const size_t index_;
  const Clock& clock_;
  Rng rng_;
  Poller poller_;
  TimerWheel timers_;
  Alarm alarm_;
  std::vector<std::coroutine_handle<>> ready_;
  std::vector<std::coroutine_handle<>> batch_;  // of ready_, being resumed; keeps its memory
  MonoTime turn_began_{};
  bool is_running_ = false;
  bool is_mid_batch_ = false;  // others of batch_ are resumed behind the one that runs

  std::mutex remote_mutex_;
  std::vector<std::function<void()>> remote_;
  std::atomic<bool> has_remote_ = false;
  std::atomic<bool> is_stopped_ = false;
  std::atomic<bool> sleeps_ = false;  // or is about to: has to be woken up
};

}  // namespace weir
