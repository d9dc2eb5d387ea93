// A core on simulated time for tests and fuzzers: nothing waits, time passes only when it is moved.
#pragma once

#include <optional>
#include <utility>

#include "base/assert.h"
#include "base/clock.h"
#include "io/core.h"
#include "io/scope.h"

namespace weir {

struct TestCore {
  // Runs everything that is ready.
  void settle() {
    while (core.poll()) {
    }
  }

  // Lets that much time pass, so that everything on the way happens in its order.
  void pass(Duration time) {
    const MonoTime until = clock.now() + time;
    settle();
    while (const std::optional<MonoTime> due = core.timers().next_due()) {
      if (*due > until) break;
      clock.advance_to(*due);
      settle();
    }
    clock.advance_to(until);
    settle();
  }

  // Runs the task to its end; time passes whenever nothing else can happen. A task that waits for ever is a
  // bug of the test.
  template <class T>
  Result<T> run(Task<T> task) {
    std::optional<Result<T>> result;
    Scope scope(core);
    scope.spawn(keep(std::move(task), result));
    settle();
    while (!result) {
      const std::optional<MonoTime> due = core.timers().next_due();
      WEIR_ASSERT(due, "the task waits for something that nobody will do");
      clock.advance_to(*due);
      settle();
    }
    return std::move(*result);
  }

  ManualClock clock;
  Core core{0, clock, 1};

 private:
  template <class T>
  static Task<void> keep(Task<T> task, std::optional<Result<T>>& result) {
    result = co_await std::move(task);
    co_return {};
  }
};

}  // namespace weir
