#include "io/dns.h"

#include <ares.h>
#include <arpa/inet.h>
#include <fmt/format.h>
#include <netdb.h>
#include <unordered_map>

#include "base/assert.h"
#include "io/address.h"

namespace weir {
namespace {

constexpr Duration kTtlMin = std::chrono::seconds(1);
constexpr Duration kTtlMax = std::chrono::seconds(60);
constexpr Duration kNegativeTtl = std::chrono::seconds(1);
// c-ares retries by its own clock; this is how often it is asked to.
constexpr Duration kRetryCheck = std::chrono::milliseconds(100);

// A name being asked for or known. Shared because the query and its waiters may end in any order.
struct Name {
  Signal answered;
  std::vector<std::string> addresses;
  std::string failure;
  MonoTime expires_at{};
};

bool is_localhost(std::string_view host) {
  return host == "localhost" || host.ends_with(".localhost");
}

std::string to_literal(const ares_addrinfo_node& node) {
  std::array<char, INET6_ADDRSTRLEN> text{};
  const void* address =
      node.ai_family == AF_INET6
          ? static_cast<const void*>(&reinterpret_cast<sockaddr_in6*>(node.ai_addr)->sin6_addr)
          : &reinterpret_cast<sockaddr_in*>(node.ai_addr)->sin_addr;
  inet_ntop(node.ai_family, address, text.data(), text.size());
  return text.data();
}

std::unexpected<Error> unresolved(const std::string& host, const std::string& why) {
  Error error = make_error(ErrorKind::upstream_unreachable, "the provider's host name could not be resolved");
  error.detail = fmt::format("resolve {}: {}", host, why);
  return fail(std::move(error));
}

}  // namespace

// The c-ares channel with its sockets on the loop and its timer.
struct Resolver::Channel final : Timer {
  // A socket of c-ares, which opens and closes it and reads as much of it as it likes: so level-triggered.
  struct Socket final : Poller::Watch {
    Socket(Channel& its_channel, int its_fd) : channel(its_channel), fd(its_fd) {}
    void on_ready(uint32_t events) override {
      // An error is there to be read. What c-ares does with the socket may destroy this object.
      const bool is_readable = (events & (EPOLLIN | EPOLLERR | EPOLLHUP)) != 0;
      const bool is_writable = (events & EPOLLOUT) != 0;
      ares_process_fd(channel.handle, is_readable ? fd : ARES_SOCKET_BAD, is_writable ? fd : ARES_SOCKET_BAD);
    }
    Channel& channel;
    const int fd;
  };

  Channel(Core& owner, const DnsOptions& options) : core(owner) {
    static const int library_status = ares_library_init(ARES_LIB_INIT_ALL);
    WEIR_ASSERT(library_status == ARES_SUCCESS, "c-ares initialises");
    ares_options settings{};
    settings.timeout = static_cast<int>(options.query_timeout / std::chrono::milliseconds(1));
    settings.tries = options.tries;
    settings.sock_state_cb = &Channel::on_socket_state;
    settings.sock_state_cb_data = this;
    const int status =
        ares_init_options(&handle, &settings, ARES_OPT_TIMEOUTMS | ARES_OPT_TRIES | ARES_OPT_SOCK_STATE_CB);
    WEIR_ASSERT(status == ARES_SUCCESS, "c-ares makes a channel");
    if (!options.servers.empty()) {
      const int chosen = ares_set_servers_ports_csv(handle, options.servers.c_str());
      WEIR_ASSERT(chosen == ARES_SUCCESS, "the servers are addresses with ports");
    }
  }
  ~Channel() override {
    disarm();
    ares_destroy(handle);
  }

