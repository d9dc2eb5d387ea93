// Sealing: AES-256-GCM with keys derived from one master key, for whatever Weir stores that nobody else may
// read. A subkey belongs to a context ("tenant/acme/documents"); what was sealed under one context opens
// under no other.
//
//   MasterKey master = TRY(MasterKey::load_or_create("weir-data/master.key"));
//   SealingKey key = master.derive("tenant/acme/prompts");
//   std::string sealed = key.seal(text, row_id);
//   std::string text = TRY(key.open(sealed, row_id));
//
// A sealed value, version 1 (37 bytes more than the text):
//   0       version, 0x01
//   1..8    id of the master key: the first 8 bytes of HMAC-SHA256(master key, "weir master key id")
//   9..20   nonce, random
//   21..    ciphertext, as long as the plaintext
//   last 16 tag
// The subkey is HKDF-SHA256(master key, salt "weir seal v1", info = context, 32 bytes). Authenticated beside
// the caller's associated data: the 9 bytes of version and key id before it.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "base/result.h"
#include "base/secret.h"

namespace weir {

inline constexpr size_t kMasterKeyBytes = 32;
inline constexpr size_t kMasterKeyIdBytes = 8;
inline constexpr size_t kSealOverheadBytes = 1 + kMasterKeyIdBytes + 12 + 16;

// Seals and opens under one context. Immutable, so one may serve many threads. A random 96-bit nonce is safe
// for 2^32 values a key (NIST SP 800-38D section 8.3): give each tenant and purpose a context of its own.
class SealingKey {
 public:
  // REQUIRES plaintext and associated data below 2 GiB each. The same text never gives the same bytes twice.
  std::string seal(std::string_view plaintext, std::string_view associated_data) const;
  // Gives the plaintext back only if not a bit of the value, the context or the associated data has changed.
  // Errors: internal, the detail saying which of "too short", "unknown version", "another master key" or
  // "does not verify" it was; never any of the bytes.
  Result<std::string> open(std::string_view sealed, std::string_view associated_data) const;

 private:
  friend class MasterKey;
  SealingKey(Secret key, std::string key_id) : key_(std::move(key)), key_id_(std::move(key_id)) {}

  Secret key_;
  std::string key_id_;
};

class MasterKey {
 public:
  // A new key from the system's generator, kept nowhere.
  static MasterKey generate();
  // REQUIRES nothing; errors: internal unless `bytes` has exactly kMasterKeyBytes.
  static Result<MasterKey> from_bytes(std::string_view bytes);
  // Reads a file of exactly kMasterKeyBytes raw bytes. Refuses (internal, with the remedy in the detail) what
  // is not a regular file, is open to group or others (chmod 600), or has another size. Blocks on the disk.
  static Result<MasterKey> load(const std::string& path);
  // load(), or if there is no file: makes a key and stores it with mode 0600, on disk before this returns. Of
  // two processes that start at once both get the same key. Whoever has lost the file gets a new key here and
  // can open nothing sealed before: compare id() with the one stored beside the data.
  static Result<MasterKey> load_or_create(const std::string& path);

  // kMasterKeyIdBytes bytes that name the key and tell nothing about it.
  const std::string& id() const { return id_; }
  // About 2 µs: keep the result where it is used often.
  SealingKey derive(std::string_view context) const;
  // 32 bytes for something else than sealing, such as a MAC: HKDF-SHA256 as the subkeys are, with the salt
  // "weir key v1", so that none of them is a sealing key.
  Secret derive_secret(std::string_view context) const;

 private:
  explicit MasterKey(Secret key);

  Secret key_;
  std::string id_;
};

}  // namespace weir
