#include "store/store.h"

#include <condition_variable>
#include <deque>
#include <filesystem>
#include <fmt/core.h>

#include "base/encoding.h"
#include "base/limits.h"
#include "base/log.h"
#include "io/pool.h"
#include "io/worker.h"
#include "store/change_group.h"
#include "store/data_lock.h"
#include "store/sqlite.h"

namespace weir {
namespace {

constexpr std::string_view kDatabase = "weir.db";
constexpr size_t kReadThreads = 2;
// Pages in the log after which they are moved to the database: 4 MB.
constexpr int kCheckpointPages = 1'000;
constexpr int64_t kLogFailuresEvery = 100;

constexpr std::array kOwnSteps = {
    Migration{1, "CREATE TABLE store_facts (name TEXT PRIMARY KEY, value TEXT NOT NULL);"}};

size_t bytes_of(const std::vector<Statement>& statements) {
  size_t bytes = sizeof(Change);
  for (const Statement& statement : statements) {
    bytes += sizeof(Statement);
    for (const SqlValue& value : statement.values) {
      bytes += sizeof(SqlValue);
      if (const auto* text = std::get_if<std::string>(&value)) bytes += text->size();
      if (const auto* blob = std::get_if<SqlBlob>(&value)) bytes += blob->bytes.size();
      if (const auto* sealed = std::get_if<SqlSealed>(&value)) bytes += sealed->plaintext.size();
    }
  }
  return bytes;
}

// Where the waiting coroutine and the writer meet: whoever comes last frees it. Touched on the core's thread.
struct Completion {
  struct Wait final : Waiter {
    void detach() override {}
  };
  Wait wait;
  bool is_abandoned = false;
  std::optional<Result<int64_t>> result;
};

// What the newest operation of a kind failed with.
class Trouble {
 public:
  void note(const Error& error) {
    const std::lock_guard lock(mutex_);
    text_ = error.detail.empty() ? error.message : fmt::format("{}: {}", error.message, error.detail);
    is_there_.store(true);
  }
  // Costs the usual operation, which went well after another that did, no lock.
  void forget() {
    if (!is_there_.load(std::memory_order_relaxed)) return;
    const std::lock_guard lock(mutex_);
    text_.clear();
    is_there_.store(false);
  }
  std::string text() const {
    const std::lock_guard lock(mutex_);
    return text_;
  }

 private:
  mutable std::mutex mutex_;
  std::atomic<bool> is_there_ = false;
  std::string text_;
};

}  // namespace

// The threads and connections of an opened store.
class Store::Engine {
 public:
  Engine(const StoreOptions& options, Workers& workers, const Clock& clock)
      : options_(options),
        workers_(workers),
        clock_(clock),
        path_((std::filesystem::path(options.directory) / kDatabase).string()),
        readers_("store read", kReadThreads, kStoreReadQueueMax) {}

  ~Engine() {
    {
      const std::lock_guard lock(queue_mutex_);
      is_stopping_ = true;
    }
    wake_.notify_all();
    writer_.reset();  // it may still ask for a checkpoint
    checkpointer_.reset();
  }

  bool submit(Change change) {
    {
      const std::lock_guard lock(queue_mutex_);
      if (is_stopping_ || queued_bytes_ + change.bytes > kStoreWriteQueueBytesMax) return false;
      queued_bytes_ += change.bytes;
      queue_.push_back(std::move(change));
      if (!writer_)
        writer_ = workers_.start("store_writer", [this](const std::stop_token&) { return write_groups(); });
    }
    wake_.notify_all();
    return true;
  }

  Pool& readers() { return readers_; }

  // On a reader's thread.
  Result<std::vector<SqlRow>> read(const Query& query) {
    Result<std::vector<SqlRow>> rows = rows_of(query);
    if (rows) {
      trouble_with_reads_.forget();
    } else {
      trouble_with_reads_.note(rows.error());
      note_failure("what was stored cannot be read", reads_failed_, rows.error());
    }
    return rows;
  }

  std::string trouble() const {
    std::string text = trouble_with_changes_.text();
    return text.empty() ? trouble_with_reads_.text() : text;
  }

  Counts counts() const {
    return {.changes = changes_.load(),
            .commits = commits_.load(),
            .failures = failures_.load(),
            .reads_failed = reads_failed_.load()};
  }

 private:
  Result<std::vector<SqlRow>> rows_of(const Query& query) {
    std::error_code ignored;
    if (!std::filesystem::exists(path_, ignored)) return std::vector<SqlRow>{};
    TRY(open());
    std::optional<SqliteConnection> connection;
    {
      const std::lock_guard lock(idle_mutex_);
      if (!idle_.empty()) {
        connection = std::move(idle_.back());
        idle_.pop_back();
      }
    }
    if (!connection)
      connection = TRY(SqliteConnection::open(path_, SqliteConnection::Access::read, *master_));
    std::vector<SqlRow> rows = TRY(connection->query(query));  // a failed one is not used again
    const std::lock_guard lock(idle_mutex_);
    idle_.push_back(std::move(*connection));
    return rows;
  }

