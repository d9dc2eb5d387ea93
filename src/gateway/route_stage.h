// The route stage: picks targets, tries them in order, retries and falls back until the first content event.
#pragma once

#include "gateway/route_plan.h"
#include "gateway/stage.h"

namespace weir {

class RouteStage final : public Stage {
 public:
  explicit RouteStage(std::shared_ptr<TargetStates> states) : plans_(std::move(states)) {}
  std::string_view name() const override { return "route"; }
  // Errors: model_not_found, forbidden by the caller (see authorise), the last attempt's error, timeout.
  Task<std::unique_ptr<EventSource>> handle(Exchange& exchange, Next next) override;

 private:
  // The candidates of the exchange's plan in the order in which they are tried.
  Result<std::vector<size_t>> choose(Exchange& exchange);

  RoutePlans plans_;
};

}  // namespace weir
