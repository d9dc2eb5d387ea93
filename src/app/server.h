// Server: every part of a running Weir, and how a reload reaches them.
#pragma once

#include <atomic>
#include <memory>
#include <string>
#include <vector>

#include "api/admin_plane.h"
#include "api/data_plane.h"
#include "app/compile.h"
#include "app/config.h"
#include "base/metrics.h"
#include "gateway/observer.h"
#include "io/cores.h"
#include "io/http_server.h"
#include "io/pool.h"

namespace weir {

class TlsClientContext;

class Server {
 public:
  // `config_path` is read again by reload(); empty: there is no file.
  Server(Config config, std::string config_path);
  ~Server();
  Server(const Server&) = delete;
  Server& operator=(const Server&) = delete;

  // Errors: what is wrong with the configuration, an address that cannot be listened on.
  Result<void> start();
  // Drains and stops. Blocks.
  void stop();

  // Reads the configuration again and hands the new snapshot to each core. Gives a JSON object that says what
  // happened. An error changes nothing. From any thread that is not a core's, one at a time.
  Result<std::string> reload();

  std::string url() const;
  std::string admin_url() const;

 private:
  struct PerCore;
  Result<void> listen();
  Result<std::unique_ptr<HttpServer>> start_server(const std::string& address, bool is_admin);
  AdminActions admin_actions();
  std::string status_json() const;
  void make_core_parts();

  Config config_;
  const std::string config_path_;
  const std::map<std::string, std::string> environment_;
  MetricsRegistry metrics_;
  Pool cpu_;
  Pool control_;  // reloads: they read files
  std::shared_ptr<LocalModel> extract_;
  std::shared_ptr<TargetStates> states_ = std::make_shared<TargetStates>();
  std::unique_ptr<ExchangeObserver> observer_;
  std::shared_ptr<const Snapshot> snapshot_;  // the newest
  mutable std::mutex reload_mutex_;
  std::atomic<int64_t> exchanges_open_ = 0;
  std::atomic<bool> is_draining_ = false;
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
