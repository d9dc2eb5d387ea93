#include "ops/trace_export.h"

#include "base/limits.h"
#include "base/log.h"
#include "io/http_client.h"
#include "io/tls.h"
#include "ops/trace_span.h"

namespace weir {

Result<std::unique_ptr<TraceExport>> TraceExport::make(TraceExportOptions options, MetricsRegistry& metrics) {
  Result<Url> url = parse_url(options.endpoint);
  if (!url) {
    return fail(ErrorKind::bad_request, fmt::format("telemetry.otlp_endpoint: {} is not taken: {}",
                                                    options.endpoint, url.error().message));
  }
  std::unique_ptr<TraceExport> exporter(new TraceExport(std::move(options), std::move(*url), metrics));
  exporter->thread_ = std::thread([raw = exporter.get()] { raw->run(); });
  return exporter;
}

TraceExport::TraceExport(TraceExportOptions options, Url url, MetricsRegistry& metrics)
    : options_(std::move(options)), url_(std::move(url)), core_(0, SystemClock::instance(), 1) {
  const CounterFamily spans = metrics.counter({.name = "weir_trace_spans_total",
                                               .help = "Spans that left for the collector, or were lost.",
                                               .labels = {"outcome"}});
  exported_ = spans.with({"exported"});
  dropped_ = spans.with({"dropped"});
}

TraceExport::~TraceExport() {
  core_.post_remote([this] { stop_.set(); });
  thread_.join();
}

void TraceExport::ended(const Exchange& exchange, const ExchangeOutcome& outcome) {
  if (!exchange.trace.is_sampled) return;
  const Clock& clock = exchange.scope->core().clock();
  std::string spans;
  spans.reserve(2048);
  append_spans(spans, exchange, outcome, clock.now(), clock.wall_ns());
  const size_t count = span_count(exchange);
  {
    const std::lock_guard lock(mutex_);
    if (queue_.spans.size() + spans.size() < kTraceQueueBytesMax) {
      if (!queue_.spans.empty()) queue_.spans += ',';
      queue_.spans += spans;
      queue_.count += count;
      return;
    }
  }
  dropped_.add(count);
}

TraceExport::Batch TraceExport::take() {
  const std::lock_guard lock(mutex_);
  return std::exchange(queue_, {});
}

void TraceExport::run() {
  NetworkConnectorOptions options;
  if (url_.origin.is_tls) {
    if (auto tls = TlsClientContext::make()) options.tls = *tls;
  }
  PooledHttpClient client(core_, std::make_unique<NetworkConnector>(core_, std::move(options)));
  Scope scope(core_);
  scope.spawn(work(scope, client));
  core_.run();
}

Task<void> TraceExport::work(Scope& scope, HttpClient& client) {
  while (!stop_.is_set()) {
    // Waits for the end or for the pause, whichever is first.
    Scope wait(scope);
    wait.set_deadline(wait.now() + options_.pause);
    (void)co_await stop_.wait(wait);
    if (Batch batch = take(); batch.count > 0) (void)co_await send(scope, client, std::move(batch));
  }
  core_.stop();
  co_return {};
}

Task<void> TraceExport::send(Scope& scope, HttpClient& client, Batch batch) {
  Scope request_scope(scope);
  request_scope.set_deadline(request_scope.now() + options_.timeout, ErrorKind::upstream_timeout);
  const std::string body = trace_request(options_.service_name, batch.spans);
  const Headers headers = {{"content-type", "application/json"}, {"user-agent", "weir"}};
  const ClientRequest request{
      .origin = url_.origin, .method = "POST", .target = url_.target, .headers = &headers, .body = body};
  std::string why;
  {
    const Result<std::unique_ptr<ClientResponse>> response = co_await client.send(request_scope, request);
    if (!response) {
      why = response.error().message;
    } else if ((*response)->status / 100 != 2) {
      why = fmt::format("the collector answered {}", (*response)->status);
    } else {
      // Read to its end, so that the connection is kept.
      (void)co_await read_all(request_scope, **response, 64 * kKiB);
    }
  }
  (why.empty() ? exported_ : dropped_).add(batch.count);
  if (!why.empty()) log_warn("traces were lost", {{"spans", batch.count}, {"why", why}});
  co_return {};
}

}  // namespace weir
