// Which addresses Weir may connect to on behalf of a user. A URL given by a user is fetched only from the
// public internet; the check is made on the address that is connected to, so that a name cannot change its
// mind.
#pragma once

#include <string_view>

namespace weir {

// Whether the text is an IPv4 or IPv6 address, without brackets.
bool is_address_literal(std::string_view text);

// Whether the literal is a globally reachable unicast address (IANA special-purpose registries, RFC 6890). An
// IPv4 address inside an IPv6 one (mapped, NAT64) is judged by itself. False for private, loopback,
// link-local, shared, documentation, multicast, reserved and tunnel ranges, for the metadata services of
// clouds, and for what is not an address.
bool is_public_address(std::string_view literal);

}  // namespace weir
