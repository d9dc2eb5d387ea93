#include "app/loadgen.h"

#include <algorithm>
#include <array>
#include <cerrno>
#include <cmath>
#include <fmt/core.h>
#include <memory>
#include <netdb.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <span>
#include <sys/epoll.h>
#include <sys/prctl.h>
#include <unistd.h>
#include <vector>

#include "app/loadgen_response.h"

namespace weir {
namespace {

MonoTime now() {
  return SystemClock::instance().now();
}

struct Connection {
  enum class State : uint8_t { closed, connecting, idle, busy };

  int fd = -1;
  State state = State::closed;
  size_t sent = 0;       // bytes of the request
  MonoTime intended_at;  // when the request was meant to leave
  MonoTime sent_at;      // when it did
  MonoTime last_event_at;
  Duration first_event{};
  uint64_t events_seen = 0;
  std::vector<Duration> gaps;  // between the events of this stream
  LoadResponse response;
};

class Load {
 public:
  explicit Load(const LoadPlan& plan) : plan_(plan), connections_(plan.connections_max) {}
  ~Load() {
    for (Connection& connection : connections_) {
      if (connection.fd >= 0) close(connection.fd);
    }
    if (epoll_ >= 0) close(epoll_);
  }
  Load(const Load&) = delete;
  Load& operator=(const Load&) = delete;

  Result<LoadReport> run() {
    epoll_ = epoll_create1(EPOLL_CLOEXEC);
    if (epoll_ < 0) return fail(ErrorKind::internal, "no epoll instance can be had");
    // Requests leave when they are due, not up to 50 µs later.
    prctl(PR_SET_TIMERSLACK, 1);
    for (size_t i = connections_.size(); i > 0; --i) free_.push_back(i - 1);
    started_at_ = now_ = now();
    next_check_ = started_at_ + kCheckEvery;
    last_answer_at_ = measured_from();
    while (step()) {
    }
    report_.elapsed = std::max(Duration(1), last_answer_at_ - measured_from());
    if (is_open() && plan_.duration > Duration::zero()) report_.unsent = due_by(plan_.duration) - next_;
    return std::move(report_);
  }

 private:
  static constexpr Duration kCheckEvery = std::chrono::milliseconds(50);

  bool is_open() const { return plan_.rate > 0; }
  MonoTime measured_from() const { return started_at_ + plan_.warm_up; }
  MonoTime sending_ends() const {
    return plan_.duration > Duration::zero() ? started_at_ + plan_.duration : MonoTime::max();
  }
  MonoTime intended(uint64_t index) const {
    return started_at_ + Duration(static_cast<int64_t>(static_cast<double>(index) * 1e9 / plan_.rate));
  }
  // Open loop: how many requests are meant to leave in that time.
  uint64_t due_by(Duration after_start) const {
    const auto due =
        static_cast<uint64_t>(std::ceil(static_cast<double>(after_start.count()) * 1e-9 * plan_.rate));
    return plan_.requests_max > 0 ? std::min(due, plan_.requests_max) : due;
  }

  // Whether another request is to be sent, now or later. In an open loop what was due stays due for one
  // timeout.
  bool has_more() const {
    if (plan_.requests_max > 0 && next_ >= plan_.requests_max) return false;
    if (is_open()) {
      return intended(next_) < sending_ends() &&
             (plan_.duration <= Duration::zero() || now_ < sending_ends() + plan_.timeout);
    }
    return now_ < sending_ends();
  }

  bool step() {
    send_due();
    if (under_way_ == 0 && !has_more()) return false;
    std::array<epoll_event, 256> events;
    const int count = wait(events);
    now_ = now();
    for (int i = 0; i < count; ++i) take_event(events[static_cast<size_t>(i)]);
    if (now_ >= next_check_) {
      next_check_ = now_ + kCheckEvery;
      time_out();
    }
    return true;
  }

  // How many events there are; -1 after a signal.
  int wait(std::span<epoll_event> events) const {
    const Duration left = wait_time();
    const timespec timeout{.tv_sec = left.count() / 1'000'000'000, .tv_nsec = left.count() % 1'000'000'000};
    const auto size = static_cast<int>(events.size());
    const int count = epoll_pwait2(epoll_, events.data(), size, &timeout, nullptr);
    if (count >= 0 || errno != ENOSYS) return count;
    // Linux before 5.11 waits in milliseconds: what is left below one passes in asking again.
    return epoll_wait(epoll_, events.data(), size,
                      static_cast<int>(std::chrono::floor<std::chrono::milliseconds>(left).count()));
  }

