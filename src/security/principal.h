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
  // Globs of the regions that its model calls may go to; empty: anywhere.
  std::vector<std::string> regions{};
  bool is_admin = false;
};

// Of callers on this machine where no keys are configured.
const Principal& anonymous_principal();

// Whether the principal may use the model of that public name.
bool may_use(const Principal& principal, std::string_view model);
// Whether one of the globs is of that region. A region that nobody stated is within none.
bool is_within(const std::vector<std::string>& regions, std::string_view region);

}  // namespace weir
