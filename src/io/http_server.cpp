#include "io/http_server.h"

#include <fmt/format.h>
#include <latch>

namespace weir {

HttpServer::HttpServer(Cores& cores, HttpServerSettings settings, HttpResources& resources,
                       std::function<HttpHandler&(Core&)> handler_of)
    : cores_(cores),
      settings_(std::move(settings)),
      resources_(resources),
      handler_of_(std::move(handler_of)) {}

HttpServer::~HttpServer() = default;

Result<void> HttpServer::start() {
  std::vector<std::unique_ptr<TcpListener>> listeners;
  port_ = settings_.port;
  for (size_t i = 0; i < cores_.size(); ++i) {
    listeners.push_back(TRY(TcpListener::listen(cores_[i], settings_.host, port_, i == 0)));
    port_ = listeners.back()->port();
  }
  parts_.resize(cores_.size());
  cores_.for_each([this, &listeners](Core& core) {
    auto part = std::make_unique<Part>(core, settings_, resources_, handler_of_(core));
    part->listener = std::move(listeners[core.index()]);
    HttpService& service = part->service;
    service.scope().spawn(part->listener->run(
        service.scope(),
        [&service](std::unique_ptr<ByteStream> stream) { service.serve(std::move(stream)); }));
    parts_[core.index()] = std::move(part);
  });
  return {};
}

void HttpServer::stop(Duration patience, const std::stop_token& hurry) {
  if (parts_.empty()) return;
  std::latch stopped(static_cast<std::ptrdiff_t>(parts_.size()));
  cores_.for_each([this, patience, &stopped](Core& core) {
    Part& part = *parts_[core.index()];
    part.listener->close();
    part.service.stop(patience, [&stopped] { stopped.count_down(); });
  });
  {
    // While the callback stands the parts do too.
    const std::stop_callback cuts_short(
        hurry, [this] { cores_.for_each([this](Core& core) { parts_[core.index()]->service.hurry(); }); });
    stopped.wait();
  }
  // On their own threads: sockets and timers belong to the core.
  cores_.for_each([this](Core& core) { parts_[core.index()].reset(); });
  parts_.clear();
}

std::string HttpServer::address() const {
  const bool is_bare_v6 = settings_.host.find(':') != std::string::npos && settings_.host.front() != '[';
  return is_bare_v6 ? fmt::format("[{}]:{}", settings_.host, port_)
                    : fmt::format("{}:{}", settings_.host, port_);
}

HttpServerStats HttpServer::stats() const {
  HttpServerStats stats;
  for (const std::unique_ptr<Part>& part : parts_) {
    const HttpCounters& counters = part->service.counters();
    stats.connections_accepted += counters.connections_accepted.get();
    stats.connections_refused += counters.connections_refused.get();
    stats.connections_open += counters.connections_open.get();
    stats.handshakes_failed += counters.handshakes_failed.get();
    stats.requests += counters.requests.get();
    stats.requests_active += counters.requests_active.get();
  }
  return stats;
}

}  // namespace weir
