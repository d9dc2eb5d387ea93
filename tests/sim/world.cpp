#include "sim/world.h"

#include "api/data_plane.h"
#include "codec/codecs.h"
#include "gateway/adapt_stage.h"
#include "gateway/call_stage.h"
#include "gateway/meter_stage.h"
#include "gateway/route_stage.h"
#include "gateway/test_kept.h"
#include "ops/access_log.h"
#include "provider/key_ring.h"
#include "sim/calls.h"
#include "sim/composed.h"
#include "sim/parts.h"

namespace weir::sim {
namespace {

// Longer than any call may take: who is still at it then hangs.
constexpr Duration kPatience = std::chrono::minutes(5);

std::shared_ptr<const Provider> make_provider(const Plan& plan, size_t index) {
  const TargetPlan& target = plan.targets[index];
  auto provider = std::make_shared<Provider>();
  provider->name = fmt::format("p{}", index);
  provider->kind = *Catalog::embedded().find_kind(target.is_anthropic ? "anthropic"
                                                  : target.is_gemini  ? "gemini"
                                                                      : "openai");
  provider->codec = &provider_codec(provider->kind.dialect);
  provider->origin = {.host = provider->name, .port = 80, .is_tls = false};
  provider->base_path = target.is_anthropic ? "" : target.is_gemini ? "/v1beta" : "/v1";
  provider->capabilities.n_max = 1;
  provider->capabilities.json_schema = JsonSchemaSupport::none;
  provider->capabilities.inputs_max = static_cast<int64_t>(kInputsMax);
  provider->timeouts.first_event = plan.first_event;
  provider->timeouts.answer = plan.answer;
  provider->timeouts.idle = plan.idle;
  std::vector<ProviderKey> keys;
  for (size_t i = 0; i < target.keys; ++i) {
    keys.push_back({.name = fmt::format("key{}", i),
                    .secret = std::make_shared<Secret>(fmt::format("key-{}-of-p{}", i, index))});
  }
  provider->keys = std::make_shared<KeyRing>(std::move(keys));
  provider->retry_budget = std::make_shared<RetryBudget>();
  return provider;
}

std::unique_ptr<Route> make_route(const Plan& plan, std::string_view model) {
  auto route = std::make_unique<Route>();
  route->pattern = model;
  route->strategy = plan.strategy;
  route->is_sticky = plan.is_sticky;
  route->retry = plan.retry;
  route->fallback = plan.fallback;
  route->breaker = plan.breaker;
  return route;
}

// Shared by all worlds of the process: bodies are too small for it ever to be used.
Pool& cpu_pool() {
  static Pool pool("cpu", 1, 16);
  return pool;
}

class World {
 public:
  World(const Plan& plan, bool traces)
      : plan_(plan),
        run_(plan, traces),
        observer_(run_, metrics_),
        connector_(new Providers(run_)),
        client_(run_.core, std::unique_ptr<Connector>(connector_)),
        pipeline_(make_stages()),
        data_(services_, {.client = &client_, .credentials = &credentials_, .cpu = &cpu_pool()}),
        service_(run_.core, http_, resources_, data_),
        callers_(new Callers(run_, service_)),
        outside_(run_.core, std::unique_ptr<Connector>(callers_)),
        chores_(run_.core) {
    services_.core = &run_.core;
    services_.pipeline = &pipeline_;
    services_.observer = &observer_;
    services_.cpu = &cpu_pool();
    services_.responses = &responses_;
    services_.snapshot = make_snapshot(plan);
    services_.exchanges_open = &exchanges_open_;
    services_.is_draining = &is_draining_;
  }

