#include "io/memory_stream.h"

#include <utility>

namespace weir {

struct MemoryStream::Wait final : Waiter {
  explicit Wait(Wait*& slot) : slot_(slot) { slot_ = this; }
  void detach() override { slot_ = nullptr; }

 private:
  Wait*& slot_;
};

// One direction.
struct MemoryStream::Pipe : std::enable_shared_from_this<Pipe> {
  Pipe(Core& its_core, size_t its_capacity) : core(its_core), capacity(its_capacity) {}

  bool is_readable() const { return is_broken || (!is_stalled && (!bytes.empty() || is_ended)); }
  bool is_writable() const { return is_broken || is_ended || bytes.size() < capacity; }
  // Behind bytes that were not read, too, as with a socket.
  bool is_hung_up() const { return is_broken || (!is_stalled && is_ended); }

  // Wakes whoever waited for what has become true.
  void changed() {
    if (writer && is_writable()) std::exchange(writer, nullptr)->complete();
    if (reader) {
      if (is_readable()) std::exchange(reader, nullptr)->complete();
    } else if (on_input && !is_watch_due && (watches_hangup_only ? is_hung_up() : is_readable())) {
      // From the loop, as a socket's event would come, not on top of the peer's stack.
      is_watch_due = true;
      core.post_remote([pipe = shared_from_this()] { pipe->report(); });
    }
  }

  void report() {
    is_watch_due = false;
    if (on_input) std::exchange(on_input, nullptr)();
  }

  void watch(std::function<void()> function, bool hangup_only) {
    on_input = std::move(function);
    watches_hangup_only = hangup_only;
    changed();
  }

  Core& core;
  const size_t capacity;
  std::string bytes;
  bool is_ended = false;
  bool is_broken = false;
  bool is_stalled = false;
  size_t read_max = 0;
  std::optional<uint64_t> cut_left;
  bool cut_is_reset = false;
  Wait* reader = nullptr;
  Wait* writer = nullptr;
  std::function<void()> on_input;
  bool watches_hangup_only = false;
  bool is_watch_due = false;
};

MemoryStream::MemoryStream(std::shared_ptr<Pipe> in, std::shared_ptr<Pipe> out, std::string peer)
    : in_(std::move(in)), out_(std::move(out)), peer_(std::move(peer)) {}

MemoryStream::~MemoryStream() {
  close();
}

MemoryStream::Pair MemoryStream::pair(Core& core, size_t capacity, std::string first_name,
                                      std::string second_name) {
  auto there = std::make_shared<Pipe>(core, capacity);
  auto back = std::make_shared<Pipe>(core, capacity);
  Pair ends;
  ends.first.reset(new MemoryStream(back, there, std::move(second_name)));
  ends.second.reset(new MemoryStream(there, back, std::move(first_name)));
  return ends;
}

IoResult MemoryStream::try_read(std::span<char> buffer) {
  if (!is_open_ || in_->is_broken) return {IoState::broken, 0};
  if (in_->is_stalled) return {IoState::would_block, 0};
  if (in_->bytes.empty()) return {in_->is_ended ? IoState::end : IoState::would_block, 0};
  size_t count = std::min(buffer.size(), in_->bytes.size());
  if (in_->read_max > 0) count = std::min(count, in_->read_max);
  std::copy_n(in_->bytes.data(), count, buffer.data());
  in_->bytes.erase(0, count);
  in_->changed();
  return {IoState::done, count};
}

IoResult MemoryStream::try_write(std::span<const std::string_view> pieces) {
  if (!is_open_ || out_->is_broken || (out_->is_ended && !out_->cut_left)) return {IoState::broken, 0};
  size_t written = 0;
  for (std::string_view piece : pieces) {
    // What is lost behind a cut needs no room.
    const size_t room = out_->is_ended ? piece.size() : out_->capacity - out_->bytes.size();
    const std::string_view taken = piece.substr(0, room);
    size_t kept = out_->is_ended ? 0 : taken.size();
    if (out_->cut_left) {
      kept = static_cast<size_t>(std::min<uint64_t>(kept, *out_->cut_left));
      *out_->cut_left -= kept;
    }
    out_->bytes.append(taken.substr(0, kept));
    written += taken.size();
    if (out_->cut_left == 0 && !out_->is_ended) {
      if (out_->cut_is_reset) {
        reset();
        return {IoState::done, written};
      }
      out_->is_ended = true;
    }
    if (taken.size() < piece.size()) break;
  }
  out_->changed();
  const bool had_bytes = std::ranges::any_of(pieces, [](std::string_view piece) { return !piece.empty(); });
  if (written == 0 && had_bytes) return {IoState::would_block, 0};
  return {IoState::done, written};
}

Task<void> MemoryStream::readable(Scope& scope) {
  if (!is_open_ || in_->is_readable()) co_return scope.check();
  Wait wait(in_->reader);
  co_return co_await wait.on(scope);
}

Task<void> MemoryStream::writable(Scope& scope) {
  if (!is_open_ || out_->is_writable()) co_return scope.check();
  Wait wait(out_->writer);
  co_return co_await wait.on(scope);
}

void MemoryStream::watch_hangup(std::function<void()> on_hangup) {
  in_->watch(std::move(on_hangup), true);
}

void MemoryStream::watch_input(std::function<void()> on_input) {
  in_->watch(std::move(on_input), false);
}

void MemoryStream::end_sending() {
  out_->is_ended = true;
  out_->cut_left.reset();
  out_->changed();
}

void MemoryStream::close() {
  if (!is_open_) return;
  is_open_ = false;
  in_->on_input = nullptr;
  end_sending();
  // Nobody reads what the peer sends from now on: to the peer this is a reset, as with a socket.
  in_->is_broken = true;
  if (in_->reader) std::exchange(in_->reader, nullptr)->complete();
  if (out_->writer) std::exchange(out_->writer, nullptr)->complete();
  in_->changed();
}

void MemoryStream::stall(bool is_stalled) {
  out_->is_stalled = is_stalled;
  out_->changed();
}

void MemoryStream::dribble(size_t bytes_max) {
  out_->read_max = bytes_max;
}

void MemoryStream::cut_after(uint64_t bytes) {
  out_->cut_left = bytes;
  out_->cut_is_reset = false;
  if (bytes == 0) out_->is_ended = true;
  out_->changed();
}

void MemoryStream::reset_after(uint64_t bytes) {
  if (bytes == 0) return reset();
  out_->cut_left = bytes;
  out_->cut_is_reset = true;
}

void MemoryStream::reset() {
  for (Pipe* pipe : {in_.get(), out_.get()}) {
    pipe->is_broken = true;
    pipe->bytes.clear();
  }
  in_->changed();
  out_->changed();
}

size_t MemoryStream::unread_by_peer() const {
  return out_->bytes.size();
}

}  // namespace weir
