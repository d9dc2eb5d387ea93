// Requests of the IR in Anthropic's dialect.
#pragma once

#include <string_view>
#include <vector>

#include "codec/schema_downlevel.h"
#include "llm/codec.h"

namespace weir {

inline constexpr std::string_view kAnthropicVersionField = "anthropic_version";
inline constexpr std::string_view kVertexAnthropicVersion = "vertex-2023-10-16";

// Where the model, the version and the betas are said. Clouds that serve Anthropic's models put the model
// (and some the way of the answer) into the path, and the version into the body.
struct AnthropicFraming {
  std::string_view body_version{};  // empty: the version is a header
  bool has_model = true;            // the body says `model`
  bool has_stream = true;           // the body says `stream`
  // Not null: the body, not a header, says the betas, and those are the ones that this gives.
  std::vector<std::string_view> (*betas)(const Chat& chat, Fidelity& fidelity) = nullptr;
  // Not null: of the fields that the IR has no place for only those that this says yes to are sent.
  bool (*takes_field)(std::string_view key) = nullptr;
  // Not null: of the tools that the vendor defines only those of the types that this says yes to are sent.
  bool (*takes_tool)(std::string_view type) = nullptr;
};

// Writes the body (and the header anthropic-beta) of POST /v1/messages, or of its count_tokens when
// call.notes.operation says so. Losses go to call.notes.fidelity. Errors: unsupported, bad_request.
Result<void> write_anthropic_request(const Chat& chat, const TargetModel& target, EncodedCall& call,
                                     const AnthropicFraming& framing = {});

// What a schema may hold that the vendor enforces: of an answer's format and of strict tools.
const SchemaRules& anthropic_schema_rules();

}  // namespace weir
