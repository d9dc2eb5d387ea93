#include "base/signature.h"

#include <gtest/gtest.h>

#include "base/encoding.h"

namespace weir {
namespace {

using enum SignatureAlgorithm;

// Throw-away keys; their signatures below were made with Python's cryptography package.
constexpr std::string_view kMessage = "weir signs this";
constexpr std::string_view kRsaJwk =
    R"({"kty":"RSA","use":"sig","alg":"RS256","e":"AQAB","n":"ykO0XiWLDXbckXVj4gRs4VSIfaglmT)"
    R"(D-K6RcrIa3VRzLPYcTbk9X0)"
    R"(fFYfKMoAyCwJr2bYROPTP783KRDcM6OARQydeko7sSR7RlHaK5aoFDQ7ohyD-EMzft1PJFbMgevIl58IYCcER)"
    R"(VlWOVbT9GN6l9H-D6mA00p)"
    R"(Wzgu7yUd09LsnjSqtcX3OavRHI1MxdPN88w2_GTcAY7FvTm4II_-tyaSON1Pe9-_vL9VkqffSBgmD7ImoU14m)"
    R"(71B9z6UzNcXzYytBz0rlAot)"
    R"(ji7lnxnxCKpk_S37lXj3Qu4WBL1WoREwIfMRnNKPjo_1sH6IANCiT2E13ISUxjj8JyjLVlSXLw"})";
constexpr std::string_view kRsaPem =
    "-----BEGIN PUBLIC KEY-----\n"
    "MIIBIjANBgkqhkiG9w0BAQEFAAOCAQ8AMIIBCgKCAQEAykO0XiWLDXbckXVj4gRs\n"
    "4VSIfaglmTD+K6RcrIa3VRzLPYcTbk9X0fFYfKMoAyCwJr2bYROPTP783KRDcM6O\n"
    "ARQydeko7sSR7RlHaK5aoFDQ7ohyD+EMzft1PJFbMgevIl58IYCcERVlWOVbT9GN\n"
    "6l9H+D6mA00pWzgu7yUd09LsnjSqtcX3OavRHI1MxdPN88w2/GTcAY7FvTm4II/+\n"
    "tyaSON1Pe9+/vL9VkqffSBgmD7ImoU14m71B9z6UzNcXzYytBz0rlAotji7lnxnx\n"
    "CKpk/S37lXj3Qu4WBL1WoREwIfMRnNKPjo/1sH6IANCiT2E13ISUxjj8JyjLVlSX\n"
    "LwIDAQAB\n"
    "-----END PUBLIC KEY-----\n";
constexpr std::string_view kRs256Signature =
    "ute2q1QCovX-_dIG1ofP2blB7sXrFzbfRrtZ4ifb8zXpdaRcFBqesF2Wen-2g0zGysz238Qfx6A8ThelFXK4dWuF4sjjoM-q3Ax-"
    "Zh0IZgXa7"
    "HqdtxWsM7cStQo5VCQJBFSrqkxfUP6TDb_zn0qK5XrLonY2WMl3ivlrDd_clWiwIv5H4QlP0HQkV6INzCBJwRG-"
    "yU5GDF8Ihl1TaXS5jjFUsA"
    "ItujJdVQ_6U_wlvkEwYCMyBSNvkjagyfBP_bJGshnQytnn8oFk96bXFv4UUsGwXcqLqe7GMPFLvXxU4nK-9lxtxzHNYzhq5heLX-"
    "FKsB1QXeN"
    "CAT8XMtwqqkJiow";
constexpr std::string_view kEcJwk =
    R"({"kty":"EC","crv":"P-256","x":"-IPTN_35R-Vn7LFAPrR52iA9HFJZgm9-PNga3t23_P4",)"
    R"("y":"2PkrmIu_Po2sGT5F7uyk60XLuuK9BbL5lj4jxoy7eIo"})";
constexpr std::string_view kEs256Signature =
    "k3T_hH6ZOhvmxzsg2tXEY2NfH56zC9YLvucKUY7SBSeUBxdf3zLlIQjMHvK-RCtqu897biq4y9qWnMMLmGpTlA";
