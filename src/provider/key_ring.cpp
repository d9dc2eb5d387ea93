#include "provider/key_ring.h"

#include <algorithm>
#include <array>
#include <fmt/core.h>

namespace weir {
namespace {

bool is_in(const std::vector<size_t>& list, size_t index) {
  return std::find(list.begin(), list.end(), index) != list.end();
}

}  // namespace

std::string_view to_string(KeyState state) {
  constexpr std::array<std::string_view, 3> kNames = {"ready", "cooling", "disabled"};
  return kNames[static_cast<size_t>(state)];
}

KeyRing::KeyRing(std::vector<ProviderKey> keys) {
  keys_.reserve(keys.size());
  for (ProviderKey& key : keys) {
    auto credential = std::make_shared<const Credential>(
        Credential{.access_key_id = key.access_key_id, .secret = *key.secret});
    keys_.push_back({.key = std::move(key), .credential = std::move(credential)});
  }
}

KeyState KeyRing::Entry::state_at(MonoTime now) const {
  const bool is_over = until != MonoTime{} && now >= until;
  return is_over ? KeyState::ready : state;
}

Result<KeyRing::Pick> KeyRing::pick(MonoTime now, Rng& rng, const std::vector<size_t>& tried) {
  const std::lock_guard lock(mutex_);
  double total = 0;
  for (size_t i = 0; i < keys_.size(); ++i) {
    if (keys_[i].state_at(now) == KeyState::ready && !is_in(tried, i)) total += keys_[i].key.weight;
  }
  double at = rng.unit() * total;
  for (size_t i = 0; i < keys_.size() && total > 0; ++i) {
    const Entry& entry = keys_[i];
    if (entry.state_at(now) != KeyState::ready || is_in(tried, i)) continue;
    at -= entry.key.weight;
    if (at < 0) return Pick{.index = i, .credential = entry.credential, .name = entry.key.name};
  }
  return fail(why_none(now));
}

Error KeyRing::why_none(MonoTime now) const {
  if (keys_.empty()) {
    return make_error(ErrorKind::upstream_auth,
                      "no key is configured for this provider: set its environment variable or `keys` in the "
                      "configuration");
  }
  std::optional<MonoTime> first_back;
  for (const Entry& entry : keys_) {
    if (entry.state_at(now) == KeyState::cooling && (!first_back || entry.until < *first_back))
      first_back = entry.until;
  }
  if (!first_back) {
    return make_error(ErrorKind::upstream_auth,
                      "the provider refused every configured key; see the log for which");
  }
  Error error =
      make_error(ErrorKind::upstream_rate_limited, "every key of this provider is rate limited for now");
  error.retry_after_ms = std::max<int64_t>(1, (*first_back - now) / std::chrono::milliseconds(1));
  return error;
}

void KeyRing::report(size_t index, MonoTime now, const Error* outcome) {
  if (!outcome)
    return;  // a key that works is ready already: what put it aside would have kept it from being picked
  const std::lock_guard lock(mutex_);
  if (index >= keys_.size()) return;
  Entry& entry = keys_[index];
  const Duration wait = outcome->retry_after_ms
                            ? Duration(std::chrono::milliseconds(*outcome->retry_after_ms))
                            : Duration::zero();
  switch (outcome->kind) {
    case ErrorKind::upstream_rate_limited:
      entry.state = KeyState::cooling;
      entry.until = now + (wait > Duration::zero() ? wait : kCoolDownDefault);
      break;
    case ErrorKind::upstream_quota:
      entry.state = KeyState::disabled;
      entry.until = wait > Duration::zero() ? now + wait : MonoTime{};
      break;
    case ErrorKind::upstream_auth:
      entry.state = KeyState::disabled;
      entry.until = MonoTime{};
      break;
    default:
      break;
  }
}

void KeyRing::forgive() {
  const std::lock_guard lock(mutex_);
  for (Entry& entry : keys_) {
    if (entry.state == KeyState::disabled) entry.state = KeyState::ready;
  }
}

std::vector<KeyRing::Status> KeyRing::status(MonoTime now) const {
  const std::lock_guard lock(mutex_);
  std::vector<Status> list;
  list.reserve(keys_.size());
  for (const Entry& entry : keys_) list.push_back({.name = entry.key.name, .state = entry.state_at(now)});
  return list;
}

bool KeyRing::has_same_keys(const std::vector<ProviderKey>& keys) const {
  const std::lock_guard lock(mutex_);
  return std::equal(keys_.begin(), keys_.end(), keys.begin(), keys.end(),
                    [](const Entry& entry, const ProviderKey& key) {
                      return entry.key.name == key.name && *entry.key.secret == *key.secret &&
                             entry.key.access_key_id == key.access_key_id && entry.key.weight == key.weight;
                    });
}

bool KeyRing::has_other(MonoTime now, const std::vector<size_t>& tried) const {
  const std::lock_guard lock(mutex_);
  for (size_t i = 0; i < keys_.size(); ++i) {
    if (keys_[i].state_at(now) == KeyState::ready && !is_in(tried, i)) return true;
  }
  return false;
}

}  // namespace weir
