#include <array>
#include <atomic>
#include <deque>
#include <map>

#include "provider/target_state.h"

namespace weir {

// Without a cap an atomic counts the calls. With one all of it is under one lock; the waiters sleep on their
// own cores and are woken by a message to them.
struct Permits::Impl {
  // One waiting call. Shared between its coroutine and the queue, since a grant and a cancellation may cross.
  struct Waiting {
    struct Wait final : Waiter {
      void detach() override {}
    };
    Core* core = nullptr;
    Wait wait;                // its core's thread only
    bool is_granted = false;  // under the lock
  };
  using Line = std::deque<std::shared_ptr<Waiting>>;

  // The lines of one priority, one for each API key, and whose turn it is.
  struct Class {
    std::map<std::string, Line> lines;
    std::string last_served;
  };

  mutable std::mutex mutex;
  // Changed under the lock. Who gives a place back first counts it and then looks for a cap; who waits looks
  // at the count behind the cap: so one of them sees the other, as long as neither order is relaxed.
  std::atomic<size_t> concurrency = 0;
  std::atomic<size_t> in_use = 0;
  size_t waiters_max = 0;
  size_t waiting = 0;
  std::array<Class, kPriorityCount> classes;

  bool has_room() const { return concurrency == 0 || in_use < concurrency; }

  // The next call to serve, or nothing. The keys of a class take turns in the order of their names.
  std::shared_ptr<Waiting> take_next() {
    for (Class& one : classes) {
      if (!one.lines.empty()) {
        auto line = one.lines.upper_bound(one.last_served);
        if (line == one.lines.end()) line = one.lines.begin();
        one.last_served = line->first;
        std::shared_ptr<Waiting> next = std::move(line->second.front());
        line->second.pop_front();
        if (line->second.empty()) one.lines.erase(line);
        --waiting;
        return next;
      }
    }
    return nullptr;
  }

  // Takes a call out of its line that gave up waiting, so that the line is no longer than it counts.
  void forget(Priority priority, const std::string& key_id, const std::shared_ptr<Waiting>& call) {
    auto& lines = classes[static_cast<size_t>(priority)].lines;
    const auto line = lines.find(key_id);
    std::erase(line->second, call);
    if (line->second.empty()) lines.erase(line);
    --waiting;
  }

  // Hands free places to those who wait. Gives the calls to wake, outside the lock.
  std::vector<std::shared_ptr<Waiting>> grant() {
    std::vector<std::shared_ptr<Waiting>> woken;
    while (has_room()) {
      std::shared_ptr<Waiting> next = take_next();
      if (!next) break;
      next->is_granted = true;
      ++in_use;
      woken.push_back(std::move(next));
    }
    return woken;
  }

  static void wake(const std::vector<std::shared_ptr<Waiting>>& woken) {
    for (const std::shared_ptr<Waiting>& waiting : woken) {
      waiting->core->post_remote([waiting] { waiting->wait.complete(); });
    }
  }
};

Permits::Permits(size_t concurrency, size_t waiters_max) : impl_(std::make_unique<Impl>()) {
  impl_->concurrency = concurrency;
  impl_->waiters_max = waiters_max;
}

Permits::~Permits() = default;

Permits::Permit& Permits::Permit::operator=(Permit&& other) noexcept {
  if (this != &other) {
    if (owner_) owner_->release();
    owner_ = std::move(other.owner_);
  }
  return *this;
}

Permits::Permit::~Permit() {
  if (owner_) owner_->release();
}

void Permits::release() {
  --impl_->in_use;
  if (impl_->concurrency == 0) return;
  std::vector<std::shared_ptr<Impl::Waiting>> woken;
  {
    const std::lock_guard lock(impl_->mutex);
    woken = impl_->grant();
  }
  Impl::wake(woken);
}

std::optional<Permits::Permit> Permits::try_acquire(const std::shared_ptr<Permits>& permits) {
  Impl& impl = *permits->impl_;
  if (impl.concurrency == 0) {
    ++impl.in_use;
    return Permit(permits);
  }
  const std::lock_guard lock(impl.mutex);
  // Newcomers do not overtake: a free place with somebody waiting is already on its way to them.
  if (!impl.has_room() || impl.waiting > 0) return std::nullopt;
  ++impl.in_use;
  return Permit(permits);
}

Task<Permits::Permit> Permits::acquire(Scope& scope, std::shared_ptr<Permits> permits, Priority priority,
                                       std::string key_id) {
  Impl& impl = *permits->impl_;
  std::shared_ptr<Impl::Waiting> waiting;
  {
    const std::lock_guard lock(impl.mutex);
    if (impl.has_room() && impl.waiting == 0) {
      ++impl.in_use;
      co_return Permit(std::move(permits));
    }
    if (impl.waiting >= impl.waiters_max) {
      Error error =
          make_error(ErrorKind::overloaded, "too many calls wait for this model; try again in a second");
      error.retry_after_ms = 1000;
      co_return fail(std::move(error));
    }
    waiting = std::make_shared<Impl::Waiting>();
    waiting->core = &scope.core();
    impl.classes[static_cast<size_t>(priority)].lines[key_id].push_back(waiting);
    ++impl.waiting;
  }
  const Result<void> waited = co_await waiting->wait.on(scope);
  if (waited) co_return Permit(std::move(permits));
  bool was_granted = false;
  {
    const std::lock_guard lock(impl.mutex);
    was_granted = waiting->is_granted;
    if (!was_granted) impl.forget(priority, key_id, waiting);
  }
  // The place was given in the same moment: pass it on.
  if (was_granted) permits->release();
  co_return fail(waited.error());
}

size_t Permits::in_use() const {
  return impl_->in_use;
}

size_t Permits::waiting() const {
  const std::lock_guard lock(impl_->mutex);
  size_t held = 0;
  for (const Impl::Class& one : impl_->classes) {
    for (const auto& [key_id, line] : one.lines) held += line.size();
  }
  return held;
}

void Permits::set_concurrency(size_t concurrency) {
  std::vector<std::shared_ptr<Impl::Waiting>> woken;
  {
    const std::lock_guard lock(impl_->mutex);
    if (impl_->concurrency == concurrency) return;
    impl_->concurrency = concurrency;
    woken = impl_->grant();
  }
  Impl::wake(woken);
}

}  // namespace weir