constexpr std::string_view kEs256DerHex =
    "30460221009374ff847e993a1be6c73b20dad5c463635f1f9eb30bd60bbee70a518ed2052702210094071"
    "75fdf32e52108cc1ef2"
    "be442b6a"
    "bbcf7b6e2ab8cbda969cc30b986a5394";

// RFC 8037 appendix A.
constexpr std::string_view kEd25519Jwk =
    R"({"kty":"OKP","crv":"Ed25519","x":"11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo"})";
constexpr std::string_view kEd25519Pem =
    "-----BEGIN PRIVATE KEY-----\nMC4CAQAwBQYDK2VwBCIEIJ1hsZ3v/VpguoRK9JLsLMREScVpezJpGXA7rAMcrn9g\n"
    "-----END PRIVATE KEY-----\n";
constexpr std::string_view kEd25519Message = "eyJhbGciOiJFZERTQSJ9.RXhhbXBsZSBvZiBFZDI1NTE5IHNpZ25pbmc";
constexpr std::string_view kEd25519Signature =
    "hgyY0il_MGCjP0JzlnLWG1PPOt7-09PGcvMg3AIbQR6dWbhijcNR4ki4iylGjg5BhVsPt9g7sVvpAr_MuM0KAg";

std::string decoded(std::string_view base64url) {
  return base64url_decode(base64url).value();
}

Result<PublicKey> key_from_jwk(std::string_view json) {
  const JsonDoc doc = JsonDoc::parse(std::string(json)).value();
  return PublicKey::from_jwk(doc.root());
}

std::string flipped(std::string text, size_t at) {
  text[at] = static_cast<char>(text[at] ^ 1);
  return text;
}

TEST(Signatures, OfOtherImplementationsVerify) {
  EXPECT_TRUE(key_from_jwk(kRsaJwk)->verify(kMessage, decoded(kRs256Signature)));
  EXPECT_TRUE(PublicKey::from_pem(kRsaPem)->verify(kMessage, decoded(kRs256Signature)));
  EXPECT_TRUE(key_from_jwk(kEcJwk)->verify(kMessage, decoded(kEs256Signature)));
  EXPECT_TRUE(key_from_jwk(kEd25519Jwk)->verify(kEd25519Message, decoded(kEd25519Signature)));
}

TEST(Signatures, AreThoseOfRfc8037ForItsKey) {
  const PrivateKey key = PrivateKey::from_pem(Secret::copy_of(kEd25519Pem)).value();
  EXPECT_EQ(key.algorithm(), eddsa);
  EXPECT_EQ(base64url_encode(key.sign(kEd25519Message)), kEd25519Signature);
}

TEST(Signatures, VerifyOnlyForTheirKeyMessageAndEveryByte) {
  for (const SignatureAlgorithm algorithm : {rs256, es256, eddsa}) {
    SCOPED_TRACE(to_string(algorithm));
    const PrivateKey key = PrivateKey::generate(algorithm);
    const std::string signature = key.sign(kMessage);
    EXPECT_EQ(signature.size(), algorithm == rs256 ? 256U : 64U);
    EXPECT_TRUE(key.public_key().verify(kMessage, signature));
    EXPECT_FALSE(key.public_key().verify("another message", signature));
    EXPECT_FALSE(PrivateKey::generate(algorithm).public_key().verify(kMessage, signature));
    for (size_t at = 0; at < signature.size(); ++at) {
      EXPECT_FALSE(key.public_key().verify(kMessage, flipped(signature, at))) << at;
    }
    EXPECT_FALSE(key.public_key().verify(kMessage, ""));
    EXPECT_FALSE(key.public_key().verify(kMessage, signature.substr(1)));
    EXPECT_FALSE(key.public_key().verify(kMessage, signature + "x"));
  }
}

TEST(Signatures, OfEs256AreRefusedInDerForm) {
  EXPECT_FALSE(key_from_jwk(kEcJwk)->verify(kMessage, hex_decode(kEs256DerHex).value()));
  EXPECT_FALSE(key_from_jwk(kEcJwk)->verify(kMessage, std::string(64, '\0')))
      << "r and s of zero (CVE-2022-21449)";
}

