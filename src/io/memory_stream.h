// A connection in memory between two coroutines of one core, for the simulator and tests: bounded like a
// socket's buffers, and with the faults that networks have. Nothing happens at random; time is the core's.
#pragma once

#include <memory>
#include <optional>
#include <string>

#include "io/byte_stream.h"

namespace weir {

class MemoryStream final : public ByteStream {
 public:
  struct Pair;
  // Two ends. Each direction holds at most `capacity` bytes. The names are what the other end's peer() says.
  static Pair pair(Core& core, size_t capacity = 64 * 1024, std::string first_name = "127.0.0.1:1",
                   std::string second_name = "127.0.0.1:2");
  ~MemoryStream() override;

  IoResult try_read(std::span<char> buffer) override;
  IoResult try_write(std::span<const std::string_view> pieces) override;
  Task<void> readable(Scope& scope) override;
  Task<void> writable(Scope& scope) override;
  void watch_hangup(std::function<void()> on_hangup) override;
  void watch_input(std::function<void()> on_input) override;
  void end_sending() override;
  void close() override;
  bool is_open() const override { return is_open_; }
  const std::string& peer() const override { return peer_; }

  // Faults of what this end sends.
  // While stalled, bytes and the end stay on the way.
  void stall(bool is_stalled);
  // The peer gets at most that many bytes with each read; 0 ends it.
  void dribble(size_t bytes_max);
  // After that many more bytes the peer sees an orderly end, and what follows is lost.
  void cut_after(uint64_t bytes);
  // After that many more bytes both directions are broken.
  void reset_after(uint64_t bytes);
  // Both directions are broken now; bytes on the way are lost.
  void reset();

  size_t unread_by_peer() const;

 private:
  struct Pipe;
  struct Wait;
  // Shared because either end may go first.
  MemoryStream(std::shared_ptr<Pipe> in, std::shared_ptr<Pipe> out, std::string peer);

  std::shared_ptr<Pipe> in_;
  std::shared_ptr<Pipe> out_;
  std::string peer_;
  bool is_open_ = true;
};

struct MemoryStream::Pair {
  std::unique_ptr<MemoryStream> first;
  std::unique_ptr<MemoryStream> second;
};

}  // namespace weir
