#include "store/data_lock.h"

#include <array>
#include <cerrno>
#include <charconv>
#include <fcntl.h>
#include <filesystem>
#include <fmt/core.h>
#include <sys/file.h>
#include <system_error>
#include <unistd.h>

#include "base/log.h"

namespace weir {
namespace {

std::string words_of(int code) {
  return std::generic_category().message(code);
}

// " (process 123)", as far as the file says it.
std::string holder(int fd) {
  std::array<char, 16> text{};
  const ssize_t count = pread(fd, text.data(), text.size(), 0);
  int pid = 0;
  const auto [end, failed] = std::from_chars(text.data(), text.data() + std::max<ssize_t>(count, 0), pid);
  return failed == std::errc() && pid > 0 ? fmt::format(" (process {})", pid) : "";
}

}  // namespace

void make_data_directory(const std::string& directory) {
  std::error_code failed;
  if (std::filesystem::create_directories(directory, failed))
    std::filesystem::permissions(directory, std::filesystem::perms::owner_all, failed);
}

Result<DataLock> DataLock::take(const std::string& directory) {
  make_data_directory(directory);
  const std::string path = (std::filesystem::path(directory) / "weir.lock").string();
  DataLock lock(open(path.c_str(), O_RDWR | O_CREAT | O_CLOEXEC, 0600));
  if (lock.fd_ < 0) {
    return fail(ErrorKind::bad_request,
                fmt::format("server.data_dir: {} cannot be written: {}", path, words_of(errno)));
  }
  if (flock(lock.fd_, LOCK_EX | LOCK_NB) != 0) {
    if (errno == EWOULDBLOCK) {
      return fail(ErrorKind::bad_request,
                  fmt::format("server.data_dir: another Weir{} keeps its data in {}. Stop that one, or give "
                              "this one a folder of its own (--data-dir, or data_dir in the configuration)",
                              holder(lock.fd_), directory));
    }
    log_warn("the data directory cannot be locked: see to it that no other Weir has the same one",
             {{"directory", directory}, {"error", words_of(errno)}});
    return lock;
  }
  const std::string pid = fmt::format("{}\n", getpid());
  const bool is_told = ftruncate(lock.fd_, 0) == 0 && pwrite(lock.fd_, pid.data(), pid.size(), 0) > 0;
  if (!is_told) log_warn("the process id was not written", {{"file", path}, {"error", words_of(errno)}});
  return lock;
}

void DataLock::release() {
  if (fd_ >= 0) close(std::exchange(fd_, -1));
}

}  // namespace weir
