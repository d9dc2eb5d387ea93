#include "ops/access_log.h"

#include <cerrno>
#include <fcntl.h>
#include <system_error>
#include <unistd.h>

#include "base/encoding.h"
#include "base/flat_text.h"
#include "base/json.h"
#include "ops/blame.h"

namespace weir {
namespace {

// More of a path, which anybody may send, is not logged.
constexpr size_t kPathBytesMax = 256;
// Nor more of any other text, which callers and providers may have made as long as they like: a line that is
// longer than the log's queue would be none at all.
constexpr size_t kTextBytesMax = 2048;

// Writes the members of one line. Names and the values of closed sets are written as they stand; text from
// elsewhere is escaped.
class Line {
 public:
  explicit Line(std::string& out) : out_(out) {}

  // `name` with its punctuation: R"(,"model":)".
  void text(std::string_view name, std::string_view value) {
    out_ += name;
    append_json_string(out_, clip_utf8(value, kTextBytesMax));
  }
  void text_if_any(std::string_view name, std::string_view value) {
    if (!value.empty()) text(name, value);
  }
  void count_if_any(std::string_view name, const std::optional<int64_t>& value) {
    if (value) flat([&](FlatText& to) { to.text(name).decimal(*value); });
  }
  // What `write(FlatText&)` writes, which has numbers and literals alone.
  template <class Write>
  void flat(Write&& write) {
    append_flat(out_, kFlatBytesMax, write);
  }

 private:
  // The longest run of literals and numbers is that of the counts and times.
  static constexpr size_t kFlatBytesMax = 512;

