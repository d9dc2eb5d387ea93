#include "app/server.h"

#include <charconv>

#include "base/crypto.h"
#include "base/json.h"
#include "base/log.h"
#include "base/text.h"
#include "gateway/call_stage.h"
#include "gateway/meter_stage.h"
#include "gateway/route_stage.h"
#include "io/http_client.h"
#include "io/tls.h"
#include "ops/observers.h"
#include "provider/extract_target.h"
#include "provider/key_ring.h"
#include "security/authenticate.h"

namespace weir {
namespace {

constexpr size_t kCpuThreads = 2;
constexpr size_t kCpuQueueMax = 1024;
constexpr size_t kControlQueueMax = 16;

struct Address {
  std::string host;
  uint16_t port = 0;
};

// "127.0.0.1:7480", "[::1]:7480", ":7480" (every IPv4 address).
Result<Address> parse_address(std::string_view text) {
  const size_t colon = text.rfind(':');
  Address address;
  if (colon == std::string_view::npos) {
    return fail(ErrorKind::bad_request, fmt::format("'{}' is not an address; write HOST:PORT", text));
  }
  std::string_view host = text.substr(0, colon);
  if (host.starts_with('[') && host.ends_with(']')) host = host.substr(1, host.size() - 2);
  address.host = host.empty() ? "0.0.0.0" : host;
  const std::string_view port = text.substr(colon + 1);
  const auto [end, failed] = std::from_chars(port.data(), port.data() + port.size(), address.port);
  if (failed != std::errc() || end != port.data() + port.size()) {
    return fail(ErrorKind::bad_request, fmt::format("'{}' has no port; write HOST:PORT", text));
  }
  return address;
}

}  // namespace

// What one core works with.
struct Server::PerCore {
  PerCore(Server& server, Core& core, AdminActions actions)
      : client(core, std::make_unique<NetworkConnector>(core, connector_options(server))),
        pipeline(make_stages(server)),
        data(services),
        admin(services, std::move(actions)) {
    services.core = &core;
    services.pipeline = &pipeline;
    services.observer = server.observer_.get();
    services.cpu = &server.cpu_;
    services.snapshot = server.snapshot_;
    services.exchanges_open = &server.exchanges_open_;
    services.is_draining = &server.is_draining_;
  }

  static NetworkConnectorOptions connector_options(const Server& server) {
    NetworkConnectorOptions options;
    options.tls = server.upstream_tls_;
    return options;
  }

  std::vector<std::unique_ptr<Stage>> make_stages(Server& server) {
    std::vector<std::unique_ptr<Stage>> stages;
    stages.push_back(std::make_unique<MeterStage>());
    stages.push_back(std::make_unique<RouteStage>(server.states_));
    stages.push_back(std::make_unique<CallStage>(client, SystemClock::instance(), server.cpu_));
    return stages;
  }

  PooledHttpClient client;
  Pipeline pipeline;
  CoreServices services;
  DataPlane data;
  AdminPlane admin;
};

Server::Server(Config config, std::string config_path)
    : config_(std::move(config)),
      config_path_(std::move(config_path)),
      environment_(process_environment()),
      cpu_("cpu", kCpuThreads, kCpuQueueMax),
      control_("control", 1, kControlQueueMax),
      extract_(make_extract_target(cpu_)) {}

Server::~Server() {
  stop();
}

Result<void> Server::start() {
  snapshot_ = TRY(compile_snapshot({.config = &config_,
                                    .environment = environment_,
                                    .extract = extract_,
                                    .previous = nullptr,
                                    .generation = 1}));
  observer_ = TRY(make_observer(metrics_, config_.server.access_log, config_.telemetry));
  if (!config_.server.tls_certificate.empty()) {
    tls_ = TRY(TlsServerContext::load(
        {.certificate = config_.server.tls_certificate, .key = config_.server.tls_key}));
  }
  upstream_tls_ = TRY(TlsClientContext::make());
  return listen();
}

Result<void> Server::listen() {
  const Address data = TRY(parse_address(config_.server.listen));
  if (snapshot_->keys.empty() &&
      !is_loopback_host(data.host.find(':') == std::string::npos ? data.host : "[" + data.host + "]")) {
    return fail(
        ErrorKind::bad_request,
        fmt::format(
            "server.listen is {}, which others can reach, but no key is configured; add `keys`, or listen on "
            "127.0.0.1",
            config_.server.listen));
  }
  cores_ = std::make_unique<Cores>(static_cast<size_t>(config_.server.threads), SystemClock::instance(),
                                   random_seed());
  cores_->start();
  make_core_parts();
  data_server_ = TRY(start_server(config_.server.listen, false));
  admin_server_ = TRY(start_server(config_.server.admin_listen, true));
  callbacks_ = expose_process_metrics(metrics_, {.snapshot =
                                                     [this] {
                                                       const std::lock_guard lock(reload_mutex_);
                                                       return snapshot_;
                                                     },
                                                 .states = states_.get(),
                                                 .exchanges_open = &exchanges_open_});
  return {};
}

void Server::make_core_parts() {
  per_core_.resize(cores_->size());
  cores_->for_each([this](Core& core) {
    per_core_[core.index()] = std::make_unique<PerCore>(*this, core, admin_actions());
  });
}

Result<std::unique_ptr<HttpServer>> Server::start_server(const std::string& text, bool is_admin) {
  const Address address = TRY(parse_address(text));
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
    const std::lock_guard lock(reload_mutex_);
    return print_config(config_);
  };
  actions.status = [this] { return status_json(); };
  return actions;
}

