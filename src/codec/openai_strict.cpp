#include "codec/openai_strict.h"

#include <array>

#include "codec/openai.h"
namespace weir {
namespace {

// https://platform.openai.com/docs/guides/structured-outputs#supported-schemas
constexpr std::array<std::string_view, 9> kStrictFormats = {"date-time", "time", "date", "duration", "email",
                                                            "hostname",  "ipv4", "ipv6", "uuid"};
constexpr std::array<std::string_view, 8> kStrictBounds = {"pattern",  "multipleOf",       "minimum",
                                                           "maximum",  "exclusiveMinimum", "exclusiveMaximum",
                                                           "minItems", "maxItems"};
constexpr SchemaRules kStrictRules{.open_objects = OpenObjects::closed,
                                   .has_any_of_only = true,
                                   .formats = kStrictFormats,
                                   .describes_bounds = true,
                                   .bounds = kStrictBounds};

}  // namespace

const SchemaRules& openai_strict_rules() {
  return kStrictRules;
}

OpenAiSchema openai_arguments_schema(std::string_view schema, std::optional<bool> strict,
                                     const std::string& pointer, Fidelity& fidelity) {
  if (strict != true) return {.text = std::string(schema), .strict = strict};
  Fidelity changes;
  DownleveledSchema made = downlevel_schema(schema, kStrictRules, SchemaUse::arguments, pointer, changes);
  if (made.has_optional || made.has_loose_ref) {
    fidelity.add(Severity::info, LossReason::schema_downleveled, pointer, "strict", "not strict");
    return {.text = std::string(schema), .strict = false};
  }
  fidelity.add(changes);
  return {.text = std::move(made.text), .strict = true};
}

}  // namespace weir
