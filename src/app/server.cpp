#include "app/server.h"

#include <array>
#include <fmt/ranges.h>
#include <latch>

#include "app/config_watch.h"
#include "app/listen.h"
#include "app/machine_check.h"
#include "app/settings_yaml.h"
#include "base/crypto.h"
#include "base/json.h"
#include "base/log.h"
#include "base/text.h"
#include "gateway/adapt_stage.h"
#include "gateway/call_stage.h"
#include "gateway/meter_stage.h"
#include "gateway/route_stage.h"
#include "io/http_client.h"
#include "io/tls.h"
#include "ops/access_log.h"
#include "provider/credentials.h"
#include "provider/extract_target.h"
#include "provider/key_ring.h"

namespace weir {
namespace {

constexpr size_t kCpuThreads = 2;
constexpr size_t kCpuQueueMax = 1024;
constexpr size_t kControlQueueMax = 16;
constexpr std::array kReloadSecondsBounds = {0.001, 0.005, 0.01, 0.05, 0.1, 0.5, 1.0, 5.0};

// What hash_user hashes with: null where nothing says that, and then no file is made for it. Reads the disk.
Result<std::shared_ptr<const Secret>> user_key_of(const Config& config) {
  const bool is_wanted =
      config.translation.hash_user || std::ranges::any_of(config.routes, [](const RouteConfig& route) {
        return route.translation.hash_user;
      });
  if (!is_wanted) return std::shared_ptr<const Secret>();
  const Result<MasterKey> master = master_key_in(config.server.data_dir);
  if (!master)
    return fail(ErrorKind::bad_request, "translation.hash_user has no key: " + master.error().detail);
  return std::make_shared<const Secret>(master->derive_secret("end users"));
}

void warn_of_restart(const std::vector<std::string>& settings) {
  if (settings.empty()) return;
  log_warn("settings have changed that only a restart takes",
           {{"settings", fmt::format("{}", fmt::join(settings, ", "))}});
}

}  // namespace

// What one core works with.
struct Server::PerCore {
  PerCore(Server& server, Core& core, AdminActions actions)
      : client(core, std::make_unique<NetworkConnector>(core, connector_options(server))),
        credentials(core, client, server.control_),
        pipeline(make_stages(server)),
        data(services, {.client = &client, .credentials = &credentials, .cpu = &server.cpu_}),
        admin(services, std::move(actions)) {
    services.core = &core;
    services.pipeline = &pipeline;
    services.observer = server.observers_.all.get();
    services.cpu = &server.cpu_;
    services.responses = server.responses_.get();
    services.snapshot = server.snapshot_;
    services.exchanges_open = &server.exchanges_open_;
    services.is_draining = &server.is_draining_;
    const TelemetrySettings& telemetry = server.config_.telemetry;
    services.trace_sample_ratio = telemetry.otlp_endpoint.empty() ? 0 : telemetry.sample_ratio;
  }

  // What a provider of the newest snapshot says counts for the connections that are made from now on.
  NetworkConnectorOptions connector_options(const Server& server) {
    NetworkConnectorOptions options;
    options.tls = server.upstream_tls_;
    options.tls_of = [this](const Origin& origin) -> std::shared_ptr<TlsClientContext> {
      for (const auto& provider : services.snapshot->providers) {
        if (provider->tls && provider->origin == origin) return provider->tls;
      }
      return nullptr;
    };
    options.connect_timeout_of = [this](const Origin& origin) -> std::optional<Duration> {
      for (const auto& provider : services.snapshot->providers) {
        if (provider->origin == origin) return provider->timeouts.connect;
      }
      return std::nullopt;
    };
    return options;
  }

  // For URLs that a user gave; made when the first one comes, since it brings a resolver of its own.
  HttpClient& fetch_client(Server& server) {
    if (!fetcher) {
      NetworkConnectorOptions options;
      options.refuses_private_addresses = true;
      options.tls = server.upstream_tls_;
      options.allows_private = [this](std::string_view host) {
        const std::vector<std::string>& allowed = services.snapshot->fetch.allow;
        return std::any_of(allowed.begin(), allowed.end(),
                           [host](const std::string& glob) { return glob_match(glob, host); });
      };
      fetcher = std::make_unique<PooledHttpClient>(
          *services.core, std::make_unique<NetworkConnector>(*services.core, std::move(options)));
    }
    return *fetcher;
  }

  AdaptParts adapt_parts(Server& server) {
    return {.media = {.client = [this, &server]() -> HttpClient& { return fetch_client(server); },
                      .cpu = &server.cpu_,
                      .fetches = fetch_counter(server.metrics_)},
            .turns = server.turns_.get(),
            .responses = server.responses_.get()};
  }

