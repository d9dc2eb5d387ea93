#include "app/file_text.h"

#include <fstream>

#include "base/limits.h"

namespace weir {
namespace {

constexpr size_t kChunkBytes = 64 * kKiB;

}  // namespace

// By pieces: an iterator over the stream's buffer throws where reading fails, as it does for a directory.
Result<std::string> read_file_text(const std::string& path) {
  std::ifstream in(path, std::ios::binary);
  std::string text;
  while (in && text.size() <= kNamedFileBytesMax) {
    const size_t before = text.size();
    text.resize(before + kChunkBytes);
    in.read(text.data() + before, kChunkBytes);
    text.resize(before + static_cast<size_t>(in.gcount()));
  }
  if (text.size() > kNamedFileBytesMax)
    return fail(ErrorKind::bad_request,
                fmt::format("{}: larger than {} MiB", path, kNamedFileBytesMax / kMiB));
  if (!in.eof() || in.bad()) return fail(ErrorKind::bad_request, fmt::format("{}: cannot be read", path));
  return text;
}

}  // namespace weir
