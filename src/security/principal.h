// Who is calling.
#pragma once

#include <string>
#include <vector>

namespace weir {

struct Principal {
  std::string tenant = "default";
  std::string key_id;  // of the API key: stable, not secret; empty for the anonymous caller on loopback
  std::string key_name;
  std::vector<std::string> models;  // globs of the model names that may be called; empty: all
  bool is_admin = false;
};

}  // namespace weir
