// RoutePlan: what the name of a model comes to under one snapshot. It is made once for each core and name, so
// that a request neither asks the catalog nor puts names together.
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

#include "gateway/snapshot.h"

namespace weir {

// Immutable. REQUIRES that the snapshot that it was made from outlives it.
struct RoutePlan {
  uint64_t id = 0;  // never used twice in a process: what others remember of a plan they know by it
  const Route* route = nullptr;
  std::vector<Candidate> candidates;  // one for each target of the route, in its order
  bool has_policies = true;           // false: the route's settings of translation are the usual ones
};

// The plans of one core.
class RoutePlans {
 public:
  explicit RoutePlans(std::shared_ptr<TargetStates> states) : states_(std::move(states)) {}

  // The plan for a model as a client named it. Error: model_not_found.
  Result<std::shared_ptr<const RoutePlan>> find(const std::shared_ptr<const Snapshot>& snapshot,
                                                std::string_view model);

 private:
  struct NameHash {
    using is_transparent = void;
    size_t operator()(std::string_view name) const { return std::hash<std::string_view>()(name); }
  };

  RoutePlan make(const Snapshot& snapshot, const RouteTable::Match& match) const;

  const std::shared_ptr<TargetStates> states_;
  std::weak_ptr<const Snapshot> snapshot_;  // that the plans are of
  std::unordered_map<std::string, std::shared_ptr<const RoutePlan>, NameHash, std::equal_to<>> plans_;
};

}  // namespace weir
