#include "codec/retry_headers.h"

#include <fmt/core.h>

namespace weir {

void add_retry_headers(const Error& error, Headers& headers) {
  constexpr int64_t kWaitMaxMs = 60'000;
  const bool is_spent = error.kind == ErrorKind::budget_exceeded || error.kind == ErrorKind::upstream_quota;
  if (error.retry_after_ms) {
    const int64_t seconds = std::max<int64_t>(1, (*error.retry_after_ms + 999) / 1000);
    headers.set("retry-after", fmt::format("{}", seconds));
  } else if (error.http_status() == 429 && !is_spent) {
    headers.set("retry-after", "1");
  }
  if (is_spent || error.retry_after_ms.value_or(0) > kWaitMaxMs) headers.set("x-should-retry", "false");
}

}  // namespace weir
