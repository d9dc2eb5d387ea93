// JSON schemas for targets that understand less of them than the client wrote (translation.md 4.3). A target
// is a row of rules; a schema that fits them passes byte for byte.
#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <string_view>

#include "llm/codec.h"

namespace weir {

enum class SchemaRefs : uint8_t {
  kept,
  kept_unless_recursive,  // a definition that holds itself is written out a few levels deep
  inlined,                // definitions are written out where they are used
};

enum class OpenObjects : uint8_t {
  kept,
  closed,   // additionalProperties must be there and false
  dropped,  // the keyword is not known
};

struct SchemaRules {
  SchemaRefs refs = SchemaRefs::kept;
  bool ref_stands_alone = false;  // nothing may stand beside a $ref
  OpenObjects open_objects = OpenObjects::kept;
  bool has_any_of_only = false;  // oneOf becomes anyOf, allOf is merged
  bool has_const = true;         // false: an enum of one string, or words in the description
  bool has_null_type = true;     // false: nullable instead
  bool has_string_enums_only = false;
  bool needs_items = false;  // of arrays
  bool omits_empty_properties = false;
  bool wraps_root = false;     // a root that is no object stands under "value" of one
  bool drops_unknown = false;  // keywords that are in no list here
  // Formats that are known; empty: all are.
  std::span<const std::string_view> formats{};
  // Of the keywords that bound a value (pattern, minimum, ...) those that are known, where
  // `describes_bounds`; the others become words of the description.
  bool describes_bounds = false;
  std::span<const std::string_view> bounds{};
  int64_t min_items_max = INT64_MAX;  // a larger minItems is not known
  // Keywords that say nothing about the value and are not known here ($schema, title, ...).
  std::span<const std::string_view> dropped{};
};

enum class SchemaUse : uint8_t { arguments, answer };  // only an answer can be unwrapped

struct DownleveledSchema {
  std::string text;  // what to send
  SchemaRestore restore;
  bool has_optional = false;   // some object has a property that is not required
  bool has_loose_ref = false;  // a $ref that was kept leads nowhere
  bool needs_restore() const { return restore.is_wrapped || !restore.literals.empty(); }
};

// Records each change below `pointer` (schema_downleveled). A text that is no JSON object comes back as it
// is.
DownleveledSchema downlevel_schema(std::string_view schema, const SchemaRules& rules, SchemaUse use,
                                   std::string_view pointer, Fidelity& fidelity);

}  // namespace weir
