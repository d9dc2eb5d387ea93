// The addresses that Weir listens on, and who may be able to reach them.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "base/result.h"

namespace weir {

struct ListenAddress {
  std::string host;  // without brackets
  uint16_t port = 0;
};

// "127.0.0.1:7480", "[::1]:7480", ":7480" (every IPv4 address). Errors: bad_request saying what to write.
Result<ListenAddress> parse_listen_address(std::string_view text);

// Without keys only this machine may be able to reach Weir. `setting` names the address in the message.
// Errors: bad_request for an address that does not parse, and for one that others can reach without a key.
Result<void> check_listen(std::string_view setting, std::string_view text, bool has_keys);

}  // namespace weir
