// `if (!co_await Succeeds(stream.readable(scope))) ...`: awaits a task for which only success counts. A
// Result lives in the frame of whoever awaits it, and an Error is 200 bytes: too many for the few frames that
// an idle connection keeps.
#pragma once

#include <coroutine>
#include <utility>

#include "base/task.h"

namespace weir {

template <class T>
class [[nodiscard]] Succeeds {
 public:
  explicit Succeeds(Task<T> task) : task_(std::move(task)), awaiter_(std::move(task_).operator co_await()) {}

  bool await_ready() { return awaiter_.await_ready(); }
  auto await_suspend(std::coroutine_handle<> handle) { return awaiter_.await_suspend(handle); }
  bool await_resume() { return awaiter_.await_resume().has_value(); }

 private:
  Task<T> task_;  // owns the frame that the awaiter refers to
  decltype(std::declval<Task<T>>().operator co_await()) awaiter_;
};

}  // namespace weir
