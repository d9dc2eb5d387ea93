// The nineteen cases of the conformance matrix: what a client asks, and what the model answers, in the IR.
// Every dialect says them in its own words through its own codec, so a case is written once.
#pragma once

#include <functional>
#include <string_view>
#include <vector>

#include "llm/event.h"
#include "llm/request.h"

namespace weir::conformance {

struct Case {
  std::string_view name;
  // `issuer`: whose signatures the history holds, i.e. the dialect that the client speaks.
  Chat (*request)(Dialect issuer);
  // `issuer`: whose signatures the answer holds, i.e. the dialect that the provider speaks.
  std::vector<Event> (*answer)(Dialect issuer);
};

// In the order of the specification (translation.md 4.12).
const std::vector<Case>& all_cases();

}  // namespace weir::conformance
