#include "codec/answer_losses.h"

#include <algorithm>
#include <array>

#include "codec/answer_forms.h"
#include "codec/citations.h"

namespace weir {
namespace {

constexpr std::string_view kContent = "answer/content";

// What a dialect's answers do with what they hold. By the order of the enum.
struct Form {
  bool text_first = false;        // the text stands before all calls
  bool names_stop = false;        // the stop sequence that matched
  bool says_pause = false;        // that the answer is to be gone on with
  bool says_bad_call = false;     // that the model called a tool in a way that cannot be read
  bool copies_citations = false;  // as their vendor says them, where the dialect has no form
};
constexpr std::array<Form, kDialectCount> kForms = {{
    {.text_first = true, .names_stop = true, .says_bad_call = true, .copies_citations = true},
    {.says_pause = true, .says_bad_call = true},
    {.names_stop = true, .says_pause = true},
    {.names_stop = true, .says_bad_call = true},
    {.names_stop = true, .says_pause = true},
    {.says_bad_call = true},
}};

// The turn store keeps what a vendor hid of its thinking, and its signatures.
bool is_lost(Dialect client, const BlockStart& started) {
  const bool is_kept = started.kind == BlockKind::redacted_thinking || started.kind == BlockKind::thinking;
  return !is_kept && !has_answer_form(client, started);
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
  // The one kind of block of its answers that this dialect's own clients are not told in another form: what a
  // server between has sealed of the thinking.
  if (!is_text_alone_ && started.kind == BlockKind::unknown && started.dialect == Dialect::openai_chat) {
    losses.add(Severity::info, LossReason::thinking_dropped, std::string(kContent), "sealed reasoning");
    return losses;
  }
  if (is_text_alone_ ? !is_text(started) : is_lost(client_, started)) {
    losses.add(Severity::warning, LossReason::unsupported_block, std::string(kContent),
               std::string(name_of(started)));
    return losses;
  }
  if (started.kind == BlockKind::tool_call) called_.push_back(started.choice);
  const bool is_behind_call =
      is_text(started) && std::find(called_.begin(), called_.end(), started.choice) != called_.end();
  if (is_behind_call && kForms[static_cast<size_t>(client_)].text_first)
    losses.add(Severity::info, LossReason::reordered, std::string(kContent), "text", "before_the_calls");
  return losses;
}

Fidelity AnswerLosses::of_finish(const Finish& finish) const {
  Fidelity losses;
  const Form& form = kForms[static_cast<size_t>(client_)];
  if (!finish.stop_sequence.empty() && !form.names_stop)
    losses.add(Severity::info, LossReason::dropped, "answer/stop_sequence", finish.stop_sequence);
  // The client takes it for an ordinary end.
  const bool is_coarse = (finish.reason == StopReason::pause && !form.says_pause) ||
                         (finish.reason == StopReason::bad_tool && !form.says_bad_call);
  if (is_coarse)
    losses.add(Severity::warning, LossReason::dropped, "answer/finish", std::string(to_string(finish.reason)),
               "end");
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
