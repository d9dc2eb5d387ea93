// ExchangeObserver: who wants to know how an exchange ended (metrics, access log, traces). Called once per
// exchange, after the last byte, whatever happened; and once for each other request.
#pragma once

#include <optional>

#include "base/error.h"
#include "gateway/exchange.h"

namespace weir {

// How the answer to the client ended.
struct ExchangeOutcome {
  int status = 0;              // what the client saw; 0: nothing left the house
  std::optional<Error> error;  // nothing: success
  bool was_streamed = false;
  uint64_t bytes_out = 0;  // of the body, as far as the connection has taken it
};

// A request that is no model call, or never became one: a list of models, a path or method that is not
// served, a head that cannot be read. Checks of health and preflights are none of them.
struct PlainRequest {
  std::string_view id;        // the x-request-id
  std::string_view method{};  // as far as it is known, and the path too
  std::string_view path{};    // without the query
  std::string_view key_name{};
  int status = 0;
  const Error* error = nullptr;  // null: success
  int64_t wall_ns = 0;
  Duration took{};
};

class ExchangeObserver {
 public:
  virtual ~ExchangeObserver() = default;
  virtual void started(const Exchange& exchange) = 0;
  virtual void ended(const Exchange& exchange, const ExchangeOutcome& outcome) = 0;
  virtual void answered(const PlainRequest&) {}
};

}  // namespace weir
