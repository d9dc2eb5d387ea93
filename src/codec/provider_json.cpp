#include "codec/provider_json.h"

namespace weir {
namespace {

std::unexpected<Error> malformed(std::string_view message, const Result<void>& parsed,
                                 std::string_view text) {
  Error error = make_error(ErrorKind::upstream_malformed, std::string(message));
  if (!parsed) error.detail = parsed.error().message;
  error.provider_body = text.substr(0, kProviderBodyMax);
  return fail(std::move(error));
}

}  // namespace

Result<JsonValue> parse_answer(JsonScratch& scratch, std::string_view body, JsonType other) {
  const Result<void> parsed = scratch.doc().reparse(body, kProviderJson);
  if (parsed) {
    const JsonValue root = scratch.doc().root();
    if (root.is_object() || root.type() == other) return root;
  }
  return malformed("the provider's answer is not a JSON object", parsed, body);
}

Result<JsonValue> parse_event(JsonScratch& scratch, std::string_view data) {
  const Result<void> parsed = scratch.doc().reparse(data, kProviderJson);
  if (parsed) return scratch.doc().root();
  return malformed("the provider sent an event that is not JSON", parsed, data);
}

std::optional<int64_t> count_of(JsonValue value) {
  if (!value.is_number()) return std::nullopt;
  if (const int64_t count = value.int_or(-1); count >= 0)
    return count <= kProviderCountMax ? std::optional(count) : std::nullopt;
  // Below zero, not whole, or beyond 64 bits: as a double it is read whatever its size.
  return value.double_or(0) > static_cast<double>(kProviderCountMax) ? std::nullopt
                                                                     : std::optional<int64_t>(0);
}

}  // namespace weir
