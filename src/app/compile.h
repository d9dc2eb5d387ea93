// From a Config to the Snapshot that requests read: names resolved, secrets read, everything checked.
#pragma once

#include <map>
#include <memory>
#include <string>

#include "app/config.h"
#include "gateway/snapshot.h"
#include "provider/local_model.h"

namespace weir {

struct CompileInputs {
  const Config* config = nullptr;                  // never null
  std::map<std::string, std::string> environment;  // what the process was started with
  std::shared_ptr<LocalModel> extract;             // weir/extract; never null
  std::shared_ptr<const Snapshot>
      previous;  // key states and retry budgets are taken from it; null at the start
  uint64_t generation = 1;
};

// Errors: bad_request naming file, line and remedy.
Result<std::shared_ptr<const Snapshot>> compile_snapshot(const CompileInputs& inputs);

// The environment of this process.
std::map<std::string, std::string> process_environment();

}  // namespace weir
