// Who is calling.
#pragma once

#include <string>
#include <string_view>
#include <vector>

namespace weir {

struct Principal {
  std::string tenant = "default";
  std::string key_id;  // of the API key: stable, not secret; empty for the anonymous caller on loopback
  std::string key_name;
  std::vector<std::string> models;  // globs of the model names that may be called; empty: all
  bool is_admin = false;
};

// Whether the principal may use the model of that public name.
bool may_use(const Principal& principal, std::string_view model);

}  // namespace weir
