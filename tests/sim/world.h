// A gateway of its own on one core of simulated time: the real data plane, pipeline, codecs, routes, HTTP/1
// server and client, over connections in memory; callers and providers as the plan of the seed says.
#pragma once

#include "sim/plan.h"
#include "sim/record.h"

namespace weir::sim {

// Runs the plan to its end. `traces`: keeps what happened, line by line.
Record run_plan(const Plan& plan, bool traces);

}  // namespace weir::sim
