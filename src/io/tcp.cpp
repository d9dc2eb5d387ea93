#include "io/tcp.h"

#include <arpa/inet.h>
#include <cerrno>
#include <cstring>
#include <fmt/format.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sys/socket.h>
#include <sys/uio.h>
#include <unistd.h>

#include "base/log.h"
#include "base/put_text.h"

namespace weir {
namespace {

// Pieces of one sendmsg; more are sent by the next call.
constexpr size_t kPiecesMax = 16;
// As much is copied rather than sent in pieces.
constexpr size_t kCopiedMax = 4096;
// Connections accepted before other coroutines get their turn.
constexpr int kAcceptsPerTurn = 64;
constexpr int kBacklog = 4096;
constexpr Duration kAcceptPause = std::chrono::milliseconds(100);

struct SocketAddress {
  sockaddr_storage storage{};
  socklen_t size = 0;

  const sockaddr* get() const { return reinterpret_cast<const sockaddr*>(&storage); }
  sockaddr* get() { return reinterpret_cast<sockaddr*>(&storage); }
};

std::optional<SocketAddress> parse_address(std::string host, uint16_t port) {
  if (host.size() > 2 && host.front() == '[' && host.back() == ']') host = host.substr(1, host.size() - 2);
  if (host == "localhost") host = "127.0.0.1";
  SocketAddress address;
  auto* v4 = reinterpret_cast<sockaddr_in*>(&address.storage);
  auto* v6 = reinterpret_cast<sockaddr_in6*>(&address.storage);
  if (inet_pton(AF_INET, host.c_str(), &v4->sin_addr) == 1) {
    v4->sin_family = AF_INET;
    v4->sin_port = htons(port);
    address.size = sizeof(sockaddr_in);
  } else if (inet_pton(AF_INET6, host.c_str(), &v6->sin6_addr) == 1) {
    v6->sin6_family = AF_INET6;
    v6->sin6_port = htons(port);
    address.size = sizeof(sockaddr_in6);
  } else {
    return std::nullopt;
  }
  return address;
}

std::string to_text(const SocketAddress& address) {
  std::array<char, INET6_ADDRSTRLEN> text{};
  if (address.storage.ss_family == AF_INET) {
    const auto* v4 = reinterpret_cast<const sockaddr_in*>(&address.storage);
    inet_ntop(AF_INET, &v4->sin_addr, text.data(), text.size());
    return fmt::format("{}:{}", text.data(), ntohs(v4->sin_port));
  }
  const auto* v6 = reinterpret_cast<const sockaddr_in6*>(&address.storage);
  inet_ntop(AF_INET6, &v6->sin6_addr, text.data(), text.size());
  return fmt::format("[{}]:{}", text.data(), ntohs(v6->sin6_port));
}

uint16_t bound_port(int fd) {
  SocketAddress address;
  address.size = sizeof(address.storage);
  if (getsockname(fd, address.get(), &address.size) != 0) return 0;
  // The port stands at the same place in both families.
  return ntohs(reinterpret_cast<const sockaddr_in*>(&address.storage)->sin_port);
}

void set_option(int fd, int level, int option) {
  const int on = 1;
  setsockopt(fd, level, option, &on, sizeof(on));
}

// Every write is a whole message or chunk already; waiting for more would only add latency.
int without_delay(int fd) {
  set_option(fd, IPPROTO_TCP, TCP_NODELAY);
  return fd;
}

int open_socket(int family) {
  return socket(family, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
}

// Little is copied together first: the kernel takes one piece in less time than a list of them.
ssize_t send_copy(int fd, std::span<const std::string_view> pieces, size_t size) {
  std::array<char, kCopiedMax> copy;
  char* end = copy.data();
  for (const std::string_view piece : pieces) end = put_text(end, piece);
  ssize_t sent = 0;
  do {
    sent = send(fd, copy.data(), size, MSG_NOSIGNAL);
  } while (sent < 0 && errno == EINTR);
  return sent;
}

ssize_t send_pieces(int fd, std::span<const std::string_view> pieces) {
  std::array<iovec, kPiecesMax> vectors;
  size_t count = 0;
  for (const std::string_view piece : pieces) {
    if (piece.empty()) continue;
    if (count == kPiecesMax) break;
    vectors[count++] = {const_cast<char*>(piece.data()), piece.size()};
  }
  msghdr message{};
  message.msg_iov = vectors.data();
  message.msg_iovlen = count;
  ssize_t sent = 0;
  do {
    sent = sendmsg(fd, &message, MSG_NOSIGNAL);
  } while (sent < 0 && errno == EINTR);
  return sent;
}

IoState failed_state() {
  return errno == EAGAIN || errno == EWOULDBLOCK ? IoState::would_block : IoState::broken;
}

std::unexpected<Error> unreachable(const std::string& address, uint16_t port, int why) {
  Error error = make_error(ErrorKind::upstream_unreachable, "the provider could not be reached");
  error.detail = fmt::format("connect to {} port {}: {}", address, port, std::strerror(why));
  return fail(std::move(error));
}

std::unexpected<Error> cannot_listen(const std::string& host, uint16_t port, const char* why) {
  return fail(ErrorKind::bad_request, fmt::format("cannot listen on {} port {}: {}", host, port, why));
}

}  // namespace

TcpStream::TcpStream(Core& core, int fd, std::string peer)
    : descriptor_(core, without_delay(fd)), peer_(std::move(peer)) {}

IoResult TcpStream::try_read(std::span<char> buffer) {
  if (!is_open()) return {IoState::broken, 0};
  ssize_t received = 0;
  do {
    received = recv(descriptor_.fd(), buffer.data(), buffer.size(), 0);
  } while (received < 0 && errno == EINTR);
  if (received > 0) {
    if (static_cast<size_t>(received) < buffer.size()) descriptor_.note_drained();
    return {IoState::done, static_cast<size_t>(received)};
  }
  if (received == 0) return {IoState::end, 0};
  const IoState state = failed_state();
  if (state == IoState::would_block) descriptor_.note_drained();
  return {state, 0};
}

IoResult TcpStream::try_write(std::span<const std::string_view> pieces) {
  if (!is_open()) return {IoState::broken, 0};
  size_t size = 0;
  for (const std::string_view piece : pieces) size += piece.size();
  if (size == 0) return {IoState::done, 0};
  const ssize_t sent =
      size <= kCopiedMax ? send_copy(descriptor_.fd(), pieces, size) : send_pieces(descriptor_.fd(), pieces);
  if (sent >= 0) return {IoState::done, static_cast<size_t>(sent)};
  const IoState state = failed_state();
  if (state == IoState::would_block) descriptor_.note_full();
  return {state, 0};
}

void TcpStream::watch_hangup(std::function<void()> on_hangup) {
  descriptor_.watch(Descriptor::Watched::hangup, std::move(on_hangup));
}

void TcpStream::watch_input(std::function<void()> on_input) {
  if (on_input && is_open() && descriptor_.may_be_readable()) {
    // The last read filled its buffer to the brim: whether that was all, only the kernel knows.
    char byte = 0;
    const ssize_t received = recv(descriptor_.fd(), &byte, 1, MSG_PEEK);
    if (received < 0 && failed_state() == IoState::would_block) descriptor_.note_drained();
  }
  descriptor_.watch(Descriptor::Watched::input, std::move(on_input));
}

void TcpStream::end_sending() {
  if (is_open()) shutdown(descriptor_.fd(), SHUT_WR);
}

int TcpStream::connect_error() const {
  int error = 0;
  socklen_t size = sizeof(error);
  if (!is_open()) return ECONNABORTED;
  if (getsockopt(descriptor_.fd(), SOL_SOCKET, SO_ERROR, &error, &size) != 0) return errno;
  return error;
}

namespace {

// A socket that is being connected: it becomes writable when that has ended.
Result<std::unique_ptr<TcpStream>> begin_to_connect(Core& core, const std::string& address, uint16_t port) {
  const std::optional<SocketAddress> target = parse_address(address, port);
  if (!target) return unreachable(address, port, EINVAL);
  const int fd = open_socket(target->storage.ss_family);
  if (fd < 0) return unreachable(address, port, errno);
  // Before the event loop sees the socket: to epoll a socket that nobody connects is one that hung up.
  const int why_not = ::connect(fd, target->get(), target->size) == 0 ? 0 : errno;
  auto stream = std::make_unique<TcpStream>(core, fd, to_text(*target));
  if (why_not != 0 && why_not != EINPROGRESS) return unreachable(address, port, why_not);
  return stream;
}

}  // namespace

Task<std::unique_ptr<ByteStream>> connect_tcp(Scope& scope, Core& core, std::string address, uint16_t port) {
  CO_TRY(scope.check());
  std::unique_ptr<TcpStream> stream = CO_TRY(begin_to_connect(core, address, port));
  CO_TRY(co_await stream->writable(scope));
  if (const int why = stream->connect_error()) co_return unreachable(address, port, why);
  co_return stream;
}

Result<std::unique_ptr<TcpListener>> TcpListener::listen(Core& core, const std::string& host, uint16_t port,
                                                         bool is_first) {
  const std::optional<SocketAddress> address = parse_address(host, port);
  if (!address) return cannot_listen(host, port, "it is not an IP address or \"localhost\"");
  if (is_first && port != 0) {
    // SO_REUSEPORT would share the port with another server of the same user without a word; a bind without
    // it finds that server.
    const int probe = open_socket(address->storage.ss_family);
    set_option(probe, SOL_SOCKET, SO_REUSEADDR);
    const bool is_free = bind(probe, address->get(), address->size) == 0;
    const int why = errno;
    ::close(probe);
    if (!is_free) return cannot_listen(host, port, std::strerror(why));
  }
  const int fd = open_socket(address->storage.ss_family);
  if (fd < 0) return cannot_listen(host, port, std::strerror(errno));
  set_option(fd, SOL_SOCKET, SO_REUSEADDR);
  set_option(fd, SOL_SOCKET, SO_REUSEPORT);
  if (bind(fd, address->get(), address->size) != 0 || ::listen(fd, kBacklog) != 0) {
    const int why = errno;
    ::close(fd);
    return cannot_listen(host, port, std::strerror(why));
  }
  const uint16_t bound = bound_port(fd);
  std::unique_ptr<TcpListener> listener(new TcpListener(core, fd, bound));
  if (!listener->descriptor_.is_open())
    return cannot_listen(host, port, "the kernel watches no more descriptors");
  return listener;
}

Task<void> TcpListener::run(Scope& scope, std::function<void(std::unique_ptr<ByteStream>)> on_accept) {
  bool is_failing = false;
  while (descriptor_.is_open()) {
    CO_TRY(co_await descriptor_.readable(scope));
    for (int i = 0; i < kAcceptsPerTurn && descriptor_.is_open(); ++i) {
      SocketAddress peer;
      peer.size = sizeof(peer.storage);
      const int fd = accept4(descriptor_.fd(), peer.get(), &peer.size, SOCK_NONBLOCK | SOCK_CLOEXEC);
      if (fd >= 0) {
        is_failing = false;
        on_accept(std::make_unique<TcpStream>(descriptor_.core(), fd, to_text(peer)));
        continue;
      }
      if (errno == EAGAIN || errno == EWOULDBLOCK) {
        descriptor_.note_drained();
        break;
      }
      // The client gave up before we came to it: nobody's problem.
      if (errno == ECONNABORTED || errno == EINTR || errno == EPROTO) continue;
      if (!is_failing) log_error("cannot accept connections", {{"why", std::strerror(errno)}});
      is_failing = true;
      CO_TRY(co_await scope.sleep(kAcceptPause));
      break;
    }
    if (descriptor_.may_be_readable()) co_await descriptor_.core().next_round();
  }
  co_return {};
}

}  // namespace weir
