#include "codec/openai_deviations.h"

#include <algorithm>
#include <array>
#include <span>

#include "codec/openai_provider_messages.h"
#include "codec/openai_reasoning.h"

namespace weir {
namespace {

bool is_there(JsonValue value) {
  return !value.is_absent();
}
bool is_false(JsonValue value) {
  return value.is_absent() || !value.bool_or(true);
}

// A member of the body, and the quirk of servers that do not take it so.
struct FieldQuirk {
  bool Quirks::* quirk;
  std::string_view key;
  bool (*is_refused)(JsonValue value);
};
constexpr std::array kFields = {
    FieldQuirk{&Quirks::no_stream_options, "stream_options", &is_there},
    FieldQuirk{&Quirks::no_metadata, "metadata", &is_there},
    FieldQuirk{&Quirks::no_store, "store", [](JsonValue value) { return !is_false(value); }},
    FieldQuirk{&Quirks::no_parallel_tool_calls, "parallel_tool_calls", &is_there},
    FieldQuirk{&Quirks::no_logit_bias, "logit_bias", &is_there},
    FieldQuirk{&Quirks::no_penalties, "frequency_penalty", &is_there},
    FieldQuirk{&Quirks::no_penalties, "presence_penalty", &is_there},
    FieldQuirk{&Quirks::no_user, "user", &is_there},
    FieldQuirk{&Quirks::no_user, "safety_identifier", &is_there},
    FieldQuirk{&Quirks::seed_is_random_seed, "seed", &is_there},
    FieldQuirk{&Quirks::tool_choice_any, "tool_choice",
               [](JsonValue value) { return value.string_or("") == "required"; }},
};

// The same of bodies of embeddings.
constexpr std::array kEmbeddingFields = {
    FieldQuirk{&Quirks::no_user, "user", &is_there},
    FieldQuirk{&Quirks::dimensions_is_output_dimension, "dimensions", &is_there},
};

bool has_refused_field(JsonValue body, const Quirks& quirks, std::span<const FieldQuirk> fields) {
  return std::ranges::any_of(fields, [&](const FieldQuirk& field) {
    return quirks.*field.quirk && field.is_refused(body[field.key]);
  });
}

constexpr bool has_message_quirk(const Quirks& quirks) {
  return quirks.system_role_only || quirks.no_message_name || quirks.tool_call_id_9 ||
         quirks.strict_alternation || quirks.prefill_needs_prefix;
}

constexpr bool has_field_quirk(const Quirks& quirks) {
  bool has = false;
  for (const FieldQuirk& field : kFields) has |= quirks.*field.quirk;
  for (const FieldQuirk& field : kEmbeddingFields) has |= quirks.*field.quirk;
  return has;
}

bool has_other_ids(JsonValue message) {
  if (const JsonValue id = message["tool_call_id"]; id.is_string() && !is_nine_characters(id.string_or("")))
    return true;
  for (const JsonValue call : message["tool_calls"]) {
    if (!is_nine_characters(call["id"].string_or(""))) return true;
  }
  return false;
}

// Reasoning of an earlier answer, as Weir and others tell it to clients, who send it back. Strict servers
// refuse the message for it, and what one vendor has signed is not another one's to see.
bool has_foreign_reasoning(JsonValue messages, const Quirks& quirks) {
  for (const JsonValue message : messages) {
    if (!quirks.thinking_blocks && is_there(message["thinking_blocks"])) return true;
    if (!quirks.reasoning_details && is_there(message[kReasoningDetails])) return true;
    if (!quirks.reasoning_content && is_there(message["reasoning_content"])) return true;
    // Servers that say reasoning_content read the newer name too, or leave it.
    if (!quirks.reasoning_content && !quirks.reasoning_field && is_there(message["reasoning"])) return true;
  }
  return false;
}

bool has_refused_message(JsonValue messages, const Quirks& quirks) {
  std::string_view before;
  JsonValue last;
  for (const JsonValue message : messages) {
    last = message;
    const std::string_view role = message["role"].string_or("");
    if (quirks.system_role_only && role == "developer") return true;
    if (quirks.no_message_name && role != "tool" && is_there(message["name"])) return true;
    if (quirks.tool_call_id_9 && has_other_ids(message)) return true;
    if (quirks.strict_alternation && role == before && (role == "user" || role == "assistant")) return true;
    before = role;
  }
  return quirks.prefill_needs_prefix && before == "assistant" && last["prefix"].is_absent() &&
         last["tool_calls"].is_absent();
}

bool has_strict_tool(JsonValue tools) {
  for (const JsonValue tool : tools) {
    if (is_there(tool["function"]["strict"])) return true;
  }
  return false;
}

}  // namespace

bool must_be_rewritten(JsonValue body, const Quirks& quirks) {
  if (has_foreign_reasoning(body["messages"], quirks)) return true;
  if (!has_field_quirk(quirks) && !has_message_quirk(quirks) && !quirks.no_tool_strict) return false;
  const JsonValue messages = body["messages"];
  if (!messages.is_array()) return body["input"] && has_refused_field(body, quirks, kEmbeddingFields);
  if (has_refused_field(body, quirks, kFields)) return true;
  if (quirks.no_tool_strict && has_strict_tool(body["tools"])) return true;
  return has_message_quirk(quirks) && has_refused_message(messages, quirks);
}

}  // namespace weir
