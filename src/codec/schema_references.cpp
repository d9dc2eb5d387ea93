#include "codec/schema_references.h"

#include <algorithm>
#include <fmt/core.h>

#include "base/encoding.h"
#include "codec/schema_restore.h"

namespace weir {
namespace {

constexpr size_t kSearchedMax = 200'000;

JsonValue child_at(JsonValue of, std::string_view segment) {
  size_t index = 0;
  for (const JsonValue child : of) {
    if (of.is_object() ? pointer_segment(child.key()) == segment : fmt::format("{}", index++) == segment)
      return child;
  }
  return {};
}

}  // namespace

JsonValue SchemaReferences::resolve(std::string_view reference) const {
  if (!reference.starts_with('#')) return {};
  const Result<std::string> decoded = percent_decode(reference.substr(1));
  if (!decoded) return {};
  JsonValue at = root_;
  std::string_view rest = *decoded;
  while (at && rest.starts_with('/')) {
    rest.remove_prefix(1);
    const std::string_view segment = rest.substr(0, rest.find('/'));
    rest.remove_prefix(segment.size());
    at = child_at(at, segment);
  }
  return rest.empty() ? at : JsonValue();
}

bool SchemaReferences::is_recursive(JsonValue definition) {
  const auto [found, is_new] = recursive_.try_emplace(definition.offset(), false);
  if (is_new) {
    std::vector<size_t> seen;
    found->second = reaches(definition, definition.offset(), seen);
  }
  return found->second;
}

bool SchemaReferences::reaches(JsonValue from, size_t offset, std::vector<size_t>& seen) {
  for (const JsonValue child : from) {
    if (++searched_ > kSearchedMax) return true;
    if (!from.is_object() || child.key() != "$ref" || !child.is_string()) {
      if (reaches(child, offset, seen)) return true;
      continue;
    }
    const JsonValue target = resolve(child.string_or(""));
    if (!target || std::find(seen.begin(), seen.end(), target.offset()) != seen.end()) continue;
    if (target.offset() == offset) return true;
    seen.push_back(target.offset());
    if (reaches(target, offset, seen)) return true;
  }
  return false;
}

}  // namespace weir
