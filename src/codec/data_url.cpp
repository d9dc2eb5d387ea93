#include "codec/data_url.h"

#include <fmt/core.h>

namespace weir {
namespace {

// Whether a text may be base64 by its letters and its length. It is not decoded: pictures are megabytes. The
// loop has no branches so that it becomes vector instructions.
bool looks_like_base64(std::string_view text) {
  const size_t padded = text.size();
  for (int i = 0; i < 2 && text.ends_with('='); ++i) text.remove_suffix(1);
  if (text.empty() || text.size() % 4 == 1 || (padded != text.size() && padded % 4 != 0)) return false;
  // Byte-wide throughout, so that a vector holds as many letters as it has bytes.
  unsigned char bad = 0;
  for (const char c : text) {
    const auto byte = static_cast<unsigned char>(c);
    const auto letter = static_cast<unsigned char>((byte | 0x20) - 'a');
    const auto digit = static_cast<unsigned char>(byte - '0');
    const unsigned char is_bad = (letter >= 26) & (digit >= 10) & (byte != '+') & (byte != '/');
    bad |= is_bad;
  }
  return bad == 0;
}

}  // namespace

Result<std::string_view> require_base64(std::string_view data, JsonValue holder) {
  if (looks_like_base64(data)) return data;
  const std::string path = holder.path();
  return fail(ErrorKind::bad_request,
              fmt::format("{} is not base64: send the file's bytes in the standard alphabet, without line "
                          "breaks",
                          path),
              path);
}

Result<Media> media_of_data_url(std::string_view url, JsonValue holder) {
  constexpr std::string_view kData = "data:";
  constexpr std::string_view kBase64 = ";base64,";
  Media media;
  const size_t at = url.starts_with(kData) ? url.find(kBase64) : std::string_view::npos;
  if (at == std::string_view::npos) {
    media.url = url;
    return media;
  }
  media.mime = url.substr(kData.size(), at - kData.size());
  media.base64 = TRY(require_base64(url.substr(at + kBase64.size()), holder));
  return media;
}

}  // namespace weir
