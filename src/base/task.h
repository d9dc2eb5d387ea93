// Task<T>: a coroutine that gives a Result<T>. It starts when it is awaited and resumes its awaiter by
// symmetric transfer. Every Task is awaited by exactly one owner; the top of a chain is started by
// Scope::spawn (io/scope.h). What turns out to need no wait may be a plain function that returns a task which
// has ended already: it has no frame.
//
// An own type rather than asio::awaitable, because every wait of Weir (socket, timer, child, queue slot) is
// one Waiter that its Scope can cancel, and because the simulator runs the same coroutines without a socket
// in sight.
#pragma once

#include <coroutine>
#include <exception>
#include <memory>
#include <optional>
#include <utility>

#include "base/result.h"

namespace weir {

template <class T>
class [[nodiscard]] Task {
 public:
  struct promise_type {
    std::optional<Result<T>> result;
    std::exception_ptr exception;
    std::coroutine_handle<> awaiter = std::noop_coroutine();

    Task get_return_object() { return Task(std::coroutine_handle<promise_type>::from_promise(*this)); }
    std::suspend_always initial_suspend() noexcept { return {}; }
    auto final_suspend() noexcept {
      struct Final {
        bool await_ready() noexcept { return false; }
        std::coroutine_handle<> await_suspend(std::coroutine_handle<promise_type> self) noexcept {
          return self.promise().awaiter;
        }
        void await_resume() noexcept {}
      };
      return Final{};
    }
    void return_value(Result<T> value) { result.emplace(std::move(value)); }
    void unhandled_exception() { exception = std::current_exception(); }
  };

  // A task that has ended, with that result: `return fail(...)` and TRY are such returns.
  Task(Result<T> result) : result_(std::move(result)) {}
  Task(std::unexpected<Error> error) : result_(std::move(error)) {}
  Task(detail::Failure failure) : result_(std::move(failure)) {}
  Task(Task&& other) noexcept { take(other); }
  Task& operator=(Task&& other) noexcept {
    if (this == &other) return *this;
    std::destroy_at(this);
    return *std::construct_at(this, std::move(other));
  }
  ~Task() {
    if (handle_) {
      handle_.destroy();
    } else {
      result_.~Result<T>();
    }
  }

  auto operator co_await() && noexcept {
    struct Awaiter {
      Task& task;
      bool await_ready() noexcept { return !task.handle_; }
      std::coroutine_handle<> await_suspend(std::coroutine_handle<> awaiter) noexcept {
        task.handle_.promise().awaiter = awaiter;
        return task.handle_;
      }
      Result<T> await_resume() {
        if (!task.handle_) return std::move(task.result_);
        promise_type& promise = task.handle_.promise();
        if (promise.exception) std::rethrow_exception(promise.exception);
        return std::move(*promise.result);
      }
    };
    return Awaiter{*this};
  }

 private:
  explicit Task(std::coroutine_handle<promise_type> handle) : handle_(handle) {}

  // Leaves `other` as a task that has ended.
  void take(Task& other) noexcept {
    handle_ = std::exchange(other.handle_, nullptr);
    if (handle_) {
      new (&other.result_) Result<T>(detail::Failure{});
    } else {
      new (&result_) Result<T>(std::move(other.result_));
    }
  }

  std::coroutine_handle<promise_type> handle_;  // null: it has ended
  // Only of a task without a handle, so that the usual one costs nothing more.
  union {
    Result<T> result_;
  };
};

}  // namespace weir
