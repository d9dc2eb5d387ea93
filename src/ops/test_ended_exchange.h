// An exchange as it stands when it has ended, for tests of who watches exchanges.
#pragma once

#include <memory>
#include <string>

#include "base/json.h"
#include "gateway/snapshot.h"
#include "io/test_core.h"

namespace weir::test {

struct EndedExchange {
  EndedExchange() {
    provider.name = "my-openai";
    provider.kind.name = "openai";
    provider.kind.otel_name = "openai";
    provider.origin = {.host = "api.example.com", .port = 8443, .is_tls = true};
    // Not owned: it lives as long as the process.
    snapshot->catalog = std::shared_ptr<const Catalog>(std::shared_ptr<void>(), &Catalog::embedded());
    exchange.snapshot = snapshot;
    target.model = "gpt-4o";
    route.pattern = "smart";
    row.model = "gpt-4o";
    Chat chat;
    chat.model = "smart";
    chat.max_tokens = 100;
    exchange.request = std::move(chat);
    exchange.id = "req_1";
    exchange.scope = &scope;
    principal.key_name = "team-a";
    exchange.principal = &principal;
    exchange.route = &route;
    // Not owned: it lives as long as this.
    target.provider = std::shared_ptr<const Provider>(std::shared_ptr<void>(), &provider);
    candidate.target = &target;
    candidate.model = "gpt-4o";
    candidate.row = &row;
    exchange.target = &candidate;
    exchange.trace = {.trace_id = "0af7651916cd43dd8448eb211c80319c",
                      .span_id = "00f067aa0ba902b7",
                      .parent_span_id = "b7ad6b7169203331",
                      .is_sampled = true};
    exchange.usage.in_uncached = 12;
    exchange.usage.out_text = 34;
    exchange.content_bytes = 136;
    exchange.cost_nano_usd = 2'500'000;
    exchange.response_model = "gpt-4o-2024-08-06";
    exchange.finish_reasons = {"stop"};
    // One millisecond for each mark.
    for (size_t i = 0; i < kMarkCount; ++i) {
      exchange.timings.mark(static_cast<Mark>(i), core.clock.now());
      core.clock.advance(std::chrono::milliseconds(1));
    }
    add_attempt("my-openai", std::nullopt);
    outcome.status = 200;
    outcome.bytes_out = 500;
  }

  void add_attempt(std::string name, std::optional<ErrorKind> failure) {
    exchange.attempts.push_back({.provider = std::move(name),
                                 .asked = &provider,
                                 .model = "gpt-4o",
                                 .failure = failure,
                                 .upstream_status = failure ? 503 : 0,
                                 .started = exchange.timings.at(Mark::sent),
                                 .took = std::chrono::milliseconds(1),
                                 .key_name = "OPENAI_API_KEY",
                                 .span_id = "53995c3f42cd8ad8",
                                 .was_sent = true});
  }
  void fail_with(ErrorKind kind, int status) {
    outcome.error = make_error(kind, "it \"failed\"");
    outcome.status = status;
  }

  TestCore core;
  Scope scope{core.core};
  Principal principal;
  std::shared_ptr<Snapshot> snapshot = std::make_shared<Snapshot>();
  Provider provider;
  RouteTarget target;
  Route route;
  ModelRow row;
  Candidate candidate;
  Exchange exchange;
  ExchangeOutcome outcome;
};

}  // namespace weir::test
