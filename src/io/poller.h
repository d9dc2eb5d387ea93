// What the kernel says about the descriptors of one core: epoll. A descriptor is registered once, for
// everything and edge-triggered, and whoever watches it remembers what it is ready for: a request then costs
// no call of epoll_ctl, where a reactor that arms each wait needs two.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <sys/epoll.h>

namespace weir {

class Poller {
 public:
  class Watch {
   public:
    // `events`: EPOLLIN and the like. May destroy this watch, or any other.
    virtual void on_ready(uint32_t events) = 0;

   protected:
    ~Watch() = default;
    // What on_ready() touches first besides this object: fetched ahead, never looked into. May be null.
    const void* touched_first_ = nullptr;

   private:
    friend class Poller;
  };

  Poller();
  ~Poller();
  Poller(const Poller&) = delete;
  Poller& operator=(const Poller&) = delete;

  // Reports `events` of `fd` to the watch until remove(), or until `fd` is closed and forget() called. False:
  // the kernel has no room for one more.
  bool add(int fd, uint32_t events, Watch& watch);
  void change(int fd, uint32_t events, Watch& watch);
  void remove(int fd, Watch& watch);
  // The descriptor is closed, which takes it off the kernel's list: nothing that was found before is reported
  // either.
  void forget(const Watch& watch);
  size_t watched() const { return watched_; }

  // Asks the kernel, and waits up to `timeout_ms` (-1: for ever) when nothing is ready. Returns how many
  // reports there are for dispatch() to make.
  size_t wait(int timeout_ms);
  // Makes one round of the reports that wait() found, up to kRoundMax. False: those were the last.
  bool dispatch();
  // Whether the round that dispatch() makes now goes on behind the report that it has just made.
  bool is_mid_round() const { return next_ < round_end_; }

 private:
  static constexpr size_t kEventsMax = 128;
  static constexpr size_t kRoundMax = 16;

  void fetch_ahead();

  int epoll_;
  size_t watched_ = 0;
  size_t next_ = 0;  // of events_, to be reported
  size_t round_end_ = 0;
  size_t count_ = 0;
  std::array<epoll_event, kEventsMax> events_;
};

}  // namespace weir
