// From a Config to the Snapshot that requests read: names resolved, secrets read, everything checked.
#pragma once

#include <map>
#include <memory>
#include <string>
#include <vector>

#include "app/config.h"
#include "gateway/snapshot.h"
#include "provider/local_model.h"

namespace weir {

struct CompileInputs {
  const Config* config = nullptr;                  // never null
  std::map<std::string, std::string> environment;  // what the process was started with
  std::shared_ptr<LocalModel> extract;             // weir/extract; never null
  std::shared_ptr<const Secret> user_key{};        // Snapshot::user_key, where the snapshot is to serve
  std::shared_ptr<const Snapshot>
      previous;  // key states and retry budgets are taken from it; null at the start
  uint64_t generation = 1;
};

struct Compilation {
  std::shared_ptr<const Snapshot> snapshot;  // null when there are problems
  std::vector<Error> problems;  // bad_request naming file, line and remedy, in the order of the parts
  std::vector<Error> warnings;  // the same for what can be served, but hardly as it was meant
};

// Everything that can be found wrong, at most a hundred problems. What follows from another problem, such as
// a route to a provider that could not be made, is not told again.
Compilation try_compile(const CompileInputs& inputs);
// Logs what it is warned of. Errors: bad_request, all problems, one a line.
Result<std::shared_ptr<const Snapshot>> compile_snapshot(const CompileInputs& inputs);

// The environment of this process.
std::map<std::string, std::string> process_environment();

}  // namespace weir
