#include "codec/openai_strict.h"

#include <array>

#include "codec/answer_schema.h"
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
                                   .wraps_root = true,
                                   .formats = kStrictFormats,
                                   .describes_bounds = true,
                                   .bounds = kStrictBounds};

// Whether an object may hold whatever the model likes: closed, as strictness wants it, it would hold nothing.
bool has_free_object(JsonValue schema) {
  const JsonValue others = schema["additionalProperties"];
  const bool is_closed = others.is_bool() && !others.bool_or(true);
  if (schema["type"].string_or("") == "object" && !schema["properties"] && !is_closed) return true;
  if (!schema.is_object() && !schema.is_array()) return false;
  for (const JsonValue each : schema) {
    if (has_free_object(each)) return true;
  }
  return false;
}

// Nothing where the schema cannot be strict, which is reported: then nobody holds the answer to it.
std::optional<DownleveledSchema> strict_schema(std::string_view schema, SchemaUse use,
                                               std::string_view pointer, Fidelity& fidelity) {
  Fidelity changes;
  DownleveledSchema made = downlevel_schema(schema, kStrictRules, use, pointer, changes);
  const Result<JsonDoc> source = JsonDoc::parse(std::string(schema));
  const bool is_free = use == SchemaUse::answer && source && has_free_object(source->root());
  if (made.has_optional || made.has_loose_ref || is_free) {
    fidelity.add(use == SchemaUse::answer ? Severity::warning : Severity::info,
                 LossReason::schema_downleveled, std::string(pointer), "strict", "not strict");
    return std::nullopt;
  }
  fidelity.add(changes);
  return made;
}

}  // namespace

const SchemaRules& openai_strict_rules() {
  return kStrictRules;
}

OpenAiSchema openai_arguments_schema(std::string_view schema, std::optional<bool> strict,
                                     const std::string& pointer, Fidelity& fidelity) {
  if (strict != true) return {.text = std::string(schema), .strict = strict};
  if (std::optional<DownleveledSchema> made = strict_schema(schema, SchemaUse::arguments, pointer, fidelity))
    return {.text = std::move(made->text), .strict = true};
  return {.text = std::string(schema), .strict = false};
}

OpenAiSchema openai_answer_schema(std::string_view schema, std::optional<bool> strict, CallNotes& notes) {
  if (strict == true) {
    if (auto made = strict_schema(schema, SchemaUse::answer, kAnswerSchemaPointer, notes.fidelity)) {
      note_restore(*made, notes);
      return {.text = std::move(made->text), .strict = true};
    }
    strict = false;
  }
  return {.text = answer_schema(schema, kObjectRootRules, notes), .strict = strict};
}

}  // namespace weir
