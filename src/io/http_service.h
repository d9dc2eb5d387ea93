// One core's part of an HTTP server: takes connections, speaks the protocol that the client chose, and calls
// the handler. The simulator and tests give it memory streams; HttpServer gives it sockets.
#pragma once

#include <atomic>
#include <memory>
#include <string>
#include <vector>

#include "io/byte_budget.h"
#include "io/byte_stream.h"
#include "io/http.h"
#include "io/http1.h"
#include "io/read_buffer.h"
#include "io/scope.h"

namespace weir {

class TlsServerContext;

// What all servers of the process share.
struct HttpResources {
  ByteBudget bodies{kBodyBudgetBytes};
  size_t connections_max = kConnectionsMax;
  std::atomic<size_t> connections = 0;
};

struct HttpServerSettings {
  std::string host = "127.0.0.1";
  uint16_t port = 0;                      // 0: a free one
  std::shared_ptr<TlsServerContext> tls;  // null: plain. Shared: several servers may use one certificate
  HttpLimits limits;
  Duration head_timeout = std::chrono::seconds(10);   // from the first byte of a head to its last
  Duration idle_timeout = std::chrono::seconds(75);   // from the end of an answer to the next first byte
  Duration body_timeout = std::chrono::seconds(30);   // without a byte of the body
  Duration write_timeout = std::chrono::seconds(30);  // without the client taking a byte
  Duration linger_timeout = std::chrono::seconds(2);  // for a client that still sends when it was refused
  bool serves_http2 = true;
};

// Counters of one core. Written by the core's thread only, so an increment needs no locked instruction; read
// from anywhere.
class CoreCounter {
 public:
  void add(int64_t by) { value_.store(get() + by, std::memory_order_relaxed); }
  int64_t get() const { return value_.load(std::memory_order_relaxed); }

 private:
  std::atomic<int64_t> value_ = 0;
};
struct HttpCounters {
  CoreCounter connections_accepted;
  CoreCounter connections_refused;  // over connections_max
  CoreCounter connections_open;
  CoreCounter handshakes_failed;  // of TLS
  CoreCounter requests;           // begun
  CoreCounter requests_active;    // in a handler
};

// A protocol's half of a connection, as the service sees it.
class HttpConnection {
 public:
  virtual ~HttpConnection() = default;
  // Close when idle; else after what is in flight.
  virtual void drain() = 0;
};

// Whether the client of an exchange may be told what ended it: its deadline, or the server's. Nobody is left
// to be answered when the client hung up.
bool may_be_told(const Scope& exchange);
// The scope in which a client is waited for that reads slowly: that of its connection, once the exchange's
// own is over, since a deadline that has passed would cut what is told about it.
Scope& scope_to_tell_in(Scope& exchange, Scope& connection);

class HttpService {
 public:
  // All references must outlive the service.
  HttpService(Core& core, const HttpServerSettings& settings, HttpResources& resources, HttpHandler& handler);
  // REQUIRES that stop() has reported.
  ~HttpService();
  HttpService(const HttpService&) = delete;
  HttpService& operator=(const HttpService&) = delete;

  // Serves a new connection until it ends. The stream is closed at once when the process has too many, or
  // while the service drains.
  void serve(std::unique_ptr<ByteStream> stream);
  // Tasks that end with the service, e.g. its accept loop.
  Scope& scope() { return root_; }

  // Lets idle connections close at once and the others after their request; when `patience` is over, cancels
  // what is left. Calls `on_stopped` from the loop when nothing of the service runs any more.
  void stop(Duration patience, std::function<void()> on_stopped);
  // For one who does not wait any longer: cancels what is left at once. REQUIRES stop() before it.
  void hurry();
  bool is_draining() const { return is_draining_; }

  // For the protocols.
  Core& core() { return core_; }
  const HttpServerSettings& settings() const { return settings_; }
  HttpResources& resources() { return resources_; }
  HttpHandler& handler() { return handler_; }
  HttpCounters& counters() { return counters_; }
  const HttpCounters& counters() const { return counters_; }
  BufferPool& buffers() { return buffers_; }
  // "Fri, 20 Nov 2026 11:33:14 GMT", made once a second.
  std::string_view date();
  void enlist(HttpConnection& connection) { connections_.push_back(&connection); }
  void delist(HttpConnection& connection);

 private:
  Task<void> run_connection(std::unique_ptr<ByteStream> stream);
  // Not inlined, so that a connection keeps no frame of what it does not do at the time.
  [[gnu::noinline]] Task<void> secure(Scope& scope, std::unique_ptr<ByteStream>& stream);
  [[gnu::noinline]] Task<void> speak_http2(Scope& scope, ByteStream& stream, std::string received);
  void note_failed_handshake(const Error& error);
  Task<void> report_stopped(std::function<void()> on_stopped);

  class Impatience final : public Timer {
   public:
    explicit Impatience(HttpService& service) : service_(service) {}

   private:
    void fire() override;
    HttpService& service_;
  };

  Core& core_;
  const HttpServerSettings& settings_;
  HttpResources& resources_;
  HttpHandler& handler_;
  HttpCounters counters_;
  BufferPool buffers_;
  Scope root_;
  Scope closing_;  // of the task that waits for root_
  std::vector<HttpConnection*> connections_;
  Impatience impatience_{*this};
  bool is_draining_ = false;
  MonoTime next_handshake_note_{};
  MonoTime date_until_{};
  std::string date_;
};

// Logs the exception that a handler threw, which is a bug, and gives the error to answer. REQUIRES to be
// called while it is handled.
Error exception_of_handler(const HttpRequest& request);

}  // namespace weir
