// The cores of the process: one thread with one event loop each.
#pragma once

#include <functional>
#include <memory>
#include <thread>
#include <vector>

#include "io/core.h"

namespace weir {

class Cores {
 public:
  // `count` 0 takes one per processor that the process may run on. Each core's random numbers come from
  // `seed`.
  Cores(size_t count, const Clock& clock, uint64_t seed);
  ~Cores();  // stops
  Cores(const Cores&) = delete;
  Cores& operator=(const Cores&) = delete;

  void start();
  // Ends the loops and joins the threads. What still waits on a core is never resumed: whoever spawned it
  // ends it first (HttpServer::stop). Idempotent.
  void stop();

  size_t size() const { return cores_.size(); }
  Core& operator[](size_t index) { return *cores_[index]; }

  // Runs the function on each core's thread and waits until all have. From a thread that is not a core's.
  // Before start() and after stop() it runs on the caller's.
  void for_each(const std::function<void(Core&)>& function);

 private:
  std::vector<std::unique_ptr<Core>> cores_;
  std::vector<std::thread> threads_;
};

}  // namespace weir
