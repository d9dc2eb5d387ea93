#include "codec/media_source.h"

#include "base/encoding.h"
#include "base/text.h"
#include "llm/media_type.h"

namespace weir {

std::string_view sniff_media_type(std::string_view base64) {
  // 16 characters are 12 bytes, enough for every signature.
  const Result<std::string> bytes = base64_decode(base64.substr(0, 16), Base64Padding::optional);
  if (!bytes) return {};
  // The answer is one of that table's words, not a part of the bytes.
  return media_type_of(*bytes);
}

bool is_web_url(std::string_view url) {
  return starts_with_ignore_case(url, "https://") || starts_with_ignore_case(url, "http://");
}

bool is_pdf_url(std::string_view url) {
  return to_lower(url.substr(0, url.find_first_of("?#"))).ends_with(".pdf");
}

}  // namespace weir
