// ExchangeObserver: who wants to know how an exchange ended (metrics, access log, traces). Called once per
// exchange, after the last byte, whatever happened.
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
  uint64_t bytes_out = 0;  // body bytes handed to the transport
};

class ExchangeObserver {
 public:
  virtual ~ExchangeObserver() = default;
  virtual void started(const Exchange& exchange) = 0;
  virtual void ended(const Exchange& exchange, const ExchangeOutcome& outcome) = 0;
};

}  // namespace weir
