// Requests to providers that speak Google's dialect.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "base/json.h"
#include "codec/schema_downlevel.h"
#include "llm/codec.h"

namespace weir {

// The body of a Chat or CountTokens. Errors and losses: see ProviderCodec::encode_request.
Result<void> write_gemini_request(const Chat& chat, const TargetModel& target, EncodedCall& call);

// What a schema may hold: in `parameters` and `responseSchema` (OpenAPI's subset), and in the newer fields
// `parametersJsonSchema` and `responseJsonSchema`.
const SchemaRules& gemini_schema_rules(const Capabilities& capabilities);

// ---- Turns (gemini_turns.cpp)

enum class GeminiTurnKind : uint8_t {
  user,
  model,
  results,  // answers to the calls of the model's turn before, and nothing else
};

struct GeminiTurn {
  GeminiTurnKind kind = GeminiTurnKind::user;
  std::vector<const Block*> blocks{};
  size_t message = 0;       // where it began in the request
  bool is_current = false;  // in the loop of calls that the last words of the user began
};

struct GeminiConversation {
  std::vector<const Block*> system{};
  std::vector<GeminiTurn> turns{};
};

// Errors: bad_request for calls without a result, results of no call, and a request without a turn.
Result<GeminiConversation> arrange_gemini_turns(const Chat& chat, CallNotes& notes);
// Writes the array `contents`, and `{"parts": [...]}` of the system's texts with `instruction` at their end.
Result<void> write_gemini_contents(JsonWriter& json, const GeminiConversation& conversation, const Chat& chat,
                                   const TargetModel& target, CallNotes& notes);
void write_gemini_system(JsonWriter& json, const GeminiConversation& conversation);
// A name that the vendor takes: a letter or '_', then letters, digits and "_.:-", 64 in all.
std::string legal_gemini_tool_name(std::string_view name);

// ---- Thinking (gemini_thinking.cpp)

struct GeminiThinking {
  std::optional<int64_t> budget;  // thinkingBudget; -1: the model decides
  std::string level;              // thinkingLevel; empty: not said
  bool includes_thoughts = false;
  // Tokens that the thoughts may take of maxOutputTokens, as far as anything is known.
  int64_t tokens = 0;
  void write(JsonWriter& json) const;  // the member thinkingConfig, if anything is said
};

GeminiThinking plan_gemini_thinking(const Reasoning& reasoning, const Capabilities& capabilities,
                                    Fidelity& fidelity);

}  // namespace weir