  static void on_socket_state(void* data, ares_socket_t fd, int wants_read, int wants_write) {
    static_cast<Channel*>(data)->note_socket(fd, wants_read != 0, wants_write != 0);
  }
  void note_socket(int fd, bool wants_read, bool wants_write) {
    const auto found = sockets.find(fd);
    if (!wants_read && !wants_write) {
      if (found == sockets.end()) return;
      core.poller().remove(fd, *found->second);
      sockets.erase(found);
      return;
    }
    const uint32_t events = (wants_read ? uint32_t{EPOLLIN} : 0) | (wants_write ? uint32_t{EPOLLOUT} : 0);
    if (found != sockets.end()) return core.poller().change(fd, events, *found->second);
    auto socket = std::make_unique<Socket>(*this, fd);
    // Where the kernel has no room for a watch c-ares gives up by its own clock.
    if (core.poller().add(fd, events, *socket)) sockets.emplace(fd, std::move(socket));
  }

  void fire() override {
    ares_process_fd(handle, ARES_SOCKET_BAD, ARES_SOCKET_BAD);
    arm_timer();
  }
  void arm_timer() {
    if (queries > 0) core.timers().arm(*this, core.now() + kRetryCheck);
  }

  struct Query {
    Channel* channel;
    std::shared_ptr<Name> name;
  };
  void start(const std::string& host, const std::shared_ptr<Name>& name) {
    ++queries;
    ares_addrinfo_hints hints{};
    hints.ai_family = AF_UNSPEC;
    hints.ai_socktype = SOCK_STREAM;
    ares_getaddrinfo(handle, host.c_str(), nullptr, &hints, &Channel::on_answer, new Query{this, name});
    arm_timer();
  }
  static void on_answer(void* data, int status, int, ares_addrinfo* answer) {
    const std::unique_ptr<Query> query(static_cast<Query*>(data));
    query->channel->take_answer(*query->name, status, answer);
    if (answer) ares_freeaddrinfo(answer);
  }
  void take_answer(Name& name, int status, const ares_addrinfo* answer) {
    --queries;
    Duration ttl = kTtlMax;
    for (const ares_addrinfo_node* node = answer ? answer->nodes : nullptr; node; node = node->ai_next) {
      name.addresses.push_back(to_literal(*node));
      ttl = std::min<Duration>(ttl, std::chrono::seconds(node->ai_ttl));
    }
    if (name.addresses.empty()) name.failure = ares_strerror(status == ARES_SUCCESS ? ARES_ENODATA : status);
    name.expires_at = core.now() + (name.addresses.empty() ? kNegativeTtl : std::max(ttl, kTtlMin));
    name.answered.set();
  }

  // The entry for a host: known and fresh, being asked for, or asked for now.
  std::shared_ptr<Name> look_up(const std::string& host) {
    auto found = names.find(host);
    if (found != names.end()) {
      if (!found->second->answered.is_set() || core.now() < found->second->expires_at) return found->second;
      names.erase(found);
    }
    if (names.size() >= kNamesMax) names.erase(names.begin());
    auto name = std::make_shared<Name>();
    names.emplace(host, name);
    start(host, name);
    return name;
  }

  Core& core;
  ares_channel handle = nullptr;
  std::unordered_map<int, std::unique_ptr<Socket>> sockets;
  std::unordered_map<std::string, std::shared_ptr<Name>> names;
  size_t queries = 0;
};

Resolver::Resolver(Core& core, DnsOptions options) : channel_(std::make_unique<Channel>(core, options)) {}

Resolver::~Resolver() = default;

size_t Resolver::cached() const {
  return channel_->names.size();
}

Task<std::vector<std::string>> Resolver::resolve(Scope& scope, std::string host) {
  if (is_address_literal(host)) co_return std::vector<std::string>{host};
  if (is_localhost(host)) co_return std::vector<std::string>{"127.0.0.1", "::1"};
  const std::shared_ptr<Name> name = channel_->look_up(host);
  CO_TRY(co_await name->answered.wait(scope));
  if (name->addresses.empty()) co_return unresolved(host, name->failure);
  co_return name->addresses;
}

}  // namespace weir
