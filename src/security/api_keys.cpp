#include "security/api_keys.h"

#include <algorithm>
#include <atomic>
#include <cstring>

#include "base/crypto.h"
#include "base/encoding.h"
#include "base/secret.h"
#include "base/text_hash.h"

namespace weir {
namespace {

constexpr std::string_view kKeyPrefix = "wk_";
constexpr std::string_view kAccessKeyPrefix = "WKIA";
constexpr size_t kAccessKeyIdBytes = 20;
constexpr std::string_view kHashPrefix = "sha256:";
constexpr std::array<std::string_view, 32> kWellKnownKeys = {
    "",         "1234",    "12345",  "123456", "12345678", "123456789", "1234567890", "abc",
    "abc123",   "admin",   "apikey", "bar",    "changeme", "default",   "demo",       "dev",
    "dummy",    "example", "foo",    "guest",  "hello",    "key",       "letmein",    "none",
    "password", "qwerty",  "root",   "secret", "test",     "token",     "weir",       "wk_test"};

std::atomic<uint64_t> next_keys_id = 1;

// The keys that a thread has found in one set of keys: all are forgotten when it asks another set, so that a
// key which was taken away does not stay in memory.
struct FoundKey {
  Secret key;
  const Principal* principal = nullptr;
};
constexpr size_t kFoundKeysMax = 64;
struct FoundKeys {
  uint64_t keys_id = 0;
  std::array<FoundKey, kFoundKeysMax> keys;
};

FoundKey& remembered(uint64_t keys_id, std::string_view key) {
  thread_local FoundKeys found;
  if (found.keys_id != keys_id) {
    found.keys.fill({});
    found.keys_id = keys_id;
  }
  return found.keys[hash_text(key) % kFoundKeysMax];
}

}  // namespace

bool has_weir_form(std::string_view credential) {
  return credential.starts_with(kKeyPrefix) || credential.starts_with(kAccessKeyPrefix);
}

std::string make_api_key() {
  std::array<uint8_t, 32> secret;
  random_bytes(secret);
  return std::string(kKeyPrefix) +
         base64url_encode(std::string_view(reinterpret_cast<const char*>(secret.data()), secret.size()));
}

AccessKey make_access_key() {
  // 32 of them: five bits of a random byte choose one evenly.
  constexpr std::string_view kAlphabet = "ABCDEFGHIJKLMNOPQRSTUVWXYZ234567";
  std::string id(kAccessKeyPrefix);
  for (const char byte : random_bytes(kAccessKeyIdBytes - kAccessKeyPrefix.size())) {
    id += kAlphabet[static_cast<unsigned char>(byte) % kAlphabet.size()];
  }
  return {.id = std::move(id), .secret = Secret(base64url_encode(random_bytes(30))), .principal = {}};
}

bool is_access_key_id(std::string_view text) {
  return text.size() == kAccessKeyIdBytes && text.starts_with(kAccessKeyPrefix) &&
         std::ranges::all_of(text, [](char c) { return (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9'); });
}

KeyHash hash_api_key(std::string_view key) {
  return sha256(key);
}

bool is_well_known(const KeyHash& hash) {
  return std::ranges::any_of(kWellKnownKeys, [&](std::string_view key) { return hash_api_key(key) == hash; });
}

Result<KeyHash> parse_key_hash(std::string_view text) {
  Result<std::string> bytes = text.starts_with(kHashPrefix) ? hex_decode(text.substr(kHashPrefix.size()))
                                                            : fail(ErrorKind::bad_request, "");
  KeyHash hash{};
  if (!bytes || bytes->size() != hash.size()) {
    return fail(ErrorKind::bad_request, "a key hash is \"sha256:\" and 64 hex digits; `weir key` prints one");
  }
  std::memcpy(hash.data(), bytes->data(), hash.size());
  return hash;
}

std::string to_string(const KeyHash& hash) {
  return std::string(kHashPrefix) + hex_encode(as_text(hash));
}

Result<ApiKeys> ApiKeys::make(std::vector<ApiKey> keys, std::vector<AccessKey> pairs) {
  ApiKeys made;
  made.id_ = next_keys_id.fetch_add(1, std::memory_order_relaxed);
  made.by_hash_.reserve(keys.size());
  for (ApiKey& key : keys) {
    std::string name = key.principal.key_name;
    if (!made.by_hash_.emplace(key.hash, std::move(key.principal)).second) {
      return fail(ErrorKind::bad_request, "the key \"" + name + "\" has the same hash as another key");
    }
  }
  for (AccessKey& pair : pairs) {
    std::string id = pair.id;
    if (!made.pairs_.emplace(id, std::move(pair)).second) {
      return fail(ErrorKind::bad_request, "two keys have the access_key_id " + id);
    }
  }
  return made;
}

const AccessKey* ApiKeys::find_pair(const std::string& id) const {
  const auto found = pairs_.find(id);
  return found == pairs_.end() ? nullptr : &found->second;
}

const Principal* ApiKeys::find(std::string_view key) const {
  FoundKey& last = remembered(id_, key);
  // Secrets are compared in constant time.
  if (last.principal && last.key.matches(key)) return last.principal;
  // The look-up compares hashes of secrets, not secrets: its timing tells nothing about a key.
  const auto found = by_hash_.find(hash_api_key(key));
  if (found == by_hash_.end()) return nullptr;
  last = {.key = Secret::copy_of(key), .principal = &found->second};
  return last.principal;
}

size_t ApiKeys::Hasher::operator()(const KeyHash& hash) const {
  size_t value;
  std::memcpy(&value, hash.data(), sizeof value);
  return value;
}

}  // namespace weir
