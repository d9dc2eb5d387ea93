// CORS by configuration: which web pages may call Weir from a browser (Fetch standard, "CORS protocol").
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "io/headers.h"

namespace weir {

// For an answer to a request with those headers: access-control-allow-origin and vary when its origin is
// allowed, and which response headers the page may read. Nothing for other origins and for requests without
// one. "*" in the list allows every origin; credentials (cookies) are never allowed, keys travel in headers.
Headers cors_answer_headers(const Headers& request, const std::vector<std::string>& allowed_origins);
// For a preflight: those, and the methods and request headers that are accepted.
Headers cors_preflight_headers(const Headers& request, const std::vector<std::string>& allowed_origins,
                               std::string_view methods);

}  // namespace weir
