#include "io/connector.h"

#include <fmt/format.h>

#include "io/address.h"
#include "io/tcp.h"

namespace weir {

NetworkConnector::NetworkConnector(Core& core, NetworkConnectorOptions options)
    : core_(core), options_(std::move(options)), resolver_(core, options_.dns) {}

Task<std::unique_ptr<ByteStream>> NetworkConnector::connect(Scope& scope, Origin origin) {
  if (origin.is_tls && !options_.tls)
    co_return fail(ErrorKind::upstream_unreachable, "this client has no TLS settings for https");
  const std::vector<std::string> addresses = CO_TRY(co_await resolver_.resolve(scope, origin.host));
  std::optional<Error> failure;
  for (const std::string& address : addresses) {
    // Checked here and nowhere earlier: what a name resolved to before says nothing about this connection.
    if (options_.refuses_private_addresses && !is_public_address(address) &&
        !(options_.allows_private && options_.allows_private(origin.host))) {
      failure =
          make_error(ErrorKind::forbidden, "the URL leads to an address that is not on the public internet");
      failure->detail = fmt::format("{} is {}", origin.host, address);
      continue;
    }
    auto stream = co_await connect_to(scope, address, origin);
    if (stream && origin.is_tls) stream = co_await secure(scope, std::move(*stream), origin);
    if (stream) co_return stream;
    CO_TRY(scope.check());
    failure = std::move(stream).error();
  }
  co_return fail(std::move(*failure));
}

Duration NetworkConnector::timeout_of(const Origin& origin) const {
  const std::optional<Duration> own =
      options_.connect_timeout_of ? options_.connect_timeout_of(origin) : std::nullopt;
  return own.value_or(options_.connect_timeout);
}

Task<std::unique_ptr<ByteStream>> NetworkConnector::connect_to(Scope& scope, std::string address,
                                                               Origin origin) {
  Scope attempt(scope);
  attempt.set_deadline(attempt.now() + timeout_of(origin), ErrorKind::upstream_unreachable,
                       "the provider's address did not answer in time");
  co_return co_await connect_tcp(attempt, core_, std::move(address), origin.port);
}

Task<std::unique_ptr<ByteStream>> NetworkConnector::secure(Scope& scope, std::unique_ptr<ByteStream> stream,
                                                           Origin origin) {
  Scope attempt(scope);
  attempt.set_deadline(attempt.now() + 2 * timeout_of(origin), ErrorKind::upstream_unreachable,
                       "the provider did not finish the TLS handshake in time");
  std::shared_ptr<TlsClientContext> tls = options_.tls_of ? options_.tls_of(origin) : nullptr;
  if (!tls) tls = options_.tls;
  co_return co_await tls_connect(attempt, std::move(stream), *tls, origin.host);
}

}  // namespace weir
