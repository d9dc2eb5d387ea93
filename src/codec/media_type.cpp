#include "codec/media_type.h"

#include "base/encoding.h"

namespace weir {

std::string_view sniff_media_type(std::string_view base64) {
  // 16 characters are 12 bytes, enough for every signature below.
  const Result<std::string> bytes = base64_decode(base64.substr(0, 16), Base64Padding::optional);
  if (!bytes) return {};
  const std::string_view head = *bytes;
  if (head.starts_with("\xff\xd8\xff")) return "image/jpeg";
  if (head.starts_with("\x89PNG\r\n\x1a\n")) return "image/png";
  if (head.starts_with("GIF87a") || head.starts_with("GIF89a")) return "image/gif";
  if (head.starts_with("RIFF") && head.substr(8) == "WEBP") return "image/webp";
  if (head.starts_with("%PDF-")) return "application/pdf";
  return {};
}

}  // namespace weir
