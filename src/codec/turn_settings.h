// The settings of a chat for the targets that turns.h is for: what they take is the same rule wherever
// Anthropic's models are served, and for Bedrock's others.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "codec/anthropic_thinking.h"
#include "codec/turns.h"
#include "llm/codec.h"

namespace weir {

// How the answer's format is asked for.
enum class FormatWay : uint8_t { none, native, tool, instruct };

struct FormatRules {
  JsonSchemaSupport usual = JsonSchemaSupport::native;  // where the capabilities do not say
  bool has_native = true;                               // the request has a field for a schema
  bool forces_tools = true;                             // this call may demand a tool
  bool has_name = false;                                // that field names the schema
};

// Reports what is done by other means, and gives the forced tool its name (notes.json_tool).
FormatWay choose_format_way(const Chat& chat, const Capabilities& capabilities, const FormatRules& rules,
                            CallNotes& notes);
// What the model is told where nothing enforces the format.
std::string format_instruction(const ResponseFormat& format);
// The schema of the answer; that of any object where none was given.
std::string_view format_schema(const ResponseFormat& format);
// The schema of the forced tool's arguments: an object, which others are wrapped in.
std::string json_tool_schema(const ResponseFormat& format, CallNotes& notes);
// What the forced tool says of itself.
std::string_view json_tool_description(const ResponseFormat& format);
// The choice of the caller, or what the forced tool makes of it: beside tools of the caller's, either one of
// them or the answer.
ToolChoice choice_with_json_tool(const Chat& chat, std::string_view json_tool);

// The names of the tools that the history called, once each, as the target spells them.
std::vector<std::string> called_tool_names(const Conversation& conversation, size_t name_length_max);

// ---- Limits and sampling. What is changed or left out is reported.

// The limit that was asked for, or the model's, with room for the thinking's budget, which may be changed.
int64_t fit_max_tokens(const Chat& chat, const Capabilities& capabilities, AnthropicThinking& thinking,
                       Fidelity& fidelity);
// Brought into the range.
double clamp_temperature(double wanted, const TemperatureRange& range, Fidelity& fidelity);
// `is_fixed`: the model takes no other temperature than 1. With thinking Anthropic's models do not.
std::optional<double> fit_temperature(const Chat& chat, const Capabilities& capabilities, bool is_fixed,
                                      Fidelity& fidelity);
std::optional<double> fit_top_p(const Chat& chat, const Capabilities& capabilities, bool thinks,
                                bool has_temperature, Fidelity& fidelity);
// Where the target takes none, they are left to Weir (notes.stops). `takes_blank`: those of white space too.
std::vector<std::string_view> fit_stops(const Chat& chat, const Capabilities& capabilities, bool takes_blank,
                                        CallNotes& notes);

}  // namespace weir
