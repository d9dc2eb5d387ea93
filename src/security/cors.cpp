#include "security/cors.h"

#include <algorithm>

namespace weir {
namespace {

constexpr std::string_view kReadable =
    "x-request-id, x-weir-model, x-weir-provider, x-weir-attempts, x-weir-cost-usd, x-weir-fidelity, "
    "x-weir-fidelity-severity, x-weir-usage-source, x-upstream-request-id, retry-after, retry-after-ms, "
    "x-should-retry, request-id, server-timing, x-amzn-requestid, x-amzn-errortype";
constexpr std::string_view kPreflightMaxAgeS = "600";

}  // namespace

Headers cors_answer_headers(const Headers& request, const std::vector<std::string>& allowed_origins) {
  Headers headers;
  const auto origin = request.get("origin");
  if (!origin) return headers;
  const bool is_allowed =
      std::any_of(allowed_origins.begin(), allowed_origins.end(),
                  [&](const std::string& allowed) { return allowed == *origin || allowed == "*"; });
  if (!is_allowed) return headers;
  headers.add("access-control-allow-origin", *origin);
  headers.add("vary", "origin");
  headers.add("access-control-expose-headers", kReadable);
  return headers;
}

Headers cors_preflight_headers(const Headers& request, const std::vector<std::string>& allowed_origins,
                               std::string_view methods) {
  Headers headers = cors_answer_headers(request, allowed_origins);
  if (headers.empty()) return headers;
  headers.add("access-control-allow-methods", methods);
  headers.add("access-control-allow-headers", request.get_or("access-control-request-headers", "*"));
  headers.add("access-control-max-age", kPreflightMaxAgeS);
  return headers;
}

}  // namespace weir
