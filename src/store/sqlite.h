// One connection to an SQLite database. Used by one thread at a time; everything blocks on the disk.
#pragma once

#include <functional>
#include <memory>
#include <string>
#include <unordered_map>

#include "base/result.h"
#include "base/seal.h"
#include "store/sql.h"

struct sqlite3;
struct sqlite3_stmt;

namespace weir {

class SqliteConnection {
 public:
  enum class Access : uint8_t { write, read };
  // Opens the database in WAL mode with synchronous=FULL: what is committed survives a power cut. `write`
  // makes the file (mode 0600) when there is none. `key` seals and opens; it outlives the connection. Errors:
  // internal, the detail saying what SQLite said.
  static Result<SqliteConnection> open(const std::string& path, Access access, const MasterKey& key);
  SqliteConnection(SqliteConnection&&) noexcept = default;
  SqliteConnection& operator=(SqliteConnection&&) noexcept = default;
  ~SqliteConnection() = default;

  // Gives the number of rows that changed. Errors: internal; a failed statement has changed nothing.
  Result<int64_t> execute(const Statement& statement);
  // Errors: internal, also past kStoreRowsMax rows.
  Result<std::vector<SqlRow>> query(const Query& query);
  // False, too, when a failure (a full disk, no memory) has ended the transaction and undone all of it.
  bool has_transaction() const;
  // Since the disk failed to read or to write: what is open may be a file that is gone.
  bool has_lost_disk() const { return has_lost_disk_; }
  // Several statements without values (migrations).
  Result<void> run_script(std::string_view sql);

  // Calls back after each commit with the pages that the write-ahead log holds.
  void watch_log(std::function<void(int pages)> on_commit);
  // Moves what it can from the log to the database without waiting for anyone.
  void checkpoint();

 private:
  struct Close {
    void operator()(sqlite3* database) const;
  };
  struct Finalize {
    void operator()(sqlite3_stmt* statement) const;
  };
  using Prepared = std::unique_ptr<sqlite3_stmt, Finalize>;

  SqliteConnection(std::unique_ptr<sqlite3, Close> database, const MasterKey& key)
      : database_(std::move(database)), key_(&key) {}
  Result<sqlite3_stmt*> prepare(std::string_view sql);
  Result<void> bind(sqlite3_stmt* prepared, const Statement& statement);
  Result<SqlRow> row_of(sqlite3_stmt* prepared, const Query& query) const;
  std::unexpected<Error> failure(std::string_view what) const;

  std::unique_ptr<sqlite3, Close> database_;
  const MasterKey* key_;
  mutable bool has_lost_disk_ = false;
  std::unique_ptr<std::function<void(int)>> on_commit_;
  // By the address of the literal: a statement is prepared once. Finalized before the database is closed.
  std::unordered_map<const char*, Prepared> prepared_;
};

// Brings the tables of all folders up to date, each step in a transaction of its own with its note in
// `schema_steps`. Steps of a newer binary are left alone. Errors: internal naming folder and step.
Result<void> migrate(SqliteConnection& connection, std::span<const MigrationList> lists, int64_t now_s);

}  // namespace weir
