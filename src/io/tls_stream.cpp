#include "io/tls_stream.h"

#include <openssl/bio.h>
#include <openssl/err.h>
#include <openssl/ssl.h>
#include <openssl/x509v3.h>

#include "base/assert.h"
#include "io/tls.h"

namespace weir {
namespace {

// One TLS record holds at most this much; larger writes are cut into records anyway.
constexpr size_t kRecordBytesMax = 16 * 1024;

int bio_read(BIO* bio, char* bytes, size_t size, size_t* count) {
  BIO_clear_retry_flags(bio);
  const IoResult read = static_cast<ByteStream*>(BIO_get_data(bio))->try_read({bytes, size});
  *count = read.bytes;
  if (read.state == IoState::would_block) BIO_set_retry_read(bio);
  return read.state == IoState::done ? 1 : 0;
}

int bio_write(BIO* bio, const char* bytes, size_t size, size_t* count) {
  BIO_clear_retry_flags(bio);
  const std::array<std::string_view, 1> pieces = {std::string_view(bytes, size)};
  const IoResult written = static_cast<ByteStream*>(BIO_get_data(bio))->try_write(pieces);
  *count = written.bytes;
  if (written.state == IoState::would_block) BIO_set_retry_write(bio);
  return written.state == IoState::done ? 1 : 0;
}

long bio_control(BIO*, int command, long, void*) {
  return command == BIO_CTRL_FLUSH ? 1 : 0;
}

// A BIO that is a ByteStream. Made once, never freed: connections may outlive static destructors.
const BIO_METHOD* stream_bio() {
  static const BIO_METHOD* const method = [] {
    BIO_METHOD* made = BIO_meth_new(BIO_get_new_index() | BIO_TYPE_SOURCE_SINK, "weir byte stream");
    BIO_meth_set_read_ex(made, bio_read);
    BIO_meth_set_write_ex(made, bio_write);
    BIO_meth_set_ctrl(made, bio_control);
    return made;
  }();
  return method;
}

bool is_address(const std::string& name) {
  ASN1_OCTET_STRING* const address = a2i_IPADDRESS(name.c_str());
  ASN1_OCTET_STRING_free(address);
  return address != nullptr;
}

std::string openssl_reason(ssl_st* ssl) {
  if (const long verified = SSL_get_verify_result(ssl); verified != X509_V_OK)
    return X509_verify_cert_error_string(verified);
  const unsigned long code = ERR_peek_last_error();
  if (code == 0) return "the peer closed the connection";
  std::array<char, 256> text;
  ERR_error_string_n(code, text.data(), text.size());
  return text.data();
}

}  // namespace

TlsStream::TlsStream(std::unique_ptr<ByteStream> below, const TlsServerContext& context)
    : below_(std::move(below)) {
  attach(context.current().get());
  SSL_set_accept_state(ssl_);
}

TlsStream::TlsStream(std::unique_ptr<ByteStream> below, const TlsClientContext& context,
                     const std::string& server_name)
    : below_(std::move(below)) {
  attach(context.ready());
  SSL_set_connect_state(ssl_);
  if (is_address(server_name)) {
    X509_VERIFY_PARAM_set1_ip_asc(SSL_get0_param(ssl_), server_name.c_str());
  } else {
    SSL_set1_host(ssl_, server_name.c_str());
    SSL_set_tlsext_host_name(ssl_, server_name.c_str());
  }
}

void TlsStream::attach(ssl_ctx_st* context) {
  ssl_ = SSL_new(context);
  BIO* const bio = BIO_new(stream_bio());
  WEIR_ASSERT(ssl_ && bio, "OpenSSL has memory");
  BIO_set_data(bio, below_.get());
  BIO_set_init(bio, 1);
  SSL_set_bio(ssl_, bio, bio);
}

TlsStream::~TlsStream() {
  close();
  SSL_free(ssl_);
}

Task<void> TlsStream::handshake(Scope& scope, ErrorKind kind) {
  for (;;) {
    ERR_clear_error();
    const int code = SSL_do_handshake(ssl_);
    if (code == 1) break;
    const IoResult result = result_of(code);
    if (result.state != IoState::would_block) {
      Error error = make_error(kind, "the TLS handshake failed");
      error.detail = "TLS with " + below_->peer() + ": " + openssl_reason(ssl_);
      co_return fail(std::move(error));
    }
    if (SSL_want_write(ssl_)) {
      CO_TRY(co_await below_->writable(scope));
    } else {
      CO_TRY(co_await below_->readable(scope));
    }
  }
  is_established_ = true;
  may_have_buffered_ = SSL_has_pending(ssl_) == 1;
  co_return {};
}

IoResult TlsStream::result_of(int code) {
  switch (SSL_get_error(ssl_, code)) {
    case SSL_ERROR_WANT_READ:
    case SSL_ERROR_WANT_WRITE:
      return {IoState::would_block, 0};
    case SSL_ERROR_ZERO_RETURN:
      return {IoState::end, 0};
    default:
      // An end without close_notify comes here, too: it may be an attacker's cut.
      is_broken_ = true;
      return {IoState::broken, 0};
  }
}

IoResult TlsStream::try_read(std::span<char> buffer) {
  if (is_broken_ || !is_open()) return {IoState::broken, 0};
  ERR_clear_error();
  size_t count = 0;
  const int code = SSL_read_ex(ssl_, buffer.data(), buffer.size(), &count);
  read_wants_write_ = false;
  if (code == 1) {
    may_have_buffered_ = SSL_has_pending(ssl_) == 1;
    return {IoState::done, count};
  }
  may_have_buffered_ = false;
  const IoResult result = result_of(code);
  read_wants_write_ = result.state == IoState::would_block && SSL_want_write(ssl_);
  return result;
}

IoResult TlsStream::try_write(std::span<const std::string_view> pieces) {
  if (is_broken_ || has_sent_end_ || !is_open()) return {IoState::broken, 0};
  // One record for all that fits: a record per piece would cost 22 bytes and a system call each. The
  // thread's buffer is enough, since OpenSSL has encrypted a copy when it returns; a repeated call gathers
  // the same bytes, as OpenSSL demands.
  thread_local std::array<char, kRecordBytesMax> gathered;
  std::string_view bytes;
  size_t filled = 0;
  for (const std::string_view piece : pieces) {
    if (piece.empty()) continue;
    if (filled == 0 && bytes.empty()) {
      bytes = piece;
      if (bytes.size() >= kRecordBytesMax) break;
      continue;
    }
    if (filled == 0) filled = bytes.copy(gathered.data(), bytes.size());
    filled += piece.copy(gathered.data() + filled, gathered.size() - filled);
    bytes = {gathered.data(), filled};
    if (filled == gathered.size()) break;
  }
  if (bytes.empty()) return {IoState::done, 0};
  ERR_clear_error();
  size_t count = 0;
  const int code = SSL_write_ex(ssl_, bytes.data(), bytes.size(), &count);
  return code == 1 ? IoResult{IoState::done, count} : result_of(code);
}

Task<void> TlsStream::readable(Scope& scope) {
  if (may_have_buffered_ || is_broken_) co_return scope.check();
  if (read_wants_write_) co_return co_await below_->writable(scope);
  co_return co_await below_->readable(scope);
}

void TlsStream::watch_hangup(std::function<void()> on_hangup) {
  on_watch_ = std::move(on_hangup);
  watches_hangup_only_ = true;
  watch_below();
}

void TlsStream::watch_input(std::function<void()> on_input) {
  on_watch_ = std::move(on_input);
  watches_hangup_only_ = false;
  watch_below();
}

void TlsStream::watch_below() {
  if (!on_watch_) return below_->watch_input(nullptr);
  below_->watch_input([this] { look(); });
}

// Bytes below may be a close_notify, a ticket, a part of a record, or the peer's next message.
void TlsStream::look() {
  char byte = 0;
  size_t count = 0;
  ERR_clear_error();
  const int code = SSL_peek_ex(ssl_, &byte, 1, &count);
  if (code == 1) {
    may_have_buffered_ = true;
    // A goodbye would be hidden behind what waits to be read; that the connection ends is seen below.
    if (watches_hangup_only_) return below_->watch_hangup([this] { tell_watch(); });
    return tell_watch();
  }
  if (result_of(code).state == IoState::would_block) return watch_below();
  tell_watch();
}

void TlsStream::tell_watch() {
  if (on_watch_) std::exchange(on_watch_, nullptr)();
}

void TlsStream::end_sending() {
  if (has_sent_end_ || !is_open()) return;
  has_sent_end_ = true;
  // After a failure OpenSSL must not be asked to say goodbye.
  if (is_established_ && !is_broken_) {
    ERR_clear_error();
    SSL_shutdown(ssl_);
  }
  below_->end_sending();
}

void TlsStream::close() {
  if (!is_open()) return;
  on_watch_ = nullptr;
  end_sending();
  below_->close();
}

std::string_view TlsStream::alpn() const {
  const unsigned char* name = nullptr;
  unsigned size = 0;
  SSL_get0_alpn_selected(ssl_, &name, &size);
  return {reinterpret_cast<const char*>(name), size};
}

}  // namespace weir
