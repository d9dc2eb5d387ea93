#include "security/principal.h"

#include <algorithm>

#include "base/text.h"

namespace weir {

const Principal& anonymous_principal() {
  static const Principal kAnonymous;
  return kAnonymous;
}

bool may_use(const Principal& principal, std::string_view model) {
  if (principal.models.empty()) return true;
  return std::ranges::any_of(principal.models,
                             [model](const std::string& glob) { return glob_match(glob, model); });
}

bool is_within(const std::vector<std::string>& regions, std::string_view region) {
  return !region.empty() &&
         std::ranges::any_of(regions, [region](const std::string& glob) { return glob_match(glob, region); });
}

}  // namespace weir
