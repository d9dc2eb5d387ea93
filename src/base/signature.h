// Public-key signatures: RS256, ES256 and EdDSA of JOSE (RFC 7518 sections 3.3 and 3.4, RFC 8037), by
// OpenSSL. A key knows its one algorithm, so that a token's header can never choose another for it: compare
// the header's "alg" with algorithm() and refuse the token when they differ.
#pragma once

#include <memory>
#include <optional>
#include <string>
#include <string_view>

#include "base/json.h"
#include "base/result.h"
#include "base/secret.h"

struct evp_pkey_st;  // OpenSSL's EVP_PKEY

namespace weir {

enum class SignatureAlgorithm : uint8_t {
  rs256,  // RSASSA-PKCS1-v1_5 with SHA-256; keys of 2048 to 8192 bits
  es256,  // ECDSA on P-256 with SHA-256; the signature is r || s, 64 bytes
  eddsa,  // Ed25519; 64 bytes
};

// "RS256", "ES256", "EdDSA": the names of JOSE.
std::string_view to_string(SignatureAlgorithm algorithm);
// nullopt for every other name, "none" and the HMAC ones included.
std::optional<SignatureAlgorithm> parse_signature_algorithm(std::string_view name);

// ECDSA signatures in the two forms that exist: r || s, 32 bytes each, big-endian (JOSE), and the DER
// sequence of two integers (OpenSSL, X.509). Errors: bad_request for what is not of the form.
Result<std::string> es256_raw_to_der(std::string_view raw);
Result<std::string> es256_der_to_raw(std::string_view der);

// Cheap to copy: copies share the key. Safe to use from several threads.
class PublicKey {
 public:
  // "-----BEGIN PUBLIC KEY-----". Errors: bad_request for text that is no key, or a key of another kind or
  // size.
  static Result<PublicKey> from_pem(std::string_view pem);
  // A JSON Web Key (RFC 7517): RSA by n and e, P-256 by x and y, Ed25519 by x; points off the curve are
  // refused. "use" and "key_ops", when there, must allow verifying; "alg", when there, must be the key's.
  // Errors: bad_request naming the member.
  static Result<PublicKey> from_jwk(JsonValue jwk);

  SignatureAlgorithm algorithm() const { return algorithm_; }
  std::string to_pem() const;
  // False for a wrong signature and for bytes that are none.
  bool verify(std::string_view message, std::string_view signature) const;

 private:
  friend class PrivateKey;
  PublicKey(std::shared_ptr<evp_pkey_st> key, SignatureAlgorithm algorithm)
      : key_(std::move(key)), algorithm_(algorithm) {}
  static Result<PublicKey> checked(std::shared_ptr<evp_pkey_st> key);

  std::shared_ptr<evp_pkey_st> key_;  // shared by copies, and by a private key with its public half
  SignatureAlgorithm algorithm_;
};

class PrivateKey {
 public:
  // PKCS#8, or the older RSA and EC forms; not encrypted. Errors: bad_request as for PublicKey.
  static Result<PrivateKey> from_pem(const Secret& pem);
  // A new key: RSA of 2048 bits (tens of milliseconds), P-256 or Ed25519.
  static PrivateKey generate(SignatureAlgorithm algorithm);

  SignatureAlgorithm algorithm() const { return public_key_.algorithm(); }
  const PublicKey& public_key() const { return public_key_; }
  // PKCS#8.
  Secret to_pem() const;
  // In the form of JOSE. Takes 15 µs (EdDSA, ES256) to 500 µs (RS256) of CPU: not for a core thread when
  // RS256.
  std::string sign(std::string_view message) const;

 private:
  explicit PrivateKey(PublicKey key) : public_key_(std::move(key)) {}

  PublicKey public_key_;  // over the same EVP_PKEY, which holds both halves
};

}  // namespace weir
