// Answer: a stream of events folded into a whole.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "llm/event.h"

namespace weir {

struct AnswerBlock {
  BlockKind kind = BlockKind::text;
  std::string id{};    // of BlockStart
  std::string text{};  // text, thinking or refusal; arguments of a tool call; base64 of media; data of
                       // redacted thinking
  std::string signature{};
  std::string tool_id{};
  std::string tool_name{};
  ToolKind tool_kind = ToolKind::function;
  std::vector<std::string> citations{};  // raw JSON of `dialect`
  std::string raw{};  // kind unknown, and server tool calls: raw JSON of `dialect`; media: the mime type
  Dialect dialect = Dialect::openai_chat;
};

struct AnswerChoice {
  std::vector<AnswerBlock> blocks{};
  std::vector<std::string> logprobs{};  // raw JSON arrays in order
  Finish finish;
};

struct Answer {
  Start start;
  std::vector<AnswerChoice> choices{};  // by their index; at least one for chat answers
  Usage usage;
  std::optional<Payload> payload{};  // non-chat answers
  bool is_complete = false;          // End was seen
};

class AnswerFolder {
 public:
  // REQUIRES events in a legal order; a delta for a block that was never started opens a text block (no event
  // is lost).
  void add(const Event& event);
  const Answer& answer() const { return answer_; }
  Answer take() { return std::move(answer_); }

 private:
  AnswerBlock& block(int choice, int index);
  AnswerChoice& choice(int index);

  Answer answer_;
};

}  // namespace weir
