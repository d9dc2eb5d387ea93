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
  return state == KeyState::cooling && now >= until ? KeyState::ready : state;
}

Result<KeyRing::Pick> KeyRing::pick(MonoTime now, Rng& rng, const std::vector<size_t>& tried) {
  const std::lock_guard lock(mutex_);
  double total = 0;
  for (size_t i = 0; i < keys_.size(); ++i) {
    if (keys_[i].is_usable_at(now) && !is_in(tried, i)) total += keys_[i].key.weight;
  }
  double at = rng.unit() * total;
  for (size_t i = 0; i < keys_.size() && total > 0; ++i) {
    Entry& entry = keys_[i];
    if (!entry.is_usable_at(now) || is_in(tried, i)) continue;
    at -= entry.key.weight;
    if (at >= 0) continue;
    // The call is the trial of a disabled key; no other is risked before it is known how that went.
    if (entry.state == KeyState::disabled) {
      entry.is_on_trial = true;
      entry.until = now + entry.rest;
    }
    return Pick{.index = i, .credential = entry.credential, .name = entry.key.name};
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
  if (!outcome && !has_disabled_.load(std::memory_order_relaxed)) return;
  const std::lock_guard lock(mutex_);
  if (index >= keys_.size()) return;
  Entry& entry = keys_[index];
  // Whoever judged the request has taken the key.
  const bool is_taken =
      !outcome || (outcome->upstream_status >= 400 && outcome->upstream_status < 500 &&
                   outcome->kind != ErrorKind::upstream_auth && outcome->kind != ErrorKind::upstream_quota);
  if (is_taken && entry.state == KeyState::disabled) entry.state = KeyState::ready;
  if (!outcome) return;
  const Duration wait = outcome->retry_after_ms
                            ? Duration(std::chrono::milliseconds(*outcome->retry_after_ms))
                            : Duration::zero();
  switch (outcome->kind) {
    case ErrorKind::upstream_rate_limited:
      entry.state = KeyState::cooling;
      entry.until = now + (wait > Duration::zero() ? wait : kCoolDownDefault);
      break;
    case ErrorKind::upstream_quota:
      disable(entry, now, wait);
      has_disabled_.store(true, std::memory_order_relaxed);
      break;
    case ErrorKind::upstream_auth:
      disable(entry, now, Duration::zero());
      has_disabled_.store(true, std::memory_order_relaxed);
      break;
    default:
      break;
  }
}

void KeyRing::disable(Entry& entry, MonoTime now, Duration stated) {
  const bool is_disabled = entry.state == KeyState::disabled;
  // What calls say that were under way when it was disabled is no news.
  if (is_disabled && !entry.is_on_trial) return;
  entry.rest = is_disabled ? std::min(entry.rest * 2, kRestMax) : kRestMin;
  entry.is_on_trial = false;
  entry.state = KeyState::disabled;
  entry.until = now + std::max(entry.rest, stated);
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
    if (keys_[i].is_usable_at(now) && !is_in(tried, i)) return true;
  }
  return false;
}

}  // namespace weir
