#include "base/error.h"

#include <array>

namespace weir {
namespace {

using enum ErrorKind;
using enum Blame;

// kind, name, HTTP status, retry the same target, fall back to the next, breaker counts it, whose fault.
constexpr std::array<ErrorRow, kErrorKindCount> kRows = {{
    {bad_request, "bad_request", 400, false, false, false, caller},
    {unsupported, "unsupported", 400, false, true, false, caller},
    {context_too_long, "context_too_long", 400, false, true, false, caller},
    {content_policy, "content_policy", 400, false, false, false, policy},
    {unauthenticated, "unauthenticated", 401, false, false, false, caller},
    {forbidden, "forbidden", 403, false, true, false, caller},
    {not_found, "not_found", 404, false, false, false, caller},
    {model_not_found, "model_not_found", 404, false, true, false, caller},
    {method_not_allowed, "method_not_allowed", 405, false, false, false, caller},
    {body_too_large, "body_too_large", 413, false, false, false, caller},
    {head_too_large, "head_too_large", 431, false, false, false, caller},
    {unsupported_media_type, "unsupported_media_type", 415, false, false, false, caller},
    {expectation_failed, "expectation_failed", 417, false, false, false, caller},
    {request_timeout, "request_timeout", 408, false, false, false, caller},
    {cancelled, "cancelled", 499, false, false, false, caller},
    {rate_limited, "rate_limited", 429, false, false, false, policy},
    {budget_exceeded, "budget_exceeded", 402, false, false, false, policy},
    {overloaded, "overloaded", 503, false, true, false, gateway},
    {timeout, "timeout", 504, false, false, false, gateway},
    {shutting_down, "shutting_down", 503, false, false, false, gateway},
    {internal, "internal", 500, false, false, false, gateway},
    {upstream_auth, "upstream_auth", 502, false, true, false, provider},
    {upstream_rate_limited, "upstream_rate_limited", 429, true, true, false, provider},
    {upstream_quota, "upstream_quota", 429, false, true, false, provider},
    {upstream_timeout, "upstream_timeout", 504, true, true, true, provider},
    {upstream_unreachable, "upstream_unreachable", 502, true, true, true, provider},
    {upstream_overloaded, "upstream_overloaded", 503, true, true, true, provider},
    {upstream_error, "upstream_error", 502, true, true, true, provider},
    {upstream_malformed, "upstream_malformed", 502, true, true, true, provider},
    {upstream_truncated, "upstream_truncated", 502, true, true, true, provider},
}};

consteval bool rows_are_in_order() {
  for (size_t i = 0; i < kRows.size(); ++i) {
    if (static_cast<size_t>(kRows[i].kind) != i || kRows[i].name.empty()) return false;
  }
  return true;
}
static_assert(rows_are_in_order(), "every ErrorKind has its row, in the order of the enum");

}  // namespace

const ErrorRow& error_row(ErrorKind kind) {
  return kRows[static_cast<size_t>(kind)];
}

std::string_view to_string(ErrorKind kind) {
  return error_row(kind).name;
}

std::string_view to_string(Blame blame) {
  constexpr std::array<std::string_view, 4> kNames = {"caller", "policy", "provider", "gateway"};
  return kNames[static_cast<size_t>(blame)];
}

Error make_error(ErrorKind kind, std::string message, std::string path) {
  Error error;
  error.kind = kind;
  error.message = std::move(message);
  error.path = std::move(path);
  return error;
}

}  // namespace weir
