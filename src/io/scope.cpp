#include "io/scope.h"

#include <exception>

#include "base/assert.h"
#include "base/log.h"

namespace weir {

void Waiter::complete() {
  if (!handle_) return;
  unlink();
  scope_->core().post(std::exchange(handle_, nullptr));
}

void Waiter::complete_inline() {
  if (!handle_) return;
  unlink();
  std::exchange(handle_, nullptr).resume();
}

bool Waiter::begin(Scope& scope) {
  scope_ = &scope;
  is_cancelled_ = false;
  if (scope.is_cancelled()) {
    is_cancelled_ = true;
    detach();
    return true;
  }
  previous_ = nullptr;
  next_ = scope.first_waiter_;
  if (next_) next_->previous_ = this;
  scope.first_waiter_ = this;
  return false;
}

void Waiter::unlink() {
  if (previous_) {
    previous_->next_ = next_;
  } else {
    scope_->first_waiter_ = next_;
  }
  if (next_) next_->previous_ = previous_;
  previous_ = next_ = nullptr;
}

Result<void> Waiter::finish() {
  if (is_cancelled_) return fail(scope_->reason());
  return {};
}

Scope::Scope(Core& core) : core_(core), parent_(nullptr) {}

Scope::Scope(Scope& parent) : core_(parent.core_), parent_(&parent) {
  next_sibling_ = parent.first_child_;
  if (next_sibling_) next_sibling_->previous_sibling_ = this;
  parent.first_child_ = this;
  if (parent.is_cancelled()) reason_ = std::make_unique<Error>(parent.reason());
}

Scope::~Scope() {
  WEIR_ASSERT(running_ == 0, "spawned tasks end before their scope");
  WEIR_ASSERT(!first_waiter_ && !first_child_, "waits and child scopes end before their scope");
  if (!parent_) return;
  if (previous_sibling_) {
    previous_sibling_->next_sibling_ = next_sibling_;
  } else {
    parent_->first_child_ = next_sibling_;
  }
  if (next_sibling_) next_sibling_->previous_sibling_ = previous_sibling_;
}

void Scope::DeadlineTimer::fire() {
  scope_.cancel(make_error(kind, what));
}

void Scope::set_deadline(MonoTime due, ErrorKind on_expiry, const char* what) {
  timer_.kind = on_expiry;
  timer_.what = what;
  core_.timers().arm(timer_, due);
}

void Scope::clear_deadline() {
  timer_.rest();
}

std::optional<MonoTime> Scope::deadline() const {
  std::optional<MonoTime> earliest;
  for (const Scope* scope = this; scope; scope = scope->parent_) {
    if (scope->timer_.is_armed() && (!earliest || scope->timer_.due() < *earliest))
      earliest = scope->timer_.due();
  }
  return earliest;
}

Duration Scope::remaining(Duration fallback) const {
  const std::optional<MonoTime> due = deadline();
  if (!due) return fallback;
  return std::max(Duration::zero(), *due - now());
}

void Scope::cancel(Error reason) {
  if (reason_) return cancel_children(reason);
  reason_ = std::make_unique<Error>(std::move(reason));
  while (Waiter* waiter = first_waiter_) {
    waiter->unlink();
    waiter->is_cancelled_ = true;
    waiter->detach();
    core_.post(std::exchange(waiter->handle_, nullptr));
  }
  // Before the timer: what goes on is still bound by this scope's deadline.
  cancel_children(*reason_);
  timer_.disarm();
}

void Scope::cancel_children(const Error& reason) {
  for (Scope* child = first_child_; child; child = child->next_sibling_) child->parent_cancelled(reason);
}

void Scope::outlast_hangup(Duration grace) {
  timer_.grace_ms = static_cast<uint32_t>(grace / std::chrono::milliseconds(1));
}

void Scope::parent_cancelled(const Error& reason) {
  if (timer_.grace_ms == 0 || reason.kind != ErrorKind::cancelled) return cancel(reason);
  if (is_cancelled() || std::exchange(timer_.has_outlasted, true)) return;
  MonoTime due = now() + std::chrono::milliseconds(timer_.grace_ms);
  if (const std::optional<MonoTime> limit = deadline()) due = std::min(due, *limit);
  set_deadline(due, ErrorKind::cancelled, "the client hung up, and what was done for it took too long");
}

Result<void> Scope::check() const {
  if (reason_) return fail(*reason_);
  return {};
}

// A coroutine that runs by itself and frees itself; its Scope counts it.
struct Scope::Child {
  struct promise_type {
    Child get_return_object() { return {}; }
    std::suspend_never initial_suspend() noexcept { return {}; }
    std::suspend_never final_suspend() noexcept { return {}; }
    void return_void() {}
    void unhandled_exception() { std::terminate(); }
  };

