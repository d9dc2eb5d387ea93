#include "ops/blame.h"

#include <algorithm>
#include <charconv>

namespace weir {
namespace {

// The shortest time that the client gave for the whole; zero: it gave none.
Duration clients_limit(const Headers& headers) {
  Duration limit{};
  for (const auto& [name, unit] :
       {std::pair("x-weir-timeout-ms", 1e6), std::pair("x-stainless-timeout", 1e9)}) {
    const std::string_view text = headers.get_or(name, "");
    double count = 0;
    const auto [end, failed] = std::from_chars(text.data(), text.data() + text.size(), count);
    if (failed != std::errc() || end != text.data() + text.size() || !(count > 0 && count * unit < 1e18))
      continue;
    const Duration said(static_cast<int64_t>(count * unit));
    limit = limit == Duration{} ? said : std::min(limit, said);
  }
  return limit;
}

// Whether the answer was late by the client's own limit; another one would have come before it.
bool is_clients_timeout(const Exchange& exchange, const Error& error) {
  if (error.kind != ErrorKind::timeout) return false;
  const Duration limit = clients_limit(exchange.call.headers);
  return limit > Duration{} && exchange.timings.between(Mark::first_byte, Mark::done) >= limit;
}

}  // namespace

Blame blame_of(const Exchange& exchange, const Error& error) {
  if (is_clients_timeout(exchange, error)) return Blame::caller;
  // A key that is missing, or was refused before, is no fault of a provider that was not asked.
  const bool is_ours = error.kind == ErrorKind::upstream_auth && exchange.calls_made() == 0;
  return is_ours ? Blame::gateway : error_row(error.kind).blame;
}

}  // namespace weir
