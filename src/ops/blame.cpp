#include "ops/blame.h"

#include "gateway/client_limit.h"

namespace weir {
namespace {

// Whether the answer was late by the client's own limit; another one would have come before it.
bool is_clients_timeout(const Exchange& exchange, const Error& error) {
  if (error.kind != ErrorKind::timeout) return false;
  const std::optional<Duration> limit = client_limit(exchange.call.headers);
  return limit && exchange.timings.between(Mark::first_byte, Mark::done) >= *limit;
}

}  // namespace

Blame blame_of(const Exchange& exchange, const Error& error) {
  if (is_clients_timeout(exchange, error)) return Blame::caller;
  // A key that is missing, or was refused before, is no fault of a provider that was not asked.
  const bool is_ours = error.kind == ErrorKind::upstream_auth && exchange.calls_made() == 0;
  return is_ours ? Blame::gateway : error_row(error.kind).blame;
}

}  // namespace weir
