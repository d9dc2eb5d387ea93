// How long a client said that the whole of its exchange may take.
#pragma once

#include <optional>
#include <string_view>

#include "base/clock.h"
#include "io/headers.h"

namespace weir {

inline constexpr std::string_view kTimeoutHeader = "x-weir-timeout-ms";

// What that header says; nullopt where it is missing, or no number above 0. At most a day.
std::optional<Duration> said_limit(const Headers& headers);

// The shorter of that one and of the SDKs' x-stainless-timeout in seconds, which no person wrote; nullopt:
// the client gave none that can be read.
std::optional<Duration> client_limit(const Headers& headers);

}  // namespace weir
