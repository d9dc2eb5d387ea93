// Worker: work of the process that lasts as long as the process, on a thread of its own and supervised: when
// it fails it is started again, after pauses that grow, so that a fault costs a while of that work and not
// the process. Its owner stops it, in the order in which the owners end (app::Server).
#pragma once

#include <functional>
#include <map>
#include <memory>
#include <mutex>
#include <stop_token>
#include <string>
#include <string_view>
#include <thread>
#include <vector>

#include "base/clock.h"
#include "base/metrics.h"
#include "base/result.h"

namespace weir {

class Workers;

class Worker {
 public:
  // Goes on until it is asked to stop, then does what is left to be done and returns (a std::stop_callback
  // wakes what it waits in). A failure is an Error or an exception; what it returns without one is its end.
  using Body = std::function<Result<void>(const std::stop_token& stop)>;

  ~Worker();  // stops
  Worker(const Worker&) = delete;
  Worker& operator=(const Worker&) = delete;

  // Asks it to stop and waits until it has. During a pause after a failure it is run a last time first, so
  // that it can do what is left. Idempotent. Not from the worker itself.
  void stop();

 private:
  friend class Workers;
  Worker(Workers& workers, std::string_view name, Body body);
  void supervise(const std::stop_token& stop);
  Result<void> run_once(const std::stop_token& stop);

  Workers& workers_;
  const std::string_view name_;
  const Body body_;
  std::jthread thread_;  // last: it uses everything above
};

// For workers that look at something from time to time. False, at once: the stop was asked for.
bool pause(const std::stop_token& stop, Duration duration);

struct WorkerPauses {
  Duration first = std::chrono::milliseconds(100);  // doubled with each failure
  // At most; after as long a time without a failure the next one is a first one again.
  Duration longest = std::chrono::seconds(30);
};

// The workers of a process: starts them and tells how they are.
class Workers {
 public:
  // Shown as weir_worker_up{worker} (1: it works; 0: it waits after a failure) and
  // weir_worker_restarts_total{worker}. `metrics` outlives this, and this its workers.
  explicit Workers(MetricsRegistry& metrics, WorkerPauses pauses = {});

  // `name` is a literal, and a label of metrics. REQUIRES that no other worker of that name runs. Throws
  // std::system_error when the process can have no more threads; it may be called again then.
  std::unique_ptr<Worker> start(std::string_view name, Worker::Body body);

  enum class State : uint8_t { works, waits, ended };
  struct Status {
    std::string_view name;
    State state = State::works;
    uint64_t restarts = 0;
    std::string failure;  // the last one; empty: none
  };
  // Of all that were started, by name. From any thread.
  std::vector<Status> status() const;

 private:
  friend class Worker;
  void note(std::string_view name, State state);
  void note_failure(std::string_view name, const Error& error);

  const WorkerPauses pauses_;
  const GaugeFamily up_;
  const CounterFamily restarts_;
  mutable std::mutex mutex_;  // guards what follows; held for moments
  std::map<std::string_view, Status> known_;
};

std::string_view to_string(Workers::State state);

}  // namespace weir
