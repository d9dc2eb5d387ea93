#include "codec/turn_settings.h"

#include <algorithm>
#include <fmt/core.h>
#include <set>

#include "base/text.h"
#include "codec/answer_schema.h"
#include "codec/offered_tools.h"
#include "codec/tool_names.h"

namespace weir {
namespace {

// A name that no tool of the caller's has.
std::string json_tool_name(const Chat& chat) {
  std::string name = "json_output";
  const auto is_taken = [&](const Tool& tool) { return tool.name == name; };
  while (std::any_of(chat.tools.begin(), chat.tools.end(), is_taken)) name += '_';
  return name;
}

}  // namespace

FormatWay choose_format_way(const Chat& chat, const Capabilities& capabilities, const FormatRules& rules,
                            CallNotes& notes) {
  if (chat.format.kind == FormatKind::text) return FormatWay::none;
  FormatWay way = FormatWay::instruct;
  if (chat.format.kind == FormatKind::json_schema) {
    const JsonSchemaSupport support = capabilities.json_schema.value_or(rules.usual);
    const bool is_native = support == JsonSchemaSupport::native && rules.has_native;
    if (!chat.format.name.empty() && !(is_native && rules.has_name))
      notes.fidelity.add(Severity::info, LossReason::dropped, "/response_format/name");
    if (is_native) return FormatWay::native;
    // Thinking forbids forced tools; so does a choice of the caller's own that names one.
    const bool is_named = chat.tool_choice && chat.tool_choice->mode == ToolChoiceMode::named;
    if (support != JsonSchemaSupport::none && rules.forces_tools && !is_named) way = FormatWay::tool;
  }
  if (way == FormatWay::tool) notes.json_tool = json_tool_name(chat);
  notes.fidelity.add(Severity::info, LossReason::emulated, "/response_format",
                     chat.format.kind == FormatKind::json_schema ? "json_schema" : "json_object",
                     way == FormatWay::tool ? "forced tool" : "instruction");
  return way;
}

std::string format_instruction(const ResponseFormat& format) {
  std::string text = "Answer with one JSON object and nothing else: no explanation, no code fence.";
  if (format.schema) {
    text += " It must be valid against this JSON schema:\n";
    text += format.schema.text;
  }
  return text;
}

std::string_view format_schema(const ResponseFormat& format) {
  return format.schema ? format.schema.text : std::string_view(R"({"type":"object"})");
}

std::string json_tool_schema(const ResponseFormat& format, CallNotes& notes) {
  return object_schema(answer_schema(format_schema(format), kObjectRootRules, notes));
}

std::string_view json_tool_description(const ResponseFormat& format) {
  return format.description.empty() ? "Gives the answer. Call it once, with the whole answer."
                                    : format.description;
}

ToolChoice choice_with_json_tool(const Chat& chat, std::string_view json_tool) {
  ToolChoice choice = chat.tool_choice.value_or(ToolChoice{});
  if (json_tool.empty()) return choice;
  const bool may_call = !chat.tools.empty() && choice.mode != ToolChoiceMode::none;
  choice.mode = may_call ? ToolChoiceMode::required : ToolChoiceMode::named;
  choice.name = json_tool;
  return choice;
}

std::vector<std::string> called_tool_names(const Conversation& conversation, size_t name_length_max) {
  std::set<std::string> seen;
  std::vector<std::string> names;
  for (const Turn& turn : conversation.turns) {
    for (const Block* block : turn.blocks) {
      const auto* call = std::get_if<ToolCallBlock>(&block->body);
      if (!call) continue;
      std::string name = legal_tool_name(call->name, name_length_max);
      if (seen.insert(name).second) names.push_back(std::move(name));
    }
  }
  return names;
}

int64_t fit_max_tokens(const Chat& chat, const Capabilities& capabilities, AnthropicThinking& thinking,
                       Fidelity& fidelity) {
  constexpr int64_t kDefault = 4096;
  const int64_t wanted = chat.max_tokens.value_or(capabilities.output_max.value_or(kDefault));
  int64_t tokens = wanted;
  if (capabilities.output_max) tokens = std::min(tokens, *capabilities.output_max);
  tokens = thinking.fit(tokens, capabilities.output_max);
  if (thinking.was_dropped) {
    fidelity.add(Severity::warning, LossReason::dropped, "/thinking",
                 "a budget that does not fit max_tokens");
  }
  if (tokens != wanted) {
    fidelity.add(Severity::info, LossReason::clamped, "/max_tokens", fmt::format("{}", wanted),
                 fmt::format("{}", tokens));
  }
  return tokens;
}

double clamp_temperature(double wanted, const TemperatureRange& range, Fidelity& fidelity) {
  const double sent = std::clamp(wanted, range.min, range.max);
  if (sent != wanted) {
    fidelity.add(Severity::warning, LossReason::clamped, "/temperature", fmt::format("{}", wanted),
                 fmt::format("{}", sent));
  }
  return sent;
}

std::optional<double> fit_temperature(const Chat& chat, const Capabilities& capabilities, bool is_fixed,
                                      Fidelity& fidelity) {
  if (!chat.temperature) return std::nullopt;
  const double wanted = *chat.temperature;
  if (is_fixed) {
    if (wanted != 1)
      fidelity.add(Severity::warning, LossReason::dropped, "/temperature", fmt::format("{}", wanted));
    return std::nullopt;
  }
  const TemperatureRange range = capabilities.temperature.value_or(TemperatureRange{.min = 0, .max = 1});
  return clamp_temperature(wanted, range, fidelity);
}

std::optional<double> fit_top_p(const Chat& chat, const Capabilities& capabilities, bool thinks,
                                bool has_temperature, Fidelity& fidelity) {
  constexpr double kTopPMinWithThinking = 0.95;
  if (!chat.top_p) return std::nullopt;
  const bool is_alone = capabilities.allows_temp_and_top_p != false || !has_temperature;
  const bool fits = capabilities.allows_sampling != false && (!thinks || *chat.top_p >= kTopPMinWithThinking);
  if (is_alone && fits) return chat.top_p;
  if (*chat.top_p != 1)
    fidelity.add(Severity::warning, LossReason::dropped, "/top_p", fmt::format("{}", *chat.top_p));
  return std::nullopt;
}

std::vector<std::string_view> fit_stops(const Chat& chat, const Capabilities& capabilities, bool takes_blank,
                                        CallNotes& notes) {
  std::vector<std::string_view> stops;
  for (const std::string_view stop : chat.stop) {
    if (!stop.empty() && (takes_blank || !trim(stop).empty())) stops.push_back(stop);
  }
  if (stops.size() < chat.stop.size())
    notes.fidelity.add(Severity::warning, LossReason::dropped, "/stop", "white space");
  if (capabilities.stop_max && stops.size() > static_cast<size_t>(*capabilities.stop_max)) {
    notes.fidelity.add(Severity::warning, LossReason::clamped, "/stop", fmt::format("{}", stops.size()),
                       fmt::format("{}", *capabilities.stop_max));
    stops.resize(static_cast<size_t>(*capabilities.stop_max));
  }
  if (stops.empty() || capabilities.allows_stop != false) return stops;
  notes.watch_for(stops);
  return {};
}

}  // namespace weir
