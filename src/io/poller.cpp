#include "io/poller.h"

#include <unistd.h>

#include "base/assert.h"

namespace weir {
namespace {

// The first two cache lines of an object, if there is one.
void prefetch(const void* object) {
  if (!object) return;
  __builtin_prefetch(object);
  __builtin_prefetch(static_cast<const char*>(object) + 64);
}

}  // namespace

Poller::Poller() : epoll_(epoll_create1(EPOLL_CLOEXEC)) {
  WEIR_ASSERT(epoll_ >= 0, "the process has a descriptor for each core");
}

Poller::~Poller() {
  ::close(epoll_);
}

bool Poller::add(int fd, uint32_t events, Watch& watch) {
  epoll_event event{.events = events, .data = {.ptr = &watch}};
  if (epoll_ctl(epoll_, EPOLL_CTL_ADD, fd, &event) != 0) return false;
  ++watched_;
  return true;
}

void Poller::change(int fd, uint32_t events, Watch& watch) {
  epoll_event event{.events = events, .data = {.ptr = &watch}};
  epoll_ctl(epoll_, EPOLL_CTL_MOD, fd, &event);
}

void Poller::remove(int fd, Watch& watch) {
  epoll_ctl(epoll_, EPOLL_CTL_DEL, fd, nullptr);
  forget(watch);
}

void Poller::forget(const Watch& watch) {
  --watched_;
  for (size_t i = next_; i < count_; ++i) {
    if (events_[i].data.ptr == &watch) events_[i].data.ptr = nullptr;
  }
}

size_t Poller::wait(int timeout_ms) {
  const int found = epoll_wait(epoll_, events_.data(), static_cast<int>(events_.size()), timeout_ms);
  next_ = round_end_ = 0;
  count_ = found > 0 ? static_cast<size_t>(found) : 0;  // a signal ends the wait with an error
  return count_;
}

// With many connections their memory is cold: that of the next two is on its way while this one is served.
void Poller::fetch_ahead() {
  if (next_ + 1 < round_end_) prefetch(events_[next_ + 1].data.ptr);
  if (next_ >= round_end_) return;
  if (const auto* watch = static_cast<const Watch*>(events_[next_].data.ptr)) prefetch(watch->touched_first_);
}

bool Poller::dispatch() {
  round_end_ = std::min(next_ + kRoundMax, count_);
  while (next_ < round_end_) {
    const epoll_event& event = events_[next_++];
    fetch_ahead();
    if (event.data.ptr) static_cast<Watch*>(event.data.ptr)->on_ready(event.events);
  }
  return next_ < count_;
}

}  // namespace weir
