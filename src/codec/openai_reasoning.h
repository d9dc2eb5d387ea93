// reasoning_details: how some servers of OpenAI's dialect (OpenRouter) hand on what the models behind them
// thought, with what their vendors signed or sealed of it.
// https://openrouter.ai/docs/use-cases/reasoning-tokens
#pragma once

#include <optional>
#include <span>
#include <string>
#include <vector>

#include "base/json.h"
#include "llm/block.h"
#include "llm/event.h"

namespace weir {

inline constexpr std::string_view kReasoningDetails = "reasoning_details";

struct ReasoningDetail {
  std::string text{};
  std::string signature{};
  std::string sealed{};             // thinking that only its vendor can read; then there is no text
  std::optional<Dialect> issuer{};  // whose the signature or the seal is, where Weir knows what to do with it
  std::string_view raw{};           // the element that it began with
};

// One element; a piece of a text, in a stream.
ReasoningDetail reasoning_detail(JsonValue element);
// The list of a message, where pieces of one text become one. Elements of other kinds are left out.
std::vector<ReasoningDetail> read_reasoning_details(JsonValue list);

// The block that a sealed detail becomes in an answer: redacted thinking, where its issuer's clients could
// send it back, else one that no client has a form for. REQUIRES that it is sealed.
BlockStart sealed_reasoning(const ReasoningDetail& detail);

// Signed and redacted thinking of the vendor whose blocks this dialect carries, as the elements of the list.
// REQUIRES ThinkingBlock and RedactedThinkingBlock.
void write_reasoning_details(JsonWriter& json, std::span<const Block* const> blocks);

}  // namespace weir
