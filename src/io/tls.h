// TLS 1.2 and 1.3 by OpenSSL over any ByteStream. OpenSSL reads and writes the stream below through a BIO
// that calls try_read and try_write, so nothing is copied through a memory buffer, and its own buffers are
// released while a connection is idle.
#pragma once

#include <memory>
#include <mutex>
#include <string>

#include "io/byte_stream.h"

struct ssl_ctx_st;

namespace weir {

// A server's certificate and key. Used from all cores.
class TlsServerContext {
 public:
  struct Files {
    std::string certificate;  // PEM: the server's certificate, then the intermediate ones
    std::string key;          // PEM
  };
  // Errors: bad_request naming the file and what is wrong with it.
  static Result<std::shared_ptr<TlsServerContext>> load(Files files, bool offers_http2 = true);
  ~TlsServerContext();

  // Reads the files again. New connections get the new certificate, open ones go on as they are; after an
  // error everything stays as it was. From any thread; reads files, so not from a core's.
  Result<void> reload();

 private:
  friend class TlsStream;
  struct Free {
    void operator()(ssl_ctx_st* context) const;
  };
  using Context = std::unique_ptr<ssl_ctx_st, Free>;

  TlsServerContext(Files files, bool offers_http2) : files_(std::move(files)), offers_http2_(offers_http2) {}
  Result<Context> build() const;
  Context current() const;

  const Files files_;
  const bool offers_http2_;
  mutable std::mutex mutex_;  // held for a few instructions at each handshake
  Context context_;
};

// How a client checks servers. Used from all cores.
class TlsClientContext {
 public:
  // Trusts the certificates in `ca_file` (PEM) alone; the system's when empty. Those are read at the first
  // connection (some 40 ms), so that a process without an https provider starts at once; without them no
  // server is trusted. Errors: bad_request.
  static Result<std::shared_ptr<TlsClientContext>> make(const std::string& ca_file = {});
  ~TlsClientContext();

 private:
  friend class TlsStream;
  explicit TlsClientContext(ssl_ctx_st* context) : context_(context) {}
  // The context with its trusted certificates read. From any thread.
  ssl_ctx_st* ready() const;

  ssl_ctx_st* context_;
  bool trusts_system_ = false;
  mutable std::once_flag system_read_;
};

// The server's side of the handshake, within the scope's deadline. Errors: bad_request with the reason in
// `detail` (the peer is no TLS client, offers nothing acceptable, hangs up), the scope's reason.
Task<std::unique_ptr<ByteStream>> tls_accept(Scope& scope, std::unique_ptr<ByteStream> stream,
                                             const TlsServerContext& context);
// The client's side: sends `server_name` (SNI), verifies the chain and that the certificate is for that name
// or address, offers http/1.1. Errors: upstream_unreachable with the reason in `detail`, the scope's reason.
Task<std::unique_ptr<ByteStream>> tls_connect(Scope& scope, std::unique_ptr<ByteStream> stream,
                                              const TlsClientContext& context, std::string server_name);

}  // namespace weir