  Record run() {
    if (plan_.reloads_after) chores_.spawn(reload_after(*plan_.reloads_after));
    if (plan_.stops_after) chores_.spawn(stop_after(*plan_.stops_after));
    callers_->start(outside_);
    if (!pass_until([this] { return callers_->is_idle(); })) return give_up("a caller waits for ever");
    outside_.close_idle();
    chores_.cancel(make_error(ErrorKind::cancelled, "the run is over"));
    settle();
    if (!run_.record.stopped) stop(std::chrono::seconds(30));
    if (!pass_until([this] { return is_stopped_; })) return give_up("the service does not stop");
    check_settled();
    client_.close_idle();
    connector_->stop();
    if (!pass_until([this] { return connector_->is_idle(); })) return give_up("a provider waits for ever");
    return std::move(run_.record);
  }
  bool hangs() const { return hangs_; }

 private:
  Task<void> reload_after(Duration pause) {
    CO_TRY(co_await chores_.sleep(pause));
    run_.trace("the configuration is taken anew");
    services_.snapshot = make_snapshot(plan_);
    co_return {};
  }

  Task<void> stop_after(Duration pause) {
    CO_TRY(co_await chores_.sleep(pause));
    run_.trace("the server drains for {} ms", plan_.patience / std::chrono::milliseconds(1));
    run_.record.stopped = run_.core.now();
    stop(plan_.patience);
    co_return {};
  }

  void stop(Duration patience) {
    is_draining_ = true;
    service_.stop(patience, [this] { is_stopped_ = true; });
  }

  Record give_up(std::string what) {
    hangs_ = true;
    leak(std::move(what));
    return run_.record;
  }

  std::vector<std::unique_ptr<Stage>> make_stages() {
    std::vector<std::unique_ptr<Stage>> stages;
    stages.push_back(std::make_unique<MeterStage>());
    stages.push_back(std::make_unique<RouteStage>(states_));
    stages.push_back(std::make_unique<AdaptStage>(
        AdaptParts{.media = {.client = nullptr, .cpu = &cpu_pool(), .fetches = fetch_counter(metrics_)},
                   .turns = &turns_,
                   .responses = &responses_}));
    stages.push_back(std::make_unique<CallStage>(client_, credentials_, cpu_pool()));
    return stages;
  }

  void settle() {
    while (run_.core.poll()) {
    }
  }

  // Lets time pass, from timer to timer. False: it was not done within kPatience, or nothing will ever
  // happen.
  template <class Done>
  bool pass_until(const Done& is_done) {
    const MonoTime end = run_.core.now() + kPatience;
    settle();
    while (!is_done()) {
      const std::optional<MonoTime> due = run_.core.timers().next_due();
      if (!due || *due > end) return false;
      run_.clock.advance_to(*due);
      settle();
    }
    return true;
  }

  void leak(std::string what) { run_.record.leaks.push_back(std::move(what)); }

  void check_settled() {
    if (exchanges_open_.load() != 0) leak(fmt::format("{} exchanges are open", exchanges_open_.load()));
    if (resources_.bodies.used() != 0)
      leak(fmt::format("{} bytes of bodies are held", resources_.bodies.used()));
    if (resources_.connections.load() != 0) leak("connections of callers are counted as open");
    if (service_.counters().requests_active.get() != 0) leak("requests are counted as active");
    const ClientPoolStats pool = client_.stats();
    if (pool.open != pool.idle)
      leak(fmt::format("{} connections to providers, {} idle", pool.open, pool.idle));
    // Far later no breaker keeps anybody out, unless a probe was lost.
    const MonoTime later = run_.core.now() + std::chrono::hours(1);
    states_->for_each([&](const TargetState& state) {
      if (state.in_flight() != 0)
        leak(fmt::format("{}: {} calls in flight", state.name(), state.in_flight()));
      if (state.permits()->in_use() != 0) leak(fmt::format("{}: permits are held", state.name()));
      if (state.permits()->waiting() != 0) leak(fmt::format("{}: calls wait for permits", state.name()));
      if (!state.breaker().would_pass(later)) leak(fmt::format("{}: the probe was lost", state.name()));
    });
    for (const MetricSnapshot& family : metrics_.collect()) {
      if (family.name != "weir_in_flight") continue;
      for (const MetricPoint& point : family.points) {
        if (point.value != 0) leak(fmt::format("weir_in_flight is {}", point.value));
      }
    }
  }

