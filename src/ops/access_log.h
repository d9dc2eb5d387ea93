// The access log: one JSON line for each exchange, and for each other request.
#pragma once

#include <memory>
#include <string>

#include "base/log.h"
#include "gateway/observer.h"

namespace weir {

// Appends the line without its line feed. Text of users is not in it; names of keys, models and providers
// are.
void append_access_log_line(std::string& out, const Exchange& exchange, const ExchangeOutcome& outcome,
                            int64_t wall_ns);

// The same for what is no model call.
void append_access_log_line(std::string& out, const PlainRequest& request);

class AccessLog final : public ExchangeObserver {
 public:
  AccessLog() = default;  // to the process's log
  // To a file of its own, appended to. Lines that are lost are counted in `metrics`, and the process's log
  // tells why. Error: bad_request when the file cannot be opened.
  static Result<std::unique_ptr<AccessLog>> to_file(const std::string& path, MetricsRegistry& metrics);
  ~AccessLog() override;

  // Opens the file's name anew, so that lines go to a new file when somebody has moved the old one away. No
  // effect without a file of its own. Error: bad_request when that fails; lines go on into the old file.
  // Thread-safe.
  Result<void> reopen();

  // Returns when the lines of before are with their file. Blocks: for tests. No effect without a file.
  void flush();

  void started(const Exchange&) override {}
  void ended(const Exchange& exchange, const ExchangeOutcome& outcome) override;
  void answered(const PlainRequest& request) override;

 private:
  void write(const std::string& line);

  std::string path_;
  int fd_ = -1;
  std::unique_ptr<LogSink> sink_;
  std::unique_ptr<Logger> logger_;
  MetricCallback lost_lines_;  // the logger's
};

}  // namespace weir
