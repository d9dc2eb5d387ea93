// `weir serve`: puts the parts together and runs them until a signal says stop.
#pragma once

#include <string>

namespace weir {

struct ServeOptions {
  std::string config;  // path; empty: defaults
  std::string listen;  // over the configuration's, where not empty
  std::string admin_listen;
  std::string data_dir;
  std::string ready_file;  // gets {"url":...,"admin_url":...,"pid":...} once requests are served
};

// Returns the exit status: 0 after an orderly stop, 1 when it could not start (what is wrong is on stderr).
int serve_command(const ServeOptions& options);

}  // namespace weir
