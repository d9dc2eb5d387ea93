#include "store/store.h"

#include <algorithm>
#include <filesystem>
#include <fstream>
#include <gtest/gtest.h>
#include <set>
#include <sys/stat.h>
#include <thread>
#include <unistd.h>

#include "base/limits.h"
#include "io/worker.h"
#include "store/sqlite.h"
#include "store/test_disk.h"

namespace weir {
namespace {

constexpr std::array kSteps = {
    Migration{1, "CREATE TABLE things (id INTEGER PRIMARY KEY, name TEXT NOT NULL UNIQUE, body BLOB);"},
    Migration{2, "ALTER TABLE things ADD COLUMN size INTEGER;"},
};
constexpr std::string_view kInsert = "INSERT INTO things (name, body, size) VALUES (?, ?, ?)";

// A real core that the test turns by hand, and a directory that goes with the test.
class StoreTest : public testing::Test {
 protected:
  StoreTest()
      : directory_(std::filesystem::temp_directory_path() /
                   fmt::format("weir_store_{}_{}", getpid(),
                               testing::UnitTest::GetInstance()->current_test_info()->name())) {
    std::filesystem::remove_all(directory_);
  }
  ~StoreTest() override {
    store_.reset();
    std::filesystem::remove_all(directory_);
  }

  Store& store() {
    if (!store_) {
      store_ = std::make_unique<Store>(
          StoreOptions{.directory = directory_.string(), .migrations = {{"test", kSteps}}}, workers_, clock_);
    }
    return *store_;
  }

  template <class T>
  static Task<void> keep(Task<T> task, std::optional<Result<T>>& into) {
    into = co_await std::move(task);
    co_return {};
  }

  template <class T>
  Result<T> run(Task<T> task) {
    std::optional<Result<T>> result;
    scope_.spawn(keep(std::move(task), result));
    while (!result) {
      if (!core_.poll()) std::this_thread::yield();
    }
    while (core_.poll()) {
    }
    return std::move(*result);
  }

  Result<int64_t> insert(std::string name, SqlValue body = std::monostate()) {
    return run(
        store().write(scope_, {{kInsert, {name, std::move(body), static_cast<int64_t>(name.size())}}}));
  }
  Result<std::vector<SqlRow>> names() {
    return run(store().read(scope_, {.statement = {"SELECT name, size FROM things ORDER BY id", {}}}));
  }

