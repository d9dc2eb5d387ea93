// A bounded pool of threads for what would block a core: SQL, files, long CPU work. Work goes in from a core
// and its result comes back to the same core.
#pragma once

#include <condition_variable>
#include <deque>
#include <exception>
#include <functional>
#include <memory>
#include <mutex>
#include <string>
#include <thread>
#include <type_traits>
#include <vector>

#include "io/core.h"
#include "io/scope.h"

namespace weir {

class Pool {
 public:
  // `name` is what the error of a full queue says.
  Pool(std::string name, size_t threads, size_t queue_max);
  ~Pool();  // stops
  Pool(const Pool&) = delete;
  Pool& operator=(const Pool&) = delete;

  // Runs `function` (returning Result<T>) on a pool thread. Everything it uses must be captured by value:
  // when the scope is cancelled the caller returns at once and the function's result is thrown away. Errors:
  // overloaded when the queue is full, the scope's reason, the function's own. Not inlined: few calls need
  // it, and the frames of all would hold it.
  template <class Function, class R = std::invoke_result_t<Function>>
  [[gnu::noinline]] Task<typename R::value_type> run(Scope& scope, Function function);

  // As run(), but nothing cancels it: the function may refer to what the caller keeps. For short work.
  template <class Function, class R = std::invoke_result_t<Function>>
  [[gnu::noinline]] Task<typename R::value_type> run_to_end(Core& core, Function function);

  // Finishes what was accepted, then joins the threads; from then on run() is overloaded. REQUIRES that the
  // cores that called run() still exist. Idempotent. Not from a job.
  void stop();

  size_t queued() const;

 private:
  struct Completion;
  template <class T, class Function>
  static Result<T> guarded(Function& function);
  bool submit(std::function<void()> job);
  void work();

  const std::string name_;
  const size_t queue_max_;
  mutable std::mutex mutex_;
  std::condition_variable wake_;
  std::deque<std::function<void()>> queue_;
  bool is_stopping_ = false;
  std::vector<std::thread> threads_;
};

// Shared by the waiting coroutine and the job: whoever comes last frees it.
struct Pool::Completion final {
  struct Wait final : Waiter {
    void detach() override {}
  };
  Wait wait;
  bool is_abandoned = false;  // core's thread only
};

// An exception is a bug of the job's; it costs the job, not the process.
template <class T, class Function>
Result<T> Pool::guarded(Function& function) {
  try {
    return function();
  } catch (const std::exception& exception) {
    Error error = make_error(ErrorKind::internal, "internal error");
    error.detail = std::string("exception in a job of a pool: ") + exception.what();
    return fail(std::move(error));
  }
}

template <class Function, class R>
Task<typename R::value_type> Pool::run(Scope& scope, Function function) {
  using T = typename R::value_type;
  struct Shared {
    Completion completion;
    std::optional<Result<T>> result;
  };
  auto shared = std::make_shared<Shared>();
  Core& core = scope.core();
  const bool accepted = submit([shared, &core, function = std::move(function)]() mutable {
    auto result = std::make_shared<Result<T>>(guarded<T>(function));
    core.post_remote([shared, result] {
      shared->result = std::move(*result);
      if (!shared->completion.is_abandoned) shared->completion.wait.complete();
    });
  });
  if (!accepted)
    co_return fail(ErrorKind::overloaded, "the queue of the pool " + name_ + " is full; try again");
  Result<void> waited = co_await shared->completion.wait.on(scope);
  if (!waited) {
    shared->completion.is_abandoned = true;
    co_return fail(std::move(waited).error());
  }
  co_return std::move(*shared->result);
}

template <class Function, class R>
Task<typename R::value_type> Pool::run_to_end(Core& core, Function function) {
  Scope own(core);
  co_return co_await run(own, std::move(function));
}

}  // namespace weir
