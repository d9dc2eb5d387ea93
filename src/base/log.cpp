#include "base/log.h"

#include <cerrno>
#include <poll.h>
#include <sys/resource.h>
#include <unistd.h>

#include "base/limits.h"

namespace weir {
namespace {

std::atomic<Logger*> process_logger = nullptr;

// The queue of the calling thread: threads take turns.
size_t queue_index(size_t queue_count) {
  static std::atomic<uint32_t> next_thread = 0;
  thread_local constinit uint32_t thread = UINT32_MAX;
  if (thread == UINT32_MAX) thread = next_thread.fetch_add(1, std::memory_order_relaxed);
  return thread % queue_count;
}

// A line of this thread, in memory that the next one reuses.
std::string& line_buffer() {
  thread_local std::string buffer;
  buffer.clear();
  return buffer;
}

// Written with one call. While the kernel copies, a core that wakes up on the same CPU may have to wait for
// the end of the call: a millisecond for a megabyte.
constexpr size_t kWriteBytesMax = 16 * kKiB;

// As many whole lines as fit into one call, or one that does not.
std::string_view first_call_of(std::string_view lines) {
  if (lines.size() <= kWriteBytesMax) return lines;
  size_t end = lines.rfind('\n', kWriteBytesMax - 1);
  if (end == std::string_view::npos) end = std::min(lines.find('\n'), lines.size() - 1);
  return lines.substr(0, end + 1);
}

}  // namespace

bool FdLogSink::write(std::string_view lines) {
  while (!lines.empty()) {
    const std::string_view first = first_call_of(lines);
    const ssize_t written = ::write(fd_, first.data(), first.size());
    if (written > 0) {
      lines.remove_prefix(static_cast<size_t>(written));
      if (!lines.empty()) std::this_thread::yield();
    } else if (written < 0 && errno == EAGAIN) {
      // Somebody who shares the descriptor has made it non-blocking.
      pollfd ready{fd_, POLLOUT, 0};
      (void)::poll(&ready, 1, -1);
    } else if (written == 0 || errno != EINTR) {
      return false;
    }
  }
  return true;
}

Logger::Logger(LogSink& sink, const Clock& clock, const LogOptions& options)
    : sink_(sink), clock_(clock), options_(options), level_(options.level), writer_([this] { run(); }) {}

Logger::~Logger() {
  {
    const std::lock_guard lock(mutex_);
    is_stopping_ = true;
  }
  changed_.notify_all();
  writer_.join();
}

void Logger::log(LogLevel level, std::string_view message, LogFields fields) {
  if (!is_on(level)) return;
  std::string& buffer = line_buffer();
  append_log_line(buffer, options_.format, clock_.wall_ns(), level, message, fields);
  buffer.pop_back();  // push() puts the line feed behind every line
  push(buffer);
}

void Logger::line(std::string_view complete_line) {
  push(complete_line);
}

void Logger::push(std::string_view line) {
  Queue& queue = queues_[queue_index(kQueues)];
  bool is_half_full = false;
  {
    const std::lock_guard lock(queue.mutex);
    if (queue.lines.size() + line.size() + 1 > kLogQueueBytesMax) {
      dropped_.fetch_add(1, std::memory_order_relaxed);
      return;
    }
    const size_t before = queue.lines.size();
    queue.lines.append(line).push_back('\n');
    is_half_full = before < kLogQueueBytesMax / 2 && queue.lines.size() >= kLogQueueBytesMax / 2;
  }
  // The writer clears the flag before its last look into the queues: who still sees it set has either a
  // writer that will come for this line, or one that is about to be woken by another thread.
  if (is_half_full || !has_lines_.load()) wake(is_half_full);
}

void Logger::wake(bool is_urgent) {
  const bool was_awake = has_lines_.exchange(true);
  if (is_urgent) is_urgent_.store(true);
  if (was_awake && !is_urgent) return;
  // Taking the lock once makes sure that the writer is either before its check or waiting.
  {
    const std::lock_guard lock(mutex_);
  }
  changed_.notify_all();
}

void Logger::flush() {
  std::unique_lock lock(mutex_);
  const uint64_t mine = ++flushes_asked_;
  changed_.notify_all();
  changed_.wait(lock, [this, mine] { return flushes_done_ >= mine; });
}

void Logger::wait_for_lines() {
  std::unique_lock lock(mutex_);
  const auto is_pressed = [this] {
    return is_stopping_ || flushes_asked_ > flushes_done_ || is_urgent_.load();
  };
  changed_.wait(lock, [this, is_pressed] { return has_lines_.load() || is_pressed(); });
  changed_.wait_for(lock, options_.batch_delay, is_pressed);
}

void Logger::run() {
  // A core on the same CPU does not wait until a batch is written.
  constexpr int kNiceness = 10;
  (void)setpriority(PRIO_PROCESS, static_cast<id_t>(gettid()), kNiceness);
  for (bool is_last = false; !is_last;) {
    wait_for_lines();
    uint64_t flushing = 0;
    {
      const std::lock_guard lock(mutex_);
      is_last = is_stopping_;
      flushing = flushes_asked_;
    }
    drain();
    {
      const std::lock_guard lock(mutex_);
      flushes_done_ = flushing;
    }
    changed_.notify_all();
  }
}

// While lines keep coming the writer looks after them every batch_delay, and nobody has to wake it.
void Logger::drain() {
  is_urgent_.store(false);
  if (write_queued()) return;
  has_lines_.store(false);
  // What was queued since the first look found the flag set.
  if (write_queued()) has_lines_.store(true);
}

// False: there was none.
bool Logger::write_queued() {
  bool has_written = false;
  std::string& lines = batch_;
  for (Queue& queue : queues_) {
    {
      const std::lock_guard lock(queue.mutex);
      if (queue.lines.empty()) continue;
      lines.swap(queue.lines);
    }
    has_written = true;
    if (!sink_.write(lines)) {
      const auto lost = std::count(lines.begin(), lines.end(), '\n');
      dropped_.fetch_add(static_cast<uint64_t>(lost), std::memory_order_relaxed);
    }
    // The memory of a burst goes back.
    lines.clear();
    if (lines.capacity() > kLogQueueBytesMax / 2) lines = std::string();
  }
  return has_written;
}

MetricCallback Logger::expose(MetricsRegistry& registry, std::string_view name) const {
  return registry.counter_callback({.name = "weir_log_dropped_total",
                                    .help = "Log lines lost to a full queue or a failing sink.",
                                    .labels = {"log"}},
                                   {std::string(name)}, [this] { return static_cast<double>(dropped()); });
}

void set_process_logger(Logger* logger) {
  process_logger.store(logger);
}

void log(LogLevel level, std::string_view message, LogFields fields) {
  if (Logger* const logger = process_logger.load(std::memory_order_acquire)) {
    logger->log(level, message, fields);
  } else if (level >= LogLevel::warn) {
    std::string& buffer = line_buffer();
    append_log_line(buffer, LogFormat::text, SystemClock::instance().wall_ns(), level, message, fields);
    (void)FdLogSink(STDERR_FILENO).write(buffer);
  }
}

void log_line(std::string_view complete_json_line) {
  if (Logger* const logger = process_logger.load(std::memory_order_acquire)) logger->line(complete_json_line);
}

}  // namespace weir
