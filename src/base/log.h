// The log: lines of JSON for programs, or of text for people at a terminal. A caller formats its line and
// leaves it in a queue; one thread writes, many lines with one system call. A full queue drops lines and
// counts them, since a slow disk must not stop traffic.
//
//   log_info("config reloaded", {{"generation", 3}, {"file", path}});
//   {"ts":"2026-11-20T11:22:33.123456Z","level":"info","msg":"config
//   reloaded","generation":3,"file":"weir.yaml"}
//
// Messages and text values go through redact(), fields with a secret's name show "***"; a Secret does not
// compile.
#pragma once

#include <array>
#include <atomic>
#include <concepts>
#include <condition_variable>
#include <cstdint>
#include <initializer_list>
#include <memory>
#include <mutex>
#include <string>
#include <string_view>
#include <thread>
#include <variant>

#include "base/clock.h"
#include "base/metrics.h"
#include "base/secret.h"

namespace weir {

enum class LogLevel : uint8_t { debug, info, warn, error };
std::string_view to_string(LogLevel level);
// nullopt for every other name.
std::optional<LogLevel> parse_log_level(std::string_view name);

enum class LogFormat : uint8_t { json, text };

// A name and a value of one log call. Views: valid for the call.
class LogField {
 public:
  using Value = std::variant<std::string_view, int64_t, uint64_t, double, bool>;

  LogField(std::string_view name, std::string_view text) : name(name), value(text) {}
  LogField(std::string_view name, const char* text) : name(name), value(std::string_view(text)) {}
  LogField(std::string_view name, const std::string& text) : name(name), value(std::string_view(text)) {}
  LogField(std::string_view name, std::floating_point auto number) : name(name), value(double{number}) {}
  LogField(std::string_view name, std::same_as<bool> auto flag) : name(name), value(flag) {}
  template <std::integral T>
    requires(!std::same_as<T, bool>)
  LogField(std::string_view name, T number)
      : name(name), value(static_cast<std::conditional_t<std::is_signed_v<T>, int64_t, uint64_t>>(number)) {}
  LogField(std::string_view name, const Secret& secret) = delete;

  std::string_view name;
  Value value;
};
using LogFields = std::initializer_list<LogField>;

// Where lines go. Called by the logger's thread alone.
class LogSink {
 public:
  virtual ~LogSink() = default;
  // One or more whole lines, each with its line feed. False when they are lost.
  virtual bool write(std::string_view lines) = 0;
};

// Writes to a file descriptor that it does not own; waits while a pipe or terminal is full. SIGPIPE must be
// ignored.
class FdLogSink final : public LogSink {
 public:
  explicit FdLogSink(int fd) : fd_(fd) {}
  bool write(std::string_view lines) override;

 private:
  int fd_;
};

struct LogOptions {
  LogLevel level = LogLevel::info;  // less than this is not logged
  LogFormat format = LogFormat::json;
  // How long the writer waits for company after the first line: waking it costs tens of microseconds,
  // whatever the number of lines.
  std::chrono::milliseconds batch_delay{20};
};

// Owns the writing thread. Thread-safe.
class Logger {
 public:
  // REQUIRES sink and clock to outlive this.
  Logger(LogSink& sink, const Clock& clock, const LogOptions& options);
  // Writes what is queued. REQUIRES that nobody logs any more.
  ~Logger();
  Logger(const Logger&) = delete;
  Logger& operator=(const Logger&) = delete;

  bool is_on(LogLevel level) const { return level >= level_.load(std::memory_order_relaxed); }
  void set_level(LogLevel level) { level_.store(level, std::memory_order_relaxed); }

  void log(LogLevel level, std::string_view message, LogFields fields);
  // Queues a line that is complete but for its line feed, whatever the level; the caller has redacted it.
  // REQUIRES no line feed inside.
  void line(std::string_view complete_line);

  // Returns when every line queued before is with the sink. Blocks: for shutdown and tests.
  void flush();
  // Lines lost since the start: to a full queue (kLogQueueBytesMax), or by the sink.
  uint64_t dropped() const { return dropped_.load(std::memory_order_relaxed); }
  // weir_log_dropped_total, which must stay 0, of the log of that name: "process" or "access".
  [[nodiscard]] MetricCallback expose(MetricsRegistry& registry, std::string_view name) const;

 private:
  // Threads are spread over a few queues, so that two of them seldom want the same lock; it is held to copy
  // one line, or to swap two strings.
  static constexpr size_t kQueues = 16;
  struct alignas(64) Queue {
    std::mutex mutex;
    std::string lines;
  };

  void push(std::string_view line);
  void wake(bool is_urgent);
  void run();
  void wait_for_lines();
  void drain();
  bool write_queued();

  LogSink& sink_;
  const Clock& clock_;
  const LogOptions options_;
  std::atomic<LogLevel> level_;
  std::atomic<uint64_t> dropped_ = 0;
  std::array<Queue, kQueues> queues_;

  std::atomic<bool> has_lines_ = false;  // or had some a short while ago: the writer will come by itself
  std::atomic<bool> is_urgent_ = false;  // a queue is half full
  std::mutex mutex_;                     // guards what follows
  std::condition_variable changed_;
  bool is_stopping_ = false;
  uint64_t flushes_asked_ = 0;
  uint64_t flushes_done_ = 0;
  std::string batch_;   // the writer's alone; a queue goes on in the memory of the batch before
  std::thread writer_;  // last: it uses everything above
};

// The process's logger, used by the functions below; set by app. With none, warnings and errors go straight
// to stderr as text and the rest nowhere. REQUIRES the logger to live until another one (or nullptr) is set
// and nobody logs through it any more.
void set_process_logger(Logger* logger);

void log(LogLevel level, std::string_view message, LogFields fields = {});
inline void log_debug(std::string_view message, LogFields fields = {}) {
  log(LogLevel::debug, message, fields);
}
inline void log_info(std::string_view message, LogFields fields = {}) {
  log(LogLevel::info, message, fields);
}
inline void log_warn(std::string_view message, LogFields fields = {}) {
  log(LogLevel::warn, message, fields);
}
inline void log_error(std::string_view message, LogFields fields = {}) {
  log(LogLevel::error, message, fields);
}
// For access log lines: Logger::line; without a process logger nothing happens.
void log_line(std::string_view complete_json_line);

// A line as log() queues it, its line feed included. `wall_ns` as Clock::wall_ns.
void append_log_line(std::string& out, LogFormat format, int64_t wall_ns, LogLevel level,
                     std::string_view message, LogFields fields);

}  // namespace weir
