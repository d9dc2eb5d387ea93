// Store: the database of this process, in the data directory: SQLite in WAL mode, with one thread that writes
// and makes many changes durable in one commit, and a few connections that read. It is one concrete class;
// it becomes a port when PostgreSQL is the second implementation (statements are values for that reason).
//
// Nothing is made on disk, and no thread is started, before the first change; what is read before is empty.
// That no other process has the directory is for the process to see to (store/data_lock.h).
#pragma once

#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "base/clock.h"
#include "base/seal.h"
#include "base/task.h"
#include "io/scope.h"
#include "store/sql.h"

namespace weir {

class Workers;

struct StoreOptions {
  std::string directory;  // made with mode 0700 when it is needed; holds master.key and weir.db
  std::vector<MigrationList> migrations;  // of all folders
};

// The master key of a data directory; both are made when they are needed, the directory with mode 0700.
// Blocks on the disk. Errors: internal, as MasterKey::load_or_create.
Result<MasterKey> master_key_in(const std::string& directory);

class Store {
 public:
  // Costs nothing. Its threads are the workers store_writer and store_checkpointer. All outlive the store.
  Store(StoreOptions options, Workers& workers, const Clock& clock);
  // Writes what was accepted, then closes. Blocks. REQUIRES that the cores that called still exist.
  ~Store();
  Store(const Store&) = delete;
  Store& operator=(const Store&) = delete;

  // One change: all statements or none. Returns when it is durable, with the number of rows changed. Errors:
  // overloaded when too much waits, internal, the scope's reason (the change may still happen then).
  Task<int64_t> write(Scope& scope, std::vector<Statement> statements);
  // Write-behind: the same, without waiting. What a crash loses is what was accepted and not yet committed:
  // the changes that wait and the one commit that is under way, never one before those. False: the queue is
  // full and nothing was accepted. A failure is logged and counted. From any thread.
  bool write_later(std::vector<Statement> statements);
  // Errors: overloaded, internal (logged and counted), the scope's reason.
  Task<std::vector<SqlRow>> read(Scope& scope, Query query);

  struct Counts {
    uint64_t changes = 0;  // committed
    uint64_t commits = 0;
    uint64_t failures = 0;  // changes that failed
    uint64_t reads_failed = 0;
  };
  Counts counts() const;

  // Opens the database, where there is one: what is wrong with it shows before anybody needs it. Blocks.
  void check();
  // What the newest change, or the newest read, failed with; empty: both went well, or there was none. For
  // the operator. From any thread.
  std::string trouble() const;

 private:
  class Engine;
  Engine& engine();

  const StoreOptions options_;
  Workers& workers_;
  const Clock& clock_;
  mutable std::mutex mutex_;  // guards engine_; held only to make it or to look
  std::unique_ptr<Engine> engine_;
};

}  // namespace weir