  const Plan& plan_;
  Run run_;
  MetricsRegistry metrics_;
  Observer observer_;
  KeptTexts turns_{"turn", small_limits(), nullptr, run_.clock, metrics_};
  KeptTexts responses_{"response", small_limits(), nullptr, run_.clock, metrics_};
  std::shared_ptr<TargetStates> states_ = std::make_shared<TargetStates>();
  std::atomic<int64_t> exchanges_open_ = 0;
  std::atomic<bool> is_draining_ = false;
  Providers* connector_;  // the client's
  PooledHttpClient client_;
  CredentialFetcher credentials_{run_.core, client_, cpu_pool()};
  Pipeline pipeline_;
  CoreServices services_;
  DataPlane data_;
  HttpServerSettings http_;
  HttpResources resources_;
  HttpService service_;
  Callers* callers_;  // the outside's
  PooledHttpClient outside_;
  Scope chores_;
  bool is_stopped_ = false;
  bool hangs_ = false;
};

}  // namespace

std::shared_ptr<const Snapshot> make_snapshot(const Plan& plan) {
  auto snapshot = std::make_shared<Snapshot>();
  snapshot->generation = 1;
  // Not owned: the embedded catalog lives as long as the process.
  snapshot->catalog = std::shared_ptr<const Catalog>(std::shared_ptr<void>(), &Catalog::embedded());
  snapshot->settings.timeout = kTimeout;
  snapshot->settings.head_wait = plan.head_wait;
  snapshot->settings.keep_alive = plan.keep_alive;
  snapshot->settings.choices = "fanout";
  if (plan.drains) snapshot->settings.on_client_gone = "drain";
  snapshot->settings.client_gone_timeout = plan.gone_timeout;
  snapshot->settings.client_gone_bytes_max = plan.gone_bytes_max;
  std::vector<std::unique_ptr<Route>> routes;
  routes.push_back(make_route(plan, "sim"));
  routes.push_back(make_route(plan, kCallsModel));
  routes.back()->translation.malformed_calls = "retry";
  for (size_t i = 0; i < plan.targets.size(); ++i) {
    snapshot->providers.push_back(make_provider(plan, i));
    routes[plan.targets[i].is_gemini ? 1 : 0]->targets.push_back(
        {.provider = snapshot->providers.back(),
         .model = fmt::format("m{}", i),
         .weight = plan.targets[i].weight,
         .priority = plan.targets[i].priority,
         .concurrency = plan.targets[i].concurrency});
  }
  auto table = RouteTable::make(std::move(routes), {});
  snapshot->routes = std::move(*table);
  return snapshot;
}

void Observer::started(const Exchange& exchange) {
  ++run_.record.started[std::string(exchange.id)];
  metrics_.started(exchange);
}

void Observer::ended(const Exchange& exchange, const ExchangeOutcome& outcome) {
  metrics_.ended(exchange, outcome);
  Ended ended;
  ended.id = exchange.id;
  ended.caller = exchange.tags.empty() ? 0 : std::stoul(exchange.tags[0].value);
  ended.outcome = outcome;
  ended.attempts = exchange.attempts;
  ended.usage = exchange.usage;
  ended.is_raw = exchange.is_raw;
  ended.first_byte = exchange.timings.at(Mark::first_byte);
  ended.at = exchange.now();
  append_access_log_line(ended.log_line, exchange, outcome, run_.clock.wall_ns());
  run_.trace("{} ended: {}, {} attempts, status {}", ended.id,
             outcome.error ? fmt::format("{} ({})", to_string(outcome.error->kind), outcome.error->message)
                           : std::string("ok"),
             ended.attempts.size(), outcome.status);
  run_.record.ended.push_back(std::move(ended));
}

Record run_plan(const Plan& plan, bool traces) {
  auto world = std::make_unique<World>(plan, traces);
  Record record = world->run();
  // What still waits cannot be taken down; the run has failed anyway.
  if (world->hangs()) (void)world.release();
  return record;
}

}  // namespace weir::sim