TEST(Es256Forms, ConvertBothWays) {
  const std::string raw = decoded(kEs256Signature);
  const std::string der = hex_decode(kEs256DerHex).value();
  EXPECT_EQ(es256_raw_to_der(raw).value(), der);
  EXPECT_EQ(es256_der_to_raw(der).value(), raw);
  // Small numbers: DER drops the zeros in front, the raw form keeps them.
  std::string small(64, '\0');
  small[31] = 1;
  small[63] = 2;
  EXPECT_EQ(hex_encode(es256_raw_to_der(small).value()), "3006020101020102");
  EXPECT_EQ(es256_der_to_raw(hex_decode("3006020101020102").value()).value(), small);
}

TEST(Es256Forms, RefuseWhatIsNoSignature) {
  EXPECT_FALSE(es256_raw_to_der(std::string(63, 'x')).has_value());
  EXPECT_FALSE(es256_raw_to_der("").has_value());
  const std::string der = hex_decode(kEs256DerHex).value();
  EXPECT_FALSE(es256_der_to_raw(der + "x").has_value()) << "bytes after the end";
  EXPECT_FALSE(es256_der_to_raw(der.substr(0, der.size() - 1)).has_value());
  EXPECT_FALSE(es256_der_to_raw("").has_value());
  EXPECT_FALSE(es256_der_to_raw(hex_decode("30060201ff020102").value()).has_value()) << "a negative number";
  const std::string long_number =
      "3026"
      "0221" +
      ("01" + std::string(64, '0')) + "020101";
  EXPECT_FALSE(es256_der_to_raw(hex_decode(long_number).value()).has_value()) << "33 bytes";
}

TEST(Keys, KeepTheirIdentityThroughPem) {
  for (const SignatureAlgorithm algorithm : {rs256, es256, eddsa}) {
    SCOPED_TRACE(to_string(algorithm));
    const PrivateKey key = PrivateKey::generate(algorithm);
    const PrivateKey again = PrivateKey::from_pem(key.to_pem()).value();
    const PublicKey public_again = PublicKey::from_pem(key.public_key().to_pem()).value();
    EXPECT_EQ(public_again.algorithm(), algorithm);
    EXPECT_TRUE(public_again.verify(kMessage, again.sign(kMessage)));
    EXPECT_EQ(key.public_key().to_pem().find("PRIVATE"), std::string::npos);
  }
}

TEST(Keys, OfTheWrongKindAreRefused) {
  EXPECT_FALSE(PublicKey::from_pem("").has_value());
  EXPECT_FALSE(PublicKey::from_pem("not a key").has_value());
  EXPECT_FALSE(PublicKey::from_pem(kEd25519Pem).has_value()) << "a private key is no public one";
  EXPECT_FALSE(PrivateKey::from_pem(Secret::copy_of(kRsaPem)).has_value());
  constexpr std::string_view kP384 =
      "-----BEGIN PUBLIC KEY-----\nMHYwEAYHKoZIzj0CAQYFK4EEACIDYgAEc2TW43dfRsfo28JxHSju+7B9qTbB7g5K\n"
      "LMhbe/5E+DjNYB8GOcgzZOfQA5zxXb2fEIZ29+SthQm7L1RDD6TTyaaWWHZrN735\n"
      "tPhqnJT0Nof+TaHGfxgzookwCuUPcF52\n-----END PUBLIC KEY-----\n";
  EXPECT_EQ(PublicKey::from_pem(kP384).error().message, "an EC key must be on the curve P-256");
  // An encrypted key must not ask for its password on the terminal.
  constexpr std::string_view kEncrypted =
      "-----BEGIN ENCRYPTED PRIVATE KEY-----\n"
      "MIH0MF8GCSqGSIb3DQEFDTBSMDEGCSqGSIb3DQEFDDAkBBA+wmGhoa8afi1YKVnn\n"
      "n+GvAgIIADAMBggqhkiG9w0CCQUAMB0GCWCGSAFlAwQBKgQQg+FKTUvDnlkVGxKQ\n"
      "UaY+vgSBkN6lm9ojDm8pQ3b/HjxLZGMckC+6XWONxCJVCtoMFFaQTCQXP0v1Epyx\n"
      "Bd5XHtlWh0PLediR9EgeOwIIR9Km9Fk8qbdcgydaEkIf97hw38h5UNNvtezqPW+6\n"
      "qu202hYTHT6sYQZ4MruhAvvttRN2ux0JdXL5ScZYD6ixLQD4ixorKxvriwaF9+bk\n"
      "9TvgGb6ncw==\n-----END ENCRYPTED PRIVATE KEY-----\n";
  EXPECT_FALSE(PrivateKey::from_pem(Secret::copy_of(kEncrypted)).has_value());
}

