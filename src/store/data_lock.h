// The data directory belongs to one process at a time: each keeps in memory what it has read and written, and
// would go on giving out what another has deleted.
#pragma once

#include <string>
#include <utility>

#include "base/result.h"

namespace weir {

// Makes the directory where it is missing, its owner's alone. What cannot be made shows when it is used.
void make_data_directory(const std::string& directory);

class DataLock {
 public:
  DataLock() = default;  // holds nothing
  // Takes the directory, and leaves this process's id in its file weir.lock for the next one to name. A file
  // system that has no locks is told of in the log, and goes unlocked. Errors: bad_request that names who has
  // it and the remedy; that the file cannot be written.
  static Result<DataLock> take(const std::string& directory);
  ~DataLock() { release(); }
  DataLock(DataLock&& other) noexcept : fd_(std::exchange(other.fd_, -1)) {}
  DataLock& operator=(DataLock&& other) noexcept {
    std::swap(fd_, other.fd_);
    return *this;
  }

  // Another process may have it now. The kernel does that, too, when this one ends in any way. Idempotent.
  void release();

 private:
  explicit DataLock(int fd) : fd_(fd) {}
  int fd_ = -1;
};

}  // namespace weir