  // Makes what is missing. Tried again after a failure: a disk may come back.
  Result<void> open() {
    const std::lock_guard lock(open_mutex_);
    if (connection_) return {};
    if (!master_) master_.emplace(TRY(master_key_in(options_.directory)));
    SqliteConnection made = TRY(SqliteConnection::open(path_, SqliteConnection::Access::write, *master_));
    const int64_t now_s = clock_.wall_ns() / 1'000'000'000;
    TRY(migrate(made, std::array{MigrationList{"store", kOwnSteps}}, now_s));
    TRY(check_key(made));
    TRY(migrate(made, options_.migrations, now_s));
    made.watch_log([this](int pages) {
      if (pages >= kCheckpointPages) ask_for_checkpoint();
    });
    connection_ = std::move(made);
    return {};
  }

  // The next group opens it anew: a disk that comes back need not have the same file.
  void close() {
    const std::lock_guard lock(open_mutex_);
    connection_.reset();
  }

  // With another key nothing that was sealed could be read again, and what is written now could not be read
  // by whoever puts the right key back.
  Result<void> check_key(SqliteConnection& connection) {
    const std::string id = hex_encode(master_->id());
    TRY(
        connection.execute({"INSERT INTO store_facts (name, value) VALUES ('master key id', ?) "
                            "ON CONFLICT (name) DO NOTHING",
                            {id}}));
    const auto rows = TRY(
        connection.query({.statement = {"SELECT value FROM store_facts WHERE name = 'master key id'", {}}}));
    if (!rows.empty() && text_of(rows.front(), 0) == id) return {};
    Error error = make_error(ErrorKind::internal, "the store of this server is out of order");
    error.detail = fmt::format(
        "{} was sealed with another master key: put the right master.key back, or "
        "remove the database with what is in it",
        path_);
    return fail(std::move(error));
  }

  // Until the store ends: then what was accepted is written first.
  Result<void> write_groups() {
    give_up_group();
    for (;;) {
      {
        std::unique_lock lock(queue_mutex_);
        wake_.wait(lock, [this] { return is_stopping_ || !queue_.empty(); });
        if (queue_.empty()) return {};
        while (!queue_.empty() && group_.size() < kStoreGroupMax) {
          queued_bytes_ -= queue_.front().bytes;
          group_.add(std::move(queue_.front()));
          queue_.pop_front();
        }
      }
      commit(group_);
      group_.tell([this](const Result<int64_t>& outcome) { note(outcome); });
    }
  }

  // What the writer had in hand when it failed: nobody must wait for it for ever. What is durable already is
  // no failure.
  void give_up_group() {
    if (group_.empty()) return;
    if (connection_ && connection_->has_transaction()) (void)connection_->run_script("ROLLBACK");
    group_.fail_rest(make_error(ErrorKind::internal, "the store failed while it wrote"));
    group_.tell([this](const Result<int64_t>& outcome) { note(outcome); });
  }

  // Gives each change its outcome. Writer's thread only.
  void commit(ChangeGroup& group) {
    std::vector<Result<int64_t>> outcomes;
    outcomes.reserve(group.size());
    Result<void> committed = open();
    if (committed) committed = connection_->run_script("BEGIN IMMEDIATE");
    if (committed) {
      for (const Change& change : group.changes()) {
        outcomes.push_back(apply(change));
        // What came before is undone, and what comes after must not be committed by itself.
        if (!connection_->has_transaction()) break;
      }
      committed = connection_->has_transaction() ? connection_->run_script("COMMIT")
                                                 : Result<void>(fail(Error(outcomes.back().error())));
      if (!committed && connection_->has_transaction()) (void)connection_->run_script("ROLLBACK");
    }
    if (!committed) {
      if (connection_ && connection_->has_lost_disk()) close();
      return group.fail_rest(committed.error());
    }
    commits_.fetch_add(1);
    group.settle(std::move(outcomes));
  }

  // One change in the group's transaction: a failure undoes this change alone. A single statement undoes
  // itself.
  Result<int64_t> apply(const Change& change) {
    const bool needs_savepoint = change.statements.size() > 1;
    if (needs_savepoint) TRY(connection_->run_script("SAVEPOINT change"));
    Result<int64_t> changed = 0;
    for (const Statement& statement : change.statements) {
      Result<int64_t> one = connection_->execute(statement);
      if (!one) {
        changed = std::move(one);
        break;
      }
      *changed += *one;
    }
    if (needs_savepoint && connection_->has_transaction()) {
      if (!changed) TRY(connection_->run_script("ROLLBACK TO change"));
      TRY(connection_->run_script("RELEASE change"));
    }
    return changed;
  }

  void note(const Result<int64_t>& outcome) {
    if (outcome) {
      changes_.fetch_add(1);
      trouble_with_changes_.forget();
      return;
    }
    trouble_with_changes_.note(outcome.error());
    note_failure("a change was not stored", failures_, outcome.error());
  }

