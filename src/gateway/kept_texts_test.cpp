#include "gateway/kept_texts.h"

#include <filesystem>
#include <gtest/gtest.h>
#include <thread>
#include <unistd.h>

#include "base/limits.h"
#include "io/worker.h"
#include "store/store.h"

namespace weir {
namespace {

class KeptTextsTest : public testing::Test {
 protected:
  KeptTextsTest()
      : directory_(std::filesystem::temp_directory_path() /
                   fmt::format("weir_kept_{}_{}", getpid(),
                               testing::UnitTest::GetInstance()->current_test_info()->name())) {
    std::filesystem::remove_all(directory_);
    limits.ttl = std::chrono::hours(1);
    limits.memory_bytes_max = 1 * kMiB;
    limits.per_caller_max = 100;
    limits.per_caller_bytes = 1 * kMiB;
    limits.rows_max = 10'000;
    limits.text_bytes_max = 200 * kKiB;
  }
  ~KeptTextsTest() override {
    texts_.reset();
    store_.reset();
    std::filesystem::remove_all(directory_);
  }

  void use_disk() {
    store_ = std::make_unique<Store>(
        StoreOptions{.directory = directory_.string(), .migrations = {kept_texts_migrations()}}, workers_,
        clock_);
  }
  // What another start of the process finds: the disk, and memory that is empty.
  void restart() {
    texts_.reset();
    use_disk();
  }
  KeptTexts& texts() {
    if (!texts_) texts_ = std::make_unique<KeptTexts>("turn", limits, store_.get(), clock_, metrics_);
    return *texts_;
  }

  template <class T>
  static Task<void> keep(Task<T> task, std::optional<Result<T>>& into) {
    into = co_await std::move(task);
    co_return {};
  }
  template <class T>
  T run(Task<T> task) {
    std::optional<Result<T>> result;
    scope_.spawn(keep(std::move(task), result));
    while (!result) {
      if (!core_.poll()) std::this_thread::yield();
    }
    EXPECT_TRUE(*result);
    return std::move(**result);
  }
  // The text; "-" when there is none.
  std::string find(const Principal& caller, const std::string& id) {
    const auto text = run(texts().find(scope_, caller, id));
    return text ? *text : "-";
  }
  double count(std::string_view family, std::string_view label) {
    for (const MetricSnapshot& snapshot : metrics_.collect()) {
      for (const MetricPoint& point : snapshot.points) {
        if (snapshot.name == family && point.label_values[1] == label) return point.value;
      }
    }
    return 0;
  }

