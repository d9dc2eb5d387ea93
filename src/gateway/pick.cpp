// The strategies: in which order the candidates of a route are tried.
#include <algorithm>
#include <cmath>

#include "gateway/route.h"
#include "provider/key_ring.h"
#include "provider/pricing.h"

namespace weir {
namespace {

using Indexes = std::vector<size_t>;

// Sorts by a rising key, computed once for each; equals keep their order.
template <class Key>
void sort_by(Indexes& group, const Key& key) {
  std::vector<std::pair<decltype(key(size_t{})), size_t>> keyed;
  keyed.reserve(group.size());
  for (size_t i = 0; i < group.size(); ++i) keyed.emplace_back(key(group[i]), i);
  std::sort(keyed.begin(), keyed.end());
  Indexes sorted;
  sorted.reserve(group.size());
  for (const auto& [value, position] : keyed) sorted.push_back(group[position]);
  group = std::move(sorted);
}

// Without replacement, each draw in proportion to the weights of what is left.
void order_weighted(Indexes& group, const std::vector<Candidate>& candidates, Rng& rng) {
  double total = 0;
  for (const size_t index : group) total += candidates[index].target->weight;
  for (size_t first = 0; first + 1 < group.size() && total > 0; ++first) {
    double at = rng.unit() * total;
    size_t chosen = first;
    for (size_t i = first; i < group.size(); ++i) {
      chosen = i;
      at -= candidates[group[i]].target->weight;
      if (at < 0) break;
    }
    total -= candidates[group[chosen]].target->weight;
    std::swap(group[first], group[chosen]);
  }
}

// Power of two choices (Mitzenmacher 2001): of two random candidates the faster one first. A target nobody
// has measured counts as the fastest, so a new one gets traffic until its first answer tells. One call in
// fifty goes by the weights alone: what was slow once is measured again, and may have become fast.
void order_least_latency(Indexes& group, const std::vector<Candidate>& candidates, Rng& rng) {
  constexpr double kExploredShare = 0.02;
  order_weighted(group, candidates, rng);
  if (rng.unit() < kExploredShare) return;
  for (size_t first = 0; first + 1 < group.size(); ++first) {
    const auto mean = [&](size_t at) { return candidates[group[at]].state->first_event_mean(); };
    if (mean(first + 1) < mean(first)) std::swap(group[first], group[first + 1]);
  }
}

void order_least_busy(Indexes& group, const std::vector<Candidate>& candidates, Rng& rng) {
  order_weighted(group, candidates, rng);  // ties by chance
  sort_by(group, [&](size_t index) {
    const Candidate& candidate = candidates[index];
    return static_cast<double>(candidate.state->in_flight()) / std::max(candidate.target->weight, 1e-9);
  });
}

void order_least_cost(Indexes& group, const std::vector<Candidate>& candidates, const PickContext& context,
                      Rng& rng) {
  order_weighted(group, candidates, rng);
  Usage expected;
  expected.in_uncached = context.input_tokens;
  expected.out_text = context.output_tokens;
  sort_by(group, [&](size_t index) {
    const Candidate& candidate = candidates[index];
    const std::optional<int64_t> price =
        candidate.row && candidate.is_priced ? cost(*candidate.row, expected) : std::nullopt;
    return price.value_or(std::numeric_limits<int64_t>::max());
  });
}

uint64_t mix(std::string_view session, std::string_view name) {
  uint64_t hash = 0xcbf29ce484222325ULL;  // FNV-1a
  for (const std::string_view part : {session, name}) {
    for (const char c : part) hash = (hash ^ static_cast<uint8_t>(c)) * 0x100000001b3ULL;
    hash = (hash ^ 0xff) * 0x100000001b3ULL;
  }
  hash ^= hash >> 33;
  hash *= 0xff51afd7ed558ccdULL;
  return hash ^ (hash >> 33);
}

// Weighted rendezvous hashing: each target scores -weight / ln(u), u from the hash of session and target.
// When a target goes, only its sessions move.
void order_sticky(Indexes& group, const std::vector<Candidate>& candidates, std::string_view session) {
  sort_by(group, [&](size_t index) {
    const uint64_t hash = mix(session, candidates[index].state->name());
    const double unit = (static_cast<double>(hash >> 11) + 0.5) * 0x1.0p-53;
    return candidates[index].target->weight / std::log(unit);  // the score, negated
  });
}

void order_group(Indexes& group, const Route& route, const std::vector<Candidate>& candidates,
                 const PickContext& context, Rng& rng) {
  if (group.size() < 2) return;
  if (route.is_sticky && !context.session.empty()) return order_sticky(group, candidates, context.session);
  switch (route.strategy) {
    case Strategy::weighted:
      return order_weighted(group, candidates, rng);
    case Strategy::least_latency:
      return order_least_latency(group, candidates, rng);
    case Strategy::least_cost:
      return order_least_cost(group, candidates, context, rng);
    case Strategy::least_busy:
      return order_least_busy(group, candidates, rng);
    case Strategy::round_robin: {
      const uint64_t turn = route.turn.fetch_add(1, std::memory_order_relaxed);
      std::rotate(group.begin(), group.begin() + static_cast<ptrdiff_t>(turn % group.size()), group.end());
      return;
    }
    case Strategy::ordered:
      return;
  }
}

}  // namespace

bool Candidate::is_ready(MonoTime at) const {
  const Provider* provider = target->provider.get();
  return state->breaker().would_pass(at) &&
         (!provider || !provider->keys || provider->keys->has_ready(at, model));
}

MonoTime Candidate::ready_at(MonoTime now) const {
  const Provider* provider = target->provider.get();
  const MonoTime passes_at = state->breaker().passes_at(now);
  if (!provider || !provider->keys) return passes_at;
  return std::max(passes_at, provider->keys->ready_at(now, model));
}

std::vector<size_t> order_candidates(const Route& route, const std::vector<Candidate>& candidates,
                                     const PickContext& context, Rng& rng) {
  Indexes all(candidates.size());
  for (size_t i = 0; i < all.size(); ++i) all[i] = i;
  if (all.size() < 2) return all;
  sort_by(all, [&](size_t index) { return candidates[index].target->priority; });
  Indexes ordered;
  ordered.reserve(all.size());
  for (size_t first = 0; first < all.size();) {
    const int priority = candidates[all[first]].target->priority;
    Indexes group;
    Indexes shut;
    for (; first < all.size() && candidates[all[first]].target->priority == priority; ++first) {
      (candidates[all[first]].is_ready(context.now) ? group : shut).push_back(all[first]);
    }
    order_group(group, route, candidates, context, rng);
    ordered.insert(ordered.end(), group.begin(), group.end());
    ordered.insert(ordered.end(), shut.begin(), shut.end());
  }
  return ordered;
}

}  // namespace weir
