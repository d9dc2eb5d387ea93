#include "codec/bedrock_wire.h"

#include <algorithm>
#include <array>
#include <fmt/core.h>

#include "base/assert.h"
#include "base/encoding.h"
#include "base/limits.h"
#include "base/text.h"
#include "codec/error_text.h"
#include "codec/provider_json.h"
#include "codec/retry_after.h"
#include "codec/retry_headers.h"

namespace weir {
namespace {

constexpr size_t kErrorTextMax = 8 * kKiB;
constexpr std::string_view kErrorType = "x-amzn-errortype";

// An exception of the service model and its status. Names in a stream begin with a small letter.
struct ExceptionRow {
  std::string_view name;
  int status;
};

// translation.md 4.10.
ExceptionRow exception_of_kind(ErrorKind kind) {
  switch (kind) {
    case ErrorKind::unauthenticated:
      return {"UnrecognizedClientException", 403};
    case ErrorKind::forbidden:
      return {"AccessDeniedException", 403};
    case ErrorKind::not_found:
    case ErrorKind::model_not_found:
      return {"ResourceNotFoundException", 404};
    case ErrorKind::rate_limited:
    case ErrorKind::upstream_rate_limited:
    case ErrorKind::upstream_quota:
      return {"ThrottlingException", 429};
    case ErrorKind::budget_exceeded:
      return {"ServiceQuotaExceededException", 400};
    case ErrorKind::overloaded:
    case ErrorKind::shutting_down:
    case ErrorKind::upstream_overloaded:
      return {"ServiceUnavailableException", 503};
    case ErrorKind::request_timeout:
    case ErrorKind::timeout:
    case ErrorKind::upstream_timeout:
      return {"ModelTimeoutException", 408};
    case ErrorKind::bad_request:
    case ErrorKind::unsupported:
    case ErrorKind::context_too_long:
    case ErrorKind::content_policy:
    case ErrorKind::cancelled:
      return {"ValidationException", 400};
    // What is wrong with the HTTP around a call has no exception of its own; its status tells.
    case ErrorKind::method_not_allowed:
    case ErrorKind::body_too_large:
    case ErrorKind::head_too_large:
    case ErrorKind::unsupported_media_type:
    case ErrorKind::expectation_failed:
      return {"ValidationException", error_row(kind).http_status};
    case ErrorKind::internal:
    case ErrorKind::upstream_auth:
    case ErrorKind::upstream_unreachable:
    case ErrorKind::upstream_error:
    case ErrorKind::upstream_malformed:
    case ErrorKind::upstream_truncated:
      break;
  }
  return {"InternalServerException", 500};
}

// What is wrong with a signature has AWS's own name as its code, and so has what is wrong with a model behind
// the service. REQUIRES that the error outlives the row.
ExceptionRow exception_of(const Error& error) {
  ExceptionRow row = exception_of_kind(error.kind);
  const bool may_have_own_name =
      error.kind == ErrorKind::unauthenticated || error.kind == ErrorKind::upstream_error;
  if (may_have_own_name && error.code.ends_with("Exception")) row.name = error.code;
  return row;
}

// The status that an exception would have had: those inside a stream have none.
constexpr std::array<ExceptionRow, 13> kExceptions = {{{"ThrottlingException", 429},
                                                       {"ModelNotReadyException", 429},
                                                       {"ServiceQuotaExceededException", 429},
                                                       {"ModelTimeoutException", 504},
                                                       {"ModelErrorException", 500},
                                                       {"ModelStreamErrorException", 500},
                                                       {"InternalServerException", 500},
                                                       {"ServiceUnavailableException", 503},
                                                       {"ValidationException", 400},
                                                       {"AccessDeniedException", 403},
                                                       {"UnrecognizedClientException", 403},
                                                       {"ExpiredTokenException", 403},
                                                       {"ResourceNotFoundException", 404}}};

// Bedrock says these of a model that the account cannot use, with the status of a bad request or bad key.
bool says_no_model(std::string_view message) {
  constexpr std::array<std::string_view, 3> kWords = {"model identifier is invalid", "access to the model",
                                                      "model id is not supported"};
  const std::string text = to_lower(message);
  return std::any_of(kWords.begin(), kWords.end(),
                     [&](std::string_view words) { return text.find(words) != std::string::npos; });
}

constexpr std::string_view kModelError = "ModelErrorException";
constexpr std::string_view kModelStreamError = "ModelStreamErrorException";

Error classify(std::string_view type, std::string_view message, int status) {
  int meant = status;
  std::string_view name;
  for (const ExceptionRow& row : kExceptions) {
    if (!equals_ignore_case(row.name, type)) continue;
    meant = row.status;
    name = row.name;
  }
  Error error =
      classify_provider_error({.status = meant ? meant : 500, .type = type, .code = {}, .message = message});
  error.upstream_status = status;
  // What the usual name of an upstream's failure would hide.
  if (error.kind == ErrorKind::upstream_error && (name == kModelError || name == kModelStreamError))
    error.code = name;
  if (says_no_model(message)) {
    error.kind = ErrorKind::model_not_found;
    error.message = hide_keys(message);
  }
  return error;
}

std::string_view message_of(JsonValue body) {
  const std::string_view message = body["message"].string_or("");
  return message.empty() ? body["Message"].string_or("") : message;
}

// "ThrottlingException:http://internal.amazon.com/coral/..." and "com.amazon.x#ThrottlingException".
std::string_view bare_type(std::string_view type) {
  type = type.substr(0, type.find(':'));
  const size_t hash = type.rfind('#');
  return hash == std::string_view::npos ? type : type.substr(hash + 1);
}

Result<void> append_message(std::string& out, std::string_view kind, std::string_view name_header,
                            std::string_view name, std::string_view payload) {
  const std::array<EventStreamHeader, 3> headers = {{{.name = name_header, .text = name},
                                                     {.name = ":content-type", .text = "application/json"},
                                                     {.name = ":message-type", .text = kind}}};
  return append_event_stream(out, headers, payload);
}

std::string message_body(const Error& error) {
  std::string body;
  const std::string_view text = clip_utf8(error.message, kErrorTextMax);
  JsonWriter(body).begin_object().key("message").value(text).end_object();
  return body;
}

}  // namespace

void append_bedrock_event(std::string& out, std::string_view type, std::string_view payload) {
  if (append_message(out, "event", ":event-type", type, payload)) return;
  append_bedrock_exception(
      out, make_error(ErrorKind::internal, "a part of the answer is too large for a message of the stream"));
}

void append_bedrock_exception(std::string& out, const Error& error) {
  std::string name(exception_of(error).name);
  // These have no place in a stream's list of exceptions (the service model's ResponseStream).
  if (name == "UnrecognizedClientException" || name == "AccessDeniedException" ||
      name == "ResourceNotFoundException" || name == "ServiceQuotaExceededException")
    name = "ValidationException";
  if (name == kModelError) name = kModelStreamError;
  name.front() = to_lower(name.front());
  const Result<void> appended =
      append_message(out, "exception", ":exception-type", name, message_body(error));
  WEIR_ASSERT(appended, "names are constants and the text was clipped");
}

ClientReply encode_bedrock_error(const Error& error, std::string_view request_id) {
  ClientReply reply;
  const ExceptionRow row = exception_of(error);
  reply.status = row.status;
  reply.headers.add("content-type", "application/json");
  reply.headers.add(kErrorType, row.name);
  if (!request_id.empty()) reply.headers.add("x-amzn-requestid", request_id);
  add_retry_headers(error, reply.headers);
  reply.body = message_body(error);
  return reply;
}

Error decode_bedrock_error(const WireReply& reply, int64_t wall_ns) {
  const Result<JsonDoc> parsed = JsonDoc::parse(std::string(reply.body), kProviderJson);
  Error error;
  if (parsed && parsed->root().is_object()) {
    const JsonValue root = parsed->root();
    std::string_view type = reply.headers->get_or(kErrorType, "");
    if (type.empty()) type = root["__type"].string_or("");
    error = classify(bare_type(type), message_of(root), reply.status);
  }
  if (error.message.empty()) error = error_of_foreign_body(reply.status, reply.body);
  error.provider_body = reply.body.substr(0, kProviderBodyMax);
  if (const auto wait = retry_after_ms(*reply.headers, wall_ns)) error.retry_after_ms = wait;
  return error;
}

Result<std::string_view> bedrock_event_type(const EventStreamMessage& message) {
  const std::string_view kind = message.header(":message-type").value_or("event");
  if (kind == "event") return message.header(":event-type").value_or("");
  std::string text;
  if (kind == "error") {
    text = message.header(":error-message").value_or("");
  } else if (const Result<JsonDoc> parsed = JsonDoc::parse(std::string(message.payload), kProviderJson)) {
    text = message_of(parsed->root());
  }
  const std::string_view type = kind == "error" ? message.header(":error-code").value_or("")
                                                : message.header(":exception-type").value_or("");
  Error error = classify(type, text, 0);
  if (error.message.empty())
    error.message = fmt::format("the provider ended its stream with {}", type.empty() ? "an error" : type);
  error.provider_body = message.payload.substr(0, kProviderBodyMax);
  return fail(std::move(error));
}

}  // namespace weir
