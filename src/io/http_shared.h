// What both protocols of the server have in common, in their small things.
#pragma once

#include <cstdint>
#include <optional>
#include <string_view>

#include "base/result.h"

namespace weir {

// "127.0.0.1:80": whether that address is one of this machine.
bool is_loopback_peer(std::string_view peer);

// Fields that the connection decides, so that two layers can never say different things about the framing.
bool belongs_to_connection(std::string_view name);

// The number of a content-length; nullopt for what is none.
std::optional<uint64_t> parse_content_length(std::string_view text);

// A handler used its response wrongly: internal, with `how` for the log.
std::unexpected<Error> misused(const char* how);
std::unexpected<Error> body_too_large(size_t bytes_max);
// The budget of all bodies is used up: overloaded, to be tried again in a second.
Error no_room_for_body();

}  // namespace weir
