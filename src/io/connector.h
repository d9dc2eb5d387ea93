// How a client gets a connection to an origin: over the network, or in memory for tests and the simulator.
#pragma once

#include <functional>
#include <memory>
#include <optional>

#include "io/byte_stream.h"
#include "io/dns.h"
#include "io/http.h"
#include "io/tls.h"

namespace weir {

class Connector {
 public:
  virtual ~Connector() = default;
  // A connected stream, TLS included. Errors: upstream_unreachable, forbidden, the scope's reason.
  virtual Task<std::unique_ptr<ByteStream>> connect(Scope& scope, Origin origin) = 0;
};

struct NetworkConnectorOptions {
  // Of each address; the TLS handshake may take twice as long.
  Duration connect_timeout = std::chrono::seconds(5);
  // Connects to the public internet only: for every URL that a user or a tenant gave.
  bool refuses_private_addresses = false;
  // Hosts of whom the operator said otherwise; null: none.
  std::function<bool(std::string_view host)> allows_private = {};
  std::shared_ptr<TlsClientContext> tls = {};  // null: https origins are refused
  // Whom to trust at an origin in place of `tls`; null, or giving null: `tls`.
  std::function<std::shared_ptr<TlsClientContext>(const Origin&)> tls_of = {};
  // Of an origin, in place of `connect_timeout`; null, or giving nothing: that.
  std::function<std::optional<Duration>(const Origin&)> connect_timeout_of = {};
  DnsOptions dns = {};
};

// Resolves, then tries the addresses in their order, each with a timeout of its own, so that one that
// swallows packets delays and does not fail the request.
class NetworkConnector final : public Connector {
 public:
  NetworkConnector(Core& core, NetworkConnectorOptions options);
  Task<std::unique_ptr<ByteStream>> connect(Scope& scope, Origin origin) override;

 private:
  // Not inlined, so that connecting keeps no frame of what it does not do at the time.
  [[gnu::noinline]] Task<std::unique_ptr<ByteStream>> connect_to(Scope& scope, std::string address,
                                                                 Origin origin);
  Duration timeout_of(const Origin& origin) const;
  [[gnu::noinline]] Task<std::unique_ptr<ByteStream>> secure(Scope& scope, std::unique_ptr<ByteStream> stream,
                                                             Origin origin);

  Core& core_;
  const NetworkConnectorOptions options_;
  Resolver resolver_;
};

}  // namespace weir
