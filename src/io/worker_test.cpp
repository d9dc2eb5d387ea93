#include "io/worker.h"

#include <atomic>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <latch>
#include <pthread.h>
#include <stdexcept>
#include <system_error>

namespace weir {
namespace {

using std::chrono::hours;
using std::chrono::milliseconds;
using ::testing::HasSubstr;

// Work that waits to be stopped.
Result<void> wait_for_stop(const std::stop_token& stop) {
  std::latch stopped(1);
  const std::stop_callback wake(stop, [&stopped] { stopped.count_down(); });
  stopped.wait();
  return {};
}

struct WorkerTest : testing::Test {
  MetricsRegistry metrics;
  Workers eager{metrics, {.first = milliseconds(1), .longest = milliseconds(2)}};
};

TEST_F(WorkerTest, WorksUntilItIsStopped) {
  std::latch began(1);
  const auto worker = eager.start("test", [&](const std::stop_token& stop) {
    began.count_down();
    return wait_for_stop(stop);
  });
  began.wait();
  EXPECT_EQ(eager.status().at(0).state, Workers::State::works);
  EXPECT_THAT(metrics.prometheus_text(), HasSubstr("weir_worker_up{worker=\"test\"} 1"));
  worker->stop();
  worker->stop();
  EXPECT_EQ(eager.status().at(0).state, Workers::State::ended);
  EXPECT_THAT(metrics.prometheus_text(), HasSubstr("weir_worker_up{worker=\"test\"} 0"));
  EXPECT_THAT(metrics.prometheus_text(), HasSubstr("weir_worker_restarts_total{worker=\"test\"} 0"));
}

TEST_F(WorkerTest, IsStartedAgainAfterAnErrorAndAfterAnException) {
  std::atomic<int> runs = 0;
  std::latch good(1);
  const auto worker = eager.start("test", [&](const std::stop_token& stop) -> Result<void> {
    const int run = ++runs;
    if (run == 1) return fail(ErrorKind::internal, "the disk is away");
    if (run == 2) throw std::runtime_error("a bug");
    good.count_down();
    return wait_for_stop(stop);
  });
  good.wait();
  const Workers::Status status = eager.status().at(0);
  EXPECT_EQ(status.state, Workers::State::works);
  EXPECT_EQ(status.restarts, 2U);
  EXPECT_THAT(status.failure, HasSubstr("a bug"));
  EXPECT_THAT(metrics.prometheus_text(), HasSubstr("weir_worker_restarts_total{worker=\"test\"} 2"));
}

TEST_F(WorkerTest, IsRunALastTimeWhenItIsStoppedInAPause) {
  Workers patient(metrics, {.first = hours(1), .longest = hours(2)});
  std::atomic<int> runs = 0;
  std::atomic<bool> was_told = false;
  std::latch failed(1);
  const auto worker = patient.start("test", [&](const std::stop_token& stop) -> Result<void> {
    was_told = stop.stop_requested();
    if (++runs == 1) failed.count_down();
    return fail(ErrorKind::internal, "always");
  });
  failed.wait();
  worker->stop();
  EXPECT_EQ(runs, 2);
  EXPECT_TRUE(was_told);
}

TEST_F(WorkerTest, EndsWhenItsWorkIsDone) {
  std::latch done(1);
  auto worker = eager.start("test", [&](const std::stop_token&) -> Result<void> {
    done.count_down();
    return {};
  });
  done.wait();
  worker.reset();
  EXPECT_EQ(eager.status().at(0).state, Workers::State::ended);
  std::latch again(1);
  worker = eager.start("test", [&](const std::stop_token&) -> Result<void> {
    again.count_down();
    return {};
  });
  again.wait();
}

// Threads of the process want more memory than there are addresses while it lives, so none can be made.
class NoThreads {
 public:
  NoThreads() {
    pthread_getattr_default_np(&usual_);
    pthread_attr_t huge;
    pthread_getattr_default_np(&huge);
    pthread_attr_setstacksize(&huge, size_t{1} << 48);
    EXPECT_EQ(pthread_setattr_default_np(&huge), 0);
    pthread_attr_destroy(&huge);
  }
  ~NoThreads() {
    pthread_setattr_default_np(&usual_);
    pthread_attr_destroy(&usual_);
  }
  NoThreads(const NoThreads&) = delete;
  NoThreads& operator=(const NoThreads&) = delete;

 private:
  pthread_attr_t usual_{};
};

TEST_F(WorkerTest, MayBeStartedAgainWhenItsThreadCouldNotBeMade) {
  {
    const NoThreads none;
    EXPECT_THROW((void)eager.start("test", wait_for_stop), std::system_error);
  }
  EXPECT_EQ(eager.status().at(0).state, Workers::State::ended);
  EXPECT_THAT(metrics.prometheus_text(), HasSubstr("weir_worker_up{worker=\"test\"} 0"));
  const auto worker = eager.start("test", wait_for_stop);
  EXPECT_EQ(eager.status().at(0).state, Workers::State::works);
}

}  // namespace
}  // namespace weir
