#include "io/descriptor.h"

#include <unistd.h>
#include <utility>

#include "base/assert.h"

namespace weir {
namespace {

// A peer that always has more to read takes so many reads before others get their turn.
constexpr uint8_t kReadsInARowMax = 8;

}  // namespace

struct Descriptor::ReadWait final : Waiter {
  explicit ReadWait(Descriptor& its_owner) : owner(its_owner) { owner.set_reader(this); }
  void detach() override { owner.set_reader(nullptr); }
  Descriptor& owner;
};

struct Descriptor::WriteWait final : Waiter {
  explicit WriteWait(Descriptor& its_owner) : owner(its_owner) { owner.writer_ = this; }
  void detach() override { owner.writer_ = nullptr; }
  Descriptor& owner;
};

Descriptor::Descriptor(Core& core, int fd) : core_(core), fd_(fd) {
  if (core_.poller().add(fd, EPOLLIN | EPOLLOUT | EPOLLRDHUP | EPOLLET, *this)) return;
  // The kernel has no room for one more watch: to the user the descriptor is one that broke at once.
  ::close(fd);
  fd_ = -1;
}

Descriptor::~Descriptor() {
  close();
}

Task<void> Descriptor::readable(Scope& scope) {
  // Several functions, since each idle connection keeps the frame of one.
  const bool waits = is_open() && !is_readable_;
  reads_in_a_row_ = waits ? 0 : static_cast<uint8_t>(reads_in_a_row_ + 1);
  if (waits) return wait_for_input(scope);
  if (reads_in_a_row_ <= kReadsInARowMax) return scope.check();
  reads_in_a_row_ = 0;
  return let_others_go_first(scope);
}

Task<void> Descriptor::let_others_go_first(Scope& scope) {
  co_await scope.core().next_round();
  co_return scope.check();
}

Task<void> Descriptor::wait_for_input(Scope& scope) {
  // What came between the call and its being awaited is not reported again.
  if (!is_open() || is_readable_) co_return scope.check();
  WEIR_ASSERT(!reader_, "one coroutine waits for input at a time");
  ReadWait wait(*this);
  co_return co_await wait.on(scope);
}

Task<void> Descriptor::writable(Scope& scope) {
  if (!is_open() || is_writable_) co_return scope.check();
  WEIR_ASSERT(!writer_, "one coroutine waits for room at a time");
  WriteWait wait(*this);
  co_return co_await wait.on(scope);
}

void Descriptor::set_reader(ReadWait* reader) {
  reader_ = reader;
  touched_first_ = reader;  // it lies in the frame that is resumed
}

Descriptor::ReadWait* Descriptor::take_reader() {
  ReadWait* const reader = reader_;
  set_reader(nullptr);
  return reader;
}

void Descriptor::watch(Watched what, std::function<void()> on_event) {
  watched_ = what;
  on_event_ = std::move(on_event);
  if (on_event_ && is_open()) report();
}

void Descriptor::report() {
  if (!(watched_ == Watched::input ? is_readable_ : is_hung_up_)) return;
  const std::function<void()> on_event = std::exchange(on_event_, nullptr);
  on_event();
}

void Descriptor::on_ready(uint32_t events) {
  if (events & (EPOLLRDHUP | EPOLLHUP | EPOLLERR)) is_hung_up_ = true;
  if (events & (EPOLLIN | EPOLLRDHUP | EPOLLHUP | EPOLLERR)) is_readable_ = true;
  if (events & (EPOLLOUT | EPOLLHUP | EPOLLERR)) is_writable_ = true;
  // Whoever is resumed on top of this stack may destroy this object, so that is the last thing done; when
  // there is more than one to tell, the writer goes through the queue.
  if (is_writable_ && writer_) {
    if (!reader_ && !on_event_) return std::exchange(writer_, nullptr)->complete_inline();
    std::exchange(writer_, nullptr)->complete();
  }
  if (reader_ && is_readable_) return take_reader()->complete_inline();
  if (on_event_) report();
}

void Descriptor::close() {
  if (!is_open()) return;
  on_event_ = nullptr;
  core_.poller().forget(*this);
  ::close(std::exchange(fd_, -1));
  if (ReadWait* reader = take_reader()) reader->complete();
  if (WriteWait* writer = std::exchange(writer_, nullptr)) writer->complete();
}

}  // namespace weir
