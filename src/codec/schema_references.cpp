#include "codec/schema_references.h"

#include <fmt/core.h>
#include <vector>

#include "base/encoding.h"
#include "codec/schema_restore.h"

namespace weir {
namespace {

constexpr size_t kSearchedMax = 200'000;

}  // namespace

JsonValue SchemaReferences::resolve(std::string_view reference) {
  const auto known = resolved_.find(reference);
  if (known != resolved_.end()) return known->second;
  return resolved_[reference] = find(reference);
}

JsonValue SchemaReferences::find(std::string_view reference) {
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

JsonValue SchemaReferences::child_at(JsonValue of, std::string_view segment) {
  const auto [found, is_new] = children_.try_emplace(of.offset());
  Children& children = found->second;
  if (is_new) {
    size_t index = 0;
    for (const JsonValue child : of)
      children.try_emplace(of.is_object() ? pointer_segment(child.key()) : fmt::format("{}", index++), child);
  }
  const auto child = children.find(std::string(segment));
  return child == children.end() ? JsonValue() : child->second;
}

bool SchemaReferences::is_recursive(JsonValue definition) {
  const auto [found, is_new] = recursive_.try_emplace(definition.offset(), false);
  if (is_new) found->second = reaches_itself(definition);
  return found->second;
}

// A list of work, since a chain of references may be as long as the document.
bool SchemaReferences::reaches_itself(JsonValue definition) {
  std::unordered_set<size_t> seen;
  std::vector<JsonValue> open = {definition};
  while (!open.empty()) {
    const JsonValue from = open.back();
    open.pop_back();
    for (const JsonValue child : from) {
      if (++searched_ > kSearchedMax) return true;
      if (!from.is_object() || child.key() != "$ref" || !child.is_string()) {
        open.push_back(child);
        continue;
      }
      const JsonValue target = resolve(child.string_or(""));
      if (!target) continue;
      if (target.offset() == definition.offset()) return true;
      if (seen.insert(target.offset()).second) open.push_back(target);
    }
  }
  return false;
}

}  // namespace weir
