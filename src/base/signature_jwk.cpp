// Public keys from JSON Web Keys: RFC 7517, RFC 7518 section 6, RFC 8037 section 2.
#include <openssl/core_names.h>

#include "base/assert.h"
#include "base/crypto_openssl.h"
#include "base/encoding.h"
#include "base/signature.h"

namespace weir {
namespace {

constexpr size_t kCoordinateBytes = 32;
constexpr size_t kModulusBytesMax = 1024;

std::unexpected<Error> fail_member(const JsonValue& jwk, std::string_view member, std::string_view problem) {
  ERR_clear_error();
  const std::string base = jwk.path();
  return fail(ErrorKind::bad_request, fmt::format("\"{}\" {}", member, problem),
              base.empty() ? std::string(member) : fmt::format("{}.{}", base, member));
}

// The bytes of a base64url member. Errors: bad_request when missing, not base64url, or empty.
Result<std::string> bytes_of(const JsonValue& jwk, std::string_view member) {
  const std::string_view text = TRY(jwk[member].as_string());
  auto bytes = base64url_decode(text);
  if (!bytes || bytes->empty()) return fail_member(jwk, member, "must be base64url without padding");
  return *std::move(bytes);
}

Result<std::string> coordinate_of(const JsonValue& jwk, std::string_view member) {
  std::string bytes = TRY(bytes_of(jwk, member));
  if (bytes.size() != kCoordinateBytes) return fail_member(jwk, member, "must have 32 bytes");
  return bytes;
}

BignumPtr number_from(std::string_view big_endian) {
  BignumPtr number(BN_bin2bn(as_bytes(big_endian), static_cast<int>(big_endian.size()), nullptr));
  WEIR_ASSERT(number != nullptr, "memory for a number");
  return number;
}

// Null when OpenSSL refuses the parameters, as it does for a point off its curve.
EvpPkeyPtr key_from(const char* type, OSSL_PARAM_BLD* builder) {
  const ParamsPtr params(OSSL_PARAM_BLD_to_param(builder));
  const EvpPkeyCtxPtr context(EVP_PKEY_CTX_new_from_name(nullptr, type, nullptr));
  EVP_PKEY* key = nullptr;
  if (!params || !context || EVP_PKEY_fromdata_init(context.get()) != 1 ||
      EVP_PKEY_fromdata(context.get(), &key, EVP_PKEY_PUBLIC_KEY, params.get()) != 1) {
    return nullptr;
  }
  return EvpPkeyPtr(key);
}

Result<EvpPkeyPtr> rsa_key(const JsonValue& jwk) {
  const std::string modulus_bytes = TRY(bytes_of(jwk, "n"));
  const std::string exponent_bytes = TRY(bytes_of(jwk, "e"));
  if (modulus_bytes.size() > kModulusBytesMax) return fail_member(jwk, "n", "must have at most 8192 bits");
  if (exponent_bytes.size() > 8) return fail_member(jwk, "e", "must have at most 64 bits");
  const BignumPtr modulus = number_from(modulus_bytes);
  const BignumPtr exponent = number_from(exponent_bytes);
  const ParamBuilderPtr builder(OSSL_PARAM_BLD_new());
  WEIR_ASSERT(builder && OSSL_PARAM_BLD_push_BN(builder.get(), OSSL_PKEY_PARAM_RSA_N, modulus.get()) == 1 &&
                  OSSL_PARAM_BLD_push_BN(builder.get(), OSSL_PKEY_PARAM_RSA_E, exponent.get()) == 1,
              "memory for key parameters");
  EvpPkeyPtr key = key_from("RSA", builder.get());
  if (!key) return fail_member(jwk, "n", "is not an RSA modulus");
  return key;
}

Result<EvpPkeyPtr> p256_key(const JsonValue& jwk) {
  // SEC 1 section 2.3.3: 4, x, y is an uncompressed point.
  const std::string point = "\x04" + TRY(coordinate_of(jwk, "x"))
  +TRY(coordinate_of(jwk, "y"));
  const ParamBuilderPtr builder(OSSL_PARAM_BLD_new());
  WEIR_ASSERT(
      builder &&
          OSSL_PARAM_BLD_push_utf8_string(builder.get(), OSSL_PKEY_PARAM_GROUP_NAME, "prime256v1", 0) == 1 &&
          OSSL_PARAM_BLD_push_octet_string(builder.get(), OSSL_PKEY_PARAM_PUB_KEY, point.data(),
                                           point.size()) == 1,
      "memory for key parameters");
  EvpPkeyPtr key = key_from("EC", builder.get());
  if (!key) return fail_member(jwk, "x", "and \"y\" are not a point of P-256");
  return key;
}

Result<EvpPkeyPtr> ed25519_key(const JsonValue& jwk) {
  const std::string point = TRY(coordinate_of(jwk, "x"));
  EvpPkeyPtr key(EVP_PKEY_new_raw_public_key_ex(nullptr, "ED25519", nullptr, as_bytes(point), point.size()));
  if (!key) return fail_member(jwk, "x", "is not an Ed25519 key");
  return key;
}

// Key types and curves that Weir verifies with.
Result<EvpPkeyPtr> key_of(const JsonValue& jwk) {
  const std::string_view type = TRY(jwk["kty"].as_string());
  const std::string_view curve = jwk["crv"].string_or("");
  if (type == "RSA") return rsa_key(jwk);
  if (type == "EC" && curve == "P-256") return p256_key(jwk);
  if (type == "OKP" && curve == "Ed25519") return ed25519_key(jwk);
  if (type == "EC") return fail_member(jwk, "crv", "must be P-256");
  if (type == "OKP") return fail_member(jwk, "crv", "must be Ed25519");
  return fail_member(jwk, "kty", "must be RSA, EC or OKP");
}

bool allows_verifying(const JsonValue& key_ops) {
  for (const JsonValue operation : key_ops) {
    if (operation.string_or("") == "verify") return true;
  }
  return false;
}

}  // namespace

Result<PublicKey> PublicKey::from_jwk(JsonValue jwk) {
  TRY(jwk.expect(JsonType::object));
  if (jwk["use"] && jwk["use"].string_or("") != "sig") return fail_member(jwk, "use", "must be sig");
  if (jwk["key_ops"] && !allows_verifying(jwk["key_ops"])) {
    return fail_member(jwk, "key_ops", "must contain verify");
  }
  EvpPkeyPtr raw = TRY(key_of(jwk));
  PublicKey key = TRY(checked(std::move(raw)));
  if (jwk["alg"] && jwk["alg"].string_or("") != to_string(key.algorithm())) {
    return fail_member(jwk, "alg", fmt::format("must be {} for this key", to_string(key.algorithm())));
  }
  return key;
}

}  // namespace weir
