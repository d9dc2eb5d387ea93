// Server: every part of a running Weir, and how a reload reaches them.
#pragma once

#include <atomic>
#include <functional>
#include <memory>
#include <mutex>
#include <stop_token>
#include <string>
#include <vector>

#include "api/admin_plane.h"
#include "api/data_plane.h"
#include "app/compile.h"
#include "app/config.h"
#include "base/metrics.h"
#include "io/cores.h"
#include "io/http_server.h"
#include "io/pool.h"
#include "io/worker.h"
#include "ops/observers.h"
#include "store/data_lock.h"
#include "store/store.h"

namespace weir {

class TlsClientContext;

class Server {
 public:
  // `config_path` is read again by reload(); empty: there is no file.
  Server(Config config, std::string config_path);
  ~Server();
  Server(const Server&) = delete;
  Server& operator=(const Server&) = delete;

  // Errors: what is wrong with the configuration, a data directory that another process has, an address that
  // cannot be listened on.
  Result<void> start();
  // Drains and stops. Blocks.
  void stop();
  // Cancels what a stop(), under way or to come, would still wait for. From any thread that is not a core's.
  void hurry() { hurry_.request_stop(); }

  // Opens the access log's file anew, reads the configuration again and hands the new snapshot to each core.
  // Gives a JSON object:
  //   generation, compile_ms (reading included), swap_ms_slowest_core, and restart_needed, the settings that
  //   the file has changed and that only a new start takes, as "server.threads".
  // An error changes nothing and is counted. From any thread that is not a core's; several take turns.
  Result<std::string> reload();
  // Called after each reload with what is in effect. REQUIRES that it is set before start().
  void set_on_reload(std::function<void(const Config&)> on_reload) { on_reload_ = std::move(on_reload); }

  // What files the configuration in effect names, and the one that the last reload has refused: a file that
  // it lacks may come. From any thread.
  std::vector<std::string> named_files() const;

  std::string url() const;
  std::string admin_url() const;
  MetricsRegistry& metrics() { return metrics_; }
  // For work beside the server; its workers are stopped before the server is.
  Workers& workers() { return workers_; }

 private:
  struct PerCore;
  Result<void> listen();
  Result<std::unique_ptr<HttpServer>> start_server(const std::string& address, bool is_admin);
  AdminActions admin_actions();
  std::string status_json() const;
  void make_keepers();
  void make_core_parts();
  Result<std::string> take_new_config(ReadConfig read, MonoTime started);
  double swap_snapshot(const std::shared_ptr<const Snapshot>& next);
  std::shared_ptr<const Snapshot> newest() const;

  Config config_;  // in effect
  const std::string config_path_;
  const std::map<std::string, std::string> environment_;
  MetricsRegistry metrics_;
  Workers workers_{metrics_};
  const Counter reload_failures_;
  const Histogram reload_seconds_;
  Pool cpu_;
  Pool control_;  // reloads: they read files
  DataLock data_lock_;
  std::unique_ptr<Store> store_;  // of the first configuration, like what is kept in it
  std::unique_ptr<KeptTexts> turns_;
  std::unique_ptr<KeptTexts> responses_;
  std::shared_ptr<LocalModel> extract_;
  std::shared_ptr<TargetStates> states_ = std::make_shared<TargetStates>();
  Observers observers_;
  std::shared_ptr<const Snapshot> snapshot_;  // the newest
  std::vector<std::string> refused_files_;    // of the configuration that the last reload has refused
  std::mutex reload_mutex_;  // held by a reload from its start to its end; never taken on a core
  // Guards config_, snapshot_ and refused_files_, which only a reload changes. Held for moments, since cores
  // take it too.
  mutable std::mutex state_mutex_;
  std::function<void(const Config&)> on_reload_;
  std::atomic<int64_t> exchanges_open_ = 0;
  std::atomic<bool> is_draining_ = false;
  std::stop_source hurry_;
  std::shared_ptr<TlsServerContext> tls_;
  std::shared_ptr<TlsClientContext> upstream_tls_;
  HttpResources resources_;
  std::unique_ptr<Cores> cores_;
  std::vector<std::unique_ptr<PerCore>> per_core_;
  std::unique_ptr<HttpServer> data_server_;
  std::unique_ptr<HttpServer> admin_server_;
  std::vector<MetricCallback> callbacks_;
};

}  // namespace weir
