#include "io/core.h"

#include <boost/asio/executor_work_guard.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/post.hpp>
#include <boost/asio/steady_timer.hpp>

namespace weir {

namespace asio = boost::asio;

struct Core::Ticker {
  explicit Ticker(asio::io_context& context) : timer(context) {}
  asio::steady_timer timer;
};

Core::Core(size_t index, const Clock& clock, uint64_t seed)
    : index_(index),
      clock_(clock),
      rng_(seed),
      context_(std::make_unique<asio::io_context>(1)),
      timers_(clock),
      ticker_(std::make_unique<Ticker>(*context_)) {}

Core::~Core() = default;

void Core::post(std::coroutine_handle<> coroutine) {
  ready_.push_back(coroutine);
  if (drain_is_posted_) return;
  drain_is_posted_ = true;
  asio::post(*context_, [this] { drain(); });
}

void Core::drain() {
  drain_is_posted_ = false;
  std::vector<std::coroutine_handle<>> batch;
  batch.swap(ready_);
  for (std::coroutine_handle<> coroutine : batch) coroutine.resume();
  batch.clear();
  if (ready_.empty()) ready_.swap(batch);  // keep the memory
}

void Core::post_remote(std::function<void()> function) {
  asio::post(*context_, std::move(function));
}

void Core::run() {
  const auto guard = asio::make_work_guard(*context_);
  timers_.set_alarm([this](MonoTime due) { wake_at(due); });
  timers_.advance(now());
  context_->run();
  timers_.set_alarm(nullptr);
}

void Core::wake_at(MonoTime due) {
  ticker_->timer.expires_at(due);  // cancels the wait before, if any
  ticker_->timer.async_wait([this](const boost::system::error_code& failed) {
    if (!failed) timers_.advance(now());
  });
}

void Core::stop() {
  context_->stop();
}

bool Core::poll() {
  context_->restart();
  const size_t handlers = context_->poll();
  const size_t fired = timers_.advance(now());
  return handlers + fired > 0;
}

}  // namespace weir
