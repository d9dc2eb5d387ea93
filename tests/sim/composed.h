// Calls that the gateway makes several of: choices for targets that give one, answers that must follow a
// schema, embeddings in batches. What a caller sends, and what the scripted provider answers to a part.
#pragma once

#include <string>
#include <string_view>

#include "sim/answers.h"
#include "sim/plan.h"

namespace weir::sim {

inline constexpr std::string_view kEmbeddingsPath = "/v1/embeddings";
// Inputs of one batch, as the targets of a plan say.
inline constexpr size_t kInputsMax = 2;

// The body of the caller's request, in OpenAI's dialect.
std::string composed_body(const CallerPlan& caller);
// The exchange that a part's id belongs to.
std::string_view exchange_of(std::string_view id);

// What a provider's chat asks for.
Ask ask_of_chat(std::string_view request);

// A good answer of as many vectors as were asked for. Fills the counts of `script`.
AnswerPieces make_embeddings(Rng& rng, Script& script, const Asked& asked, size_t number);

// The texts of an answer by a schema: JSON that follows it, or words.
std::vector<std::string> schema_words(Rng& rng, size_t number);

}  // namespace weir::sim
