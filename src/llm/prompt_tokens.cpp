#include "llm/prompt_tokens.h"

#include "llm/tokens.h"

namespace weir {
namespace {

constexpr int64_t kPerMessage = 3;
constexpr int64_t kAnswerStart = 3;
constexpr int64_t kPerImage = 765;
constexpr int64_t kPerDocument = 1500;  // about a page; the provider renders it

class Counter {
 public:
  explicit Counter(Tokenizer tokenizer) : tokenizer_(tokenizer) {}

  int64_t text(std::string_view words) const { return words.empty() ? 0 : count_tokens(tokenizer_, words); }

  int64_t block(const Block& block) const {
    return std::visit([this](const auto& body) { return of(body); }, block.body);
  }

 private:
  int64_t of(const TextBlock& body) const { return text(body.text); }
  int64_t of(const ImageBlock&) const { return kPerImage; }
  int64_t of(const DocumentBlock& body) const { return body.text.empty() ? kPerDocument : text(body.text); }
  int64_t of(const AudioBlock& body) const { return estimate_tokens_of_bytes(body.media.base64.size() / 64); }
  int64_t of(const VideoBlock& body) const { return estimate_tokens_of_bytes(body.media.base64.size() / 64); }
  int64_t of(const ToolCallBlock& body) const { return text(body.name) + text(body.arguments); }
  int64_t of(const ToolResultBlock& body) const {
    int64_t sum = 0;
    for (const Block& inner : body.content) sum += block(inner);
    return sum;
  }
  int64_t of(const ThinkingBlock& body) const { return text(body.text); }
  int64_t of(const RedactedThinkingBlock& body) const { return estimate_tokens_of_bytes(body.data.size()); }
  int64_t of(const RefusalBlock& body) const { return text(body.text); }
  int64_t of(const UnknownBlock& body) const { return text(body.raw.text); }

  const Tokenizer tokenizer_;
};

}  // namespace

int64_t estimate_prompt_tokens(const Chat& chat, TokenizerKind tokenizer) {
  const Counter counter(tokenizer);
  int64_t sum = kAnswerStart;
  for (const Message& message : chat.messages) {
    sum += kPerMessage;
    for (const Block& block : message.content) sum += counter.block(block);
  }
  for (const Tool& tool : chat.tools) {
    sum += counter.text(tool.name) + counter.text(tool.description) + counter.text(tool.schema.text) +
           counter.text(tool.raw.text);
  }
  if (chat.format.schema) sum += counter.text(chat.format.schema.text);
  return sum;
}

}  // namespace weir
