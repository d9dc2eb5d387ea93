// The ByteStream that TLS gives; made by tls_accept and tls_connect (io/tls.h).
#pragma once

#include <memory>
#include <string>

#include "io/byte_stream.h"

struct ssl_st;
struct ssl_ctx_st;
struct bio_method_st;

namespace weir {

class TlsServerContext;
class TlsClientContext;

class TlsStream final : public ByteStream {
 public:
  // For a server.
  TlsStream(std::unique_ptr<ByteStream> below, const TlsServerContext& context);
  // For a client of `server_name`, a host name or an address literal.
  TlsStream(std::unique_ptr<ByteStream> below, const TlsClientContext& context,
            const std::string& server_name);
  ~TlsStream() override;

  // Errors: the scope's reason; `kind` with the reason in `detail` when the handshake fails.
  Task<void> handshake(Scope& scope, ErrorKind kind);

  IoResult try_read(std::span<char> buffer) override;
  IoResult try_write(std::span<const std::string_view> pieces) override;
  Task<void> readable(Scope& scope) override;
  Task<void> writable(Scope& scope) override { return below_->writable(scope); }
  void watch_hangup(std::function<void()> on_hangup) override;
  void watch_input(std::function<void()> on_input) override;
  void end_sending() override;
  void close() override;
  bool is_open() const override { return below_->is_open(); }
  const std::string& peer() const override { return below_->peer(); }
  std::string_view alpn() const override;

 private:
  void attach(ssl_ctx_st* context);
  IoResult result_of(int code);
  void look();
  void tell_watch();
  void watch_below();

  std::unique_ptr<ByteStream> below_;
  ssl_st* ssl_ = nullptr;
  std::function<void()> on_watch_;
  bool watches_hangup_only_ = false;
  bool is_established_ = false;
  bool is_broken_ = false;
  bool has_sent_end_ = false;
  bool may_have_buffered_ = false;  // OpenSSL may hold bytes that the stream below no longer announces
  bool read_wants_write_ = false;   // an answer to a key update has to leave before reading goes on
};

}  // namespace weir
