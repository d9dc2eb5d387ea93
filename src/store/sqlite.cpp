#include "store/sqlite.h"

#include <fcntl.h>
#include <fmt/core.h>
#include <sqlite3.h>
#include <unistd.h>

#include "base/limits.h"

namespace weir {
namespace {

// Another process at the same file (a backup, a person with sqlite3) is waited for that long.
constexpr int kBusyMs = 5'000;

// SECURE_DELETE is on in Debian's build and would write every freed page twice; what is stored is sealed.
// Checkpoints are made by a second connection, so that no commit waits for one.
constexpr const char* kPragmas =
    "PRAGMA journal_mode=WAL; PRAGMA synchronous=FULL; PRAGMA secure_delete=OFF; PRAGMA "
    "wal_autocheckpoint=0; "
    "PRAGMA foreign_keys=ON; PRAGMA temp_store=MEMORY;";

std::unexpected<Error> internal(std::string detail) {
  Error error = make_error(ErrorKind::internal, "the store of this server is out of order");
  error.detail = std::move(detail);
  return fail(std::move(error));
}

// The file is made here, so that its mode does not depend on the process's umask; the log files take it over.
Result<void> make_private_file(const std::string& path) {
  const int file = ::open(path.c_str(), O_RDWR | O_CREAT | O_CLOEXEC, 0600);
  if (file < 0) return internal(fmt::format("{}: {}", path, std::strerror(errno)));
  ::close(file);
  return {};
}

}  // namespace

int64_t int_of(const SqlRow& row, size_t column) {
  const auto* number = column < row.size() ? std::get_if<int64_t>(&row[column]) : nullptr;
  return number ? *number : 0;
}

std::string text_of(const SqlRow& row, size_t column) {
  if (column >= row.size()) return {};
  if (const auto* text = std::get_if<std::string>(&row[column])) return *text;
  if (const auto* blob = std::get_if<SqlBlob>(&row[column])) return blob->bytes;
  return {};
}

void SqliteConnection::Close::operator()(sqlite3* database) const {
  sqlite3_close_v2(database);
}

void SqliteConnection::Finalize::operator()(sqlite3_stmt* statement) const {
  sqlite3_finalize(statement);
}

Result<SqliteConnection> SqliteConnection::open(const std::string& path, Access access,
                                                const MasterKey& key) {
  if (access == Access::write) TRY(make_private_file(path));
  sqlite3* database = nullptr;
  // Each connection belongs to one thread at a time, so SQLite need not lock it.
  const int flags = SQLITE_OPEN_READWRITE | SQLITE_OPEN_NOMUTEX;
  const int opened = sqlite3_open_v2(path.c_str(), &database, flags, nullptr);
  SqliteConnection connection(std::unique_ptr<sqlite3, Close>(database), key);
  if (opened != SQLITE_OK) return connection.failure("open " + path);
  sqlite3_busy_timeout(database, kBusyMs);
  TRY(connection.run_script(kPragmas));
  if (access == Access::read) TRY(connection.run_script("PRAGMA query_only=ON;"));
  return connection;
}

std::unexpected<Error> SqliteConnection::failure(std::string_view what) const {
  constexpr int kPrimaryCode = 0xff;
  if (database_ && (sqlite3_errcode(database_.get()) & kPrimaryCode) == SQLITE_IOERR) has_lost_disk_ = true;
  return internal(fmt::format("sqlite: {}: {}", what,
                              database_ ? sqlite3_errmsg(database_.get()) : "the database cannot be opened"));
}

bool SqliteConnection::has_transaction() const {
  return sqlite3_get_autocommit(database_.get()) == 0;
}

Result<void> SqliteConnection::run_script(std::string_view sql) {
  const std::string text(sql);
  if (sqlite3_exec(database_.get(), text.c_str(), nullptr, nullptr, nullptr) != SQLITE_OK)
    return failure(text);
  return {};
}

Result<sqlite3_stmt*> SqliteConnection::prepare(std::string_view sql) {
  if (const auto known = prepared_.find(sql.data()); known != prepared_.end()) return known->second.get();
  if (prepared_.size() >= kStoreStatementsMax) prepared_.clear();
  sqlite3_stmt* prepared = nullptr;
  const int made = sqlite3_prepare_v3(database_.get(), sql.data(), static_cast<int>(sql.size()),
                                      SQLITE_PREPARE_PERSISTENT, &prepared, nullptr);
  if (made != SQLITE_OK) return failure(sql);
  prepared_.emplace(sql.data(), Prepared(prepared));
  return prepared;
}

Result<void> SqliteConnection::bind(sqlite3_stmt* prepared, const Statement& statement) {
  if (sqlite3_bind_parameter_count(prepared) != static_cast<int>(statement.values.size()))
    return internal(fmt::format("{} values for: {}", statement.values.size(), statement.sql));
  int at = 0;
  for (const SqlValue& value : statement.values) {
    ++at;
    int bound = SQLITE_OK;
    if (const auto* number = std::get_if<int64_t>(&value)) {
      bound = sqlite3_bind_int64(prepared, at, *number);
    } else if (const auto* real = std::get_if<double>(&value)) {
      bound = sqlite3_bind_double(prepared, at, *real);
    } else if (const auto* text = std::get_if<std::string>(&value)) {
      bound = sqlite3_bind_text64(prepared, at, text->data(), text->size(), SQLITE_STATIC, SQLITE_UTF8);
    } else if (const auto* blob = std::get_if<SqlBlob>(&value)) {
      bound = sqlite3_bind_blob64(prepared, at, blob->bytes.data(), blob->bytes.size(), SQLITE_STATIC);
    } else if (const auto* sealed = std::get_if<SqlSealed>(&value)) {
      const std::string bytes = key_->derive(sealed->context).seal(sealed->plaintext, sealed->associated);
      bound = sqlite3_bind_blob64(prepared, at, bytes.data(), bytes.size(), SQLITE_TRANSIENT);
    } else {
      bound = sqlite3_bind_null(prepared, at);
    }
    if (bound != SQLITE_OK) return failure(statement.sql);
  }
  return {};
}

Result<int64_t> SqliteConnection::execute(const Statement& statement) {
  sqlite3_stmt* prepared = TRY(prepare(statement.sql));
  Result<void> bound = bind(prepared, statement);
  const int64_t before = sqlite3_total_changes64(database_.get());
  const int stepped = bound ? sqlite3_step(prepared) : SQLITE_MISUSE;
  Result<int64_t> changed = sqlite3_total_changes64(database_.get()) - before;
  if (bound && stepped != SQLITE_DONE && stepped != SQLITE_ROW) changed = failure(statement.sql);
  sqlite3_reset(prepared);
  // What was bound belongs to the caller.
  sqlite3_clear_bindings(prepared);
  if (!bound) return std::move(bound).fail();
  return changed;
}

Result<SqlRow> SqliteConnection::row_of(sqlite3_stmt* prepared, const Query& query) const {
  SqlRow row;
  const int columns = sqlite3_column_count(prepared);
  row.reserve(static_cast<size_t>(columns));
  for (int i = 0; i < columns; ++i) {
    const auto bytes = [&](const void* data) {
      return std::string(static_cast<const char*>(data),
                         static_cast<size_t>(sqlite3_column_bytes(prepared, i)));
    };
    switch (sqlite3_column_type(prepared, i)) {
      case SQLITE_INTEGER:
        row.emplace_back(static_cast<int64_t>(sqlite3_column_int64(prepared, i)));
        break;
      case SQLITE_FLOAT:
        row.emplace_back(sqlite3_column_double(prepared, i));
        break;
      case SQLITE_TEXT:
        row.emplace_back(bytes(sqlite3_column_text(prepared, i)));
        break;
      case SQLITE_BLOB: {
        std::string blob = bytes(sqlite3_column_blob(prepared, i));
        if (!query.seal_context.empty())
          blob = TRY(key_->derive(query.seal_context).open(blob, query.seal_associated));
        row.emplace_back(SqlBlob{std::move(blob)});
        break;
      }
      default:
        row.emplace_back(std::monostate());
    }
  }
  return row;
}

Result<std::vector<SqlRow>> SqliteConnection::query(const Query& query) {
  sqlite3_stmt* prepared = TRY(prepare(query.statement.sql));
  Result<void> outcome = bind(prepared, query.statement);
  std::vector<SqlRow> rows;
  while (outcome) {
    const int stepped = sqlite3_step(prepared);
    if (stepped == SQLITE_DONE) break;
    if (stepped != SQLITE_ROW) {
      outcome = failure(query.statement.sql);
    } else if (rows.size() >= kStoreRowsMax) {
      outcome = internal(fmt::format("more than {} rows: {}", kStoreRowsMax, query.statement.sql));
    } else if (Result<SqlRow> row = row_of(prepared, query); row) {
      rows.push_back(std::move(*row));
    } else {
      outcome = std::move(row).fail();
    }
  }
  sqlite3_reset(prepared);
  sqlite3_clear_bindings(prepared);
  if (!outcome) return std::move(outcome).fail();
  return rows;
}

void SqliteConnection::watch_log(std::function<void(int pages)> on_commit) {
  on_commit_ = std::make_unique<std::function<void(int)>>(std::move(on_commit));
  const auto hook = [](void* target, sqlite3*, const char*, int pages) {
    (*static_cast<std::function<void(int)>*>(target))(pages);
    return SQLITE_OK;
  };
  sqlite3_wal_hook(database_.get(), hook, on_commit_.get());
}

void SqliteConnection::checkpoint() {
  sqlite3_wal_checkpoint_v2(database_.get(), nullptr, SQLITE_CHECKPOINT_PASSIVE, nullptr, nullptr);
}

Result<void> migrate(SqliteConnection& connection, std::span<const MigrationList> lists, int64_t now_s) {
  TRY(connection.run_script(
      "CREATE TABLE IF NOT EXISTS schema_steps (folder TEXT NOT NULL, number INTEGER NOT NULL, "
      "made_s INTEGER NOT NULL, PRIMARY KEY (folder, number));"));
  for (const MigrationList& list : lists) {
    const std::string folder(list.folder);
    const auto rows = TRY(connection.query(
        {.statement = {"SELECT COALESCE(MAX(number), 0) FROM schema_steps WHERE folder = ?", {folder}}}));
    const int64_t done = rows.empty() ? 0 : int_of(rows.front(), 0);
    for (const Migration& step : list.steps) {
      if (step.number <= done) continue;
      TRY(connection.run_script("BEGIN IMMEDIATE"));
      Result<void> made = connection.run_script(step.sql);
      if (made) {
        Result<int64_t> noted =
            connection.execute({"INSERT INTO schema_steps (folder, number, made_s) VALUES (?, ?, ?)",
                                {folder, static_cast<int64_t>(step.number), now_s}});
        made = noted ? connection.run_script("COMMIT") : Result<void>(std::move(noted).fail());
      }
      if (!made) {
        (void)connection.run_script("ROLLBACK");
        Error error = std::move(made).error();
        error.detail = fmt::format("step {} of {}: {}", step.number, list.folder, error.detail);
        return fail(std::move(error));
      }
    }
  }
  return {};
}

}  // namespace weir
