// Who is calling, from the head of a request (DESIGN: "Order on arrival", "Loopback without keys").
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"
#include "io/http.h"
#include "security/api_keys.h"

namespace weir {

struct LoopbackRules {
  std::vector<std::string> allowed_origins;  // of browsers
};

// The credential that the head carries: `authorization: Bearer`, `x-api-key`, `api-key` or `x-goog-api-key`;
// empty for none. Error: unauthenticated for an authorization of another scheme, saying which are taken.
Result<std::string_view> credential_of(const Headers& headers);

// True for localhost, 127.0.0.0/8 and [::1], with any port.
bool is_loopback_host(std::string_view authority);

// With keys configured: the key's principal, or unauthenticated. Without: the anonymous principal for callers
// on loopback whose request a web page could not have made (Host, Origin and content type are checked), else
// forbidden with the remedy; a credential of Weir's own form is refused, since it cannot be right, and any
// other counts as absent.
Result<Principal> authenticate(const HttpRequest& request, const ApiKeys& keys, const LoopbackRules& rules);

}  // namespace weir
