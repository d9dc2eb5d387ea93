// The HTTP/1.1 client of one core: pooled connections, two socket system calls an exchange.
#pragma once

#include <memory>

#include "io/client_pool.h"
#include "io/connector.h"
#include "io/decompress.h"
#include "io/http.h"
#include "io/http1.h"

namespace weir {

struct HttpClientOptions {
  ClientPoolOptions pool = {};
  HttpLimits limits = {.head_bytes_max = kResponseHeadBytesMax};  // of answers
  DecompressLimits decompress = {};
};

// Content codings of answers are taken off (and content-encoding and content-length removed from the
// headers), but asked for only when the request's headers hold accept-encoding. Deadlines are the scope's. A
// request is repeated once, on a fresh connection, when a pooled one turns out to be dead before any byte of
// an answer.
class PooledHttpClient final : public HttpClient {
 public:
  PooledHttpClient(Core& core, std::unique_ptr<Connector> connector, HttpClientOptions options = {});
  // REQUIRES that every response was destroyed.
  ~PooledHttpClient() override = default;

  // Errors beyond HttpClient's: bad_request for a request that cannot be written, overloaded, forbidden (from
  // the connector). `request` must stay valid until the task ends.
  Task<std::unique_ptr<ClientResponse>> send(Scope& scope, const ClientRequest& request) override;

  ClientPoolStats stats() const { return pool_.stats(); }
  void close_idle() { pool_.close_idle(); }

 private:
  struct Pending;
  // Not inlined, so that a request keeps no frame of what it does not do at the time.
  [[gnu::noinline]] Task<std::unique_ptr<ClientConnection>> connect(Scope& scope, Origin origin);
  // Null: more bytes are needed.
  [[gnu::noinline]] Result<std::unique_ptr<ClientResponse>> take_answer(Pending& pending);
  Result<std::unique_ptr<ClientResponse>> make_response(std::unique_ptr<ClientConnection> connection,
                                                        ResponseHead&& head);

  const HttpClientOptions options_;
  std::unique_ptr<Connector> connector_;
  ClientPool pool_;
};

}  // namespace weir