Result<std::string> Server::reload() {
  const std::lock_guard lock(reload_mutex_);
  const MonoTime started = SystemClock::instance().now();
  Config config = TRY(load_config(config_path_));
  config.server.listen = config_.server.listen;
  config.server.admin_listen = config_.server.admin_listen;
  const auto next = TRY(compile_snapshot({.config = &config,
                                          .environment = environment_,
                                          .extract = extract_,
                                          .previous = snapshot_,
                                          .generation = snapshot_->generation + 1}));
  if (tls_) TRY(tls_->reload());
  const MonoTime compiled = SystemClock::instance().now();
  config_ = std::move(config);
  snapshot_ = next;
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
  const double compile_ms = static_cast<double>((compiled - started).count()) / 1e6;
  const double swap_ms = static_cast<double>(slowest_ns.load()) / 1e6;
  log_info("configuration reloaded",
           {{"generation", next->generation}, {"compile_ms", compile_ms}, {"swap_ms_slowest_core", swap_ms}});
  return fmt::format(R"({{"generation":{},"compile_ms":{:.3f},"swap_ms_slowest_core":{:.6f}}})",
                     next->generation, compile_ms, swap_ms);
}

std::string Server::status_json() const {
  const MonoTime now = SystemClock::instance().now();
  std::shared_ptr<const Snapshot> snapshot;
  {
    const std::lock_guard lock(reload_mutex_);
    snapshot = snapshot_;
  }
  std::string out;
  JsonWriter json(out);
  json.begin_object().key("generation").value(snapshot->generation);
  json.key("exchanges_open").value(exchanges_open_.load()).key("providers").begin_array();
  for (const auto& provider : snapshot->providers) {
    json.begin_object().key("name").value(provider->name).key("keys").begin_array();
    for (const KeyRing::Status& key : provider->keys->status(now)) {
      json.begin_object().key("name").value(key.name).key("state").value(to_string(key.state)).end_object();
    }
    json.end_array().end_object();
  }
  json.end_array().key("targets").begin_array();
  states_->for_each([&](const TargetState& state) {
    json.begin_object().key("name").value(state.name());
    json.key("breaker").value(to_string(state.breaker().state(now)));
    json.key("in_flight").value(state.in_flight());
    json.key("first_event_ms").value(static_cast<double>(state.first_event_mean().count()) / 1e6);
    json.key("waiting").value(static_cast<uint64_t>(state.permits()->waiting())).end_object();
  });
  json.end_array().end_object();
  return out;
}

void Server::stop() {
  if (!cores_) return;
  is_draining_ = true;
  callbacks_.clear();
  if (data_server_) data_server_->stop(config_.server.drain_timeout);
  if (admin_server_) admin_server_->stop(std::chrono::seconds(1));
  data_server_.reset();
  admin_server_.reset();
  cores_->for_each([this](Core& core) { per_core_[core.index()].reset(); });
  cores_->stop();
  cores_.reset();
}

std::string Server::url() const {
  return fmt::format("{}://{}", tls_ ? "https" : "http", data_server_->address());
}

std::string Server::admin_url() const {
  return "http://" + admin_server_->address();
}

}  // namespace weir
