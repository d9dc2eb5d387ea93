#include "io/worker.h"

#include <algorithm>
#include <array>
#include <condition_variable>

#include "base/assert.h"
#include "base/log.h"

namespace weir {

bool pause(const std::stop_token& stop, Duration duration) {
  std::mutex mutex;
  std::condition_variable_any never;
  std::unique_lock lock(mutex);
  never.wait_for(lock, stop, duration, [] { return false; });
  return !stop.stop_requested();
}

Worker::Worker(Workers& workers, std::string_view name, Body body)
    : workers_(workers),
      name_(name),
      body_(std::move(body)),
      thread_([this](const std::stop_token& stop) { supervise(stop); }) {}

Worker::~Worker() {
  stop();
}

void Worker::stop() {
  if (!thread_.joinable()) return;
  thread_.request_stop();
  thread_.join();
}

Result<void> Worker::run_once(const std::stop_token& stop) {
  try {
    return body_(stop);
  } catch (const std::exception& exception) {
    Error error = make_error(ErrorKind::internal, "internal error");
    error.detail = std::string("exception in a worker: ") + exception.what();
    return fail(std::move(error));
  }
}

void Worker::supervise(const std::stop_token& stop) {
  const Clock& clock = SystemClock::instance();
  Duration wait = workers_.pauses_.first;
  for (;;) {
    const MonoTime began = clock.now();
    const bool is_last = stop.stop_requested();
    const Result<void> ended = run_once(stop);
    if (ended) break;
    workers_.note_failure(name_, ended.error());
    if (is_last) break;
    if (clock.now() - began >= workers_.pauses_.longest) wait = workers_.pauses_.first;
    log_error("a worker failed and is started again", {{"worker", name_},
                                                       {"error", ended.error().message},
                                                       {"detail", ended.error().detail},
                                                       {"pause_ms", wait / std::chrono::milliseconds(1)}});
    (void)pause(stop, wait);
    wait = std::min(2 * wait, workers_.pauses_.longest);
    workers_.note(name_, Workers::State::works);
  }
  workers_.note(name_, Workers::State::ended);
}

Workers::Workers(MetricsRegistry& metrics, WorkerPauses pauses)
    : pauses_(pauses),
      up_(metrics.gauge({.name = "weir_worker_up",
                         .help = "Whether a worker of the process works (1), or waits after a failure (0).",
                         .labels = {"worker"}})),
      restarts_(metrics.counter({.name = "weir_worker_restarts_total",
                                 .help = "Failures of workers, which were started again.",
                                 .labels = {"worker"}})) {}

std::unique_ptr<Worker> Workers::start(std::string_view name, Worker::Body body) {
  {
    const std::lock_guard lock(mutex_);
    const auto [known, is_new] = known_.try_emplace(name, Status{.name = name, .failure = {}});
    WEIR_ASSERT(is_new || known->second.state == State::ended, "a worker runs once");
  }
  note(name, State::works);
  restarts_.with({name}).add(0);
  try {
    return std::unique_ptr<Worker>(new Worker(*this, name, std::move(body)));
  } catch (const std::exception&) {
    note(name, State::ended);
    throw;
  }
}

void Workers::note(std::string_view name, State state) {
  up_.with({name}).set(state == State::works ? 1 : 0);
  const std::lock_guard lock(mutex_);
  known_.at(name).state = state;
}

void Workers::note_failure(std::string_view name, const Error& error) {
  up_.with({name}).set(0);
  restarts_.with({name}).add();
  const std::lock_guard lock(mutex_);
  Status& status = known_.at(name);
  status.state = State::waits;
  ++status.restarts;
  status.failure = error.detail.empty() ? error.message : error.detail;
}

std::vector<Workers::Status> Workers::status() const {
  std::vector<Status> all;
  const std::lock_guard lock(mutex_);
  for (const auto& [name, status] : known_) all.push_back(status);
  return all;
}

std::string_view to_string(Workers::State state) {
  constexpr std::array<std::string_view, 3> kNames = {"works", "waits", "ended"};
  return kNames[static_cast<size_t>(state)];
}

}  // namespace weir
