#include "io/core.h"

#include <gtest/gtest.h>
#include <sys/eventfd.h>
#include <thread>

#include "io/cores.h"
#include "io/descriptor.h"
#include "io/scope.h"
#include "io/test_core.h"

namespace weir {
namespace {

Task<void> note(std::vector<int>& order, Scope& scope, int first, int second) {
  order.push_back(first);
  CO_TRY(co_await scope.sleep(Duration(0)));
  order.push_back(second);
  co_return {};
}

TEST(Core, ResumesPostedCoroutinesInOrder) {
  TestCore test;
  std::vector<int> order;
  Scope scope(test.core);
  scope.spawn(note(order, scope, 1, 3));
  scope.spawn(note(order, scope, 2, 4));
  EXPECT_EQ(order, (std::vector{1, 2}));
  test.pass(std::chrono::milliseconds(20));
  EXPECT_EQ(order.size(), 4u);
}

TEST(Core, SaysWhenThereIsNothingToDo) {
  TestCore test;
  EXPECT_FALSE(test.core.poll());
  bool ran = false;
  test.core.post_remote([&ran] { ran = true; });
  EXPECT_TRUE(test.core.poll());
  EXPECT_TRUE(ran);
  EXPECT_FALSE(test.core.poll());
}

Task<void> read_then_write(Scope& scope, Descriptor& input, std::vector<char>& order) {
  CO_TRY(co_await input.readable(scope));
  order.push_back('r');
  co_await scope.core().gather_writes();
  order.push_back('w');
  co_await scope.core().let_writes_follow();
  order.push_back('d');
  co_return {};
}

std::string order_of(int inputs) {
  TestCore test;
  std::vector<std::unique_ptr<Descriptor>> ready;
  std::vector<char> order;
  Scope scope(test.core);
  for (int i = 0; i < inputs; ++i) {
    ready.push_back(std::make_unique<Descriptor>(test.core, eventfd(0, EFD_NONBLOCK | EFD_CLOEXEC)));
    scope.spawn(read_then_write(scope, *ready.back(), order));
  }
  test.core.poll();  // they are writable
  for (const auto& input : ready) EXPECT_EQ(eventfd_write(input->fd(), 1), 0);
  while (test.core.poll()) {
  }
  return {order.begin(), order.end()};
}

TEST(Core, LetsTheWritesOfARoundStandTogether) {
  EXPECT_EQ(order_of(1), "rwd");
  // The last of a round has nothing to wait for before its write; what comes behind it waits for the others'.
  EXPECT_EQ(order_of(3), "rrrwwwddd");
  // A round is short, so that the first of many does not wait for all.
  const auto round = [](size_t size) {
    return std::string(size, 'r') + std::string(size, 'w') + std::string(size, 'd');
  };
  EXPECT_EQ(order_of(40), round(16) + round(16) + round(8));
}

Task<void> sleep_and_note(Scope& scope, Duration time, std::atomic<int>& done) {
  CO_TRY(co_await scope.sleep(time));
  ++done;
  co_return {};
}

TEST(Core, KeepsItsTimersGoingByTheSystemsClock) {
  Core core(0, SystemClock::instance(), 1);
  Scope scope(core);
  std::atomic<int> done = 0;
  core.post_remote([&] {
    scope.spawn(sleep_and_note(scope, std::chrono::milliseconds(60), done));
    scope.spawn(sleep_and_note(scope, std::chrono::milliseconds(20), done));
  });
  std::thread thread([&core] { core.run(); });
  while (done < 2) std::this_thread::yield();
  core.stop();
  thread.join();
  EXPECT_EQ(scope.running(), 0u);
}

TEST(Cores, RunAFunctionOnEveryCoreAndWaitForIt) {
  Cores cores(3, SystemClock::instance(), 1);
  std::mutex mutex;
  std::set<std::thread::id> threads;
  std::set<size_t> indexes;
  const auto note_thread = [&](Core& core) {
    const std::lock_guard lock(mutex);
    threads.insert(std::this_thread::get_id());
    indexes.insert(core.index());
  };
  cores.for_each(note_thread);
  EXPECT_EQ(threads, std::set{std::this_thread::get_id()});
  threads.clear();
  cores.start();
  cores.for_each(note_thread);
  EXPECT_EQ(threads.size(), 3u);
  EXPECT_FALSE(threads.contains(std::this_thread::get_id()));
  EXPECT_EQ(indexes, (std::set<size_t>{0, 1, 2}));
  cores.stop();
  cores.stop();
}

TEST(Cores, TakeOneThreadPerProcessorByDefault) {
  Cores cores(0, SystemClock::instance(), 1);
  EXPECT_GE(cores.size(), 1u);
  EXPECT_LE(cores.size(), std::max(1u, std::thread::hardware_concurrency()));
}

}  // namespace
}  // namespace weir
