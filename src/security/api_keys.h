// API keys from the configuration, which holds SHA-256 hashes only; a key is 32 random bytes, so a plain hash
// is enough. Of pairs for AWS's SDKs it keeps the secret: a signature can be verified with nothing
// less.
#pragma once

#include <array>
#include <optional>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

#include "base/result.h"
#include "base/secret.h"
#include "security/principal.h"

namespace weir {

using KeyHash = std::array<uint8_t, 32>;

struct ApiKey {
  KeyHash hash{};
  Principal principal;
};

// A pair as AWS's SDKs know them: the secret never travels, requests are signed with it (SigV4).
struct AccessKey {
  std::string id;
  Secret secret;
  Principal principal;
};

// True for credentials of Weir's own form ("wk_", "WKIA"). Others count as absent where no keys are
// configured, since SDKs cannot omit a key.
bool has_weir_form(std::string_view credential);

// "wk_" and 43 base64url characters of 32 random bytes.
std::string make_api_key();
// Of nobody yet: "WKIA" and 16 letters and digits, and 40 base64url characters of 30 random bytes.
AccessKey make_access_key();
// "WKIA" and 16 upper-case letters and digits.
bool is_access_key_id(std::string_view text);
KeyHash hash_api_key(std::string_view key);
// True for a word that whoever tries words would try: "test", "admin".
bool is_well_known(const KeyHash& hash);
// "sha256:" and 64 hex digits, as the configuration holds it. Error: bad_request.
Result<KeyHash> parse_key_hash(std::string_view text);
std::string to_string(const KeyHash& hash);

// Immutable; part of the Snapshot.
class ApiKeys {
 public:
  ApiKeys() = default;
  ApiKeys(ApiKeys&&) = default;
  ApiKeys& operator=(ApiKeys&&) = default;
  // Error: bad_request for two keys with the same hash, two pairs with the same id.
  static Result<ApiKeys> make(std::vector<ApiKey> keys, std::vector<AccessKey> pairs = {});
  // A thread remembers some keys that it has found, as they came, until it asks another set: a client's key
  // is hashed once and not for each request.
  const Principal* find(std::string_view key) const;
  const AccessKey* find_pair(const std::string& id) const;
  bool empty() const { return by_hash_.empty() && pairs_.empty(); }
  size_t size() const { return by_hash_.size() + pairs_.size(); }

 private:
  struct Hasher {
    size_t operator()(const KeyHash& hash) const;
  };
  std::unordered_map<KeyHash, Principal, Hasher> by_hash_;
  std::unordered_map<std::string, AccessKey> pairs_;  // by id
  uint64_t id_ = 0;                                   // of this set of keys, never used twice in a process
};

}  // namespace weir
