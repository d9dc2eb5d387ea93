// What serving has taught about one target (a model at a provider): its circuit breaker, its latency, how
// busy it is, and its permits. Shared by all cores, kept across reloads; thread-safe.
#pragma once

#include <array>
#include <atomic>
#include <cstdint>
#include <deque>
#include <memory>
#include <mutex>
#include <string>
#include <unordered_map>

#include "base/clock.h"
#include "base/priority.h"
#include "base/result.h"
#include "base/task.h"
#include "io/scope.h"

namespace weir {

enum class BreakerState : uint8_t { closed, open, half_open };
std::string_view to_string(BreakerState state);

struct BreakerSettings {
  int failures_to_open = 5;  // in a row, or `failure_share` of the last `window` outcomes
  double failure_share = 0.5;
  int window = 20;
  Duration open_for = std::chrono::seconds(10);  // then one probe; doubled after each failed probe
  Duration open_for_max = std::chrono::minutes(5);
};

// How a call got through a breaker; it goes back with the call's outcome.
enum class BreakerPass : uint8_t {
  refused,
  usual,
  probe,  // the one call that a half-open breaker lets through: it MUST be reported or abandoned
};

// Of all cores. Closed: everything passes. Open: nothing passes. Half-open: exactly one probe passes; its
// outcome closes or reopens.
class Breaker {
 public:
  explicit Breaker(BreakerSettings settings = {}) : settings_(settings) {}

  BreakerPass try_pass(MonoTime now);
  // Whether try_pass() would let a call through, without taking the probe.
  bool would_pass(MonoTime now) const;
  // When would_pass() is worth asking again: `now` when it would, a second later while a probe is out.
  MonoTime passes_at(MonoTime now) const;
  void report(MonoTime now, BreakerPass pass, bool is_success);
  // The call ended without telling anything about the target (cancelled, bad request): gives a probe back.
  void abandon(BreakerPass pass);
  BreakerState state(MonoTime now) const;
  // A reload may change them; what was counted stays.
  void set(const BreakerSettings& settings);

 private:
  void open(MonoTime now);  // REQUIRES the lock

  mutable std::mutex mutex_;
  BreakerSettings settings_;
  // Atomics, so that of a target that is well nobody takes the lock: written under it.
  std::atomic<BreakerState> state_ = BreakerState::closed;
  std::atomic<bool> is_spotless_ =
      false;  // closed, and the window is full of successes: another says nothing
  MonoTime open_until_{};
  Duration open_for_{};
  bool probe_is_out_ = false;
  int failures_in_a_row_ = 0;
  int failures_ = 0;           // among outcomes_
  std::deque<bool> outcomes_;  // true: failure
};

// At most `concurrency` calls at a time; the rest wait in a bounded queue that serves interactive before
// normal before batch, and within a priority takes turns between API keys, so that one key's burst does not
// starve another's request.
class Permits {
 public:
  // concurrency 0: no cap.
  Permits(size_t concurrency, size_t waiters_max);
  ~Permits();

  // Held while a call is made; gives the place to the next waiter when destroyed. From any core.
  class Permit {
   public:
    Permit() = default;
    explicit Permit(std::shared_ptr<Permits> owner) : owner_(std::move(owner)) {}
    Permit(Permit&& other) noexcept = default;
    Permit& operator=(Permit&& other) noexcept;
    ~Permit();

   private:
    std::shared_ptr<Permits> owner_;
  };

  // A place that is free, without waiting; nothing when there is none. REQUIRES that `permits` is held by a
  // shared_ptr.
  static std::optional<Permit> try_acquire(const std::shared_ptr<Permits>& permits);
  // Waits for a place. `key_id` is whose turn it takes. Errors: overloaded when the queue is full, the
  // scope's reason. REQUIRES that `permits` is held by a shared_ptr.
  static Task<Permit> acquire(Scope& scope, std::shared_ptr<Permits> permits, Priority priority,
                              std::string key_id);

  size_t in_use() const;
  size_t waiting() const;  // for monitoring: the calls that stand in the lines, counted one by one
  // A reload may change the cap; waiters stay.
  void set_concurrency(size_t concurrency);

 private:
  struct Impl;
  void release();
  std::unique_ptr<Impl> impl_;
};

class TargetState {
 public:
  TargetState(std::string name, BreakerSettings breaker, size_t concurrency, size_t waiters_max);

  const std::string& name() const { return name_; }
  Breaker& breaker() { return breaker_; }
  const Breaker& breaker() const { return breaker_; }
  const std::shared_ptr<Permits>& permits() const { return permits_; }

  // Calls under way, for least_busy.
  void enter() { in_flight_.fetch_add(1, std::memory_order_relaxed); }
  void leave() { in_flight_.fetch_sub(1, std::memory_order_relaxed); }
  int64_t in_flight() const { return in_flight_.load(std::memory_order_relaxed); }

  // Exponentially weighted mean of the time to the first event (weight 0.2 for the newest); 0 until known.
  void observe_first_event(Duration elapsed);
  Duration first_event_mean() const { return Duration(first_event_ns_.load(std::memory_order_relaxed)); }

 private:
  const std::string name_;
  Breaker breaker_;
  std::shared_ptr<Permits> permits_;
  std::atomic<int64_t> in_flight_{0};
  std::atomic<int64_t> first_event_ns_{0};
};

// One call under way at a target, from when it has its place: until this is destroyed it holds the permit,
// and counts among the target's calls in flight.
class CallPlace {
 public:
  CallPlace(std::shared_ptr<TargetState> target, Permits::Permit permit)
      : target_(std::move(target)), permit_(std::move(permit)) {
    target_->enter();
  }
  CallPlace(CallPlace&&) noexcept = default;
  CallPlace& operator=(CallPlace&&) = delete;
  ~CallPlace() {
    if (target_) target_->leave();
  }
  // REQUIRES that it was not moved from.
  TargetState& target() const { return *target_; }

 private:
  std::shared_ptr<TargetState> target_;
  Permits::Permit permit_;
};

// All target states of the process, by name ("openai/gpt-4o"). Names come from configured routes and, through
// wildcards, from callers: so at most `states_max` are kept, and the one unused for longest goes first.
class TargetStates {
 public:
  explicit TargetStates(size_t states_max = 10'000) : states_max_(states_max) {}
  struct Settings {
    BreakerSettings breaker;
    size_t concurrency = 0;
    size_t waiters_max = 0;
    std::string upstream{};  // where calls go: what was learned of another place does not count
  };
  // The settings count from now on, but for `waiters_max`.
  std::shared_ptr<TargetState> get(const std::string& name, const Settings& settings);
  void for_each(const std::function<void(const TargetState&)>& visit) const;

 private:
  struct Entry {
    std::shared_ptr<TargetState> state;
    std::string upstream;
    uint64_t used = 0;
  };
  void forget_oldest();  // REQUIRES the lock

  const size_t states_max_;
  mutable std::mutex mutex_;
  std::unordered_map<std::string, Entry> states_;
  uint64_t clock_ = 0;
};

}  // namespace weir
