// LocalModel: a target that answers in this process. `app` registers them by name.
#pragma once

#include <memory>
#include <string_view>

#include "base/task.h"
#include "io/scope.h"
#include "llm/event_source.h"
#include "llm/fidelity.h"
#include "llm/request.h"

namespace weir {

class LocalModel {
 public:
  virtual ~LocalModel() = default;
  // What of a request has no effect on its answer, in the words of the IR. Errors: unsupported for what must
  // not be left out.
  virtual Result<Fidelity> losses(const Request& request) const = 0;
  // Answers a Chat or CountTokens. The source may use `request`, which outlives it. Errors: unsupported for
  // other kinds.
  virtual Task<std::unique_ptr<EventSource>> answer(Scope& scope, const Request& request) = 0;
};

}  // namespace weir
