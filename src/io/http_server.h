// An HTTP server over all cores: each has its own listening socket (the kernel spreads the connections) and
// its own HttpService.
#pragma once

#include <memory>
#include <stop_token>
#include <vector>

#include "io/cores.h"
#include "io/http_service.h"
#include "io/tcp.h"

namespace weir {

struct HttpServerStats {
  int64_t connections_accepted = 0;
  int64_t connections_refused = 0;
  int64_t connections_open = 0;
  int64_t handshakes_failed = 0;
  int64_t requests = 0;
  int64_t requests_active = 0;
};

class HttpServer {
 public:
  // `handler_of` gives each core's handler, called on that core's thread; the handler outlives the server.
  HttpServer(Cores& cores, HttpServerSettings settings, HttpResources& resources,
             std::function<HttpHandler&(Core&)> handler_of);
  // REQUIRES that start() was not called or failed, or that stop() has returned.
  ~HttpServer();
  HttpServer(const HttpServer&) = delete;
  HttpServer& operator=(const HttpServer&) = delete;

  // Listens on every core. The three functions below are called from one thread that is not a core's, while
  // the cores run. Errors: bad_request naming the address that cannot be listened on.
  Result<void> start();
  // Stops accepting, lets requests in flight end for as long as `patience`, or until `hurry` is asked for,
  // then cancels them. Blocks until nothing of the server runs. Idempotent.
  void stop(Duration patience, const std::stop_token& hurry = {});

  uint16_t port() const { return port_; }
  std::string address() const;    // "127.0.0.1:7480"
  HttpServerStats stats() const;  // of all cores; from any thread while the server exists
  size_t cores() const { return parts_.size(); }
  const HttpCounters& counters(size_t core) const { return parts_[core]->service.counters(); }

 private:
  struct Part {
    Part(Core& core, const HttpServerSettings& settings, HttpResources& resources, HttpHandler& handler)
        : service(core, settings, resources, handler) {}
    std::unique_ptr<TcpListener> listener;
    HttpService service;
  };

  Cores& cores_;
  const HttpServerSettings settings_;
  HttpResources& resources_;
  std::function<HttpHandler&(Core&)> handler_of_;
  uint16_t port_ = 0;
  std::vector<std::unique_ptr<Part>> parts_;
};

}  // namespace weir