  ManualClock clock_;
  Core core_{0, clock_, 1};
  Scope scope_{core_};
  const std::filesystem::path directory_;
  MetricsRegistry metrics_;
  Workers workers_{metrics_};
  std::unique_ptr<Store> store_;
};

TEST_F(StoreTest, MakesNothingBeforeTheFirstChange) {
  const auto rows = names();
  ASSERT_TRUE(rows) << rows.error().detail;
  EXPECT_TRUE(rows->empty());
  EXPECT_FALSE(std::filesystem::exists(directory_));
}

TEST_F(StoreTest, WhatWasWrittenIsThereAfterANewStart) {
  const auto changed = insert("one");
  ASSERT_TRUE(changed) << changed.error().detail;
  EXPECT_EQ(*changed, 1);
  ASSERT_TRUE(insert("three"));
  store_.reset();
  const auto rows = names();
  ASSERT_TRUE(rows) << rows.error().detail;
  ASSERT_EQ(rows->size(), 2U);
  EXPECT_EQ(text_of((*rows)[1], 0), "three");
  EXPECT_EQ(int_of((*rows)[1], 1), 5);
}

TEST_F(StoreTest, TheMasterKeyOfADirectoryIsTheOneThatSealedItsRows) {
  const auto key = master_key_in(directory_.string());
  ASSERT_TRUE(key) << key.error().detail;
  EXPECT_EQ(std::filesystem::status(directory_).permissions(), std::filesystem::perms::owner_all);
  ASSERT_TRUE(insert("one")) << "the store takes the key that is there";
  EXPECT_EQ(master_key_in(directory_.string())->id(), key->id());
}

TEST_F(StoreTest, FilesAreTheOwnersAlone) {
  ASSERT_TRUE(insert("one"));
  for (const char* name : {"", "weir.db", "weir.db-wal", "master.key"}) {
    struct stat status{};
    ASSERT_EQ(stat((directory_ / name).c_str(), &status), 0) << name;
    EXPECT_EQ(status.st_mode & 077U, 0U) << name;
  }
}

TEST_F(StoreTest, AChangeIsAllOrNothingAndDoesNotHurtItsGroup) {
  ASSERT_TRUE(insert("one"));
  std::optional<Result<int64_t>> bad;
  std::optional<Result<int64_t>> good;
  std::vector<Statement> both;
  both.push_back({kInsert, {"two", {}, 1}});
  both.push_back({kInsert, {"one", {}, 1}});  // there is one already
  scope_.spawn(keep(store().write(scope_, std::move(both)), bad));
  scope_.spawn(keep(store().write(scope_, {{kInsert, {"three", {}, 1}}}), good));
  while (!bad || !good) core_.poll();
  EXPECT_FALSE(*bad);
  EXPECT_TRUE(*good);
  const auto rows = names();
  ASSERT_EQ(rows->size(), 2U);
  EXPECT_EQ(text_of((*rows)[1], 0), "three");
  EXPECT_EQ(store().counts().failures, 1U);
}

// SQLite undoes a whole transaction by itself when the disk is full.
TEST_F(StoreTest, AFullDiskFailsAllThatItUndid) {
  constexpr std::array kSmall = {
      Migration{1, "CREATE TABLE things (name TEXT, body BLOB, size INTEGER); PRAGMA max_page_count = 60;"}};
  Store small(StoreOptions{.directory = directory_.string(), .migrations = {{"test", kSmall}}}, workers_,
              clock_);
  constexpr int kRounds = 60;
  std::array<std::optional<Result<int64_t>>, 3 * kRounds> outcomes;
  for (size_t i = 0; i < outcomes.size(); ++i) {
    const SqlValue body = i % 3 == 1 ? SqlValue(std::string(1'000'000, 'x')) : SqlValue(std::string("x"));
    scope_.spawn(keep(small.write(scope_, {{kInsert, {fmt::format("{}", i), body, 1}}}), outcomes[i]));
  }
  while (!std::ranges::all_of(outcomes, [](const auto& outcome) { return outcome.has_value(); }))
    core_.poll();
  const auto rows = run(small.read(scope_, {.statement = {"SELECT name FROM things", {}}}));
  ASSERT_TRUE(rows);
  std::set<std::string> stored;
  for (const SqlRow& row : *rows) stored.emplace(text_of(row, 0));
  for (size_t i = 0; i < outcomes.size(); ++i) {
    EXPECT_EQ(stored.contains(fmt::format("{}", i)), outcomes[i]->has_value()) << i;
    if (i % 3 == 1) EXPECT_FALSE(*outcomes[i]);
  }
}

TEST_F(StoreTest, ManyChangesShareACommit) {
  constexpr int kChanges = 2'000;
  for (int i = 0; i < kChanges; ++i)
    ASSERT_TRUE(store().write_later({{kInsert, {fmt::format("n{}", i), {}, 1}}}));
  ASSERT_TRUE(insert("last"));  // in order behind them
  EXPECT_EQ(store().counts().changes, static_cast<uint64_t>(kChanges) + 1);
  EXPECT_LT(store().counts().commits, static_cast<uint64_t>(kChanges) / 10);
}

TEST_F(StoreTest, SealedValuesOpenOnlyAsWhatTheyAre) {
  const SqlSealed secret{
      .context = "test/a", .associated = "row 1", .plaintext = "nobody else may read this"};
  ASSERT_TRUE(insert("one", secret));
  const auto read = [&](std::string context, std::string associated) {
    return run(store().read(scope_, {.statement = {"SELECT body FROM things WHERE name = ?", {"one"}},
                                     .seal_context = std::move(context),
                                     .seal_associated = std::move(associated)}));
  };
  const auto opened = read("test/a", "row 1");
  ASSERT_TRUE(opened) << opened.error().detail;
  EXPECT_EQ(text_of(opened->front(), 0), secret.plaintext);
  EXPECT_FALSE(read("test/b", "row 1"));
  EXPECT_FALSE(read("test/a", "row 2"));
  // Neither the database nor its log holds the words.
  for (const auto& entry : std::filesystem::directory_iterator(directory_)) {
    std::ifstream in(entry.path(), std::ios::binary);
    const std::string bytes((std::istreambuf_iterator<char>(in)), std::istreambuf_iterator<char>());
    EXPECT_EQ(bytes.find("nobody else"), std::string::npos) << entry.path();
  }
}

TEST_F(StoreTest, RefusesToWorkWithAnotherMasterKey) {
  ASSERT_TRUE(insert("one"));
  store_.reset();
  std::filesystem::remove(directory_ / "master.key");
  const auto refused = insert("two");
  ASSERT_FALSE(refused);
  EXPECT_NE(refused.error().detail.find("another master key"), std::string::npos);
  EXPECT_FALSE(names());
}

TEST_F(StoreTest, StepsRunOnceAndANewerBinarysAreLeftAlone) {
  ASSERT_TRUE(insert("one"));
  store_.reset();
  constexpr std::array kNewer = {kSteps[0], kSteps[1],
                                 Migration{3, "ALTER TABLE things ADD COLUMN extra TEXT;"}};
  store_ = std::make_unique<Store>(
      StoreOptions{.directory = directory_.string(), .migrations = {{"test", kNewer}}}, workers_, clock_);
  ASSERT_TRUE(insert("two"));
  store_.reset();
  ASSERT_TRUE(insert("three"));  // the older binary again
  EXPECT_EQ(names()->size(), 3U);
}

TEST_F(StoreTest, AFailedStepLeavesTheTablesAsTheyWere) {
  const MasterKey key = MasterKey::generate();
  std::filesystem::create_directories(directory_);
  auto connection =
      SqliteConnection::open((directory_ / "weir.db").string(), SqliteConnection::Access::write, key);
  ASSERT_TRUE(connection) << connection.error().detail;
  constexpr std::array kBroken = {Migration{1, "CREATE TABLE a (x INTEGER); CREATE TABLE a (y INTEGER);"}};
  const auto made = migrate(*connection, std::array{MigrationList{"broken", kBroken}}, 0);
  ASSERT_FALSE(made);
  EXPECT_NE(made.error().detail.find("step 1 of broken"), std::string::npos);
  EXPECT_FALSE(connection->query({.statement = {"SELECT x FROM a", {}}}));
}

TEST_F(StoreTest, ADiskThatFailsFailsItsChangesAloneAndIsUsedAgainWhenItIsBack) {
  FaultyDisk disk;
  ASSERT_TRUE(insert("one"));
  uint64_t failed = 0;
  for (const int code : {SQLITE_FULL, SQLITE_IOERR_WRITE}) {
    disk.fail_writes(code);
    for (int i = 0; i < 3; ++i) {
      const auto changed = insert(fmt::format("lost {}", i));
      ASSERT_FALSE(changed) << code;
      EXPECT_EQ(changed.error().kind, ErrorKind::internal);
      EXPECT_EQ(store().counts().failures, ++failed);
    }
    EXPECT_EQ(names()->size(), 1U) << "what is there can be read";
    disk.mend();
    const auto changed = insert(fmt::format("back {}", code));
    EXPECT_TRUE(changed) << changed.error().detail;
    ASSERT_TRUE(run(store().write(scope_, {{"DELETE FROM things WHERE name LIKE 'back%'", {}}})));
  }
  disk.fail_syncs(SQLITE_IOERR_FSYNC);
  EXPECT_FALSE(insert("not durable"));
  disk.mend();
  EXPECT_TRUE(insert("two"));
  EXPECT_EQ(names()->size(), 2U) << "what was not durable was undone";
}

TEST_F(StoreTest, AReadThatFailsIsCountedAndTheNextOneTriesAgain) {
  FaultyDisk disk;
  ASSERT_TRUE(insert("one"));
  store_.reset();  // so that nothing is in a cache
  disk.fail_reads(SQLITE_IOERR_READ);
  const auto rows = names();
  ASSERT_FALSE(rows);
  EXPECT_EQ(rows.error().kind, ErrorKind::internal);
  EXPECT_EQ(store().counts().reads_failed, 1U);
  disk.mend();
  const auto again = names();
  ASSERT_TRUE(again) << again.error().detail;
  EXPECT_EQ(again->size(), 1U);
  EXPECT_EQ(store().counts().reads_failed, 1U);
}

TEST_F(StoreTest, TellsItsTroubleUntilItIsOver) {
  FaultyDisk disk;
  store().check();
  EXPECT_FALSE(std::filesystem::exists(directory_)) << "there was nothing to look at";
  ASSERT_TRUE(insert("first"));
  ASSERT_TRUE(names());
  EXPECT_EQ(store().trouble(), "");
  disk.fail_writes(SQLITE_FULL);
  EXPECT_FALSE(insert("second"));
  EXPECT_NE(store().trouble(), "");
  ASSERT_TRUE(names());
  EXPECT_NE(store().trouble(), "") << "what can be read says nothing of what can be written";
  disk.mend();
  ASSERT_TRUE(insert("third"));
  EXPECT_EQ(store().trouble(), "");
}

TEST_F(StoreTest, ADatabaseThatIsNoneShowsBeforeItIsNeeded) {
  std::filesystem::create_directories(directory_);
  std::ofstream(directory_ / "weir.db") << std::string(10'000, '?');
  store().check();
  EXPECT_NE(store().trouble().find("not a database"), std::string::npos) << store().trouble();
}

TEST_F(StoreTest, ADirectoryThatCannotBeMadeFailsTheChangeAndTheNextOneTriesAgain) {
  std::ofstream(directory_) << "a file";
  EXPECT_FALSE(insert("one"));
  std::filesystem::remove(directory_);
  const auto changed = insert("one");
  EXPECT_TRUE(changed) << changed.error().detail;
}

TEST_F(StoreTest, ACancelledReadReturnsAtOnce) {
  ASSERT_TRUE(insert("one"));
  std::optional<Result<std::vector<SqlRow>>> result;
  Scope child(scope_);
  child.spawn(keep(store().read(child, {.statement = {"SELECT name FROM things", {}}}), result));
  child.cancel(make_error(ErrorKind::cancelled, "gone"));
  while (!result) core_.poll();
  EXPECT_EQ(result->error().kind, ErrorKind::cancelled);
  EXPECT_EQ(names()->size(), 1U);
}

TEST_F(StoreTest, TheLogIsMovedToTheDatabaseAside) {
  const std::string body(64 * kKiB, 'x');
  for (int i = 0; i < 160; ++i) ASSERT_TRUE(insert(fmt::format("n{}", i), SqlBlob{body}));
  // 160 times 64 KB went through; without checkpoints all of it would be in the log.
  const auto size = [&] { return std::filesystem::file_size(directory_ / "weir.db"); };
  for (int i = 0; i < 10'000 && size() < 4 * kMiB; ++i) std::this_thread::yield();
  EXPECT_GE(size(), 4 * kMiB);
}

}  // namespace
}  // namespace weir
