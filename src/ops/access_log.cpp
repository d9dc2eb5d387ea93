#include "ops/access_log.h"

#include <array>
#include <cerrno>
#include <fcntl.h>
#include <system_error>
#include <unistd.h>

#include "base/encoding.h"
#include "base/flat_text.h"
#include "base/json.h"
#include "gateway/route_plan.h"
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
  // Members as they stand.
  void members(std::string_view json) { out_ += json; }
  // What `write(FlatText&)` writes, which has numbers and literals alone.
  template <class Write>
  void flat(Write&& write) {
    append_flat(out_, kFlatBytesMax, write);
  }

 private:
  // The longest run of literals and numbers is that of the counts, the times and the usage.
  static constexpr size_t kFlatBytesMax = 1536;

  std::string& out_;
};

int64_t us(const Timings& timings, Mark from, Mark to) {
  return timings.between(from, to).count() / 1000;
}

// Of a call that was never admitted it is all the time that was left.
Mark queue_end(const Timings& timings) {
  return timings.has(Mark::admitted) ? Mark::admitted : Mark::done;
}

// The members that follow from the plan of an exchange and its target. Each thread remembers some, as text.
std::string_view names_of(const Exchange& exchange) {
  struct Names {
    uint64_t plan_id = 0;  // 0: of no plan, and of no other exchange
    const Candidate* target = nullptr;
    std::string text{};
  };
  constexpr size_t kNamesMax = 64;  // others take their places
  thread_local std::array<Names, kNamesMax> known;
  const uint64_t plan_id = exchange.plan ? exchange.plan->id : 0;
  Names& names = known[plan_id % kNamesMax];
  if (plan_id == 0 || names.plan_id != plan_id || names.target != exchange.target) [[unlikely]] {
    names = {.plan_id = plan_id, .target = exchange.target};
    Line line(names.text);
    line.text(R"(,"model":)", model_of(exchange.request));
    if (exchange.route) line.text(R"(,"route":)", exchange.route->pattern);
    if (exchange.target) {
      line.text(R"(,"provider":)", exchange.target->target->provider->name);
      line.text(R"(,"target_model":)", exchange.target->model);
    }
  }
  return names.text;
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

void write_counts_and_times(FlatText& to, const Exchange& exchange, const ExchangeOutcome& outcome) {
  const Timings& timings = exchange.timings;
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
}

struct UsageMember {
  std::string_view name;
  std::optional<int64_t> Usage::* count;
};
constexpr std::array kUsageMembers = {
    UsageMember{R"(,"in_uncached":)", &Usage::in_uncached},
    UsageMember{R"(,"cache_read":)", &Usage::cache_read},
    UsageMember{R"(,"cache_write_5m":)", &Usage::cache_write_5m},
    UsageMember{R"(,"cache_write_1h":)", &Usage::cache_write_1h},
    UsageMember{R"(,"in_audio":)", &Usage::in_audio},
    UsageMember{R"(,"in_image":)", &Usage::in_image},
    UsageMember{R"(,"out_text":)", &Usage::out_text},
    UsageMember{R"(,"out_reasoning":)", &Usage::out_reasoning},
    UsageMember{R"(,"out_audio":)", &Usage::out_audio},
    UsageMember{R"(,"out_image":)", &Usage::out_image},
    UsageMember{R"(,"web_searches":)", &Usage::web_searches},
    UsageMember{R"(,"search_units":)", &Usage::search_units},
    UsageMember{R"(,"in_sound_ms":)", &Usage::in_sound_ms},
    UsageMember{R"(,"in_characters":)", &Usage::in_characters},
    UsageMember{R"(,"images":)", &Usage::images},
};

void write_usage(FlatText& to, const Usage& usage) {
  if (usage.empty()) return;
  to.text(R"(,"usage":{"source":")").text(to_string(usage.source)).byte('"');
  for (const auto& [name, count] : kUsageMembers) {
    if (usage.*count) to.text(name).decimal(*(usage.*count));
  }
  to.byte('}');
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
  // Without a codec the exchange began inside.
  const bool is_from_client = exchange.client_codec != nullptr;
  line.flat([&](FlatText& to) {
    to.text(R"({"ts_ms":)").decimal(wall_ns / 1'000'000);
    to.text(R"(,"request_id":")").text(exchange.id);
    to.text(R"(","operation":")").text(operation_name(exchange.request)).byte('"');
    if (is_from_client) to.text(R"(,"dialect":")").text(to_string(exchange.call.dialect)).byte('"');
  });
  if (is_from_client) line.text(R"(,"path":)", exchange.call.path.substr(0, kPathBytesMax));
  line.members(names_of(exchange));
  line.text_if_any(R"(,"key":)", exchange.principal->key_name);
  if (outcome.error) write_error(line, *outcome.error, blame_of(exchange, *outcome.error));
  write_client_retry(line, exchange);
  line.flat([&](FlatText& to) {
    write_counts_and_times(to, exchange, outcome);
    write_usage(to, exchange.usage);
    if (exchange.cost_nano_usd) to.text(R"(,"cost_nano_usd":)").decimal(*exchange.cost_nano_usd);
    if (!exchange.trace.trace_id.empty()) to.text(R"(,"trace_id":")").text(exchange.trace.trace_id).byte('"');
  });
  if (!exchange.fidelity.empty()) line.text(R"(,"fidelity":)", exchange.fidelity.header_value());
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
  // Nobody watches a file: fewer and larger writes disturb fewer requests.
  constexpr std::chrono::milliseconds kBatchDelay(100);
  log->logger_ =
      std::make_unique<Logger>(*log->sink_, SystemClock::instance(), LogOptions{.batch_delay = kBatchDelay});
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
  const Duration took = exchange.timings.between(Mark::first_byte, Mark::done);
  append_access_log_line(line, exchange, outcome, exchange.wall_ns + took.count());
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
