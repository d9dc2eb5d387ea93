#include "codec/format_words.h"

#include "codec/bedrock_models.h"

namespace weir {
namespace {

// With thinking a call may not demand a tool, by whose arguments the answer would be given.
bool may_force_tool(const Chat& chat, const Capabilities& capabilities) {
  if (capabilities.forced_tool == false) return false;
  if (capabilities.thinking_forced == true) return false;
  const bool can_think =
      capabilities.thinking != ThinkingMode::none && capabilities.thinking != ThinkingMode::effort;
  return !can_think || !chat.reasoning.is_set() || chat.reasoning.is_disabled;
}

// Whether the dialect can ask for any JSON object.
bool has_json_object(Dialect dialect) {
  return dialect == Dialect::openai_chat || dialect == Dialect::openai_responses ||
         dialect == Dialect::gemini;
}

JsonSchemaSupport support_of(Dialect dialect, const Capabilities& capabilities) {
  if (capabilities.json_schema) return *capabilities.json_schema;
  const bool is_bedrock = dialect == Dialect::bedrock_converse || dialect == Dialect::bedrock_invoke;
  if (!is_bedrock) return JsonSchemaSupport::native;
  return capabilities.tools == false ? JsonSchemaSupport::none : JsonSchemaSupport::tool;
}

// Bodies of a model's own that hold text and no more.
bool is_text_body(Dialect dialect, const TargetModel& target) {
  if (dialect != Dialect::bedrock_invoke) return false;
  const ModelFamily family = bedrock_family(target);
  return family != ModelFamily::anthropic && family != ModelFamily::nova;
}

}  // namespace

bool is_format_by_words(const Chat& chat, Dialect dialect, const TargetModel& target) {
  const Capabilities& capabilities = *target.capabilities;
  if (chat.format.kind == FormatKind::text) return false;
  if (chat.format.kind == FormatKind::json_object)
    return !capabilities.json_object.value_or(has_json_object(dialect));
  if (!chat.format.schema) return false;
  if (is_text_body(dialect, target)) return true;
  const JsonSchemaSupport support = support_of(dialect, capabilities);
  return support == JsonSchemaSupport::none ||
         (support == JsonSchemaSupport::tool && !may_force_tool(chat, capabilities));
}

}  // namespace weir
