#include "io/http_shared.h"

#include <charconv>
#include <fmt/format.h>

#include "io/http.h"

namespace weir {

bool is_loopback_peer(std::string_view peer) {
  return peer.starts_with("127.") || peer.starts_with("[::1]") || peer.starts_with("[::ffff:127.");
}

std::optional<uint64_t> parse_content_length(std::string_view text) {
  uint64_t length = 0;
  const auto [end, failed] = std::from_chars(text.data(), text.data() + text.size(), length);
  if (failed != std::errc() || end != text.data() + text.size()) return std::nullopt;
  return length;
}

Error refusal(ErrorKind kind, std::string_view message, std::string_view code) {
  Error error = make_error(kind, std::string(message));
  error.code = code;
  return error;
}

int refusal_status(const Error& error) {
  if (error.code == kUriTooLong) return 414;
  if (error.code == kNotImplemented) return 501;
  if (error.code == kVersionNotSupported) return 505;
  return error.http_status();
}

std::unexpected<Error> misused(const char* how) {
  Error error = make_error(ErrorKind::internal, "internal error");
  error.detail = how;
  return fail(std::move(error));
}

std::unexpected<Error> body_too_large(size_t bytes_max) {
  return fail(ErrorKind::body_too_large, fmt::format("the request body is larger than {} bytes", bytes_max));
}

Error no_room_for_body() {
  Error error = make_error(ErrorKind::overloaded, "the server holds too many large requests; try again");
  error.retry_after_ms = 1000;
  return error;
}

}  // namespace weir
