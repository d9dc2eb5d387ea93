#include "app/file_text.h"

#include <algorithm>
#include <cerrno>
#include <fcntl.h>
#include <system_error>
#include <unistd.h>

#include "base/limits.h"

namespace weir {
namespace {

constexpr size_t kChunkBytes = 64 * kKiB;

std::unexpected<Error> cannot_read(const std::string& path, int why) {
  return fail(ErrorKind::bad_request,
              fmt::format("{}: cannot be read: {}", path, std::generic_category().message(why)));
}

// Gives errno, 0 for success. More than the limit is not read to its end.
int append_all(int fd, std::string& text) {
  while (text.size() <= kNamedFileBytesMax) {
    const size_t before = text.size();
    text.resize(before + kChunkBytes);
    const ssize_t got = read(fd, text.data() + before, kChunkBytes);
    text.resize(before + static_cast<size_t>(std::max<ssize_t>(got, 0)));
    if (got == 0) return 0;
    if (got < 0 && errno != EINTR) return errno;
  }
  return 0;
}

}  // namespace

Result<std::string> read_file_text(const std::string& path) {
  const int fd = open(path.c_str(), O_RDONLY | O_CLOEXEC);
  if (fd < 0) return cannot_read(path, errno);
  std::string text;
  const int failed = append_all(fd, text);
  close(fd);
  if (failed != 0) return cannot_read(path, failed);
  if (text.size() > kNamedFileBytesMax)
    return fail(ErrorKind::bad_request,
                fmt::format("{}: larger than {} MiB", path, kNamedFileBytesMax / kMiB));
  return text;
}

}  // namespace weir
