// docs/configuration.md, made from the rows.
#pragma once

#include <string>
#include <vector>

namespace weir {

std::string configuration_docs();
// Every key that the configuration knows, as "server.listen" or "routes.retry.attempts_max".
std::vector<std::string> configuration_keys();

}  // namespace weir
