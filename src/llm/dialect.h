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

// What the wire format of a dialect can say at all, whatever a model behind it could do.
struct DialectTraits {
  bool image_urls = false;         // images by http(s) URL
  bool document_urls = false;      // documents by http(s) URL
  bool has_choices = false;        // several choices in one answer
  bool signs_turns = false;        // a turn of the assistant may carry signatures that its issuer wants back
  bool signs_calls = false;        // the calls carry them, and not the thinking beside
  bool may_lack_call_ids = false;  // a client may send a call back without the id that it was given
  bool keeps_answers = false;      // an answer can be continued and asked for by its id
};
const DialectTraits& traits(Dialect dialect);
// Whether what one of them signed or carries (thinking, calls) may be given to the other: several dialects
// speak to the same vendor's models. To anyone else a foreign signature is a reason to refuse the request
// that brings it back.
bool shares_signatures(Dialect a, Dialect b);

// What is asked of a model. The label `gen_ai.operation.name` of metrics and traces.
enum class Operation : uint8_t { chat, text_completion, embeddings, rerank, count_tokens, opaque };

std::string_view to_string(Dialect dialect);
std::optional<Dialect> dialect_from_string(std::string_view name);
std::string_view to_string(Operation operation);

}  // namespace weir
