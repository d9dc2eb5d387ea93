// Hashes, message authentication, key derivation and secure randomness, all by OpenSSL. Algorithms are
// fetched once and contexts are kept per thread: a SHA-256 of a short text costs about a quarter of the
// one-call functions. Every function is safe to call from any thread and never fails on input; OpenSSL
// failing to hash at all (no memory, a broken installation) ends the process, since no caller could go on
// safely.
#pragma once

#include <array>
#include <cstdint>
#include <memory>
#include <span>
#include <string>
#include <string_view>

#include "base/secret.h"

namespace weir {

// 32 bytes, as the standard orders them (FIPS 180-4).
using Sha256Digest = std::array<uint8_t, 32>;

// The digest's bytes as text, for functions that take bytes as string_view. Valid as long as the digest.
inline std::string_view as_text(const Sha256Digest& digest) {
  return {reinterpret_cast<const char*>(digest.data()), digest.size()};
}

Sha256Digest sha256(std::string_view data);
// 64 lower-case hexadecimal digits.
std::string sha256_hex(std::string_view data);

// SHA-256 of bytes that arrive in pieces.
class Sha256 {
 public:
  Sha256();
  ~Sha256();
  Sha256(Sha256&&) noexcept;
  Sha256& operator=(Sha256&&) noexcept;

  void update(std::string_view data);
  // The digest of all that was added; afterwards this hashes a new text from the start.
  Sha256Digest finish();

 private:
  struct State;
  std::unique_ptr<State> state_;
};

// RFC 2104 with SHA-256. A key of any length, empty ones included.
Sha256Digest hmac_sha256(std::string_view key, std::string_view data);

// RFC 5869 with SHA-256: `length` bytes derived from `key`; the same inputs always give the same bytes.
// REQUIRES length <= 255 * 32.
Secret hkdf_sha256(std::string_view key, std::string_view salt, std::string_view info, size_t length);

// Whether two byte strings are equal, in time that depends on their lengths only.
bool constant_time_equal(std::string_view left, std::string_view right);

// Bytes from the operating system's generator by way of OpenSSL's: for keys, nonces and tokens (base/random.h
// has the fast generator for everything else).
void random_bytes(std::span<uint8_t> out);
std::string random_bytes(size_t count);
// For seeding an Rng.
uint64_t random_seed();

}  // namespace weir
