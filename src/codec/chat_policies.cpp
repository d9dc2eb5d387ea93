#include "codec/chat_policies.h"

#include <algorithm>
#include <fmt/core.h>
#include <functional>
#include <ranges>
#include <set>

#include "base/text.h"
#include "codec/bedrock_claude_tools.h"
#include "codec/bedrock_models.h"
#include "codec/call_index.h"
#include "codec/callers_words.h"
#include "codec/offered_tools.h"

namespace weir {
namespace {

constexpr std::string_view kNotCompleted = "tool call was not completed";
constexpr std::string_view kPad = ".";

bool is_instruction(const Message& message) {
  return message.role == Role::system || message.role == Role::developer;
}

// Calls of one turn of the assistant that no message behind it answers.
struct Gap {
  size_t asked_at = 0;       // the turn's last message
  size_t answered_from = 0;  // the first message behind it; the number of messages: there is none
  std::vector<const ToolCallBlock*> calls;
};

// One walk over the turns of the assistant and what comes behind each.
std::vector<Gap> find_gaps(const Chat& chat) {
  const std::vector<Message>& messages = chat.messages;
  std::vector<Gap> gaps;
  for (size_t at = 0; at < messages.size();) {
    Gap gap;
    OpenCalls open;
    std::vector<const ToolCallBlock*> calls;
    for (; at < messages.size() && (messages[at].role == Role::assistant || is_instruction(messages[at]));
         ++at) {
      if (messages[at].role != Role::assistant) continue;
      gap.asked_at = at;
      for (const Block& block : messages[at].content) {
        const auto* call = std::get_if<ToolCallBlock>(&block.body);
        if (!call || call->kind == ToolKind::server) continue;
        open.add(call->id, call->name);
        calls.push_back(call);
      }
    }
    gap.answered_from = at;
    std::set<size_t> answered;
    for (; at < messages.size() && messages[at].role != Role::assistant; ++at) {
      for (const Block& block : messages[at].content) {
        const auto* result = std::get_if<ToolResultBlock>(&block.body);
        if (!result) continue;
        if (const auto slot = open.answer(result->call_id)) answered.insert(*slot);
      }
    }
    for (size_t i = 0; i < calls.size(); ++i) {
      if (!answered.contains(i)) gap.calls.push_back(calls[i]);
    }
    if (!gap.calls.empty()) gaps.push_back(std::move(gap));
  }
  return gaps;
}

Block text_block(std::string_view text, std::string_view pointer = {}) {
  return {.body = TextBlock{text}, .cache = {}, .pointer = pointer};
}

Block failed_result(const ToolCallBlock& call, std::string_view pointer = {}) {
  ToolResultBlock result{.call_id = call.id, .tool_name = call.name, .is_error = true, .content = {}};
  result.content.push_back(text_block(kNotCompleted));
  return {.body = std::move(result), .cache = {}, .pointer = pointer};
}

// Whether a marker behind the block reaches every target that takes markers.
bool can_be_marked(const Block& block) {
  if (const auto* text = std::get_if<TextBlock>(&block.body)) return !block.own && !trim(text->text).empty();
  return std::holds_alternative<ImageBlock>(block.body) ||
         std::holds_alternative<DocumentBlock>(block.body) ||
         std::holds_alternative<ToolResultBlock>(block.body);
}

Block* last_markable(Message& message) {
  for (Block& block : message.content | std::views::reverse) {
    if (can_be_marked(block)) return &block;
  }
  return nullptr;
}

bool is_marked(const Block& block) {
  if (block.cache) return true;
  const auto* result = std::get_if<ToolResultBlock>(&block.body);
  return result && std::ranges::any_of(result->content, is_marked);
}

bool is_foreign(const Tool& tool, Dialect dialect, const TargetModel& target) {
  if (tool.kind != ToolKind::server || tool.dialect == dialect) return false;
  const bool is_bedrock = dialect == Dialect::bedrock_converse || dialect == Dialect::bedrock_invoke;
  return !is_bedrock || !bedrock_takes_tool(tool, dialect, bedrock_family(target));
}

// The tools that are to go. REQUIRES that the target outlives the answer.
std::function<bool(const Tool&)> foreign_tools(const Chat& chat, Dialect dialect, const TargetModel& target) {
  const bool are_alone = has_functions_in_the_way(chat, *target.capabilities);
  return [dialect, &target, are_alone](const Tool& tool) {
    return is_foreign(tool, dialect, target) || (are_alone && tool.kind == ToolKind::server);
  };
}

}  // namespace

// ---- Results

bool lacks_results(const Chat& chat) {
  return !find_gaps(chat).empty();
}

void add_missing_results(Chat& chat, Fidelity& fidelity) {
  const std::vector<Gap> gaps = find_gaps(chat);
  for (const Gap& gap : gaps) {
    for (const ToolCallBlock* call : gap.calls) {
      fidelity.add(Severity::warning, LossReason::synthesised, fmt::format("/messages/{}", gap.asked_at),
                   fmt::format("no result of {}", call->id), std::string(kNotCompleted));
    }
  }
  // Only the last gap can be without a message behind it, so that no place of another moves.
  for (const Gap& gap : gaps) {
    const bool is_made = gap.answered_from == chat.messages.size();
    std::vector<Block> results;
    results.reserve(gap.calls.size());
    for (const ToolCallBlock* call : gap.calls)
      results.push_back(failed_result(*call, is_made ? kMadeByWeir : ""));
    if (is_made) {
      chat.messages.push_back({.role = Role::tool, .content = std::move(results), .name = {}});
    } else {
      std::vector<Block>& content = chat.messages[gap.answered_from].content;
      content.insert(content.begin(), results.begin(), results.end());
    }
  }
}

// ---- The beginning

bool begins_with_assistant(const Chat& chat) {
  const auto first = std::ranges::find_if_not(chat.messages, is_instruction);
  return first != chat.messages.end() && first->role == Role::assistant;
}

bool wants_user_first(Dialect dialect, const Capabilities& capabilities) {
  return (dialect != Dialect::openai_chat && dialect != Dialect::openai_responses) ||
         capabilities.quirks.strict_alternation;
}

void pad_beginning(Chat& chat, Fidelity& fidelity) {
  const auto first = std::ranges::find_if_not(chat.messages, is_instruction);
  fidelity.add(Severity::warning, LossReason::synthesised,
               fmt::format("/messages/{}", first - chat.messages.begin()), "assistant", "a user before it");
  chat.messages.insert(first,
                       Message{.role = Role::user, .content = {text_block(kPad, kMadeByWeir)}, .name = {}});
}

// ---- Names

bool has_user_names(const Chat& chat) {
  return std::ranges::any_of(chat.messages, [](const Message& message) {
    return message.role == Role::user && !message.name.empty();
  });
}

void prefix_user_names(Chat& chat, Fidelity& fidelity) {
  for (size_t at = 0; at < chat.messages.size(); ++at) {
    Message& message = chat.messages[at];
    if (message.role != Role::user || message.name.empty()) continue;
    fidelity.add(Severity::info, LossReason::emulated, fmt::format("/messages/{}/name", at),
                 std::string(message.name), "prefix");
    const auto text = std::ranges::find_if(
        message.content, [](const Block& block) { return std::holds_alternative<TextBlock>(block.body); });
    if (text == message.content.end()) {
      message.content.insert(message.content.begin(),
                             text_block(chat.arena->keep(fmt::format("{}:", message.name))));
    } else {
      std::string_view& words = std::get<TextBlock>(text->body).text;
      words = chat.arena->keep(fmt::format("{}: {}", message.name, words));
      text->own.reset();
    }
    message.name = {};
  }
}

// ---- Cache markers

bool has_cache_markers(const Chat& chat) {
  return std::ranges::any_of(chat.tools, [](const Tool& tool) { return tool.cache.has_value(); }) ||
         std::ranges::any_of(
             chat.messages,
             [](const Message& message) { return std::ranges::any_of(message.content, is_marked); }) ||
         std::ranges::any_of(chat.extras,
                             [](const ExtraField& extra) { return extra.key == "cache_control"; });
}

void mark_prefixes(Chat& chat, Fidelity& fidelity) {
  const auto note = [&fidelity](std::string pointer) {
    fidelity.add(Severity::info, LossReason::synthesised, std::move(pointer), "", "cache marker");
  };
  const auto is_callers = [](const Tool& tool) { return tool.kind == ToolKind::function; };
  if (const auto tool = std::ranges::find_if(chat.tools | std::views::reverse, is_callers);
      tool != chat.tools.rend()) {
    tool->cache.emplace();
    note(fmt::format("/tools/{}", &*tool - chat.tools.data()));
  }
  const size_t first =
      static_cast<size_t>(std::ranges::find_if_not(chat.messages, is_instruction) - chat.messages.begin());
  for (size_t at = first; at-- > 0;) {
    Block* block = last_markable(chat.messages[at]);
    if (!block) continue;
    block->cache.emplace();
    note(fmt::format("/messages/{}", at));
    break;
  }
  size_t turns = 2;
  bool is_in_marked_turn = false;
  for (size_t at = chat.messages.size(); at-- > first && turns > 0;) {
    Message& message = chat.messages[at];
    if (message.role == Role::assistant) is_in_marked_turn = false;
    if (message.role == Role::assistant || is_instruction(message) || is_in_marked_turn) continue;
    Block* block = last_markable(message);
    if (!block) continue;
    block->cache.emplace();
    note(fmt::format("/messages/{}", at));
    is_in_marked_turn = true;
    --turns;
  }
}

// ---- Tools that a vendor runs

bool has_foreign_tools(const Chat& chat, Dialect dialect, const TargetModel& target) {
  return std::ranges::any_of(chat.tools, foreign_tools(chat, dialect, target));
}

void drop_foreign_tools(Chat& chat, Dialect dialect, const TargetModel& target, Fidelity& fidelity) {
  const std::function<bool(const Tool&)> is_gone = foreign_tools(chat, dialect, target);
  std::set<std::string_view> gone;
  for (const Tool& tool : chat.tools) {
    if (!is_gone(tool)) continue;
    gone.insert(tool.name);
    fidelity.add(Severity::warning, LossReason::dropped, fmt::format("/tools/{}", &tool - chat.tools.data()),
                 std::string(tool.type));
  }
  std::erase_if(chat.tools, is_gone);
  if (!chat.tool_choice) return;
  ToolChoice& choice = *chat.tool_choice;
  const bool had_limit = !choice.allowed.empty();
  std::erase_if(choice.allowed, [&gone](std::string_view name) { return gone.contains(name); });
  const bool names_gone = choice.mode == ToolChoiceMode::named && gone.contains(choice.name);
  if (!names_gone && !chat.tools.empty() && !(had_limit && choice.allowed.empty())) return;
  fidelity.add(Severity::warning, LossReason::dropped, "/tool_choice");
  chat.tool_choice.reset();
}

}  // namespace weir
