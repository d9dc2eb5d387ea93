#include "gateway/route_plan.h"

#include <atomic>
#include <utility>

#include "base/limits.h"

namespace weir {
namespace {

std::atomic<uint64_t> next_plan_id = 1;

bool is_same(const std::weak_ptr<const Snapshot>& left, const std::shared_ptr<const Snapshot>& right) {
  // By owner: the address of a snapshot that is gone may be another one's now.
  return !left.owner_before(right) && !right.owner_before(left);
}

bool names(std::string_view pattern, std::string_view model) {
  const size_t star = pattern.find('*');
  if (star == std::string_view::npos) return pattern == model;
  return model.size() >= pattern.size() && model.starts_with(pattern.substr(0, star)) &&
         model.ends_with(pattern.substr(star + 1));
}

// What all routes together say of a model at a provider, since its state is one: the smallest cap counts, and
// the breaker of the first route that names it.
TargetStates::Settings settings_of(const Snapshot& snapshot, const Provider& provider,
                                   std::string_view model) {
  TargetStates::Settings settings{.breaker = {},
                                  .concurrency = 0,
                                  .waiters_max = kTargetWaitersMax,
                                  .upstream = to_string(provider.origin) + provider.base_path};
  bool is_named = false;
  for (const auto& route : snapshot.routes.routes()) {
    for (const RouteTarget& target : route->targets) {
      if (target.provider->name != provider.name || !names(target.model, model)) continue;
      if (!std::exchange(is_named, true)) settings.breaker = route->breaker;
      const size_t cap = target.concurrency;
      if (cap > 0 && (settings.concurrency == 0 || cap < settings.concurrency)) settings.concurrency = cap;
    }
  }
  return settings;
}

}  // namespace

Result<std::shared_ptr<const RoutePlan>> RoutePlans::find(const std::shared_ptr<const Snapshot>& snapshot,
                                                          std::string_view model) {
  if (!is_same(snapshot_, snapshot)) {
    plans_.clear();
    snapshot_ = snapshot;
  }
  if (const auto found = plans_.find(model); found != plans_.end()) return found->second;
  auto plan = std::make_shared<const RoutePlan>(make(*snapshot, TRY(snapshot->routes.find(model))));
  // Behind a wildcard names are the callers' to make up.
  if (plans_.size() >= kRoutePlansMax) plans_.clear();
  plans_.emplace(model, plan);
  return plan;
}

RoutePlan RoutePlans::make(const Snapshot& snapshot, const RouteTable::Match& match) const {
  const Route& route = *match.route;
  RoutePlan plan{
      .id = next_plan_id.fetch_add(1, std::memory_order_relaxed), .route = &route, .candidates = {}};
  plan.has_policies = route.translation != TranslationSettings{};
  plan.candidates.reserve(route.targets.size());
  for (const RouteTarget& target : route.targets) {
    const Provider& provider = *target.provider;
    Candidate& candidate = plan.candidates.emplace_back();
    candidate.target = &target;
    candidate.model = target.model;
    if (const size_t star = candidate.model.find('*'); star != std::string::npos) {
      candidate.model.replace(star, 1, match.wildcard);
    }
    const Catalog& catalog = *snapshot.catalog;
    candidate.row = catalog.find_model(provider.kind.name, candidate.model);
    candidate.is_priced =
        candidate.row && (!provider.kind.own_prices || candidate.row->provider == provider.kind.name);
    candidate.capabilities =
        overlay(catalog.capabilities(provider.kind.name, candidate.model), provider.capabilities);
    candidate.state =
        states_->get(provider.name + "/" + candidate.model, settings_of(snapshot, provider, candidate.model));
  }
  return plan;
}

}  // namespace weir