  static Child run(Scope& scope, Task<void> task) {
    // Every task of the process has this frame, so it holds no Result longer than it must.
    try {
      scope.child_ended(co_await std::move(task));
    } catch (const std::exception& exception) {
      scope.child_threw(exception);
    }
  }
};

void Scope::spawn(Task<void> task) {
  ++running_;
  Child::run(*this, std::move(task));
}

void Scope::child_ended(Result<void>&& result) {
  if (!result && !child_error_) child_error_ = std::make_unique<Error>(std::move(result).error());
  if (--running_ == 0 && joiner_) core_.post(std::exchange(joiner_, nullptr));
}

void Scope::child_threw(const std::exception& exception) {
  log_error("exception in a task", {{"what", exception.what()}});
  child_ended(fail(ErrorKind::internal, "internal error"));
}

Task<void> Scope::join_all() {
  struct Join {
    Scope& scope;
    bool await_ready() const { return scope.running_ == 0; }
    void await_suspend(std::coroutine_handle<> handle) { scope.joiner_ = handle; }
    void await_resume() {}
  };
  co_await Join{*this};
  if (child_error_) co_return fail(std::move(*std::exchange(child_error_, nullptr)));
  co_return {};
}

namespace {

class Sleep final : public Waiter, public Timer {
 private:
  void fire() override { complete(); }
  void detach() override { disarm(); }
};

}  // namespace

Task<void> Scope::sleep(Duration duration) {
  Sleep sleep;
  core_.timers().arm(sleep, now() + duration);
  co_return co_await sleep.on(*this);
}

namespace {

Task<void> race(Scope& race_scope, const std::function<Task<void>(Scope&)>& task, size_t index,
                std::optional<size_t>& winner, Result<void>& outcome) {
  Result<void> result = co_await task(race_scope);
  if (!winner) {
    winner = index;
    outcome = std::move(result);
    race_scope.cancel(make_error(ErrorKind::cancelled, "another task ended first"));
  }
  co_return {};
}

}  // namespace

Task<size_t> first_of(Scope& scope, std::vector<std::function<Task<void>(Scope&)>> tasks) {
  Scope race_scope(scope);
  std::optional<size_t> winner;
  Result<void> outcome;
  for (size_t i = 0; i < tasks.size(); ++i) race_scope.spawn(race(race_scope, tasks[i], i, winner, outcome));
  CO_TRY(co_await race_scope.join_all());
  CO_TRY(std::move(outcome));
  co_return winner.value_or(0);
}

struct Signal::SignalWaiter final : Waiter {
  explicit SignalWaiter(Signal& owner) : signal(owner) { signal.waiters_.push_back(this); }
  void detach() override { std::erase(signal.waiters_, this); }
  Signal& signal;
};

void Signal::set() {
  is_set_ = true;
  std::vector<SignalWaiter*> woken;
  woken.swap(waiters_);
  for (SignalWaiter* waiter : woken) waiter->complete();
}

Task<void> Signal::wait(Scope& scope) {
  if (is_set_) co_return scope.check();
  SignalWaiter waiter(*this);
  co_return co_await waiter.on(scope);
}

}  // namespace weir