  KeptLimits limits;
  ManualClock clock_;
  Core core_{0, clock_, 1};
  Scope scope_{core_};
  MetricsRegistry metrics_;
  Workers workers_{metrics_};
  const std::filesystem::path directory_;
  std::unique_ptr<Store> store_;
  std::unique_ptr<KeptTexts> texts_;
  const Principal ann_{.tenant = "t", .key_id = "ann", .key_name = {}, .models = {}};
  const Principal bob_{.tenant = "t", .key_id = "bob", .key_name = {}, .models = {}};
  const Principal eve_{.tenant = "u", .key_id = "ann", .key_name = {}, .models = {}};
};

// Of what it cannot read nobody may say that it is not there; memory goes on.
TEST_F(KeptTextsTest, AStoreOutOfOrderIsNoMiss) {
  use_disk();
  texts().keep(ann_, "old", "secret");
  restart();
  std::filesystem::remove(directory_ / "master.key");
  std::optional<Result<std::shared_ptr<const std::string>>> found;
  scope_.spawn(keep(texts().find(scope_, ann_, "old"), found));
  while (!found) {
    if (!core_.poll()) std::this_thread::yield();
  }
  ASSERT_FALSE(*found);
  EXPECT_EQ(found->error().kind, ErrorKind::internal);
  EXPECT_EQ(count("weir_kept_lookups_total", "failed"), 1);
  EXPECT_EQ(count("weir_kept_lookups_total", "miss"), 0);
  texts().keep(ann_, "new", "text");
  EXPECT_EQ(find(ann_, "new"), "text");
  texts_.reset();
  store_.reset();  // what was accepted has failed by then
}

TEST_F(KeptTextsTest, OnlyItsCallerFindsAText) {
  use_disk();
  texts().keep(ann_, "call_1", "secret");
  EXPECT_EQ(find(ann_, "call_1"), "secret");
  for (const Principal& other : {bob_, eve_}) EXPECT_EQ(find(other, "call_1"), "-");
  restart();
  for (const Principal& other : {bob_, eve_}) EXPECT_EQ(find(other, "call_1"), "-");
  EXPECT_EQ(find(ann_, "call_1"), "secret");
}

TEST_F(KeptTextsTest, ARestartFindsWhatWasWrittenBehind) {
  use_disk();
  texts().keep(ann_, "a", "old");
  texts().keep(ann_, "a", "new");
  restart();
  EXPECT_EQ(find(ann_, "a"), "new");
  EXPECT_EQ(count("weir_kept_lookups_total", "store"), 1);
  EXPECT_EQ(texts().find_in_memory(ann_, "a"), nullptr);
}

TEST_F(KeptTextsTest, ATextsTimeEndsInMemoryAndOnDisk) {
  use_disk();
  texts().keep(ann_, "a", "text");
  // The store looks at the clock when it opens, on a thread of its own: that is over when a change is
  // durable.
  EXPECT_EQ(run(store_->write(scope_, {})), 0);
  clock_.advance(std::chrono::minutes(59));
  EXPECT_EQ(find(ann_, "a"), "text");
  clock_.advance(std::chrono::minutes(2));
  EXPECT_EQ(find(ann_, "a"), "-");
  restart();
  EXPECT_EQ(find(ann_, "a"), "-");
}

TEST_F(KeptTextsTest, MemoryHoldsNoMoreThanItsLimitsAndTheOldestGo) {
  for (int i = 0; i < 150; ++i) texts().keep(ann_, fmt::format("{}", i), "x");
  EXPECT_EQ(find(ann_, "49"), "-");
  EXPECT_EQ(find(ann_, "50"), "x");
  EXPECT_EQ(count("weir_kept_texts_total", "evicted"), 50);
  // A quarter for one caller.
  for (int i = 0; i < 20; ++i) texts().keep(bob_, fmt::format("{}", i), std::string(50 * kKiB, 'y'));
  EXPECT_LE(texts().bytes_in_memory(), limits.memory_bytes_max / 2);
  EXPECT_EQ(find(bob_, "19").size(), 50 * kKiB);
  EXPECT_EQ(find(bob_, "0"), "-");
  // Many callers together.
  for (int i = 0; i < 100; ++i) {
    texts().keep({.tenant = "t", .key_id = fmt::format("k{}", i), .key_name = {}, .models = {}}, "a",
                 std::string(50 * kKiB, 'z'));
    EXPECT_LE(texts().bytes_in_memory(), limits.memory_bytes_max);
  }
}

TEST_F(KeptTextsTest, WhatMemoryHasNoRoomForIsReadFromTheDisk) {
  use_disk();
  for (int i = 0; i < 20; ++i) texts().keep(ann_, fmt::format("{}", i), std::string(50 * kKiB, 'y'));
  EXPECT_EQ(texts().find_in_memory(ann_, "0"), nullptr);
  // Reads do not wait for what is written behind.
  EXPECT_FALSE(run(texts().forget(scope_, ann_, "no such")));
  EXPECT_EQ(find(ann_, "0").size(), 50 * kKiB);
}

TEST_F(KeptTextsTest, TheDiskHoldsNoMoreThanTheCallersShare) {
  use_disk();
  limits.per_caller_max = 64;
  limits.per_caller_bytes = 40 * 1000;
  for (int i = 0; i < 128; ++i) texts().keep(ann_, fmt::format("{}", i), std::string(1000, 'x'));
  EXPECT_FALSE(run(texts().forget(scope_, ann_, "no such")));
  restart();
  EXPECT_EQ(find(ann_, "87"), "-");
  EXPECT_EQ(find(ann_, "88").size(), 1000U);
}

TEST_F(KeptTextsTest, ForgettingCoversMemoryDiskAndWhatWaitsToBeWritten) {
  use_disk();
  texts().keep(ann_, "a", "text");
  EXPECT_FALSE(run(texts().forget(scope_, bob_, "a")));
  EXPECT_TRUE(run(texts().forget(scope_, ann_, "a")));
  EXPECT_EQ(find(ann_, "a"), "-");
  EXPECT_FALSE(run(texts().forget(scope_, ann_, "a")));
}

TEST_F(KeptTextsTest, ATextOverTheLimitIsNotKept) {
  texts().keep(ann_, "a", std::string(200 * kKiB + 1, 'x'));
  EXPECT_EQ(find(ann_, "a"), "-");
  EXPECT_EQ(count("weir_kept_texts_total", "refused"), 1);
}

TEST_F(KeptTextsTest, ManyThreadsKeepAndFindAtOnce) {
  texts();
  std::vector<std::thread> threads;
  for (int t = 0; t < 4; ++t) {
    threads.emplace_back([this, t] {
      const Principal caller{
          .tenant = "t", .key_id = fmt::format("k{}", t % 2), .key_name = {}, .models = {}};
      for (int i = 0; i < 500; ++i) {
        texts_->keep(caller, fmt::format("{}", i % 50), fmt::format("{}", i % 50));
        const auto found = texts_->find_in_memory(caller, fmt::format("{}", i % 50));
        EXPECT_TRUE(!found || *found == fmt::format("{}", i % 50));
      }
    });
  }
  for (std::thread& thread : threads) thread.join();
  EXPECT_LE(texts().bytes_in_memory(), limits.memory_bytes_max);
}

}  // namespace
}  // namespace weir
