// The parts of a simulated world.
#pragma once

#include <fmt/core.h>
#include <memory>
#include <string>
#include <vector>

#include "gateway/snapshot.h"
#include "io/connector.h"
#include "io/http_client.h"
#include "io/http_service.h"
#include "io/memory_stream.h"
#include "ops/exchange_metrics.h"
#include "sim/record.h"

namespace weir::sim {

// What all parts share. The randomness of the providers is drawn from here as requests come; the gateway's
// own is the core's.
struct Run {
  Run(const Plan& its_plan, bool its_traces)
      : plan(its_plan), traces(its_traces), core(0, clock, its_plan.seed), rng(its_plan.seed * 31 + 7) {}

  template <class... Args>
  void trace(fmt::format_string<Args...> format, Args&&... args) {
    if (!traces) return;
    const double at = static_cast<double>((core.now() - began).count()) / 1e9;
    record.trace += fmt::format("{:9.3f}  ", at) + fmt::format(format, std::forward<Args>(args)...) + '\n';
  }

  const Plan& plan;
  const bool traces;
  ManualClock clock;
  Core core;
  Rng rng;
  const MonoTime began = core.now();
  Record record;
};

// The providers of a plan: "p0" to "pN", each a host of its own.
class Providers final : public Connector {
 public:
  explicit Providers(Run& run) : run_(run), scope_(run.core) {}
  // Errors: upstream_unreachable when the plan says so.
  Task<std::unique_ptr<ByteStream>> connect(Scope& scope, Origin origin) override;
  // Ends every connection. Then run the core until is_idle().
  void stop();
  bool is_idle() const { return scope_.running() == 0; }

 private:
  Task<void> serve(std::unique_ptr<MemoryStream> stream, size_t target);
  Task<void> answer(MemoryStream& stream, size_t index);
  // Gives the head and the body, and what the request asks for; nothing at the end of the connection.
  Task<std::string> read_request(MemoryStream& stream);
  Task<void> send(MemoryStream& stream, std::string_view bytes);
  Task<void> await_close(MemoryStream& stream, size_t index);
  Asked look_at(std::string_view request, size_t target, Served& served) const;
  void look_at_chat(std::string_view request, size_t target, Asked& asked, Served& served) const;
  void look_at_call(std::string_view request, size_t target, Asked& asked, Served& served) const;
  void look_at_inputs(std::string_view request, size_t target, Asked& asked, Served& served) const;
  void look_at_bytes(std::string_view request, size_t target, Asked& asked, Served& served) const;

  Run& run_;
  Scope scope_;
};

// The callers of a plan, as an HTTP client with one connection or more to the gateway.
class Callers final : public Connector {
 public:
  Callers(Run& run, HttpService& service) : run_(run), service_(service), scope_(run.core) {}
  Task<std::unique_ptr<ByteStream>> connect(Scope& scope, Origin origin) override;
  // REQUIRES that this object is the connector of `client`.
  void start(HttpClient& client);
  bool is_idle() const { return scope_.running() == 0; }

 private:
  Task<void> call(HttpClient& client, size_t index);
  Task<void> converse(Scope& scope, HttpClient& client, size_t index);

  Run& run_;
  HttpService& service_;
  Scope scope_;
  size_t room_ = 0;  // of the connection that is made next
};

// Notes what the gateway reports, and lets the real metrics count it.
class Observer final : public ExchangeObserver {
 public:
  Observer(Run& run, MetricsRegistry& registry) : run_(run), metrics_(registry) {}
  void started(const Exchange& exchange) override;
  void ended(const Exchange& exchange, const ExchangeOutcome& outcome) override;

 private:
  Run& run_;
  ExchangeMetrics metrics_;
};

// The configuration that the plan stands for.
std::shared_ptr<const Snapshot> make_snapshot(const Plan& plan);

}  // namespace weir::sim