  static void note_failure(std::string_view what, std::atomic<uint64_t>& count, const Error& error) {
    const uint64_t before = count.fetch_add(1);
    if (before % kLogFailuresEvery == 0)
      log_error(what, {{"error", error.message}, {"detail", error.detail}});
  }

  void ask_for_checkpoint() {
    const std::lock_guard lock(queue_mutex_);
    wants_checkpoint_ = true;
    if (!checkpointer_ && !is_stopping_) {
      checkpointer_ =
          workers_.start("store_checkpointer", [this](const std::stop_token&) { return make_checkpoints(); });
    }
    wake_.notify_all();
  }

  // Until the store ends. A failure is tried again.
  Result<void> make_checkpoints() {
    std::optional<SqliteConnection> own;
    for (;;) {
      {
        std::unique_lock lock(queue_mutex_);
        wake_.wait(lock, [this] { return is_stopping_ || wants_checkpoint_; });
        if (is_stopping_) return {};
      }
      if (!own) own = TRY(SqliteConnection::open(path_, SqliteConnection::Access::write, *master_));
      {
        const std::lock_guard lock(queue_mutex_);
        wants_checkpoint_ = false;
      }
      own->checkpoint();
    }
  }

  const StoreOptions& options_;
  Workers& workers_;
  const Clock& clock_;
  const std::string path_;

  std::mutex open_mutex_;  // guards the making of master_ and connection_; the key stays once it is there
  std::optional<MasterKey> master_;
  std::optional<SqliteConnection> connection_;  // used by the writer's thread alone

  std::mutex queue_mutex_;
  std::condition_variable wake_;
  std::deque<Change> queue_;
  size_t queued_bytes_ = 0;
  bool is_stopping_ = false;
  bool wants_checkpoint_ = false;
  ChangeGroup group_;  // in the writer's hand; its thread only
  std::unique_ptr<Worker> writer_;
  std::unique_ptr<Worker> checkpointer_;

  std::mutex idle_mutex_;
  std::vector<SqliteConnection> idle_;  // readers that nobody uses, at most one for each thread

  std::atomic<uint64_t> changes_ = 0;
  std::atomic<uint64_t> commits_ = 0;
  std::atomic<uint64_t> failures_ = 0;
  std::atomic<uint64_t> reads_failed_ = 0;
  Trouble trouble_with_changes_;
  Trouble trouble_with_reads_;

  Pool readers_;  // its threads use everything above, so they end first
};

Result<MasterKey> master_key_in(const std::string& directory) {
  make_data_directory(directory);
  return MasterKey::load_or_create((std::filesystem::path(directory) / "master.key").string());
}

Store::Store(StoreOptions options, Workers& workers, const Clock& clock)
    : options_(std::move(options)), workers_(workers), clock_(clock) {}

Store::~Store() = default;

// Starting the readers costs a core about 100 µs, once.
Store::Engine& Store::engine() {
  const std::lock_guard lock(mutex_);
  if (!engine_) engine_ = std::make_unique<Engine>(options_, workers_, clock_);
  return *engine_;
}

Task<int64_t> Store::write(Scope& scope, std::vector<Statement> statements) {
  auto shared = std::make_shared<Completion>();
  Core& core = scope.core();
  Change change;
  change.bytes = bytes_of(statements);
  change.statements = std::move(statements);
  change.done = [shared, &core](Result<int64_t> result) {
    core.post_remote([shared, result = std::make_shared<Result<int64_t>>(std::move(result))] {
      shared->result = std::move(*result);
      if (!shared->is_abandoned) shared->wait.complete();
    });
  };
  if (!engine().submit(std::move(change)))
    co_return fail(ErrorKind::overloaded, "too many changes wait to be stored; try again in a second");
  Result<void> waited = co_await shared->wait.on(scope);
  if (!waited) {
    shared->is_abandoned = true;
    co_return fail(std::move(waited).error());
  }
  co_return std::move(*shared->result);
}

bool Store::write_later(std::vector<Statement> statements) {
  Change change;
  change.bytes = bytes_of(statements);
  change.statements = std::move(statements);
  return engine().submit(std::move(change));
}

Task<std::vector<SqlRow>> Store::read(Scope& scope, Query query) {
  Engine& engine = this->engine();
  co_return co_await engine.readers().run(scope,
                                          [&engine, query = std::move(query)] { return engine.read(query); });
}

Store::Counts Store::counts() const {
  const std::lock_guard lock(mutex_);
  return engine_ ? engine_->counts() : Counts{};
}

void Store::check() {
  std::error_code ignored;
  if (!std::filesystem::exists(std::filesystem::path(options_.directory) / kDatabase, ignored)) return;
  // What it fails with is noted.
  (void)engine().read({.statement = {"SELECT count(*) FROM store_facts", {}}});
}

std::string Store::trouble() const {
  const std::lock_guard lock(mutex_);
  return engine_ ? engine_->trouble() : "";
}

}  // namespace weir
