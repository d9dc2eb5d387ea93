// Scope: the lifetime of one piece of work on one core. Each request has one: a deadline that may move, one
// timer, one cancellation. Expiry, hang-up of the client and shutdown all call cancel(); every wait below
// then returns that error and the work unwinds by return. A Scope owns children: spawn() and join_all() are
// the only ways to run in parallel, so no coroutine outlives what it works on.
#pragma once

#include <coroutine>
#include <exception>
#include <functional>
#include <optional>
#include <vector>

#include "base/clock.h"
#include "base/task.h"
#include "io/core.h"
#include "io/timer_wheel.h"

namespace weir {

class Scope;

// One suspended wait. Whoever completes it calls complete(); its Scope may cancel it first, and then detach()
// tells the completer to forget it. Lives in the frame of the waiting coroutine:
//
//   struct ReadWait : Waiter { void detach() override { stream.waiter = nullptr; } ... };
//   ReadWait wait(...); Result<void> ready = co_await wait.on(scope);
class Waiter {
 public:
  Waiter() = default;
  Waiter(const Waiter&) = delete;
  Waiter& operator=(const Waiter&) = delete;
  virtual ~Waiter() = default;

  // Resumes the waiting coroutine soon (through the core's ready queue). No effect when it is not waiting.
  void complete();
  // Resumes it at once, on top of the caller's stack: only from the bottom of the loop, where a handler ran.
  void complete_inline();
  bool is_waiting() const { return handle_ != nullptr; }

  auto on(Scope& scope) {
    struct Awaiter {
      Waiter& waiter;
      Scope& scope;
      bool await_ready() const { return waiter.begin(scope); }
      void await_suspend(std::coroutine_handle<> handle) { waiter.handle_ = handle; }
      Result<void> await_resume() { return waiter.finish(); }
    };
    return Awaiter{*this, scope};
  }

 protected:
  // The scope was cancelled: forget this waiter.
  virtual void detach() = 0;

 private:
  friend class Scope;
  bool begin(Scope& scope);  // true: the scope is cancelled already, do not suspend
  Result<void> finish();
  void unlink();

  Scope* scope_ = nullptr;
  std::coroutine_handle<> handle_;
  Waiter* previous_ = nullptr;
  Waiter* next_ = nullptr;
  bool is_cancelled_ = false;
};

class Scope {
 public:
  explicit Scope(Core& core);     // a root
  explicit Scope(Scope& parent);  // cancelled with its parent
  // REQUIRES that every spawned task has ended (join_all).
  ~Scope();
  Scope(const Scope&) = delete;
  Scope& operator=(const Scope&) = delete;

  Core& core() { return core_; }
  MonoTime now() const { return core_.now(); }
  MonoTime turn_began() const { return core_.turn_began(); }

  // Moves the deadline; expiry cancels with `on_expiry`. A later deadline costs one store.
  void set_deadline(MonoTime due, ErrorKind on_expiry = ErrorKind::timeout,
                    const char* what = "the deadline passed");
  void clear_deadline();
  std::optional<MonoTime> deadline() const;  // the earliest of this scope and its parents
  // Time left to the deadline, at least zero; `fallback` without one.
  Duration remaining(Duration fallback) const;

  // Cancels this scope and its children with that error. The first call counts; later ones reach only
  // children that outlasted the first.
  void cancel(Error reason);
  // When the parent is cancelled because the client is gone (`cancelled`), this scope goes on for `grace`, in
  // whole milliseconds, though not past the deadline it had until then. Any other reason ends it at once.
  void outlast_hangup(Duration grace);
  bool is_cancelled() const { return reason_ != nullptr; }
  // REQUIRES is_cancelled().
  const Error& reason() const { return *reason_; }
  // The error to return when cancelled, else nothing: for loops that do not wait.
  Result<void> check() const;

  // Starts the task as a child of this scope. The first error of a child is kept for join_all().
  void spawn(Task<void> task);
  size_t running() const { return running_; }
  // Waits until every spawned task has ended, also when the scope is cancelled. Gives the first error of a
  // child.
  Task<void> join_all();

  // Waits that long. Errors: the scope's reason.
  Task<void> sleep(Duration duration);

 private:
  friend class Waiter;
  struct Expiry;
  struct Child;
  void cancel_children(const Error& reason);
  void parent_cancelled(const Error& reason);
  void child_ended(Result<void>&& result);
  void child_threw(const std::exception& exception);

  Core& core_;
  Scope* const parent_;
  Scope* first_child_ = nullptr;
  Scope* previous_sibling_ = nullptr;
  Scope* next_sibling_ = nullptr;
  Waiter* first_waiter_ = nullptr;
  std::unique_ptr<Error> reason_;
  std::unique_ptr<Error> child_error_;  // as reason_: an Error is large, scopes are many
  size_t running_ = 0;
  std::coroutine_handle<> joiner_;

  class DeadlineTimer final : public Timer {
   public:
    explicit DeadlineTimer(Scope& scope) : scope_(scope) {}
    ErrorKind kind = ErrorKind::timeout;
    // Of the scope; here, where they take no room of their own.
    bool has_outlasted = false;
    uint32_t grace_ms = 0;  // 0: a hang-up ends it too
    const char* what = "";

   private:
    void fire() override;
    Scope& scope_;
  };
  DeadlineTimer timer_{*this};
};

// Runs the tasks at the same time in a child of `scope`; when the first one ends the others are cancelled and
// waited for. Gives that first task's result; `index` in the value says which.
Task<size_t> first_of(Scope& scope, std::vector<std::function<Task<void>(Scope&)>> tasks);

// A signal that coroutines of one core wait for: set() wakes all, and stays set until reset().
class Signal {
 public:
  void set();
  void reset() { is_set_ = false; }
  bool is_set() const { return is_set_; }
  Task<void> wait(Scope& scope);

 private:
  struct SignalWaiter;
  std::vector<SignalWaiter*> waiters_;
  bool is_set_ = false;
};

}  // namespace weir
