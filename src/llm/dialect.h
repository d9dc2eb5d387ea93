// The six dialects that clients and providers speak, and the operations that they have in common.
#pragma once

#include <array>
#include <cstdint>
#include <optional>
#include <string_view>

namespace weir {

enum class Dialect : uint8_t {
  openai_chat,  // OpenAI Chat Completions, legacy completions, embeddings, and the many servers that copy
                // them
  openai_responses,    // OpenAI Responses
  anthropic_messages,  // Anthropic Messages
  bedrock_converse,    // Amazon Bedrock Converse
  bedrock_invoke,      // Amazon Bedrock InvokeModel
  gemini,              // Gemini and Vertex generateContent
};
inline constexpr size_t kDialectCount = 6;

// What is asked of a model. The label `gen_ai.operation.name` of metrics and traces.
enum class Operation : uint8_t { chat, text_completion, embeddings, rerank, count_tokens, opaque };

// Whether thinking that was signed through one dialect may go back through the other: Anthropic's models sign
// alike wherever they are served (https://platform.claude.com/docs/en/build-with-claude/extended-thinking).
bool shares_signatures(Dialect issuer, Dialect target);

std::string_view to_string(Dialect dialect);
std::optional<Dialect> dialect_from_string(std::string_view name);
std::string_view to_string(Operation operation);

}  // namespace weir
