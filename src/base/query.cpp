#include "base/query.h"

#include <utility>

#include "base/encoding.h"
#include "base/text.h"

namespace weir {
namespace {

// Name and value as they are written.
std::pair<std::string_view, std::string_view> halves(std::string_view part) {
  return split_once(part, '=').value_or(std::pair(part, std::string_view()));
}

Result<std::string> decoded(std::string_view text, std::string_view name) {
  Result<std::string> plain = query_decode(text);
  if (plain) return plain;
  Error error = std::move(plain).error();
  error.message = fmt::format("the query parameter {}: {}", name, error.message);
  error.path = name;
  return fail(std::move(error));
}

}  // namespace

Result<std::vector<QueryField>> query_fields(std::string_view query) {
  std::vector<QueryField> fields;
  for (const std::string_view part : split(query, '&')) {
    if (part.empty()) continue;
    const auto [name, value] = halves(part);
    QueryField& field = fields.emplace_back();
    field.name = TRY(decoded(name, name));
    field.value = TRY(decoded(value, name));
  }
  return fields;
}

Result<std::optional<std::string>> query_value(std::string_view query, std::string_view name) {
  for (const std::string_view part : split(query, '&')) {
    const auto [written, value] = halves(part);
    if (part.empty() || written != name) continue;
    return TRY(decoded(value, name));
  }
  return std::nullopt;
}

}  // namespace weir
