#include "io/tls.h"

#include <fmt/format.h>
#include <openssl/err.h>
#include <openssl/ssl.h>
#include <system_error>
#include <unistd.h>

#include "base/assert.h"
#include "base/log.h"
#include "io/tls_stream.h"

namespace weir {
namespace {

// In the form of the ALPN extension: each name behind its length.
constexpr std::string_view kBothProtocols = "\x02h2\x08http/1.1";
constexpr std::string_view kHttp1Only = "\x08http/1.1";

// Where distributions keep one file with all roots, for builds of OpenSSL that look elsewhere.
constexpr std::array kRootFiles = {"/etc/ssl/certs/ca-certificates.crt", "/etc/pki/tls/certs/ca-bundle.crt",
                                   "/etc/ssl/cert.pem"};

const unsigned char* bytes_of(std::string_view text) {
  return reinterpret_cast<const unsigned char*>(text.data());
}

std::unexpected<Error> unusable(std::string_view what, const std::string& file) {
  // The first error is the cause; what the system refused is behind its own number.
  const unsigned long first = ERR_peek_error();
  if (ERR_SYSTEM_ERROR(first)) {
    const std::string why = std::generic_category().message(ERR_GET_REASON(first));
    return fail(ErrorKind::bad_request, fmt::format("{} {}: {}", what, file, why));
  }
  const unsigned long code = ERR_peek_last_error();
  const char* why = code == 0 ? nullptr : ERR_reason_error_string(code);
  return fail(ErrorKind::bad_request, fmt::format("{} {}: {}", what, file, why ? why : "cannot be read"));
}

ssl_ctx_st* new_context(const SSL_METHOD* method) {
  SSL_CTX* context = SSL_CTX_new(method);
  WEIR_ASSERT(context, "OpenSSL has memory");
  SSL_CTX_set_min_proto_version(context, TLS1_2_VERSION);
  SSL_CTX_set_options(context, SSL_OP_NO_COMPRESSION | SSL_OP_NO_RENEGOTIATION);
  SSL_CTX_set_mode(context, SSL_MODE_RELEASE_BUFFERS | SSL_MODE_ENABLE_PARTIAL_WRITE |
                                SSL_MODE_ACCEPT_MOVING_WRITE_BUFFER);
  // One read of the stream below takes a record's header and body, and following records too.
  SSL_CTX_set_read_ahead(context, 1);
  SSL_CTX_set_session_cache_mode(context, SSL_SESS_CACHE_OFF);
  return context;
}

int select_protocol(SSL*, const unsigned char** out, unsigned char* out_size, const unsigned char* offered,
                    unsigned offered_size, void* argument) {
  const std::string_view ours = *static_cast<const bool*>(argument) ? kBothProtocols : kHttp1Only;
  unsigned char* chosen = nullptr;
  const int result = SSL_select_next_proto(&chosen, out_size, bytes_of(ours),
                                           static_cast<unsigned>(ours.size()), offered, offered_size);
  *out = chosen;
  return result == OPENSSL_NPN_NEGOTIATED ? SSL_TLSEXT_ERR_OK : SSL_TLSEXT_ERR_ALERT_FATAL;
}

bool trust_system(ssl_ctx_st* context) {
  if (access(X509_get_default_cert_dir(), R_OK) == 0) return SSL_CTX_set_default_verify_paths(context) == 1;
  for (const char* file : kRootFiles) {
    if (access(file, R_OK) == 0) return SSL_CTX_load_verify_file(context, file) == 1;
  }
  return SSL_CTX_set_default_verify_paths(context) == 1;
}

}  // namespace

void TlsServerContext::Free::operator()(ssl_ctx_st* context) const {
  SSL_CTX_free(context);
}

TlsServerContext::~TlsServerContext() = default;

Result<std::shared_ptr<TlsServerContext>> TlsServerContext::load(Files files, bool offers_http2) {
  std::shared_ptr<TlsServerContext> made(new TlsServerContext(std::move(files), offers_http2));
  made->context_ = TRY(made->build());
  return made;
}

Result<TlsServerContext::Context> TlsServerContext::build() const {
  Context context(new_context(TLS_server_method()));
  ERR_clear_error();
  if (SSL_CTX_use_certificate_chain_file(context.get(), files_.certificate.c_str()) != 1)
    return unusable("the certificate file", files_.certificate);
  if (SSL_CTX_use_PrivateKey_file(context.get(), files_.key.c_str(), SSL_FILETYPE_PEM) != 1)
    return unusable("the key file", files_.key);
  if (SSL_CTX_check_private_key(context.get()) != 1)
    return unusable("the key does not belong to the certificate in", files_.certificate);
  // The flag outlives the context: connections that hold on to an old one ask no more.
  SSL_CTX_set_alpn_select_cb(context.get(), select_protocol, const_cast<bool*>(&offers_http2_));
  SSL_CTX_set_num_tickets(context.get(), 1);
  return context;
}

Result<void> TlsServerContext::reload() {
  Context fresh = TRY(build());
  const std::lock_guard lock(mutex_);
  context_.swap(fresh);
  return {};
}

TlsServerContext::Context TlsServerContext::current() const {
  const std::lock_guard lock(mutex_);
  SSL_CTX_up_ref(context_.get());
  return Context(context_.get());
}

Result<std::shared_ptr<TlsClientContext>> TlsClientContext::make(const std::string& ca_file) {
  std::shared_ptr<TlsClientContext> made(new TlsClientContext(new_context(TLS_client_method())));
  SSL_CTX* const context = made->context_;
  ERR_clear_error();
  if (ca_file.empty()) {
    made->trusts_system_ = true;
  } else if (SSL_CTX_load_verify_file(context, ca_file.c_str()) != 1) {
    return unusable("the file of trusted certificates", ca_file);
  }
  SSL_CTX_set_verify(context, SSL_VERIFY_PEER, nullptr);
  SSL_CTX_set_alpn_protos(context, bytes_of(kHttp1Only), static_cast<unsigned>(kHttp1Only.size()));
  return made;
}

ssl_ctx_st* TlsClientContext::ready() const {
  if (trusts_system_) {
    std::call_once(system_read_, [this] {
      if (!trust_system(context_)) {
        log_error("the system's root certificates cannot be read: no https provider will be trusted",
                  {{"folder", X509_get_default_cert_dir()}});
      }
    });
  }
  return context_;
}

TlsClientContext::~TlsClientContext() {
  SSL_CTX_free(context_);
}

Task<std::unique_ptr<ByteStream>> tls_accept(Scope& scope, std::unique_ptr<ByteStream> stream,
                                             const TlsServerContext& context) {
  auto secured = std::make_unique<TlsStream>(std::move(stream), context);
  CO_TRY(co_await secured->handshake(scope, ErrorKind::bad_request));
  co_return secured;
}

Task<std::unique_ptr<ByteStream>> tls_connect(Scope& scope, std::unique_ptr<ByteStream> stream,
                                              const TlsClientContext& context, std::string server_name) {
  auto secured = std::make_unique<TlsStream>(std::move(stream), context, server_name);
  CO_TRY(co_await secured->handshake(scope, ErrorKind::upstream_unreachable));
  co_return secured;
}

}  // namespace weir