  Duration wait_time() const {
    MonoTime until = next_check_;
    if (is_open() && !free_.empty() && has_more()) {
      until = std::min(until, std::max(intended(next_), paused_until_));
    }
    return std::max(Duration::zero(), until - now_);
  }

  void send_due() {
    if (now_ < paused_until_) return;
    while (now_ >= paused_until_ && !free_.empty() && has_more() && (!is_open() || intended(next_) <= now_)) {
      Connection& connection = connections_[free_.back()];
      free_.pop_back();
      connection.sent_at = now();
      connection.intended_at = is_open() ? intended(next_) : connection.sent_at;
      ++next_;
      ++under_way_;
      begin(connection);
    }
  }

  void begin(Connection& connection) {
    connection.sent = 0;
    connection.events_seen = 0;
    connection.gaps.clear();
    connection.response.start(plan_.method);
    if (connection.state == Connection::State::idle) {
      connection.state = Connection::State::busy;
      send_rest(connection);
    } else {
      open(connection);
    }
  }

  void open(Connection& connection) {
    connection.fd = socket(plan_.address.storage.ss_family, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
    if (connection.fd < 0) return fail_connect(connection);
    ++report_.connections_opened;
    const int on = 1;
    setsockopt(connection.fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
    connection.state = Connection::State::connecting;
    const auto* address = reinterpret_cast<const sockaddr*>(&plan_.address.storage);
    if (connect(connection.fd, address, plan_.address.size) != 0 && errno != EINPROGRESS) {
      return fail_connect(connection);
    }
    epoll_event event{.events = EPOLLIN | EPOLLOUT | EPOLLRDHUP | EPOLLET,
                      .data = {.u64 = static_cast<uint64_t>(&connection - connections_.data())}};
    epoll_ctl(epoll_, EPOLL_CTL_ADD, connection.fd, &event);
  }

  // A server that is not there is not called in a busy loop.
  void fail_connect(Connection& connection) {
    paused_until_ = next_check_;
    finish_with_error(connection, "connect");
  }

  void take_event(const epoll_event& event) {
    Connection& connection = connections_[event.data.u64];
    if (connection.state == Connection::State::connecting) {
      if (event.events & (EPOLLERR | EPOLLHUP)) return fail_connect(connection);
      connection.state = Connection::State::busy;
    }
    const bool is_closing = event.events & (EPOLLRDHUP | EPOLLHUP | EPOLLERR);
    if ((event.events & EPOLLIN) || is_closing) read(connection, is_closing);
    if (connection.state == Connection::State::busy && (event.events & EPOLLOUT)) send_rest(connection);
  }

  void send_rest(Connection& connection) {
    const std::string_view rest = std::string_view(plan_.request).substr(connection.sent);
    if (rest.empty()) return;
    const ssize_t count = send(connection.fd, rest.data(), rest.size(), MSG_NOSIGNAL);
    if (count < 0) {
      if (errno != EAGAIN) finish_with_error(connection, "reset");
      return;
    }
    connection.sent += static_cast<size_t>(count);
  }

  // `until_end`: the server has closed its side, so that there is no further edge to wait for.
  void read(Connection& connection, bool until_end) {
    for (;;) {
      const ssize_t count = recv(connection.fd, buffer_.data(), buffer_.size(), 0);
      if (count < 0 && (errno == EAGAIN || errno == EINTR)) return;
      if (count <= 0) return take_end(connection);
      if (connection.state != Connection::State::busy) return close_idle(connection);
      if (!take_bytes(connection, {buffer_.data(), static_cast<size_t>(count)})) return;
      // A short read has emptied the socket: the next bytes make a new edge.
      if (static_cast<size_t>(count) < buffer_.size() && !until_end) return;
    }
  }

  // Whether the connection is still open.
  bool take_bytes(Connection& connection, std::string_view bytes) {
    if (!connection.response.feed(bytes)) {
      finish_with_error(connection, "malformed");
      return false;
    }
    if (connection.response.events() > connection.events_seen) note_events(connection);
    if (connection.response.is_complete()) finish(connection);
    return connection.fd >= 0;
  }

  void note_events(Connection& connection) {
    const MonoTime at = now();
    if (connection.events_seen == 0) {
      connection.first_event = at - connection.intended_at;
      connection.last_event_at = at;
      connection.events_seen = 1;
    }
    for (; connection.events_seen < connection.response.events(); ++connection.events_seen) {
      connection.gaps.push_back(at - connection.last_event_at);
      connection.last_event_at = at;
    }
  }

  void take_end(Connection& connection) {
    if (connection.state == Connection::State::idle) return close_idle(connection);
    const bool had_begun = connection.response.has_begun();
    if (connection.response.end()) {
      finish(connection);
    } else {
      finish_with_error(connection, had_begun ? "truncated" : "reset");
    }
  }

  // The connection stays in the list of free ones: the next request opens it anew.
  void close_idle(Connection& connection) {
    close(connection.fd);
    connection.fd = -1;
    connection.state = Connection::State::closed;
  }

  void finish(Connection& connection) {
    const LoadResponse& response = connection.response;
    if (response.status() < 200 || response.status() > 299) {
      count_error(connection, fmt::format("status_{}", response.status()));
    } else if (plan_.is_stream && response.has_error_event()) {
      count_error(connection, "error_event");
    } else if (plan_.is_stream && !response.has_final_event()) {
      count_error(connection, "no_final_event");
    } else {
      count_completed(connection);
    }
    connection.state = Connection::State::idle;
    if (!response.keep_alive()) close_idle(connection);
    release(connection);
  }

  void finish_with_error(Connection& connection, std::string_view kind) {
    count_error(connection, kind);
    if (connection.fd >= 0) close_idle(connection);
    release(connection);
  }

  void release(Connection& connection) {
    --under_way_;
    free_.push_back(static_cast<size_t>(&connection - connections_.data()));
  }

  bool is_reported(const Connection& connection) const { return connection.intended_at >= measured_from(); }

  void count_completed(Connection& connection) {
    const MonoTime at = now();
    ++report_.completed_with_warm_up;
    if (!is_reported(connection)) return;
    ++report_.completed;
    report_.events += connection.response.events();
    report_.body_bytes += connection.response.body_bytes();
    report_.latency.record(at - connection.intended_at);
    if (connection.events_seen > 0) report_.first_event.record(connection.first_event);
    for (const Duration gap : connection.gaps) report_.event_gap.record(gap);
    last_answer_at_ = at;
  }

  void count_error(const Connection& connection, std::string_view kind) {
    if (is_reported(connection)) ++report_.errors[std::string(kind)];
  }

  void time_out() {
    for (Connection& connection : connections_) {
      const bool is_waiting =
          connection.state == Connection::State::busy || connection.state == Connection::State::connecting;
      if (is_waiting && now_ - connection.sent_at > plan_.timeout) finish_with_error(connection, "timeout");
    }
  }

  const LoadPlan& plan_;
  std::vector<Connection> connections_;
  std::vector<size_t> free_;  // idle or closed; the last used first
  std::vector<char> buffer_ = std::vector<char>(64 * 1024);
  LoadReport report_;
  int epoll_ = -1;
  uint64_t next_ = 0;  // index of the next request
  size_t under_way_ = 0;
  MonoTime started_at_;
  MonoTime now_;  // of this turn of the loop
  MonoTime next_check_;
  MonoTime paused_until_;
  MonoTime last_answer_at_;
};

}  // namespace

bool LoadAddress::is_loopback() const {
  if (storage.ss_family == AF_INET) {
    const auto& address = reinterpret_cast<const sockaddr_in&>(storage);
    return (ntohl(address.sin_addr.s_addr) >> 24) == 127;
  }
  const auto& address = reinterpret_cast<const sockaddr_in6&>(storage);
  return IN6_IS_ADDR_LOOPBACK(&address.sin6_addr);
}

Result<LoadAddress> resolve_load_address(const Origin& origin) {
  addrinfo hints{};
  hints.ai_socktype = SOCK_STREAM;
  addrinfo* found = nullptr;
  if (getaddrinfo(origin.host.c_str(), fmt::format("{}", origin.port).c_str(), &hints, &found) != 0) {
    return fail(ErrorKind::bad_request, fmt::format("the host {} is not known", origin.host));
  }
  const std::unique_ptr<addrinfo, decltype(&freeaddrinfo)> owner(found, &freeaddrinfo);
  LoadAddress address;
  std::copy_n(reinterpret_cast<const char*>(found->ai_addr), found->ai_addrlen,
              reinterpret_cast<char*>(&address.storage));
  address.size = found->ai_addrlen;
  return address;
}

uint64_t LoadReport::errors_count() const {
  uint64_t count = 0;
  for (const auto& [kind, of_kind] : errors) count += of_kind;
  return count;
}

double LoadReport::throughput() const {
  const double seconds = static_cast<double>(elapsed.count()) * 1e-9;
  return seconds > 0 ? static_cast<double>(completed) / seconds : 0;
}

Result<LoadReport> run_load(const LoadPlan& plan) {
  return Load(plan).run();
}

}  // namespace weir
