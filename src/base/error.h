// Errors are values. One table (error.cpp) says for each kind its HTTP status, whether the same target is
// tried again, whether the next target is tried, whether the target's breaker counts it, and whose fault it
// was.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace weir {

// The order is that of the table in error.cpp; a kind without a row does not compile.
enum class ErrorKind : uint8_t {
  // The caller's fault.
  bad_request,             // malformed or invalid input; `path` names the field
  unsupported,             // valid, but the chosen target cannot express it (strict mode, or a refusal of the
                           // specification)
  context_too_long,        // the prompt does not fit the model
  content_policy,          // the provider's or Weir's policy refused the content
  unauthenticated,         // no credentials, or bad ones
  forbidden,               // known caller, not allowed
  not_found,               // no such path or resource
  model_not_found,         // no such model; the message lists the nearest names
  method_not_allowed,      // `detail` holds the value for Allow
  body_too_large,          // over the byte limit
  head_too_large,          // request head over the byte or count limit
  unsupported_media_type,  // content type or content encoding not accepted
  expectation_failed,      // Expect other than 100-continue
  request_timeout,         // the client was too slow to send its request
  cancelled,               // the client hung up, or the caller of an internal exchange cancelled it
  // Weir's own limits.
  rate_limited,     // a limit configured in Weir
  budget_exceeded,  // a budget configured in Weir
  overloaded,       // a bounded queue or cap of Weir is full
  timeout,          // the deadline of the exchange passed
  shutting_down,    // the server drains
  internal,         // a bug
  // The provider's fault, or trouble on the way to it.
  upstream_auth,          // the provider refused Weir's key
  upstream_rate_limited,  // 429 that says: later
  upstream_quota,         // 429 that says: no money left
  upstream_timeout,       // no head, no first event or no next event in time
  upstream_unreachable,   // resolve, connect or TLS failed, or the connection broke before the head
  upstream_overloaded,    // 503, 529
  upstream_error,         // other 5xx, or an error event
  upstream_malformed,     // an answer that does not follow its protocol or dialect
  upstream_truncated,     // the answer ended before its finish
};
inline constexpr size_t kErrorKindCount = static_cast<size_t>(ErrorKind::upstream_truncated) + 1;

enum class Blame : uint8_t { caller, policy, provider, gateway };

struct ErrorRow {
  ErrorKind kind;
  std::string_view name;     // label of metrics and logs
  uint16_t http_status;      // what the client sees
  bool retries_same_target;  // worth another attempt at the same target after a pause
  bool falls_back;           // worth the next target
  bool trips_breaker;        // counts as a failure of the target
  Blame blame;
};

const ErrorRow& error_row(ErrorKind kind);
std::string_view to_string(ErrorKind kind);
std::string_view to_string(Blame blame);

struct Error {
  ErrorKind kind = ErrorKind::internal;
  std::string message;  // for the client: names the field and the remedy, never a secret, a stack or a path
  std::string detail;   // for the log
  std::string path;     // the field in the caller's body, e.g. "messages[2].content"; empty if none
  std::string code;  // finer machine-readable code in the dialect's body, e.g. "thread_unsupported_request"
  std::string provider_body;  // what the provider answered, at most kProviderBodyMax bytes, for the log
  int upstream_status = 0;    // the provider's HTTP status, 0 if none
  std::optional<int64_t> retry_after_ms;  // when trying again makes sense

  int http_status() const { return error_row(kind).http_status; }
};

Error make_error(ErrorKind kind, std::string message, std::string path = {});

}  // namespace weir
