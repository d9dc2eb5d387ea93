// A file descriptor (a socket, mostly) whose readiness coroutines of one core wait for. What is read and
// written is its user's business: recv, sendmsg, accept4 are called directly and never block, and the user
// says when one of them found nothing to do: only then has the next wait to wait.
#pragma once

#include <functional>

#include "base/task.h"
#include "io/scope.h"

namespace weir {

class Descriptor final : private Poller::Watch {
 public:
  // Takes over `fd`, which must be in non-blocking mode.
  Descriptor(Core& core, int fd);
  ~Descriptor();
  Descriptor(const Descriptor&) = delete;
  Descriptor& operator=(const Descriptor&) = delete;

  int fd() const { return fd_; }  // -1 when closed
  bool is_open() const { return fd_ >= 0; }
  Core& core() const { return core_; }

  // Returns when the descriptor is readable (bytes, end or error) or was closed. Once it was readable it
  // stays so until somebody says note_drained(); who reads on and on lets others go first now and then. One
  // wait at a time. May return early. No system call.
  Task<void> readable(Scope& scope);
  // Returns when the descriptor is writable, or was closed. One wait at a time.
  Task<void> writable(Scope& scope);

  enum class Watched : uint8_t {
    input,   // bytes or the end of them
    hangup,  // the peer has closed its sending side, or the connection broke: behind bytes not read, too
  };
  // While set: called once when what is watched is there although nobody waits for it; before this returns
  // when it is there already. A null function ends it.
  void watch(Watched what, std::function<void()> on_event);

  // Whether a read may find something.
  bool may_be_readable() const { return is_readable_; }
  // There was nothing to read, or all was read.
  void note_drained() { is_readable_ = is_hung_up_; }  // the end is there to be read as often as one likes
  // There was no room to write.
  void note_full() { is_writable_ = false; }

  // Closes; waits return. Idempotent.
  void close();

 private:
  struct ReadWait;
  struct WriteWait;
  void on_ready(uint32_t events) override;
  static Task<void> let_others_go_first(Scope& scope);
  Task<void> wait_for_input(Scope& scope);
  void set_reader(ReadWait* reader);
  ReadWait* take_reader();
  void report();

  Core& core_;
  int fd_;
  bool is_readable_ = false;
  bool is_writable_ = false;
  bool is_hung_up_ = false;
  uint8_t reads_in_a_row_ = 0;  // without a wait between them
  Watched watched_ = Watched::input;
  ReadWait* reader_ = nullptr;
  WriteWait* writer_ = nullptr;
  std::function<void()> on_event_;
};

}  // namespace weir
