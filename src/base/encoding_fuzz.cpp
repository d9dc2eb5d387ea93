// Fuzzes the decoders of encoding.h: what they accept they write back the same way, and any bytes survive a
// round trip.
#include <cstdint>
#include <string>

#include "base/assert.h"
#include "base/encoding.h"
#include "base/text.h"

namespace weir {
namespace {

void check_decoders(std::string_view text) {
  if (const auto bytes = base64_decode(text)) WEIR_ASSERT(base64_encode(*bytes) == text, "one spelling");
  if (const auto bytes = base64url_decode(text))
    WEIR_ASSERT(base64url_encode(*bytes) == text, "one spelling");
  if (const auto floats = float32_base64_decode(text))
    WEIR_ASSERT(float32_base64_encode(*floats) == text, "bits kept");
  if (const auto bytes = hex_decode(text)) WEIR_ASSERT(hex_encode(*bytes) == to_lower(text), "one spelling");
  if (const auto bytes = percent_decode(text)) {
    WEIR_ASSERT(percent_decode(percent_encode(*bytes, UrlPart::path)) == *bytes, "decodes back");
  }
  if (const auto time = parse_duration(text))
    WEIR_ASSERT(parse_duration(format_duration(*time)) == *time, "same");
  if (const auto size = parse_size(text)) WEIR_ASSERT(parse_size(format_size(*size)) == *size, "same");
}

void check_round_trips(std::string_view bytes) {
  WEIR_ASSERT(base64_decode(base64_encode(bytes)) == std::string(bytes), "base64");
  WEIR_ASSERT(base64url_decode(base64url_encode(bytes)) == std::string(bytes), "base64url");
  WEIR_ASSERT(hex_decode(hex_encode(bytes)) == std::string(bytes), "hex");
  for (const UrlPart part : {UrlPart::unreserved, UrlPart::segment, UrlPart::path}) {
    WEIR_ASSERT(percent_decode(percent_encode(bytes, part)) == std::string(bytes), "percent");
  }
}

void check_utf8(std::string_view text) {
  const std::string clean = sanitize_utf8(text);
  WEIR_ASSERT(is_utf8(clean), "sanitised text is UTF-8");
  WEIR_ASSERT((clean == text) == is_utf8(text), "and changed only when it was not");
  for (size_t cut = 0; cut <= text.size() && cut < 64; ++cut) {
    // In chunks with the unfinished tails carried over, sanitising gives the same as at once.
    std::string_view first = text.substr(0, cut);
    const size_t tail = utf8_unfinished_tail(first);
    const std::string joined =
        sanitize_utf8(first.substr(0, cut - tail)) + sanitize_utf8(text.substr(cut - tail));
    WEIR_ASSERT(joined == clean, "cuts do not show");
    const std::string_view clipped = clip_utf8(clean, cut);
    WEIR_ASSERT(clipped.size() <= cut && is_utf8(clipped), "clipping keeps code points whole");
  }
}

}  // namespace
}  // namespace weir

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  const std::string_view text(reinterpret_cast<const char*>(data), size);
  weir::check_decoders(text);
  weir::check_round_trips(text);
  weir::check_utf8(text);
  return 0;
}