struct BadJwk {
  std::string_view json;
  std::string_view path;
};

TEST(JsonWebKeys, AreRefusedNamingTheMember) {
  constexpr std::string_view kX = R"("x":"-IPTN_35R-Vn7LFAPrR52iA9HFJZgm9-PNga3t23_P4")";
  const std::string off_curve =
      fmt::format(R"({{"kty":"EC","crv":"P-256",{},"y":"2PkrmIu_Po2sGT5F7uyk60XLuuK9BbL5lj4jxoy7eIg"}})", kX);
  const std::string short_y = fmt::format(R"({{"kty":"EC","crv":"P-256",{},"y":"AAAA"}})", kX);
  const std::string no_y = fmt::format(R"({{"kty":"EC","crv":"P-256",{}}})", kX);
  const std::string p521 = fmt::format(R"({{"kty":"EC","crv":"P-521",{}}})", kX);
  const std::string wrong_alg = R"({"alg":"RS256",)" + std::string(kEcJwk.substr(1));
  const std::string encrypts = R"({"use":"enc",)" + std::string(kEcJwk.substr(1));
  const std::string signs_only = R"({"key_ops":["sign"],)" + std::string(kEcJwk.substr(1));
  const std::string huge_e = R"({"e":"AQAAAAAAAAAB",)" + std::string(R"("kty":"RSA","n":"AQAB"})");
  const std::vector<BadJwk> cases = {{off_curve, "x"},
                                     {short_y, "y"},
                                     {no_y, "y"},
                                     {p521, "crv"},
                                     {wrong_alg, "alg"},
                                     {encrypts, "use"},
                                     {signs_only, "key_ops"},
                                     {huge_e, "e"},
                                     {R"({"kty":"oct","k":"AAAA"})", "kty"},
                                     {R"({"k":"AAAA"})", "kty"},
                                     {R"({"kty":"OKP","crv":"X25519","x":"AAAA"})", "crv"},
                                     {R"({"kty":"OKP","crv":"Ed25519","x":"a+b/"})", "x"},
                                     {R"({"kty":"RSA","n":7,"e":"AQAB"})", "n"}};
  for (const BadJwk& bad : cases) {
    const Result<PublicKey> key = key_from_jwk(bad.json);
    ASSERT_FALSE(key.has_value()) << bad.json;
    EXPECT_EQ(key.error().path, bad.path) << bad.json << ": " << key.error().message;
  }
}

TEST(JsonWebKeys, OfRsaMustHaveEnoughBits) {
  constexpr std::string_view k1024 =
      R"({"kty":"RSA","e":"AQAB","n":"p4XUomzzMReBJ4hH6K_qeLhxrLTan3JbnMk2RrjcjQwG5qwUKK04EVm_fcfjIT4nlJ)"
      R"(fmZOLQlXLuVyTojboOAvGWaUn6twCID9ccewJCQkemdhS-QOJn1msE6alElRLM6daW6rzIKq4c7GDSWkQnFdxVUw)"
      R"(Qz6wo-TUGZk_lWNVs"})";
  EXPECT_FALSE(key_from_jwk(k1024).has_value());
  std::string even_exponent(kRsaJwk);
  even_exponent.replace(even_exponent.find("AQAB"), 4, "AQAA");
  EXPECT_FALSE(key_from_jwk(even_exponent).has_value());
}

TEST(SignatureAlgorithms, HaveTheNamesOfJose) {
  for (const SignatureAlgorithm algorithm : {rs256, es256, eddsa}) {
    EXPECT_EQ(parse_signature_algorithm(to_string(algorithm)), algorithm);
  }
  for (const std::string_view name : {"none", "HS256", "rs256", "RS384", "", "EdDSA "}) {
    EXPECT_EQ(parse_signature_algorithm(name), std::nullopt) << name;
  }
}

}  // namespace
}  // namespace weir
