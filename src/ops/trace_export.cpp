#include "ops/trace_export.h"

#include "base/limits.h"
#include "base/log.h"
#include "io/http_client.h"
#include "io/tls.h"
#include "ops/trace_span.h"

namespace weir {
namespace {

// Ends the loop when nothing runs in the scope any more, and says how that ended.
Task<void> stop_after(Scope& working, Result<void>& ended) {
  ended = co_await working.join_all();
  working.core().stop();
  co_return {};
}

}  // namespace

Result<std::unique_ptr<TraceExport>> TraceExport::make(TraceExportOptions options, MetricsRegistry& metrics,
                                                       Workers& workers) {
  Result<Url> url = parse_url(options.endpoint);
  if (!url) {
    return fail(ErrorKind::bad_request, fmt::format("telemetry.otlp_endpoint: {} is not taken: {}",
                                                    options.endpoint, url.error().message));
  }
  std::unique_ptr<TraceExport> exporter(new TraceExport(std::move(options), std::move(*url), metrics));
  exporter->worker_ = workers.start(
      "trace_export", [raw = exporter.get()](const std::stop_token& stop) { return raw->run(stop); });
  return exporter;
}

TraceExport::TraceExport(TraceExportOptions options, Url url, MetricsRegistry& metrics)
    : options_(std::move(options)), url_(std::move(url)) {
  const CounterFamily spans = metrics.counter({.name = "weir_trace_spans_total",
                                               .help = "Spans that left for the collector, or were lost.",
                                               .labels = {"outcome"}});
  exported_ = spans.with({"exported"});
  dropped_ = spans.with({"dropped"});
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

TraceExport::~TraceExport() {
  worker_.reset();
  dropped_.add(sending_ + queue_.count);
}

TraceExport::Batch TraceExport::take() {
  const std::lock_guard lock(mutex_);
  return std::exchange(queue_, {});
}

Result<void> TraceExport::run(const std::stop_token& stop) {
  // What it had in hand when it failed.
  dropped_.add(std::exchange(sending_, 0));
  NetworkConnectorOptions options;
  if (url_.origin.is_tls) options.tls = TRY(TlsClientContext::make());
  Core core(0, SystemClock::instance(), 1);
  PooledHttpClient client(core, std::make_unique<NetworkConnector>(core, std::move(options)));
  Signal stopping;
  Result<void> ended;
  Scope working(core);
  Scope closing(core);
  working.spawn(work(working, client, stopping));
  closing.spawn(stop_after(working, ended));
  const std::stop_callback wake(stop, [&] { core.post_remote([&] { stopping.set(); }); });
  core.run();
  return ended;
}

Task<void> TraceExport::work(Scope& scope, HttpClient& client, Signal& stopping) {
  // Once more after the stop: exchanges ended while a send was under way.
  for (bool is_last = false; !is_last;) {
    is_last = stopping.is_set();
    // Waits for the end or for the pause, whichever is first.
    Scope wait(scope);
    wait.set_deadline(wait.now() + options_.pause);
    (void)co_await stopping.wait(wait);
    if (Batch batch = take(); batch.count > 0) (void)co_await send(scope, client, std::move(batch));
  }
  co_return {};
}

Task<void> TraceExport::send(Scope& scope, HttpClient& client, Batch batch) {
  sending_ = batch.count;
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
  (why.empty() ? exported_ : dropped_).add(std::exchange(sending_, 0));
  if (!why.empty()) log_warn("traces were lost", {{"spans", batch.count}, {"why", why}});
  co_return {};
}

}  // namespace weir
