#include "base/crypto.h"

#include <openssl/core_names.h>
#include <openssl/crypto.h>
#include <openssl/rand.h>

#include "base/assert.h"
#include "base/crypto_openssl.h"
#include "base/encoding.h"

namespace weir {
namespace {

// Fetched once and never freed: OpenSSL's own clean-up at exit releases it, after the last user is gone.
const EVP_MD* sha256_algorithm() {
  static const EVP_MD* const algorithm = EVP_MD_fetch(nullptr, "SHA256", nullptr);
  WEIR_ASSERT(algorithm != nullptr, "OpenSSL has SHA-256");
  return algorithm;
}

EvpMdCtxPtr new_sha256_context() {
  EvpMdCtxPtr context(EVP_MD_CTX_new());
  WEIR_ASSERT(context != nullptr, "memory for a hash context");
  return context;
}

EvpMacCtxPtr new_hmac_context() {
  static EVP_MAC* const algorithm = EVP_MAC_fetch(nullptr, "HMAC", nullptr);
  WEIR_ASSERT(algorithm != nullptr, "OpenSSL has HMAC");
  EvpMacCtxPtr context(EVP_MAC_CTX_new(algorithm));
  WEIR_ASSERT(context != nullptr, "memory for an HMAC context");
  char digest[] = "SHA256";
  const OSSL_PARAM params[] = {OSSL_PARAM_construct_utf8_string(OSSL_MAC_PARAM_DIGEST, digest, 0),
                               OSSL_PARAM_construct_end()};
  WEIR_ASSERT(EVP_MAC_CTX_set_params(context.get(), params) == 1, "HMAC takes SHA-256");
  return context;
}

void start(EVP_MD_CTX* context) {
  WEIR_ASSERT(EVP_DigestInit_ex2(context, sha256_algorithm(), nullptr) == 1, "SHA-256 starts");
}

void add(EVP_MD_CTX* context, std::string_view data) {
  WEIR_ASSERT(EVP_DigestUpdate(context, data.data(), data.size()) == 1, "SHA-256 takes data");
}

Sha256Digest take(EVP_MD_CTX* context) {
  Sha256Digest digest;
  WEIR_ASSERT(EVP_DigestFinal_ex(context, digest.data(), nullptr) == 1, "SHA-256 ends");
  return digest;
}

// HMAC over up to three pieces, so that HKDF need not join them.
Sha256Digest hmac_of(std::string_view key, std::initializer_list<std::string_view> pieces) {
  thread_local const EvpMacCtxPtr context = new_hmac_context();
  // A null key pointer would mean "the key of the last call".
  const std::string_view safe_key = key.data() != nullptr ? key : std::string_view("");
  bool is_done = EVP_MAC_init(context.get(), as_bytes(safe_key), safe_key.size(), nullptr) == 1;
  for (const std::string_view piece : pieces) {
    is_done = is_done && EVP_MAC_update(context.get(), as_bytes(piece), piece.size()) == 1;
  }
  Sha256Digest digest;
  size_t size = 0;
  is_done = is_done && EVP_MAC_final(context.get(), digest.data(), &size, digest.size()) == 1;
  WEIR_ASSERT(is_done && size == digest.size(), "HMAC-SHA256 works");
  return digest;
}

}  // namespace

struct Sha256::State {
  EvpMdCtxPtr context = new_sha256_context();
};

Sha256::Sha256() : state_(std::make_unique<State>()) {
  start(state_->context.get());
}
Sha256::~Sha256() = default;
Sha256::Sha256(Sha256&&) noexcept = default;
Sha256& Sha256::operator=(Sha256&&) noexcept = default;

void Sha256::update(std::string_view data) {
  add(state_->context.get(), data);
}

Sha256Digest Sha256::finish() {
  const Sha256Digest digest = take(state_->context.get());
  start(state_->context.get());
  return digest;
}

Sha256Digest sha256(std::string_view data) {
  thread_local const EvpMdCtxPtr context = new_sha256_context();
  start(context.get());
  add(context.get(), data);
  return take(context.get());
}

std::string sha256_hex(std::string_view data) {
  return hex_encode(as_text(sha256(data)));
}

Sha256Digest hmac_sha256(std::string_view key, std::string_view data) {
  return hmac_of(key, {data});
}

Secret hkdf_sha256(std::string_view key, std::string_view salt, std::string_view info, size_t length) {
  constexpr size_t kBlock = std::tuple_size_v<Sha256Digest>;
  WEIR_ASSERT(length <= 255 * kBlock, "RFC 5869 section 2.3 bounds the output");
  const Sha256Digest no_salt{};  // RFC 5869 section 2.2: absent means a block of zeros
  Sha256Digest extracted = hmac_of(salt.empty() ? as_text(no_salt) : salt, {key});
  std::string derived;
  derived.reserve(length + kBlock);  // never reallocated, so no unwiped copy stays behind
  Sha256Digest block{};
  std::string_view previous;
  for (uint8_t counter = 1; derived.size() < length; ++counter) {
    const char number = static_cast<char>(counter);
    block = hmac_of(as_text(extracted), {previous, info, std::string_view(&number, 1)});
    previous = as_text(block);
    derived.append(previous);
  }
  Secret result = Secret::copy_of(std::string_view(derived).substr(0, length));
  OPENSSL_cleanse(derived.data(), derived.size());
  OPENSSL_cleanse(block.data(), block.size());
  OPENSSL_cleanse(extracted.data(), extracted.size());
  return result;
}

bool constant_time_equal(std::string_view left, std::string_view right) {
  if (left.size() != right.size()) return false;
  // Eight bytes at a time, where OpenSSL's takes one. Behind the barrier the compiler knows nothing of what
  // was found so far, so that it cannot leave early.
  uint64_t differing = 0;
  const auto compare = [&differing]<class Word>(Word, const char* left_at, const char* right_at) {
    Word left_word;
    Word right_word;
    std::memcpy(&left_word, left_at, sizeof(Word));
    std::memcpy(&right_word, right_at, sizeof(Word));
    differing |= static_cast<uint64_t>(left_word ^ right_word);
    asm volatile("" : "+r"(differing));
  };
  size_t at = 0;
  for (; at + 8 <= left.size(); at += 8) compare(uint64_t{}, left.data() + at, right.data() + at);
  for (; at < left.size(); ++at) compare(uint8_t{}, left.data() + at, right.data() + at);
  return differing == 0;
}

void random_bytes(std::span<uint8_t> out) {
  WEIR_ASSERT(out.size() <= INT32_MAX, "OpenSSL counts in int");
  WEIR_ASSERT(RAND_bytes(out.data(), static_cast<int>(out.size())) == 1, "the system gives random bytes");
}

std::string random_bytes(size_t count) {
  std::string bytes(count, '\0');
  random_bytes(std::span(reinterpret_cast<uint8_t*>(bytes.data()), count));
  return bytes;
}

uint64_t random_seed() {
  uint64_t seed = 0;
  random_bytes(std::span(reinterpret_cast<uint8_t*>(&seed), sizeof seed));
  return seed;
}

}  // namespace weir
