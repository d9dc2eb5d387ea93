// `weir bench`: measures the throughput and the latency of any HTTP server, with chat requests or with
// others.
#pragma once

namespace CLI {
class App;
}

namespace weir {

// Adds the command. Its callback runs it and sets `status`: 0 measured; 1 nothing could be measured, or no
// request was answered well; `status` outlives `app`.
void add_bench_command(CLI::App& app, int& status);

}  // namespace weir
