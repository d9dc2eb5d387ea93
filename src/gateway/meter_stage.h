// The meter stage: the first one. Whatever happens below, it records what was used and what that costs.
#pragma once

#include "gateway/stage.h"

namespace weir {

class MeterStage final : public Stage {
 public:
  std::string_view name() const override { return "meter"; }
  Task<std::unique_ptr<EventSource>> handle(Exchange& exchange, Next next) override;
};

}  // namespace weir
