#include "gateway/route_plan.h"

#include "base/limits.h"

namespace weir {
namespace {

// A longer name is no model's; who sends one gets its answer, but no memory.
constexpr size_t kNameBytesMax = 256;

bool is_same(const std::weak_ptr<const Snapshot>& left, const std::shared_ptr<const Snapshot>& right) {
  // By owner: the address of a snapshot that is gone may be another one's now.
  return !left.owner_before(right) && !right.owner_before(left);
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
  if (model.size() > kNameBytesMax) return plan;
  if (plans_.size() >= kRoutePlansMax) plans_.clear();
  plans_.emplace(model, plan);
  return plan;
}

RoutePlan RoutePlans::make(const Snapshot& snapshot, const RouteTable::Match& match) const {
  const Route& route = *match.route;
  RoutePlan plan{.route = &route, .candidates = {}};
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
    candidate.state = states_->get(
        provider.name + "/" + candidate.model,
        {.breaker = route.breaker, .concurrency = target.concurrency, .waiters_max = kTargetWaitersMax});
  }
  return plan;
}

}  // namespace weir
