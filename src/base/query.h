// The query of a URL, taken apart as forms write it (application/x-www-form-urlencoded).
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"

namespace weir {

struct QueryField {
  std::string name;
  std::string value;  // empty as well where there is no '='
};

// "a=1&b=x+y" in its order, names and values decoded; empty parts are left out. Error: bad_request for a %
// without two hexadecimal digits, with the field's name as its path.
Result<std::vector<QueryField>> query_fields(std::string_view query);

// The first value of that name; nullopt for none. Other fields are not decoded. Error: as query_fields().
Result<std::optional<std::string>> query_value(std::string_view query, std::string_view name);

}  // namespace weir
