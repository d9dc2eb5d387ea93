// When to try again, in the headers that the official SDKs obey (clients.md 2.5).
#pragma once

#include "base/error.h"
#include "io/headers.h"

namespace weir {

// Adds Retry-After in whole seconds (at least 1) where the error knows a time, and `x-should-retry: false`
// for waits over 60 s and for budgets and quotas that are spent: some SDKs would obey such a wait for hours,
// others ignore it.
void add_retry_headers(const Error& error, Headers& headers);

}  // namespace weir
