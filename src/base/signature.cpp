#include "base/signature.h"

#include <openssl/core_names.h>
#include <openssl/pem.h>

#include "base/assert.h"
#include "base/crypto_openssl.h"

namespace weir {
namespace {

constexpr int kRsaBitsMin = 2048;
constexpr int kRsaBitsMax = 8192;  // verifying costs the cube of the size; nobody issues tokens with more
constexpr int kP256Bytes = 32;

struct AlgorithmRow {
  SignatureAlgorithm algorithm;
  std::string_view name;
};
constexpr std::array<AlgorithmRow, 3> kAlgorithms = {{{SignatureAlgorithm::rs256, "RS256"},
                                                      {SignatureAlgorithm::es256, "ES256"},
                                                      {SignatureAlgorithm::eddsa, "EdDSA"}}};

std::unexpected<Error> fail_key(std::string message) {
  ERR_clear_error();
  return fail(ErrorKind::bad_request, std::move(message));
}

// OpenSSL would ask for the password of an encrypted key on the terminal.
int refuse_password(char*, int, int, void*) {
  return -1;
}

BioPtr read_only_bio(std::string_view text) {
  BioPtr bio(BIO_new_mem_buf(text.data(), static_cast<int>(std::min<size_t>(text.size(), INT32_MAX))));
  WEIR_ASSERT(bio != nullptr, "memory for a buffer");
  return bio;
}

std::string take_text(BIO* bio) {
  char* data = nullptr;
  const long size = BIO_get_mem_data(bio, &data);
  return {data, static_cast<size_t>(size)};
}

// Ed25519 hashes by itself; the others sign a SHA-256.
const char* digest_name(SignatureAlgorithm algorithm) {
  return algorithm == SignatureAlgorithm::eddsa ? nullptr : "SHA256";
}

bool is_safe_rsa(const EVP_PKEY* key) {
  const int bits = EVP_PKEY_get_bits(key);
  BIGNUM* raw_exponent = nullptr;
  if (EVP_PKEY_get_bn_param(key, OSSL_PKEY_PARAM_RSA_E, &raw_exponent) != 1) return false;
  const BignumPtr exponent(raw_exponent);
  return bits >= kRsaBitsMin && bits <= kRsaBitsMax && BN_is_odd(exponent.get()) == 1 &&
         BN_num_bits(exponent.get()) >= 2 && BN_num_bits(exponent.get()) <= 64;
}

bool is_p256(const EVP_PKEY* key) {
  std::array<char, 32> name{};
  size_t size = 0;
  return EVP_PKEY_get_group_name(key, name.data(), name.size(), &size) == 1 &&
         std::string_view(name.data(), size) == "prime256v1";
}

Result<SignatureAlgorithm> algorithm_of(const EVP_PKEY* key) {
  switch (EVP_PKEY_get_base_id(key)) {
    case EVP_PKEY_RSA:
      if (is_safe_rsa(key)) return SignatureAlgorithm::rs256;
      return fail_key("an RSA key needs 2048 to 8192 bits and an odd exponent from 3 to 64 bits");
    case EVP_PKEY_EC:
      if (is_p256(key)) return SignatureAlgorithm::es256;
      return fail_key("an EC key must be on the curve P-256");
    case EVP_PKEY_ED25519:
      return SignatureAlgorithm::eddsa;
    default:
      return fail_key("a key must be RSA, P-256 or Ed25519");
  }
}

}  // namespace

std::string_view to_string(SignatureAlgorithm algorithm) {
  return kAlgorithms[static_cast<size_t>(algorithm)].name;
}

std::optional<SignatureAlgorithm> parse_signature_algorithm(std::string_view name) {
  for (const AlgorithmRow& row : kAlgorithms) {
    if (row.name == name) return row.algorithm;
  }
  return std::nullopt;
}

Result<std::string> es256_raw_to_der(std::string_view raw) {
  if (raw.size() != 2 * kP256Bytes) return fail_key("an ES256 signature has 64 bytes");
  BIGNUM* const r = BN_bin2bn(as_bytes(raw), kP256Bytes, nullptr);
  BIGNUM* const s = BN_bin2bn(as_bytes(raw) + kP256Bytes, kP256Bytes, nullptr);
  const EcdsaSigPtr signature(ECDSA_SIG_new());
  // From here the signature owns both numbers.
  WEIR_ASSERT(signature && ECDSA_SIG_set0(signature.get(), r, s) == 1, "memory for a signature");
  unsigned char* der = nullptr;
  const int size = i2d_ECDSA_SIG(signature.get(), &der);
  WEIR_ASSERT(size > 0, "two numbers have a DER form");
  std::string text(reinterpret_cast<const char*>(der), static_cast<size_t>(size));
  OPENSSL_free(der);
  return text;
}

Result<std::string> es256_der_to_raw(std::string_view der) {
  const unsigned char* next = as_bytes(der);
  const auto size = static_cast<long>(std::min<size_t>(der.size(), INT32_MAX));
  const EcdsaSigPtr signature(d2i_ECDSA_SIG(nullptr, &next, size));
  if (!signature || next != as_bytes(der) + der.size()) return fail_key("not a DER signature");
  std::string raw(2 * kP256Bytes, '\0');
  // Fails for a number of more than 32 bytes; a negative one would lose its sign.
  const BIGNUM* const r = ECDSA_SIG_get0_r(signature.get());
  const BIGNUM* const s = ECDSA_SIG_get0_s(signature.get());
  if (BN_is_negative(r) != 0 || BN_is_negative(s) != 0 ||
      BN_bn2binpad(r, as_bytes(raw), kP256Bytes) != kP256Bytes ||
      BN_bn2binpad(s, as_bytes(raw) + kP256Bytes, kP256Bytes) != kP256Bytes) {
    return fail_key("not a signature of P-256");
  }
  return raw;
}

Result<PublicKey> PublicKey::checked(std::shared_ptr<evp_pkey_st> key) {
  const SignatureAlgorithm algorithm = TRY(algorithm_of(key.get()));
  return PublicKey(std::move(key), algorithm);
}

Result<PublicKey> PublicKey::from_pem(std::string_view pem) {
  const BioPtr bio = read_only_bio(pem);
  EvpPkeyPtr key(PEM_read_bio_PUBKEY(bio.get(), nullptr, refuse_password, nullptr));
  if (!key) return fail_key("not a PEM public key: expected -----BEGIN PUBLIC KEY-----");
  return checked(std::move(key));
}

std::string PublicKey::to_pem() const {
  const BioPtr bio(BIO_new(BIO_s_mem()));
  WEIR_ASSERT(bio && PEM_write_bio_PUBKEY(bio.get(), key_.get()) == 1, "a public key has a PEM form");
  return take_text(bio.get());
}

bool PublicKey::verify(std::string_view message, std::string_view signature) const {
  std::string der;
  if (algorithm_ == SignatureAlgorithm::es256) {
    Result<std::string> converted = es256_raw_to_der(signature);
    if (!converted) return false;
    der = std::move(*converted);
    signature = der;
  }
  const EvpMdCtxPtr context(EVP_MD_CTX_new());
  WEIR_ASSERT(context && EVP_DigestVerifyInit_ex(context.get(), nullptr, digest_name(algorithm_), nullptr,
                                                 nullptr, key_.get(), nullptr) == 1,
              "a checked key starts a verification");
  const bool is_valid = EVP_DigestVerify(context.get(), as_bytes(signature), signature.size(),
                                         as_bytes(message), message.size()) == 1;
  if (!is_valid) ERR_clear_error();
  return is_valid;
}

Result<PrivateKey> PrivateKey::from_pem(const Secret& pem) {
  const BioPtr bio = read_only_bio(pem.reveal());
  EvpPkeyPtr key(PEM_read_bio_PrivateKey(bio.get(), nullptr, refuse_password, nullptr));
  if (!key) return fail_key("not an unencrypted PEM private key: expected -----BEGIN PRIVATE KEY-----");
  return PrivateKey(TRY(PublicKey::checked(std::move(key))));
}

PrivateKey PrivateKey::generate(SignatureAlgorithm algorithm) {
  EvpPkeyPtr key;
  switch (algorithm) {
    case SignatureAlgorithm::rs256:
      key.reset(EVP_PKEY_Q_keygen(nullptr, nullptr, "RSA", size_t{kRsaBitsMin}));
      break;
    case SignatureAlgorithm::es256:
      key.reset(EVP_PKEY_Q_keygen(nullptr, nullptr, "EC", "P-256"));
      break;
    case SignatureAlgorithm::eddsa:
      key.reset(EVP_PKEY_Q_keygen(nullptr, nullptr, "ED25519"));
      break;
  }
  WEIR_ASSERT(key != nullptr, "OpenSSL makes keys");
  return PrivateKey(PublicKey(std::move(key), algorithm));
}

Secret PrivateKey::to_pem() const {
  const BioPtr bio(BIO_new(BIO_s_secmem()));
  WEIR_ASSERT(bio && PEM_write_bio_PKCS8PrivateKey(bio.get(), public_key_.key_.get(), nullptr, nullptr, 0,
                                                   nullptr, nullptr) == 1,
              "a private key has a PEM form");
  return Secret(take_text(bio.get()));
}

std::string PrivateKey::sign(std::string_view message) const {
  const EvpMdCtxPtr context(EVP_MD_CTX_new());
  size_t size = 0;
  bool is_done = context && EVP_DigestSignInit_ex(context.get(), nullptr, digest_name(algorithm()), nullptr,
                                                  nullptr, public_key_.key_.get(), nullptr) == 1;
  is_done = is_done && EVP_DigestSign(context.get(), nullptr, &size, as_bytes(message), message.size()) == 1;
  std::string signature(size, '\0');
  is_done = is_done &&
            EVP_DigestSign(context.get(), as_bytes(signature), &size, as_bytes(message), message.size()) == 1;
  WEIR_ASSERT(is_done, "a checked private key signs");
  signature.resize(size);
  if (algorithm() != SignatureAlgorithm::es256) return signature;
  Result<std::string> raw = es256_der_to_raw(signature);
  WEIR_ASSERT(raw.has_value(), "what OpenSSL signs on P-256 has two numbers of 32 bytes");
  return *std::move(raw);
}

}  // namespace weir