  std::string& out_;
};

int64_t us(const Timings& timings, Mark from, Mark to) {
  return timings.between(from, to).count() / 1000;
}

// Of a call that was never admitted it is all the time that was left.
Mark queue_end(const Timings& timings) {
  return timings.has(Mark::admitted) ? Mark::admitted : Mark::done;
}

void write_caller_and_target(Line& line, const Exchange& exchange) {
  // Without a codec the exchange began inside.
  if (exchange.client_codec) {
    line.flat(
        [&](FlatText& to) { to.text(R"(,"dialect":")").text(to_string(exchange.call.dialect)).byte('"'); });
    line.text(R"(,"path":)", exchange.call.path.substr(0, kPathBytesMax));
  }
  line.text(R"(,"model":)", model_of(exchange.request));
  if (exchange.route) line.text(R"(,"route":)", exchange.route->pattern);
  if (exchange.target) {
    line.text(R"(,"provider":)", exchange.target->target->provider->name);
    line.text(R"(,"target_model":)", exchange.target->model);
  }
  line.text_if_any(R"(,"key":)", exchange.principal->key_name);
}

// The SDKs' own count of their tries of one call, from the second on: the calls before have lines too.
void write_client_retry(Line& line, const Exchange& exchange) {
  constexpr size_t kDigitsMax = 9;
  const std::string_view count = exchange.call.headers.get_or("x-stainless-retry-count", "0");
  if (count != "0") line.text(R"(,"client_retry":)", count.substr(0, kDigitsMax));
}

// How the answer ended, in one word.
std::string_view end_reason(const ExchangeOutcome& outcome) {
  if (!outcome.error) return "complete";
  switch (outcome.error->kind) {
    case ErrorKind::cancelled:
      return "client_gone";
    case ErrorKind::shutting_down:
      return "shutdown";
    case ErrorKind::timeout:
    case ErrorKind::request_timeout:
    case ErrorKind::upstream_timeout:
      return "timeout";
    default:
      // The head was out already: the client saw a part of an answer.
      return outcome.status == 200 ? "cut" : "error";
  }
}

void write_error(Line& line, const Error& error, Blame blame) {
  line.text(R"(,"error":)", to_string(error.kind));
  line.text(R"(,"message":)", error.message);
  line.text_if_any(R"(,"detail":)", error.detail);
  line.text(R"(,"blame":)", to_string(blame));
}

void write_counts_and_times(Line& line, const Exchange& exchange, const ExchangeOutcome& outcome) {
  const Timings& timings = exchange.timings;
  line.flat([&](FlatText& to) {
    to.text(R"(,"status":)").decimal(outcome.status);
    to.text(R"(,"end_reason":")").text(end_reason(outcome)).byte('"');
    to.text(outcome.was_streamed ? R"(,"stream":true)" : R"(,"stream":false)");
    to.text(exchange.is_raw ? R"(,"raw":true)" : R"(,"raw":false)");
    to.text(R"(,"attempts":)").decimal(exchange.calls_made());
    to.text(R"(,"bytes_out":)").decimal(static_cast<int64_t>(outcome.bytes_out));
    to.text(R"(,"total_ms":)").fixed<3>(us(timings, Mark::first_byte, Mark::done));
    if (timings.has(Mark::queued))
      to.text(R"(,"queue_ms":)").fixed<3>(us(timings, Mark::queued, queue_end(timings)));
    if (timings.has(Mark::tried_again))
      to.text(R"(,"retry_ms":)").fixed<3>(us(timings, Mark::picked, Mark::tried_again));
    to.text(R"(,"upstream_ms":)").fixed<3>(us(timings, Mark::sent, Mark::upstream_head));
    to.text(R"(,"first_write_ms":)").fixed<3>(us(timings, Mark::first_byte, Mark::first_write));
  });
}

void write_usage(Line& line, const Usage& usage) {
  if (usage.empty()) return;
  line.flat(
      [&](FlatText& to) { to.text(R"(,"usage":{"source":")").text(to_string(usage.source)).byte('"'); });
  line.count_if_any(R"(,"in_uncached":)", usage.in_uncached);
  line.count_if_any(R"(,"cache_read":)", usage.cache_read);
  line.count_if_any(R"(,"cache_write_5m":)", usage.cache_write_5m);
  line.count_if_any(R"(,"cache_write_1h":)", usage.cache_write_1h);
  line.count_if_any(R"(,"in_audio":)", usage.in_audio);
  line.count_if_any(R"(,"in_image":)", usage.in_image);
  line.count_if_any(R"(,"out_text":)", usage.out_text);
  line.count_if_any(R"(,"out_reasoning":)", usage.out_reasoning);
  line.count_if_any(R"(,"out_audio":)", usage.out_audio);
  line.count_if_any(R"(,"out_image":)", usage.out_image);
  line.count_if_any(R"(,"web_searches":)", usage.web_searches);
  line.count_if_any(R"(,"search_units":)", usage.search_units);
  line.count_if_any(R"(,"in_sound_ms":)", usage.in_sound_ms);
  line.count_if_any(R"(,"in_characters":)", usage.in_characters);
  line.count_if_any(R"(,"images":)", usage.images);
  line.flat([](FlatText& to) { to.byte('}'); });
}

Result<int> open_file(const std::string& path) {
  const int fd = open(path.c_str(), O_WRONLY | O_APPEND | O_CREAT | O_CLOEXEC, 0640);
  if (fd >= 0) return fd;
  return fail(ErrorKind::bad_request, fmt::format("server.access_log: {} cannot be written", path));
}

// Writes to the file, and says in the process's log when lines are lost: once, and again while that goes on.
class FileSink final : public LogSink {
 public:
  FileSink(int fd, const std::string& path) : file_(fd), path_(path) {}
  bool write(std::string_view lines) override {
    if (file_.write(lines)) return true;
    const int why = errno;
    const MonoTime now = SystemClock::instance().now();
    if (!told_at_ || now - *told_at_ >= kPause) {
      told_at_ = now;
      log_error("lines of the access log are lost: make room, or name another file in server.access_log",
                {{"file", path_}, {"error", std::generic_category().message(why)}});
    }
    return false;
  }

 private:
  static constexpr Duration kPause = std::chrono::minutes(1);

  FdLogSink file_;
  const std::string& path_;
  std::optional<MonoTime> told_at_;
};

void write_tags(std::string& out, const std::vector<Tag>& tags) {
  if (tags.empty()) return;
  out += R"(,"tags":)";
  JsonWriter json(out);
  json.begin_object();
  for (const Tag& tag : tags) json.key(tag.key).value(tag.value);
  json.end_object();
}

}  // namespace

void append_access_log_line(std::string& out, const Exchange& exchange, const ExchangeOutcome& outcome,
                            int64_t wall_ns) {
  Line line(out);
  line.flat([&](FlatText& to) {
    to.text(R"({"ts_ms":)").decimal(wall_ns / 1'000'000);
    to.text(R"(,"request_id":")").text(exchange.id);
    to.text(R"(","operation":")").text(operation_name(exchange.request)).byte('"');
  });
  write_caller_and_target(line, exchange);
  if (outcome.error) write_error(line, *outcome.error, blame_of(exchange, *outcome.error));
  write_client_retry(line, exchange);
  write_counts_and_times(line, exchange, outcome);
  write_usage(line, exchange.usage);
  line.count_if_any(R"(,"cost_nano_usd":)", exchange.cost_nano_usd);
  if (!exchange.fidelity.empty()) line.text(R"(,"fidelity":)", exchange.fidelity.header_value());
  if (!exchange.trace.trace_id.empty())
    line.flat([&](FlatText& to) { to.text(R"(,"trace_id":")").text(exchange.trace.trace_id).byte('"'); });
  write_tags(out, exchange.tags);
  out += '}';
}

void append_access_log_line(std::string& out, const PlainRequest& request) {
  Line line(out);
  line.flat([&](FlatText& to) {
    to.text(R"({"ts_ms":)").decimal(request.wall_ns / 1'000'000);
    to.text(R"(,"request_id":")").text(request.id).byte('"');
  });
  line.text_if_any(R"(,"method":)", request.method.substr(0, kPathBytesMax));
  line.text_if_any(R"(,"path":)", request.path.substr(0, kPathBytesMax));
  line.text_if_any(R"(,"key":)", request.key_name);
  if (request.error) write_error(line, *request.error, error_row(request.error->kind).blame);
  line.flat([&](FlatText& to) {
    to.text(R"(,"status":)").decimal(request.status);
    to.text(R"(,"total_ms":)").fixed<3>(request.took.count() / 1000).byte('}');
  });
}

Result<std::unique_ptr<AccessLog>> AccessLog::to_file(const std::string& path, MetricsRegistry& metrics) {
  auto log = std::make_unique<AccessLog>();
  log->path_ = path;
  log->fd_ = TRY(open_file(path));
  log->sink_ = std::make_unique<FileSink>(log->fd_, log->path_);
  log->logger_ = std::make_unique<Logger>(*log->sink_, SystemClock::instance(), LogOptions{});
  log->lost_lines_ = log->logger_->expose(metrics, "access");
  return log;
}

AccessLog::~AccessLog() {
  lost_lines_ = {};
  logger_.reset();
  if (fd_ >= 0) close(fd_);
}

Result<void> AccessLog::reopen() {
  if (path_.empty()) return {};
  const int fresh = TRY(open_file(path_));
  // The number stays, and the log's thread, which may be writing, meets the one file or the other.
  const bool is_swapped = dup3(fresh, fd_, O_CLOEXEC) >= 0;
  close(fresh);
  if (is_swapped) return {};
  return fail(ErrorKind::bad_request, fmt::format("server.access_log: {} cannot be opened anew", path_));
}

void AccessLog::flush() {
  if (logger_) logger_->flush();
}

void AccessLog::ended(const Exchange& exchange, const ExchangeOutcome& outcome) {
  thread_local std::string line;
  line.clear();
  append_access_log_line(line, exchange, outcome, exchange.scope->core().clock().wall_ns());
  write(line);
}

void AccessLog::answered(const PlainRequest& request) {
  std::string line;
  append_access_log_line(line, request);
  write(line);
}

void AccessLog::write(const std::string& line) {
  if (logger_) {
    logger_->line(line);
  } else {
    log_line(line);
  }
}

}  // namespace weir
