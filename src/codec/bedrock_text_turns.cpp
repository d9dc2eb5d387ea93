#include "codec/bedrock_text_turns.h"

#include <array>

#include "codec/turns.h"

namespace weir {
namespace {

// What begins a mark of a template, and what it becomes.
struct MarkRow {
  std::string_view mark;
  std::string_view harmless;
};
constexpr std::array<MarkRow, 7> kMarks = {{{"<|", "< |"},
                                            {"[INST]", "[ INST]"},
                                            {"[/INST]", "[ /INST]"},
                                            {"<<SYS>>", "< <SYS>>"},
                                            {"<</SYS>>", "< </SYS>>"},
                                            {"<s>", "< s>"},
                                            {"</s>", "< /s>"}}};

std::string disarm(std::string_view text, CallNotes& notes) {
  std::string out;
  bool is_changed = false;
  for (size_t at = 0; at < text.size();) {
    const std::string_view rest = text.substr(at);
    const MarkRow* found = nullptr;
    for (const MarkRow& row : kMarks) {
      if (rest.starts_with(row.mark)) found = &row;
    }
    if (found) {
      out += found->harmless;
      at += found->mark.size();
      is_changed = true;
    } else {
      out += text[at++];
    }
  }
  if (is_changed)
    notes.fidelity.add(Severity::info, LossReason::coerced_string, "/messages",
                       "a mark of the prompt's form");
  return out;
}

Result<std::string_view> text_of(const Block& block) {
  if (const auto* text = std::get_if<TextBlock>(&block.body)) return text->text;
  if (const auto* refusal = std::get_if<RefusalBlock>(&block.body)) return refusal->text;
  return fail(ErrorKind::unsupported,
              "InvokeModel of this model takes text only; a target of the dialect bedrock_converse takes "
              "images, documents and tools where the model does",
              "messages");
}

}  // namespace

Result<TextConversation> flatten_text_turns(const Chat& chat, CallNotes& notes) {
  const TurnRules rules{.dialect = Dialect::bedrock_invoke, .takes_thinking = false};
  const Conversation conversation = TRY(arrange_turns(chat, rules, notes));
  report_cache_markers(conversation, notes.fidelity);
  TextConversation into;
  for (const Block* block : conversation.system) {
    if (!into.system.empty()) into.system += "\n\n";
    into.system += disarm(TRY(text_of(*block)), notes);
  }
  for (const Turn& turn : conversation.turns) {
    TextTurn& text = into.turns.emplace_back();
    text.is_user = turn.role == Role::user;
    for (const Block* block : turn.blocks) {
      if (!text.text.empty()) text.text += "\n\n";
      text.text += disarm(TRY(text_of(*block)), notes);
    }
  }
  if (conversation.ends_with_assistant()) {
    return fail(ErrorKind::bad_request,
                "this model does not continue a message of the assistant; end with a message of the user",
                "messages");
  }
  return into;
}

}  // namespace weir
