// The keys of one provider: picked by weight, cooled down after a 429, put aside after a 401 or when the
// quota is gone. Shared by all cores; thread-safe (one short lock per pick).
#pragma once

#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/clock.h"
#include "base/error.h"
#include "base/random.h"
#include "base/result.h"
#include "base/secret.h"
#include "provider/credential.h"

namespace weir {

enum class KeyState : uint8_t {
  ready,
  cooling,   // rate limited until a time
  disabled,  // refused by the provider (401, 403) or out of quota; until the next reload, or the stated reset
};
std::string_view to_string(KeyState state);

struct ProviderKey {
  std::string name;  // "OPENAI_API_KEY" or the file's name: for logs and metrics, never the key
  std::shared_ptr<const Secret> secret;
  double weight = 1;
  std::string access_key_id = {};  // of the AWS pair whose secret half `secret` is; else empty
};

class KeyRing {
 public:
  // What a ring without a configured cool-down waits after a 429 that names no time.
  static constexpr Duration kCoolDownDefault = std::chrono::seconds(10);

  explicit KeyRing(std::vector<ProviderKey> keys);

  struct Pick {
    size_t index = 0;
    std::shared_ptr<const Credential> credential;
    std::string_view name;  // valid as long as the ring
  };
  // A ready key by weighted chance, not one of `tried`. Errors: upstream_auth when every key is disabled,
  // upstream_rate_limited with retry_after_ms of the first that comes back when every key cools down,
  // upstream_auth with the variable's name in the message when there are no keys at all.
  Result<Pick> pick(MonoTime now, Rng& rng, const std::vector<size_t>& tried = {});
  // What an attempt with that key taught. `outcome` is nullptr for success.
  void report(size_t index, MonoTime now, const Error* outcome);

  // Makes every disabled key ready: the operator has looked, and a reload says so. Cool-downs go on.
  void forgive();

  struct Status {
    std::string name;
    KeyState state;
  };
  std::vector<Status> status(MonoTime now) const;
  size_t size() const { return keys_.size(); }
  // Whether these are the ring's keys: same names, secrets and weights in the same order.
  bool has_same_keys(const std::vector<ProviderKey>& keys) const;
  // True if some key other than `tried` could be used now.
  bool has_other(MonoTime now, const std::vector<size_t>& tried) const;

 private:
  struct Entry {
    ProviderKey key;
    std::shared_ptr<const Credential> credential;
    KeyState state = KeyState::ready;
    MonoTime until{};  // cooling, or disabled with a known end; zero: no end
    KeyState state_at(MonoTime now) const;
  };
  Error why_none(MonoTime now) const;  // REQUIRES the lock

  mutable std::mutex mutex_;
  std::vector<Entry> keys_;
};

}  // namespace weir
