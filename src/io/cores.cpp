#include "io/cores.h"

#include <latch>
#include <sched.h>

namespace weir {
namespace {

size_t processors() {
  // What the process may use (a container's cpuset, taskset), not what the machine has.
  cpu_set_t set;
  if (sched_getaffinity(0, sizeof(set), &set) == 0) return static_cast<size_t>(std::max(CPU_COUNT(&set), 1));
  return std::max<size_t>(std::thread::hardware_concurrency(), 1);
}

}  // namespace

Cores::Cores(size_t count, const Clock& clock, uint64_t seed) {
  if (count == 0) count = processors();
  Rng seeds(seed);
  for (size_t i = 0; i < count; ++i) cores_.push_back(std::make_unique<Core>(i, clock, seeds.next()));
}

Cores::~Cores() {
  stop();
}

void Cores::start() {
  for (const std::unique_ptr<Core>& core : cores_)
    threads_.emplace_back([its_core = core.get()] { its_core->run(); });
}

void Cores::stop() {
  for (const std::unique_ptr<Core>& core : cores_) core->stop();
  for (std::thread& thread : threads_) thread.join();
  threads_.clear();
}

void Cores::for_each(const std::function<void(Core&)>& function) {
  if (threads_.empty()) {
    for (const std::unique_ptr<Core>& core : cores_) function(*core);
    return;
  }
  std::latch done(static_cast<std::ptrdiff_t>(cores_.size()));
  for (const std::unique_ptr<Core>& core : cores_) {
    core->post_remote([&done, &function, its_core = core.get()] {
      function(*its_core);
      done.count_down();
    });
  }
  done.wait();
}

}  // namespace weir
