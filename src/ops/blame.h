// Whose fault it was that an exchange failed, as the log and the metrics tell it.
#pragma once

#include "base/error.h"
#include "gateway/exchange.h"

namespace weir {

// That of the error's row, but for what only the exchange knows: that the client's own limit is over, and
// that no provider was asked. REQUIRES that Mark::done is set.
Blame blame_of(const Exchange& exchange, const Error& error);

}  // namespace weir
