#include "ops/access_log.h"

#include <fcntl.h>
#include <unistd.h>

#include "base/json.h"

namespace weir {
namespace {

void write_optional(JsonWriter& json, std::string_view key, const std::optional<int64_t>& value) {
  if (value) json.key(key).value(*value);
}

double ms(Duration duration) {
  return static_cast<double>(duration.count() / 1000) / 1000.0;
}

void write_usage(JsonWriter& json, const Usage& usage) {
  if (usage.empty()) return;
  json.key("usage").begin_object();
  write_optional(json, "in_uncached", usage.in_uncached);
  write_optional(json, "cache_read", usage.cache_read);
  write_optional(json, "cache_write_5m", usage.cache_write_5m);
  write_optional(json, "cache_write_1h", usage.cache_write_1h);
  write_optional(json, "out_text", usage.out_text);
  write_optional(json, "out_reasoning", usage.out_reasoning);
  json.key("source").value(to_string(usage.source)).end_object();
}

}  // namespace

std::string access_log_line(const Exchange& exchange, const ExchangeOutcome& outcome, int64_t wall_ns) {
  std::string line;
  line.reserve(512);
  JsonWriter json(line);
  json.begin_object().key("ts_ms").value(wall_ns / 1'000'000).key("request_id").value(exchange.id);
  json.key("operation").value(to_string(operation_of(exchange.request)));
  json.key("model").value(model_of(exchange.request)).key("status").value(outcome.status);
  if (exchange.target.target) {
    json.key("provider").value(exchange.target.target->provider->name);
    json.key("target_model").value(exchange.target.model);
  }
  if (!exchange.principal.key_name.empty()) json.key("key").value(exchange.principal.key_name);
  if (outcome.error) {
    json.key("error").value(to_string(outcome.error->kind)).key("message").value(outcome.error->message);
    if (!outcome.error->detail.empty()) json.key("detail").value(outcome.error->detail);
    json.key("blame").value(to_string(error_row(outcome.error->kind).blame));
  }
  json.key("stream").value(outcome.was_streamed).key("raw").value(exchange.is_raw);
  json.key("attempts").value(static_cast<uint64_t>(exchange.attempts.size()));
  json.key("bytes_out").value(outcome.bytes_out);
  json.key("total_ms").value(ms(exchange.timings.between(Mark::first_byte, Mark::done)));
  json.key("upstream_ms").value(ms(exchange.timings.between(Mark::sent, Mark::upstream_head)));
  json.key("first_write_ms").value(ms(exchange.timings.between(Mark::first_byte, Mark::first_write)));
  write_usage(json, exchange.usage);
  write_optional(json, "cost_nano_usd", exchange.cost_nano_usd);
  if (!exchange.fidelity.empty()) json.key("fidelity").value(exchange.fidelity.header_value());
  if (!exchange.trace.trace_id.empty()) json.key("trace_id").value(exchange.trace.trace_id);
  if (!exchange.tags.empty()) {
    json.key("tags").begin_object();
    for (const Tag& tag : exchange.tags) json.key(tag.key).value(tag.value);
    json.end_object();
  }
  json.end_object();
  return line;
}

Result<std::unique_ptr<AccessLog>> AccessLog::to_file(const std::string& path) {
  auto log = std::make_unique<AccessLog>();
  log->fd_ = open(path.c_str(), O_WRONLY | O_APPEND | O_CREAT | O_CLOEXEC, 0640);
  if (log->fd_ < 0)
    return fail(ErrorKind::bad_request, fmt::format("server.access_log: {} cannot be written", path));
  log->sink_ = std::make_unique<FdLogSink>(log->fd_);
  log->logger_ = std::make_unique<Logger>(*log->sink_, SystemClock::instance(), LogOptions{});
  return log;
}

AccessLog::~AccessLog() {
  logger_.reset();
  if (fd_ >= 0) close(fd_);
}

void AccessLog::ended(const Exchange& exchange, const ExchangeOutcome& outcome) {
  const std::string line = access_log_line(exchange, outcome, exchange.scope->core().clock().wall_ns());
  if (logger_) {
    logger_->line(line);
  } else {
    log_line(line);
  }
}

}  // namespace weir
