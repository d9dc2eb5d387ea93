// Task<T>: a coroutine that gives a Result<T>. It starts when it is awaited and resumes its awaiter by
// symmetric transfer. Every Task is awaited by exactly one owner; the top of a chain is started by
// Scope::spawn (io/scope.h).
//
// An own type rather than asio::awaitable, because every wait of Weir (socket, timer, child, queue slot) is
// one Waiter that its Scope can cancel, and because the simulator runs the same coroutines without a socket
// in sight.
#pragma once

#include <coroutine>
#include <exception>
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

  Task(Task&& other) noexcept : handle_(std::exchange(other.handle_, nullptr)) {}
  Task& operator=(Task&& other) noexcept {
    if (this != &other) {
      if (handle_) handle_.destroy();
      handle_ = std::exchange(other.handle_, nullptr);
    }
    return *this;
  }
  ~Task() {
    if (handle_) handle_.destroy();
  }

  auto operator co_await() && noexcept {
    struct Awaiter {
      std::coroutine_handle<promise_type> handle;
      bool await_ready() noexcept { return false; }
      std::coroutine_handle<> await_suspend(std::coroutine_handle<> awaiter) noexcept {
        handle.promise().awaiter = awaiter;
        return handle;
      }
      Result<T> await_resume() {
        if (handle.promise().exception) std::rethrow_exception(handle.promise().exception);
        return std::move(*handle.promise().result);
      }
    };
    return Awaiter{handle_};
  }

 private:
  explicit Task(std::coroutine_handle<promise_type> handle) : handle_(handle) {}

  std::coroutine_handle<promise_type> handle_;
};

}  // namespace weir
