#include "llm/answer.h"

namespace weir {

AnswerChoice& AnswerFolder::choice(int index) {
  const size_t at = static_cast<size_t>(index < 0 ? 0 : index);
  if (answer_.choices.size() <= at) answer_.choices.resize(at + 1);
  return answer_.choices[at];
}

AnswerBlock& AnswerFolder::block(int choice_index, int index) {
  auto& blocks = choice(choice_index).blocks;
  const size_t at = static_cast<size_t>(index < 0 ? 0 : index);
  if (blocks.size() <= at) blocks.resize(at + 1);
  return blocks[at];
}

void AnswerFolder::add(const Event& event) {
  if (const auto* delta = std::get_if<Delta>(&event)) {
    AnswerBlock& into = block(delta->choice, delta->index);
    switch (delta->kind) {
      case DeltaKind::content:
        into.text += delta->text;
        break;
      case DeltaKind::signature:
        into.signature += delta->text;
        into.dialect = delta->dialect;
        break;
      case DeltaKind::citation:
        into.citations.push_back(delta->text);
        into.dialect = delta->dialect;
        break;
    }
  } else if (const auto* started = std::get_if<BlockStart>(&event)) {
    AnswerBlock& into = block(started->choice, started->index);
    into.kind = started->kind;
    into.id = started->id;
    into.tool_id = started->tool_id;
    into.tool_name = started->tool_name;
    into.tool_kind = started->tool_kind;
    into.dialect = started->dialect;
    if (started->kind == BlockKind::redacted_thinking) {
      into.text = started->data;
    } else {
      into.raw = started->data;
    }
  } else if (const auto* finish = std::get_if<Finish>(&event)) {
    choice(finish->choice).finish = *finish;
  } else if (const auto* usage = std::get_if<UsageReport>(&event)) {
    answer_.usage.set_from(usage->usage);
  } else if (const auto* start = std::get_if<Start>(&event)) {
    answer_.start = *start;
  } else if (const auto* logprobs = std::get_if<Logprobs>(&event)) {
    choice(logprobs->choice).logprobs.push_back(logprobs->raw);
  } else if (const auto* payload = std::get_if<Payload>(&event)) {
    answer_.payload = *payload;
  } else if (std::holds_alternative<End>(event)) {
    answer_.is_complete = true;
  }
}

}  // namespace weir
