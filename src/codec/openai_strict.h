// JSON schemas as OpenAI's dialects take them: strict ones in the form that strictness demands.
#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "codec/schema_downlevel.h"
#include "llm/codec.h"

namespace weir {

struct OpenAiSchema {
  std::string text;
  std::optional<bool> strict;  // what to say of it
};

// A strict schema is brought into the form that strictness demands. Where a property may be left out, or a
// $ref leads nowhere, it cannot be: strictness goes, and the schema stays. Reported below `pointer`.
OpenAiSchema openai_arguments_schema(std::string_view schema, std::optional<bool> strict,
                                     const std::string& pointer, Fidelity& fidelity);
// The same for the answer, which is an object whether it is strict or not: others are wrapped, and unwrapped
// again (answer_schema.h).
OpenAiSchema openai_answer_schema(std::string_view schema, std::optional<bool> strict, CallNotes& notes);

}  // namespace weir
