#include "codec/answer_losses.h"

#include <algorithm>
#include <array>
#include <optional>

#include "codec/citations.h"

namespace weir {
namespace {

constexpr std::string_view kContent = "answer/content";

// Which blocks a dialect's answers have a form for, beside texts, thoughts and calls of the client's tools.
struct Forms {
  bool images = false;
  bool audio = false;
  // Whose unknown blocks, and calls of tools that the vendor runs, it has as they are.
  std::optional<Dialect> blocks_of{};
  bool text_first = false;  // the text stands before all calls
  bool names_stop = false;  // the stop sequence that matched
  bool copies_citations = false;  // those that it has no form for, as their vendor says them
};
// By the order of the enum. InvokeModel's blocks are those of the model behind it.
constexpr std::array<Forms, kDialectCount> kForms = {{
    {.images = true, .text_first = true, .names_stop = true, .copies_citations = true},
    {.images = true, .blocks_of = Dialect::openai_responses},
    {.blocks_of = Dialect::anthropic_messages, .names_stop = true},
    {.images = true, .blocks_of = Dialect::bedrock_converse, .names_stop = true},
    {.blocks_of = Dialect::anthropic_messages, .names_stop = true},
    {.images = true, .audio = true, .blocks_of = Dialect::gemini},
}};

bool has_form(const BlockStart& started, const Forms& forms) {
  switch (started.kind) {
    case BlockKind::image:
      return forms.images;
    case BlockKind::audio:
      return forms.audio;
    case BlockKind::tool_call:
      if (started.tool_kind != ToolKind::server) return true;
      [[fallthrough]];
    case BlockKind::unknown:
      return forms.blocks_of == started.dialect;
    case BlockKind::text:
    case BlockKind::thinking:
    case BlockKind::redacted_thinking:
    case BlockKind::refusal:
      break;
  }
  return true;
}

std::string_view name_of(const BlockStart& started) {
  switch (started.kind) {
    case BlockKind::image:
      return "image";
    case BlockKind::audio:
      return "audio";
    case BlockKind::tool_call:
      return started.tool_kind == ToolKind::server ? "server_tool_call" : "tool_call";
    case BlockKind::thinking:
    case BlockKind::redacted_thinking:
      return "thinking";
    case BlockKind::text:
    case BlockKind::refusal:
    case BlockKind::unknown:
      break;
  }
  return "server_tool_result";
}

bool is_text(const BlockStart& started) {
  return started.kind == BlockKind::text || started.kind == BlockKind::refusal;
}

}  // namespace

AnswerLosses::AnswerLosses(Dialect client, const Request& request)
    : client_(client), is_text_alone_(operation_of(request) == Operation::text_completion) {}

Fidelity AnswerLosses::of_block(const BlockStart& started) {
  Fidelity losses;
  const Forms& forms = kForms[static_cast<size_t>(client_)];
  if (is_text_alone_ ? !is_text(started) : !has_form(started, forms)) {
    losses.add(Severity::warning, LossReason::unsupported_block, std::string(kContent),
               std::string(name_of(started)));
    return losses;
  }
  if (started.kind == BlockKind::tool_call) called_.push_back(started.choice);
  const bool is_behind_call =
      is_text(started) && std::find(called_.begin(), called_.end(), started.choice) != called_.end();
  if (is_behind_call && forms.text_first)
    losses.add(Severity::info, LossReason::reordered, std::string(kContent), "text", "before_the_calls");
  return losses;
}

Fidelity AnswerLosses::of_finish(const Finish& finish) const {
  Fidelity losses;
  if (!finish.stop_sequence.empty() && !kForms[static_cast<size_t>(client_)].names_stop)
    losses.add(Severity::info, LossReason::dropped, "answer/stop_sequence", finish.stop_sequence);
  return losses;
}

Fidelity AnswerLosses::of(const Event& event) {
  if (const auto* started = std::get_if<BlockStart>(&event)) return of_block(*started);
  if (const auto* finish = std::get_if<Finish>(&event)) return of_finish(*finish);
  const auto* delta = std::get_if<Delta>(&event);
  if (!delta || delta->kind != DeltaKind::citation) return {};
  if (!is_text_alone_) {
    if (kForms[static_cast<size_t>(client_)].copies_citations) return {};
    return cite(client_, delta->dialect, delta->text, {}).losses;
  }
  Fidelity losses;
  losses.add(Severity::warning, LossReason::dropped, std::string(kAnswerCitations), "citation");
  return losses;
}

}  // namespace weir
