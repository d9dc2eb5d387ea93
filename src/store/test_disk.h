// A disk that fails when a test says so: SQLite's own access to files with a fault in it, for every database
// that is opened while one of these exists.
#pragma once

#include <atomic>
#include <map>
#include <mutex>
#include <sqlite3.h>

namespace weir {

class FaultyDisk {
 public:
  FaultyDisk() {
    real_vfs() = sqlite3_vfs_find(nullptr);
    own_vfs() = *real_vfs();
    own_vfs().zName = "faulty";
    own_vfs().xOpen = &open;
    sqlite3_vfs_register(&own_vfs(), 1);
  }
  ~FaultyDisk() {
    mend();
    sqlite3_vfs_unregister(&own_vfs());
  }
  FaultyDisk(const FaultyDisk&) = delete;
  FaultyDisk& operator=(const FaultyDisk&) = delete;

  // From now on each call of that kind gives the code of SQLite. At any time, from any thread.
  void fail_writes(int code) { write_fault() = code; }
  void fail_syncs(int code) { sync_fault() = code; }
  void fail_reads(int code) { read_fault() = code; }
  void mend() {
    for (std::atomic<int>* fault : {&write_fault(), &sync_fault(), &read_fault()}) *fault = SQLITE_OK;
  }

 private:
  // Databases that were opened on it close after it has gone.
  static sqlite3_vfs& own_vfs() {
    static sqlite3_vfs vfs;
    return vfs;
  }
  static sqlite3_vfs*& real_vfs() {
    static sqlite3_vfs* vfs = nullptr;
    return vfs;
  }
  static const sqlite3_io_methods*& real() {
    static const sqlite3_io_methods* methods = nullptr;
    return methods;
  }
  static std::atomic<int>& write_fault() {
    static std::atomic<int> code = SQLITE_OK;
    return code;
  }
  static std::atomic<int>& sync_fault() {
    static std::atomic<int> code = SQLITE_OK;
    return code;
  }
  static std::atomic<int>& read_fault() {
    static std::atomic<int> code = SQLITE_OK;
    return code;
  }

  static int open(sqlite3_vfs*, const char* name, sqlite3_file* file, int flags, int* out_flags) {
    const int opened = real_vfs()->xOpen(real_vfs(), name, file, flags, out_flags);
    if (opened != SQLITE_OK) return opened;
    // Databases and their logs have tables of their own, with the same functions to read and write.
    static std::mutex mutex;
    static std::map<const sqlite3_io_methods*, sqlite3_io_methods> faulty;
    const std::lock_guard lock(mutex);
    const auto known = faulty.find(file->pMethods);
    file->pMethods = known != faulty.end()
                         ? &known->second
                         : &faulty.emplace(file->pMethods, with_faults(file->pMethods)).first->second;
    return opened;
  }
  static sqlite3_io_methods with_faults(const sqlite3_io_methods* methods) {
    real() = methods;
    sqlite3_io_methods faulty = *methods;
    faulty.xWrite = [](sqlite3_file* file, const void* bytes, int size, sqlite3_int64 at) {
      const int code = write_fault();
      return code != SQLITE_OK ? code : real()->xWrite(file, bytes, size, at);
    };
    faulty.xSync = [](sqlite3_file* file, int flags) {
      const int code = sync_fault();
      return code != SQLITE_OK ? code : real()->xSync(file, flags);
    };
    faulty.xRead = [](sqlite3_file* file, void* bytes, int size, sqlite3_int64 at) {
      const int code = read_fault();
      return code != SQLITE_OK ? code : real()->xRead(file, bytes, size, at);
    };
    return faulty;
  }
};

}  // namespace weir
