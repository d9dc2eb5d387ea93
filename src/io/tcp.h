// TCP: streams, connecting and listening. Sockets never block; recv and sendmsg are called directly, and
// the event loop is asked only when there is nothing to read or no room to write.
#pragma once

#include <memory>
#include <string>

#include "io/byte_stream.h"
#include "io/descriptor.h"

namespace weir {

class TcpStream final : public ByteStream {
 public:
  // Takes over a connected, non-blocking socket; `peer` is what peer() says.
  TcpStream(Core& core, int fd, std::string peer);

  IoResult try_read(std::span<char> buffer) override;
  IoResult try_write(std::span<const std::string_view> pieces) override;
  Task<void> readable(Scope& scope) override { return descriptor_.readable(scope); }
  Task<void> writable(Scope& scope) override { return descriptor_.writable(scope); }
  void watch_hangup(std::function<void()> on_hangup) override;
  void watch_input(std::function<void()> on_input) override;
  void end_sending() override;
  void close() override { descriptor_.close(); }
  bool is_open() const override { return descriptor_.is_open(); }
  const std::string& peer() const override { return peer_; }

  // The error of a connect that has ended: 0 or an errno.
  int connect_error() const;

 private:
  Descriptor descriptor_;
  std::string peer_;
};

// Connects to an address literal (IPv4, or IPv6 without brackets). Errors: upstream_unreachable with the
// reason in `detail`, the scope's reason.
Task<std::unique_ptr<ByteStream>> connect_tcp(Scope& scope, Core& core, std::string address, uint16_t port);

// One core's listening socket. Several cores bind the same port (SO_REUSEPORT); the kernel spreads the
// connections over them.
class TcpListener {
 public:
  // `host`: an address literal, with or without brackets, or "localhost" (127.0.0.1). Port 0 picks a free
  // port, which the other cores then pass. `is_first` says that nobody of this process listens there yet:
  // then a port that another process uses is an error rather than shared with it. Errors: bad_request.
  static Result<std::unique_ptr<TcpListener>> listen(Core& core, const std::string& host, uint16_t port,
                                                     bool is_first);

  uint16_t port() const { return port_; }

  // Accepts until the scope is cancelled or close() is called; gives each connection to `on_accept`. When the
  // process runs out of descriptors it says so in the log and tries again after a pause.
  Task<void> run(Scope& scope, std::function<void(std::unique_ptr<ByteStream>)> on_accept);
  void close() { descriptor_.close(); }

 private:
  TcpListener(Core& core, int fd, uint16_t port) : descriptor_(core, fd), port_(port) {}

  Descriptor descriptor_;
  uint16_t port_;
};

}  // namespace weir
