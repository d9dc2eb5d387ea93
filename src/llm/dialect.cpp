#include "llm/dialect.h"

namespace weir {
namespace {

constexpr std::array<std::string_view, kDialectCount> kDialectNames = {
    "openai_chat", "openai_responses", "anthropic_messages", "bedrock_converse", "bedrock_invoke", "gemini"};

bool serves_anthropic_models(Dialect dialect) {
  return dialect == Dialect::anthropic_messages || dialect == Dialect::bedrock_converse ||
         dialect == Dialect::bedrock_invoke;
}

}  // namespace

bool shares_signatures(Dialect issuer, Dialect target) {
  return issuer == target || (serves_anthropic_models(issuer) && serves_anthropic_models(target));
}

std::string_view to_string(Dialect dialect) {
  return kDialectNames[static_cast<size_t>(dialect)];
}

std::optional<Dialect> dialect_from_string(std::string_view name) {
  for (size_t i = 0; i < kDialectCount; ++i) {
    if (kDialectNames[i] == name) return static_cast<Dialect>(i);
  }
  return std::nullopt;
}

std::string_view to_string(Operation operation) {
  constexpr std::array<std::string_view, 6> kNames = {"chat",   "text_completion", "embeddings",
                                                      "rerank", "count_tokens",    "opaque"};
  return kNames[static_cast<size_t>(operation)];
}

}  // namespace weir
