// The rows of the two tables, read from YAML. Internal to the catalog.
#pragma once

#include <functional>
#include <string_view>
#include <vector>

#include "provider/catalog.h"
#include "provider/catalog_yaml.h"

namespace weir {

// A row and where it stands, so that a later complaint (a duplicate) can name the line.
template <class Row>
struct RowAt {
  Row row;
  int line = 0;
};

// `file` names it in messages. Errors: bad_request, as Catalog::parse() describes. Duplicates are the
// caller's to find.
Result<std::vector<RowAt<ProviderKind>>> read_provider_rows(std::string_view file, const YamlNode& root);
Result<std::vector<RowAt<ModelRow>>> read_model_rows(std::string_view file, const YamlNode& root);

// A `capabilities:` or `defaults:` map. Its keys are the names of for_each_capability() and `tokenizer`.
Result<Capabilities> parse_capabilities(std::string_view file, const YamlNode& node);

// The value of an enum out of its closed list. Errors name the list.
//   auto auth = TRY(enum_field<AuthScheme>(fields, "auth", kAuthSchemes));   // absent or null: nullopt
template <class Enum, size_t kCount>
Result<std::optional<Enum>> enum_field(const YamlFields& fields, std::string_view key,
                                       const std::array<Enum, kCount>& values) {
  auto text = TRY(fields.optional_text(key));
  if (!text) return std::nullopt;
  std::string known;
  for (Enum value : values) {
    if (to_string(value) == *text) return value;
    known += known.empty() ? "" : ", ";
    known += to_string(value);
  }
  return fail(fields.error(key, "'" + *text + "' is not one of " + known));
}

}  // namespace weir
