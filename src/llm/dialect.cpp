#include "llm/dialect.h"

namespace weir {
namespace {

constexpr std::array<std::string_view, kDialectCount> kDialectNames = {
    "openai_chat", "openai_responses", "anthropic_messages", "bedrock_converse", "bedrock_invoke", "gemini"};

// In the order of the enum. A chat document goes by bytes or file id only; both dialects of Bedrock, and
// Gemini's but for gs://, take bytes alone (translation.md 4.2).
constexpr std::array<DialectTraits, kDialectCount> kTraits = {{
    {.image_urls = true, .has_choices = true},
    {.image_urls = true, .document_urls = true, .signs_turns = true, .keeps_answers = true},
    {.image_urls = true, .document_urls = true, .signs_turns = true},
    {.signs_turns = true},
    {.signs_turns = true},
    {.has_choices = true, .signs_turns = true, .signs_calls = true, .may_lack_call_ids = true},
}};

// Amazon's dialects carry the signatures of the models behind them, which are the model vendor's own
// (https://platform.claude.com/docs/en/build-with-claude/extended-thinking: values are compatible across
// platforms). OpenAI's chat dialect has none of its own: the field that other servers added to it
// (thinking_blocks) carries that vendor's.
constexpr std::array<int, kDialectCount> kSigners = {0, 1, 0, 0, 0, 2};

}  // namespace

std::string_view to_string(Dialect dialect) {
  return kDialectNames[static_cast<size_t>(dialect)];
}

std::optional<Dialect> dialect_from_string(std::string_view name) {
  for (size_t i = 0; i < kDialectCount; ++i) {
    if (kDialectNames[i] == name) return static_cast<Dialect>(i);
  }
  return std::nullopt;
}

const DialectTraits& traits(Dialect dialect) {
  return kTraits[static_cast<size_t>(dialect)];
}

bool shares_signatures(Dialect a, Dialect b) {
  return kSigners[static_cast<size_t>(a)] == kSigners[static_cast<size_t>(b)];
}

std::string_view to_string(Operation operation) {
  constexpr std::array<std::string_view, 6> kNames = {"chat",   "text_completion", "embeddings",
                                                      "rerank", "count_tokens",    "opaque"};
  return kNames[static_cast<size_t>(operation)];
}

}  // namespace weir