  std::vector<std::unique_ptr<Stage>> make_stages(Server& server) {
    std::vector<std::unique_ptr<Stage>> stages;
    stages.push_back(std::make_unique<MeterStage>());
    stages.push_back(std::make_unique<RouteStage>(server.states_));
    stages.push_back(std::make_unique<AdaptStage>(adapt_parts(server)));
    stages.push_back(std::make_unique<CallStage>(client, credentials, server.cpu_));
    return stages;
  }

  PooledHttpClient client;
  CredentialFetcher credentials;
  std::unique_ptr<PooledHttpClient> fetcher;
  Pipeline pipeline;
  CoreServices services;
  DataPlane data;
  AdminPlane admin;
};

Server::Server(Config config, std::string config_path)
    : config_(std::move(config)),
      config_path_(std::move(config_path)),
      environment_(process_environment()),
      reload_failures_(metrics_
                           .counter({.name = "weir_config_reload_failures_total",
                                     .help = "Reloads of the configuration that failed and changed nothing."})
                           .with({})),
      reload_seconds_(
          metrics_
              .histogram({.name = "weir_config_reload_seconds",
                          .help = "Time of a reload from reading the file to the last core's swap.",
                          .unit = "s"},
                         kReloadSecondsBounds)
              .with({})),
      cpu_("cpu", kCpuThreads, kCpuQueueMax),
      control_("control", 1, kControlQueueMax),
      extract_(make_extract_target(cpu_)) {}

Server::~Server() {
  stop();
}

Result<void> Server::start() {
  const std::shared_ptr<const Secret> user_key = TRY(user_key_of(config_));
  snapshot_ = TRY(compile_snapshot({.config = &config_,
                                    .environment = environment_,
                                    .extract = extract_,
                                    .user_key = user_key,
                                    .previous = nullptr,
                                    .generation = 1}));
  if (const std::vector<Error> problems = check_machine(config_); !problems.empty())
    return fail(as_one_error(problems));
  data_lock_ = TRY(DataLock::take(config_.server.data_dir));
  observers_ = TRY(make_observers(metrics_, config_.server.access_log, config_.telemetry, workers_));
  if (!config_.server.tls_certificate.empty()) {
    tls_ = TRY(TlsServerContext::load(
        {.certificate = config_.server.tls_certificate, .key = config_.server.tls_key}));
  }
  upstream_tls_ = TRY(TlsClientContext::make());
  make_keepers();
  return listen();
}

void Server::make_keepers() {
  const KeepSettings& keep = config_.keep;
  store_ = std::make_unique<Store>(
      StoreOptions{.directory = config_.server.data_dir, .migrations = {kept_texts_migrations()}}, workers_,
      SystemClock::instance());
  store_->check();
  KeptLimits limits{.ttl = keep.turn_ttl,
                    .memory_bytes_max = keep.memory_bytes_max,
                    .per_caller_max = static_cast<size_t>(keep.per_caller_max),
                    .per_caller_bytes = keep.per_caller_bytes_max,
                    .rows_max = static_cast<size_t>(keep.rows_max),
                    .text_bytes_max = 2 * kTurnBytesMax};  // as JSON
  turns_ = std::make_unique<KeptTexts>("turn", limits, store_.get(), SystemClock::instance(), metrics_);
  limits.ttl = keep.response_ttl;
  limits.text_bytes_max = kStoredResponseBytesMax;
  responses_ =
      std::make_unique<KeptTexts>("response", limits, store_.get(), SystemClock::instance(), metrics_);
}

Result<void> Server::listen() {
  cores_ = std::make_unique<Cores>(static_cast<size_t>(config_.server.threads), SystemClock::instance(),
                                   random_seed());
  cores_->start();
  make_core_parts();
  data_server_ = TRY(start_server(config_.server.listen, false));
  admin_server_ = TRY(start_server(config_.server.admin_listen, true));
  callbacks_ = expose_process_metrics(
      metrics_, {.snapshot = [this] { return newest(); },
                 .states = states_.get(),
                 .exchanges_open = &exchanges_open_,
                 .store = store_.get(),
                 .listeners = {{"data", data_server_.get()}, {"admin", admin_server_.get()}}});
  return {};
}

void Server::make_core_parts() {
  per_core_.resize(cores_->size());
  cores_->for_each([this](Core& core) {
    per_core_[core.index()] = std::make_unique<PerCore>(*this, core, admin_actions());
  });
}

Result<std::unique_ptr<HttpServer>> Server::start_server(const std::string& text, bool is_admin) {
  const ListenAddress address = TRY(parse_listen_address(text));
  HttpServerSettings settings;
  settings.host = address.host;
  settings.port = address.port;
  if (!is_admin) settings.tls = tls_;
  auto server = std::make_unique<HttpServer>(*cores_, settings, resources_,
                                             [this, is_admin](Core& core) -> HttpHandler& {
                                               PerCore& parts = *per_core_[core.index()];
                                               if (is_admin) return parts.admin;
                                               return parts.data;
                                             });
  TRY(server->start());
  return server;
}

AdminActions Server::admin_actions() {
  AdminActions actions;
  actions.metrics = &metrics_;
  actions.reload = [this](Scope& scope) -> Task<std::string> {
    return control_.run(scope, [this]() -> Result<std::string> { return reload(); });
  };
  actions.effective_config = [this] {
    const std::lock_guard lock(state_mutex_);
    return print_config(config_, {.catalog = snapshot_->catalog.get(), .environment = environment_});
  };
  actions.is_store_failing = [this] { return !store_->trouble().empty(); };
  actions.status = [this] { return status_json(); };
  return actions;
}

Result<std::string> Server::reload() {
  const std::lock_guard lock(reload_mutex_);
  const MonoTime started = SystemClock::instance().now();
  // Whatever becomes of the configuration: who has moved the file away waits for a new one.
  if (AccessLog* const log = observers_.access_log) {
    if (const Result<void> opened = log->reopen(); !opened)
      log_error("the access log goes on in its old file", {{"error", opened.error().message}});
  }
  ReadConfig read = read_config_file(config_path_);
  std::vector<std::string> files = files_named_by(read.config);
  Result<std::string> told = take_new_config(std::move(read), started);
  {
    const std::lock_guard state_lock(state_mutex_);
    refused_files_ = told ? std::vector<std::string>() : std::move(files);
  }
  if (told) {
    reload_seconds_.observe(static_cast<double>((SystemClock::instance().now() - started).count()) / 1e9);
  } else {
    reload_failures_.add();
  }
  return told;
}

// REQUIRES reload_mutex_.
Result<std::string> Server::take_new_config(ReadConfig read, MonoTime started) {
  if (!read.problems.empty()) return fail(as_one_error(read.problems));
  Config config = std::move(read.config);
  std::vector<std::string> restart_needed =
      restart_differences("server", server_setting_rows(), config_.server_in_file, config.server_in_file);
  for (std::string& name :
       restart_differences("telemetry", telemetry_setting_rows(), config_.telemetry, config.telemetry)) {
    restart_needed.push_back(std::move(name));
  }
  for (std::string& name : restart_differences("keep", keep_setting_rows(), config_.keep, config.keep)) {
    restart_needed.push_back(std::move(name));
  }
  keep_restart_settings(keep_setting_rows(), config_.keep, config.keep);
  keep_restart_settings(server_setting_rows(), config_.server, config.server);
  keep_restart_settings(telemetry_setting_rows(), config_.telemetry, config.telemetry);
  config.server_in_file = config_.server_in_file;
  const std::shared_ptr<const Secret> user_key = TRY(user_key_of(config));
  const auto next = TRY(compile_snapshot({.config = &config,
                                          .environment = environment_,
                                          .extract = extract_,
                                          .user_key = user_key,
                                          .previous = snapshot_,
                                          .generation = snapshot_->generation + 1}));
  if (tls_) TRY(tls_->reload());
  const double compile_ms = static_cast<double>((SystemClock::instance().now() - started).count()) / 1e6;
  {
    const std::lock_guard lock(state_mutex_);
    config_ = std::move(config);
    snapshot_ = next;
    for (const auto& provider : next->providers) provider->keys->forgive();
  }
  const double swap_ms = swap_snapshot(next);
  if (on_reload_) on_reload_(config_);
  log_info("configuration reloaded",
           {{"generation", next->generation}, {"compile_ms", compile_ms}, {"swap_ms_slowest_core", swap_ms}});
  warn_of_restart(restart_needed);
  std::string out;
  JsonWriter json(out);
  json.begin_object().key("generation").value(next->generation).key("compile_ms").value(compile_ms);
  json.key("swap_ms_slowest_core").value(swap_ms).key("restart_needed").begin_array();
  for (const std::string& name : restart_needed) json.value(name);
  json.end_array().end_object();
  return out;
}

// Milliseconds that the slowest core took.
double Server::swap_snapshot(const std::shared_ptr<const Snapshot>& next) {
  std::atomic<int64_t> slowest_ns = 0;
  // The old snapshot lives on in the exchanges that began with it; it is not freed on a core's time.
  std::vector<std::shared_ptr<const Snapshot>> old(per_core_.size());
  cores_->for_each([&](Core& core) {
    const MonoTime before = core.now();
    old[core.index()] = std::exchange(per_core_[core.index()]->services.snapshot, next);
    const int64_t took = (core.now() - before).count();
    int64_t seen = slowest_ns.load();
    while (took > seen && !slowest_ns.compare_exchange_weak(seen, took)) {
    }
  });
  return static_cast<double>(slowest_ns.load()) / 1e6;
}

std::shared_ptr<const Snapshot> Server::newest() const {
  const std::lock_guard lock(state_mutex_);
  return snapshot_;
}

std::string Server::status_json() const {
  const MonoTime now = SystemClock::instance().now();
  const std::shared_ptr<const Snapshot> snapshot = newest();
  std::string out;
  JsonWriter json(out);
  json.begin_object().key("generation").value(snapshot->generation);
  json.key("exchanges_open").value(exchanges_open_.load());
  const std::string trouble = store_->trouble();
  json.key("store").begin_object().key("state").value(trouble.empty() ? "ok" : "failing");
  if (!trouble.empty()) json.key("last_failure").value(trouble);
  json.end_object().key("providers").begin_array();
  for (const auto& provider : snapshot->providers) {
    json.begin_object().key("name").value(provider->name).key("keys").begin_array();
    for (const KeyRing::Status& key : provider->keys->status(now)) {
      json.begin_object().key("name").value(key.name).key("state").value(to_string(key.state)).end_object();
    }
    json.end_array();
    if (provider->credentials) {
      const Credentials::Counts counts = provider->credentials->counts();
      json.key("credentials").begin_object().key("source").value(provider->credentials->name());
      json.key("fetched").value(counts.fetched).key("failed").value(counts.failed).end_object();
    }
    json.end_object();
  }
  json.end_array().key("targets").begin_array();
  states_->for_each([&](const TargetState& state) {
    json.begin_object().key("name").value(state.name());
    json.key("breaker").value(to_string(state.breaker().state(now)));
    json.key("in_flight").value(state.in_flight());
    json.key("first_event_ms").value(static_cast<double>(state.first_event_mean().count()) / 1e6);
    json.key("waiting").value(static_cast<uint64_t>(state.permits()->waiting())).end_object();
  });
  json.end_array().key("workers").begin_array();
  for (const Workers::Status& worker : workers_.status()) {
    json.begin_object().key("name").value(worker.name).key("state").value(to_string(worker.state));
    json.key("restarts").value(worker.restarts);
    if (!worker.failure.empty()) json.key("last_failure").value(worker.failure);
    json.end_object();
  }
  json.end_array().end_object();
  return out;
}

void Server::stop() {
  if (!cores_) return;
  // The next Weir need not wait until the last stream has ended.
  data_lock_.release();
  is_draining_ = true;
  Duration patience{};
  {
    const std::lock_guard lock(state_mutex_);
    patience = config_.server.drain_timeout;
  }
  if (data_server_) data_server_->stop(patience, hurry_.get_token());
  if (admin_server_) admin_server_->stop(std::chrono::seconds(1), hurry_.get_token());
  // Until here somebody may have been watching the end.
  callbacks_.clear();
  data_server_.reset();
  admin_server_.reset();
  // What still runs there posts to the cores, and a reload reaches into them.
  control_.stop();
  cpu_.stop();
  std::latch stopped(static_cast<std::ptrdiff_t>(per_core_.size()));
  cores_->for_each(
      [&](Core& core) { per_core_[core.index()]->credentials.stop([&stopped] { stopped.count_down(); }); });
  stopped.wait();
  cores_->for_each([this](Core& core) { per_core_[core.index()].reset(); });
  cores_->stop();
  // The workers go last: what was accepted is written, and its threads tell the cores; then what was traced
  // is sent.
  store_.reset();
  cores_.reset();
  observers_ = {};
}

std::vector<std::string> Server::named_files() const {
  const std::lock_guard lock(state_mutex_);
  std::vector<std::string> files = files_named_by(config_);
  files.insert(files.end(), refused_files_.begin(), refused_files_.end());
  return files;
}

std::string Server::url() const {
  return fmt::format("{}://{}", tls_ ? "https" : "http", data_server_->address());
}

std::string Server::admin_url() const {
  return "http://" + admin_server_->address();
}

}  // namespace weir
