// What both protocols of the server have in common, in their small things.
#pragma once

#include <cstdint>
#include <optional>
#include <string_view>

#include "base/result.h"

namespace weir {

// "127.0.0.1:80": whether that address is one of this machine.
bool is_loopback_peer(std::string_view peer);

// The number of a content-length; nullopt for what is none.
std::optional<uint64_t> parse_content_length(std::string_view text);

// What a request is refused for that has a status but no kind of its own, as Error::code names it.
inline constexpr std::string_view kUriTooLong = "uri_too_long";
inline constexpr std::string_view kNotImplemented = "not_implemented";
inline constexpr std::string_view kVersionNotSupported = "http_version_not_supported";
Error refusal(ErrorKind kind, std::string_view message, std::string_view code);
// The HTTP status with which a request is refused: 414, 501 and 505 for these, else that of the kind.
int refusal_status(const Error& error);

// A handler used its response wrongly: internal, with `how` for the log.
std::unexpected<Error> misused(const char* how);
std::unexpected<Error> body_too_large(size_t bytes_max);
// The budget of all bodies is used up: overloaded, to be tried again in a second.
Error no_room_for_body();

}  // namespace weir
