#include "io/core.h"

#include <sys/eventfd.h>
#include <unistd.h>

#include "base/assert.h"

namespace weir {
namespace {

// How often what has become ready meanwhile is run before the kernel is asked for events again.
constexpr int kRoundsPerTurn = 4;

}  // namespace

Core::Core(size_t index, const Clock& clock, uint64_t seed)
    : index_(index), clock_(clock), rng_(seed), timers_(clock) {
  alarm_.fd = eventfd(0, EFD_NONBLOCK | EFD_CLOEXEC);
  WEIR_ASSERT(alarm_.fd >= 0 && poller_.add(alarm_.fd, EPOLLIN | EPOLLET, alarm_),
              "the process has a descriptor for each core");
}

Core::~Core() {
  ::close(alarm_.fd);
}

size_t Core::run_ready() {
  size_t ran = 0;
  for (int round = 0; round < kRoundsPerTurn; ++round) {
    ran += run_remote();
    if (ready_.empty()) break;
    batch_.swap(ready_);
    for (const std::coroutine_handle<>& coroutine : batch_) {
      is_mid_batch_ = &coroutine != &batch_.back();
      coroutine.resume();
    }
    is_mid_batch_ = false;
    ran += batch_.size();
    batch_.clear();
  }
  return ran;
}

void Core::run_reports() {
  for (bool goes_on = true; goes_on;) {
    goes_on = poller_.dispatch();
    run_ready();
  }
}

size_t Core::run_remote() {
  if (!has_remote_.load(std::memory_order_relaxed)) return 0;
  std::vector<std::function<void()>> functions;
  {
    const std::lock_guard lock(remote_mutex_);
    functions.swap(remote_);
    has_remote_.store(false, std::memory_order_relaxed);
  }
  for (const std::function<void()>& function : functions) function();
  return functions.size();
}

void Core::post_remote(std::function<void()> function) {
  {
    const std::lock_guard lock(remote_mutex_);
    remote_.push_back(std::move(function));
    has_remote_.store(true);
  }
  wake();
}

// Either this sees that the loop sleeps, or the loop, which says so first, sees what it was woken for: the
// stores and loads of the two are sequentially consistent.
void Core::wake() {
  if (!sleeps_.load()) return;
  const uint64_t one = 1;
  (void)!::write(alarm_.fd, &one, sizeof(one));  // fails only after 2^64 wakes
}

void Core::wait() {
  int timeout_ms = 0;
  sleeps_.store(true);
  if (ready_.empty() && !has_remote_.load() && !is_stopped_.load()) {
    timeout_ms = -1;
    if (const std::optional<MonoTime> due = timers_.next_due()) {
      // Rounded up, or the loop would turn without a pause within the last millisecond.
      const auto left = std::chrono::ceil<std::chrono::milliseconds>(*due - now());
      timeout_ms = static_cast<int>(std::max<int64_t>(left.count(), 0));
    }
  }
  poller_.wait(timeout_ms);
  sleeps_.store(false, std::memory_order_relaxed);
}

void Core::run() {
  turn_began_ = now();
  is_running_ = true;
  while (!is_stopped_.load(std::memory_order_relaxed)) {
    wait();
    turn_began_ = now();
    timers_.advance(turn_began_);
    run_reports();
  }
  is_running_ = false;
}

void Core::stop() {
  is_stopped_.store(true);
  wake();
}

bool Core::poll() {
  size_t done = 0;
  if (poller_.watched() > 1) {  // more than the alarm, which is for loops that sleep
    done = poller_.wait(0);
    run_reports();
  }
  done += run_ready();
  done += timers_.advance(now());
  return done > 0;
}

}  // namespace weir
