// Names to addresses without blocking: c-ares on the sockets of a core's event loop. /etc/hosts and the
// system's resolv.conf count. One Resolver per core, with its own cache.
#pragma once

#include <memory>
#include <string>
#include <vector>

#include "base/task.h"
#include "io/core.h"
#include "io/scope.h"

namespace weir {

struct DnsOptions {
  // "127.0.0.1:5353,..." instead of resolv.conf's, for tests; empty: the system's.
  std::string servers;
  Duration query_timeout = std::chrono::seconds(2);  // of one try
  int tries = 3;
};

class Resolver {
 public:
  explicit Resolver(Core& core, DnsOptions options = {});
  ~Resolver();
  Resolver(const Resolver&) = delete;
  Resolver& operator=(const Resolver&) = delete;

  // The addresses of a host, at least one, as literals in the order to try them (RFC 6724). A literal is its
  // own address; "localhost" and names below it are loopback (RFC 6761). Answers are kept for their TTL, at
  // least 1 s and at most 60 s; failures for 1 s. Callers that ask for a name at the same time share one
  // query. Errors: upstream_unreachable, the scope's reason.
  Task<std::vector<std::string>> resolve(Scope& scope, std::string host);

  // Names kept at one time; when full, an arbitrary one goes.
  static constexpr size_t kNamesMax = 1024;
  size_t cached() const;

 private:
  struct Channel;
  std::unique_ptr<Channel> channel_;
};

}  // namespace weir
