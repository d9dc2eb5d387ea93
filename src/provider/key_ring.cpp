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

MonoTime KeyRing::Entry::cools_until(std::string_view model) const {
  const auto found = std::ranges::find(cooling, model, &Cooling::model);
  return found == cooling.end() ? MonoTime{} : found->until;
}

KeyState KeyRing::Entry::state_at(MonoTime now) const {
  if (refusal) return KeyState::disabled;
  const bool cools = std::ranges::any_of(cooling, [now](const Cooling& one) { return now < one.until; });
  return cools ? KeyState::cooling : KeyState::ready;
}

Result<KeyRing::Pick> KeyRing::pick(MonoTime now, Rng& rng, std::string_view model,
                                    const std::vector<size_t>& tried) {
  if (keys_.size() == 1 && tried.empty() && keys_[0].key.weight > 0 && are_all_ready(now))
    return Pick{.index = 0, .credential = keys_[0].credential, .name = keys_[0].key.name};
  const std::lock_guard lock(mutex_);
  double total = 0;
  for (size_t i = 0; i < keys_.size(); ++i) {
    if (keys_[i].is_usable_at(now, model) && !is_in(tried, i)) total += keys_[i].key.weight;
  }
  double at = rng.unit() * total;
  for (size_t i = 0; i < keys_.size() && total > 0; ++i) {
    Entry& entry = keys_[i];
    if (!entry.is_usable_at(now, model) || is_in(tried, i)) continue;
    at -= entry.key.weight;
    if (at >= 0) continue;
    // The call is the trial of a disabled key; no other is risked before it is known how that went.
    if (entry.refusal) {
      entry.is_on_trial = true;
      entry.rests_until = now + entry.rest;
    }
    return Pick{.index = i, .credential = entry.credential, .name = entry.key.name};
  }
  return fail(why_none(now, model));
}

Error KeyRing::why_none(MonoTime now, std::string_view model) const {
  if (keys_.empty()) {
    return make_error(ErrorKind::upstream_auth,
                      "no key is configured for this provider: set its environment variable or `keys` in the "
                      "configuration");
  }
  std::optional<MonoTime> first_back;
  bool lacks_quota = false;
  for (const Entry& entry : keys_) {
    lacks_quota = lacks_quota || entry.refusal == ErrorKind::upstream_quota;
    const MonoTime until = entry.cools_until(model);
    if (!entry.refusal && now < until && (!first_back || until < *first_back)) first_back = until;
  }
  if (first_back) {
    Error error = make_error(ErrorKind::upstream_rate_limited,
                             "every key of this provider is rate limited for this model for now");
    error.retry_after_ms = std::max<int64_t>(1, (*first_back - now) / std::chrono::milliseconds(1));
    return error;
  }
  if (lacks_quota) {
    return make_error(ErrorKind::upstream_quota,
                      "the quota of this provider's keys is used up; one call after the other finds out when "
                      "there is some again");
  }
  return make_error(ErrorKind::upstream_auth,
                    "the provider refused every configured key; see the log for which");
}

bool KeyRing::report(size_t index, MonoTime now, std::string_view model, const Error* outcome) {
  if (!outcome && !has_disabled_.load(std::memory_order_relaxed)) return false;
  const std::lock_guard lock(mutex_);
  if (index >= keys_.size()) return false;
  Entry& entry = keys_[index];
  // Whoever judged the request has taken the key.
  const bool is_taken =
      !outcome || (outcome->upstream_status >= 400 && outcome->upstream_status < 500 &&
                   outcome->kind != ErrorKind::upstream_auth && outcome->kind != ErrorKind::upstream_quota);
  if (is_taken) entry.refusal.reset();
  if (!outcome) return false;
  const Duration wait = outcome->retry_after_ms
                            ? Duration(std::chrono::milliseconds(*outcome->retry_after_ms))
                            : Duration::zero();
  switch (outcome->kind) {
    case ErrorKind::upstream_rate_limited:
      if (wait > Duration::zero() || keys_.size() > 1)
        cool(entry, now, model, wait > Duration::zero() ? wait : kCoolDownDefault);
      return false;
    case ErrorKind::upstream_quota:
    case ErrorKind::upstream_auth:
      has_disabled_.store(true, std::memory_order_relaxed);
      return disable(entry, now, outcome->kind,
                     outcome->kind == ErrorKind::upstream_quota ? wait : Duration::zero());
    default:
      return false;
  }
}

void KeyRing::cool(Entry& entry, MonoTime now, std::string_view model, Duration pause) {
  std::erase_if(entry.cooling,
                [&](const Entry::Cooling& one) { return one.until <= now || one.model == model; });
  if (entry.cooling.size() >= kCoolingModelsMax)
    entry.cooling.erase(std::ranges::min_element(entry.cooling, {}, &Entry::Cooling::until));
  entry.cooling.push_back({.model = std::string(model), .until = now + pause});
  all_cooled_at_.store(std::max(all_cooled_at_.load(), now + pause), std::memory_order_relaxed);
}

bool KeyRing::disable(Entry& entry, MonoTime now, ErrorKind why, Duration stated) {
  const bool is_disabled = entry.refusal.has_value();
  // What calls say that were under way when it was disabled is no news.
  if (is_disabled && !entry.is_on_trial) return false;
  entry.rest = is_disabled ? std::min(entry.rest * 2, kRestMax) : kRestMin;
  entry.is_on_trial = false;
  entry.refusal = why;
  entry.rests_until = now + std::max(entry.rest, stated);
  return !is_disabled;
}

void KeyRing::forgive() {
  const std::lock_guard lock(mutex_);
  for (Entry& entry : keys_) {
    entry.refusal.reset();
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

bool KeyRing::are_all_ready(MonoTime at) const {
  return at >= all_cooled_at_.load(std::memory_order_relaxed) &&
         !has_disabled_.load(std::memory_order_relaxed);
}

bool KeyRing::has_ready(MonoTime at, std::string_view model) const {
  return keys_.empty() || are_all_ready(at) || has_other(at, model, {});
}

MonoTime KeyRing::ready_at(MonoTime now, std::string_view model) const {
  if (has_ready(now, model)) return now;
  const std::lock_guard lock(mutex_);
  MonoTime first = MonoTime::max();
  for (const Entry& entry : keys_)
    first = std::min(first, entry.refusal ? entry.rests_until : entry.cools_until(model));
  return std::max(now, first);
}

bool KeyRing::has_other(MonoTime now, std::string_view model, const std::vector<size_t>& tried) const {
  const std::lock_guard lock(mutex_);
  for (size_t i = 0; i < keys_.size(); ++i) {
    if (keys_[i].is_usable_at(now, model) && !is_in(tried, i)) return true;
  }
  return false;
}

}  // namespace weir
