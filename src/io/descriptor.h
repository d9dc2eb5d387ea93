// A file descriptor (a socket, mostly) whose readiness coroutines of one core wait for. What is read and
// written is its user's business: recv, sendmsg, accept4 are called directly and never block.
#pragma once

#include <functional>

#include "base/task.h"
#include "io/scope.h"

namespace weir {

class Descriptor {
 public:
  // Takes over `fd`, which must be in non-blocking mode.
  Descriptor(Core& core, int fd);
  ~Descriptor();
  Descriptor(const Descriptor&) = delete;
  Descriptor& operator=(const Descriptor&) = delete;

  int fd() const { return fd_; }  // -1 when closed
  bool is_open() const { return fd_ >= 0; }
  Core& core() const { return core_; }

  // Returns when the descriptor is readable (bytes, end or error) or was closed. One wait at a time. May
  // return early. One poll registration (a system call) is made and kept until it fires: a wait that finds it
  // armed costs nothing.
  Task<void> readable(Scope& scope);
  // Returns when the descriptor is writable, or was closed. One wait at a time.
  Task<void> writable(Scope& scope);

  // While set: called once when the descriptor becomes readable although nobody waits for it. nullptr ends
  // it.
  void watch_input(std::function<void()> on_input);
  // The user found that nothing is left to read, so that the next readable() has to wait.
  void note_drained() { is_readable_ = false; }

  // Closes; waits return. Idempotent.
  void close();

 private:
  struct Registration;
  struct ReadHandler;
  struct WriteHandler;
  struct ReadWait;
  struct WriteWait;
  static Task<void> return_at_once(Scope& scope);
  Task<void> wait_for_input(Scope& scope);
  void arm_read();
  void on_readable();
  void on_writable();

  Core& core_;
  Registration* registration_;  // outlives this object while the loop holds a handler of it
  int fd_;
  bool is_read_armed_ = false;
  bool is_write_armed_ = false;
  bool is_readable_ = false;  // the registration fired with nobody waiting
  ReadWait* reader_ = nullptr;
  WriteWait* writer_ = nullptr;
  std::function<void()> on_input_;
};

}  // namespace weir
