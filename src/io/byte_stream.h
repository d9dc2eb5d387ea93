// ByteStream: a connection as four operations that never block. Implementations: TCP (io/tcp.h), TLS
// (io/tls.h) and memory (io/memory_stream.h, for the simulator and tests). The coroutines on top (write_all)
// are written once.
#pragma once

#include <array>
#include <functional>
#include <memory>
#include <span>
#include <string>
#include <string_view>

#include "base/task.h"
#include "io/scope.h"

namespace weir {

// What a non-blocking operation did.
enum class IoState : uint8_t {
  done,         // `bytes` were moved (may be fewer than asked)
  would_block,  // wait for readable() or writable()
  end,          // read: the peer has closed its sending side in order
  broken,       // reset or another failure; the stream is of no more use
};
struct IoResult {
  IoState state = IoState::done;
  size_t bytes = 0;
};

class ByteStream {
 public:
  virtual ~ByteStream() = default;

  // Never blocks. Reads at most buffer.size() bytes. REQUIRES a buffer that is not empty.
  virtual IoResult try_read(std::span<char> buffer) = 0;
  // Never blocks. Writes the pieces in order, as one system call where possible.
  virtual IoResult try_write(std::span<const std::string_view> pieces) = 0;

  // Returns when try_read may give bytes, end or broken. One wait at a time.
  virtual Task<void> readable(Scope& scope) = 0;
  // Returns when try_write can make progress. One wait at a time.
  virtual Task<void> writable(Scope& scope) = 0;

  // While set: called once when the peer has closed its sending side or the connection broke although nobody
  // waits for readable(); before this returns when that has happened already. Bytes that arrive meanwhile (a
  // pipelined request) do not trigger it. nullptr ends the watch.
  virtual void watch_hangup(std::function<void()> on_hangup) = 0;
  // As watch_hangup, which it replaces, but called for arriving bytes as well: for a stream on top of this
  // one (TLS), which has to look into them.
  virtual void watch_input(std::function<void()> on_input) = 0;

  // Tells the peer that nothing more will be sent, while reading goes on. Nothing more may be written.
  virtual void end_sending() = 0;

  // Sends what the transport still has to say (TLS close_notify), then closes. Idempotent; waits end with
  // `broken`.
  virtual void close() = 0;
  virtual bool is_open() const = 0;
  virtual const std::string& peer() const = 0;          // "127.0.0.1:51234"
  virtual std::string_view alpn() const { return {}; }  // "h2", "http/1.1" or empty
};

// Writes all pieces; a slow peer suspends the caller. Errors: cancelled and the like from the scope;
// upstream_unreachable when the stream is broken (the caller gives it the meaning that fits).
Task<void> write_all(Scope& scope, ByteStream& stream, std::span<const std::string_view> pieces);

}  // namespace weir
