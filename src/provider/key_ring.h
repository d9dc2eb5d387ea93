// The keys of one provider: picked by weight, cooled down for a model after a 429, put aside when the
// provider refuses them or when the quota is gone, and tried again by one call after a pause. Shared by all
// cores; thread-safe (one short lock per pick).
#pragma once

#include <atomic>
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
  cooling,   // rate limited until a time, for one model at least
  disabled,  // refused by the provider or out of quota; until a call that tries it succeeds, or a reload
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

  // How long a disabled key rests before one call tries it again; each refusal in a row doubles it.
  static constexpr Duration kRestMin = std::chrono::seconds(10);
  static constexpr Duration kRestMax = std::chrono::minutes(15);

  // Models that one key cools for at a time. Behind a wildcard their names are the callers' to make up; past
  // it the key is ready again for the one that would have come back first.
  static constexpr size_t kCoolingModelsMax = 256;

  explicit KeyRing(std::vector<ProviderKey> keys);

  struct Pick {
    size_t index = 0;
    std::shared_ptr<const Credential> credential;
    std::string_view name;  // valid as long as the ring
  };
  // A key that is ready for the provider's model by weighted chance, not one of `tried`; one whose rest is
  // over counts as ready for one call. Errors: upstream_rate_limited with retry_after_ms of the first that
  // comes back when every key that is left cools down; upstream_quota when all are disabled, and one of them
  // for its quota; upstream_auth when all were refused, and when there are no keys at all.
  Result<Pick> pick(MonoTime now, Rng& rng, std::string_view model, const std::vector<size_t>& tried = {});
  // What an attempt with that key at that model taught. `outcome` is nullptr for success. Providers limit
  // rates by model, so a 429 of one model leaves the key to the others; a quota is of the account. An only
  // key cools only as long as the provider says: without it there is no service at all. True: the key is
  // disabled from now on.
  bool report(size_t index, MonoTime now, std::string_view model, const Error* outcome);

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
  // Whether a call for the model would get a key at that time; always, when the provider needs none. Costs no
  // lock while no key was put aside.
  bool has_ready(MonoTime at, std::string_view model) const;
  // When the first key is ready for the model: `now` when has_ready(now, model). A trial that is under way
  // may make that sooner.
  MonoTime ready_at(MonoTime now, std::string_view model) const;
  // True if some key other than `tried` could be used for the model now.
  bool has_other(MonoTime now, std::string_view model, const std::vector<size_t>& tried) const;

 private:
  struct Entry {
    ProviderKey key;
    std::shared_ptr<const Credential> credential;
    struct Cooling {
      std::string model;
      MonoTime until;
    };
    std::vector<Cooling> cooling{};      // the models whose rate is exceeded
    std::optional<ErrorKind> refusal{};  // disabled: why
    MonoTime rests_until{};              // disabled
    Duration rest{};                     // disabled: how long
    bool is_on_trial = false;            // disabled: a call tries it
    // When the key is ready for the model again; a time that is over when it is.
    MonoTime cools_until(std::string_view model) const;
    bool is_usable_at(MonoTime now, std::string_view model) const {
      return refusal ? now >= rests_until : now >= cools_until(model);
    }
    KeyState state_at(MonoTime now) const;
  };
  // Whether no key was put aside, nor cools for any model: then nothing of the keys changes.
  bool are_all_ready(MonoTime at) const;
  // Both REQUIRE the lock.
  Error why_none(MonoTime now, std::string_view model) const;
  void cool(Entry& entry, MonoTime now, std::string_view model, Duration pause);
  // `stated` is the pause that the provider named, zero if none.
  // True: it was not disabled before.
  static bool disable(Entry& entry, MonoTime now, ErrorKind why, Duration stated);

  mutable std::mutex mutex_;
  std::vector<Entry> keys_;
  std::atomic<bool> has_disabled_ = false;            // some key may be: a success is worth the lock
  std::atomic<MonoTime> all_cooled_at_ = MonoTime{};  // no key cools any more from then on
};

}  // namespace weir
