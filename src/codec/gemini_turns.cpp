// Arranging a conversation into the turns that Google's dialect wants (translation.md 4.2).
#include <algorithm>
#include <fmt/core.h>
#include <fmt/ranges.h>

#include "base/text.h"
#include "codec/call_index.h"
#include "codec/gemini_request.h"

namespace weir {
namespace {

constexpr Dialect kDialect = Dialect::gemini;

class Arranger {
 public:
  Arranger(const Chat& chat, CallNotes& notes) : chat_(chat), notes_(notes) {}

  Result<GeminiConversation> arrange() {
    bool has_turn = false;
    for (at_ = 0; at_ < chat_.messages.size(); ++at_) {
      const Message& message = chat_.messages[at_];
      if (!message.name.empty()) lose(Severity::warning, LossReason::dropped, "/name", message.name);
      if (message.role == Role::system || message.role == Role::developer) {
        if (has_turn) lose(Severity::warning, LossReason::reordered, "", to_string(message.role), "system");
        add_system(message);
      } else {
        has_turn = true;
        add_message(message);
      }
    }
    add_waiting();
    TRY(settle_results());
    if (into_.turns.empty()) {
      return fail(ErrorKind::bad_request, "messages holds no message with content that this model can read",
                  "messages");
    }
    mark_current();
    return std::move(into_);
  }

 private:
  void lose(Severity severity, LossReason reason, std::string_view rest, std::string_view from,
            std::string to = {}) {
    notes_.fidelity.add(severity, reason, fmt::format("/messages/{}{}", at_, rest), std::string(from),
                        std::move(to));
  }

  void add_system(const Message& message) {
    for (const Block& block : message.content) {
      if (block.cache) drop_cache();
      if (std::holds_alternative<TextBlock>(block.body)) {
        into_.system.push_back(&block);
      } else {
        lose(Severity::warning, LossReason::unsupported_block, "/content",
             "a system message that is not text");
      }
    }
  }

  // The provider caches by itself.
  void drop_cache() {
    if (std::exchange(has_dropped_cache_, true)) return;
    lose(Severity::info, LossReason::cache_dropped, "/content", "cache_control");
  }

  // Results come before what the user says in the same message, in a turn of their own.
  void add_message(const Message& message) {
    const bool is_model = message.role == Role::assistant;
    for (const Block& block : message.content) {
      if (!is_model && std::holds_alternative<ToolResultBlock>(block.body))
        add(GeminiTurnKind::results, block);
    }
    for (const Block& block : message.content) {
      if (block.cache) drop_cache();
      if (!std::holds_alternative<ToolResultBlock>(block.body) && is_carried(block))
        add(is_model ? GeminiTurnKind::model : GeminiTurnKind::user, block);
    }
    // Media of results follows all of them: results themselves are text.
    for (const Block& block : message.content) {
      const auto* result = std::get_if<ToolResultBlock>(&block.body);
      if (!result || is_model) continue;
      for (const Block& inner : result->content) {
        if (inner.cache) drop_cache();
        if (!is_media(inner)) continue;
        lose(Severity::info, LossReason::reordered, "/content", "tool_result", "user turn");
        waiting_.push_back(&inner);
      }
    }
  }

  static bool is_media(const Block& block) {
    return std::holds_alternative<ImageBlock>(block.body) || std::holds_alternative<AudioBlock>(block.body) ||
           std::holds_alternative<VideoBlock>(block.body) ||
           std::holds_alternative<DocumentBlock>(block.body);
  }

  void add(GeminiTurnKind kind, const Block& block) {
    if (kind != GeminiTurnKind::results) add_waiting();
    if (into_.turns.empty() || into_.turns.back().kind != kind)
      into_.turns.push_back({.kind = kind, .blocks = {}, .message = at_});
    into_.turns.back().blocks.push_back(&block);
  }

  void add_waiting() {
    for (const Block* block : std::exchange(waiting_, {})) add(GeminiTurnKind::user, *block);
  }

  bool is_carried(const Block& block) {
    if (const auto* text = std::get_if<TextBlock>(&block.body)) return !text->text.empty();
    if (const auto* thinking = std::get_if<ThinkingBlock>(&block.body)) {
      if (thinking->issuer == kDialect && !thinking->signature.empty()) return true;
      lose(Severity::info,
           thinking->signature.empty() ? LossReason::thinking_dropped : LossReason::signature_dropped,
           "/content", "thinking");
      return false;
    }
    if (std::holds_alternative<RedactedThinkingBlock>(block.body)) {
      lose(Severity::info, LossReason::thinking_dropped, "/content", "redacted_thinking");
      return false;
    }
    if (const auto* unknown = std::get_if<UnknownBlock>(&block.body)) {
      if (unknown->dialect == kDialect) return true;
      lose(Severity::warning, LossReason::unsupported_block, "/content", unknown->type);
      return false;
    }
    return true;
  }

  // The calls of a turn, which are known from now on.
  OpenCalls calls_of(const GeminiTurn& turn) {
    OpenCalls calls;
    for (const Block* block : turn.blocks) {
      const auto* call = std::get_if<ToolCallBlock>(&block->body);
      if (!call) continue;
      calls.add(call->id, call->name);
      known_.add(*call);
    }
    return calls;
  }

  // Results in the order of the calls that they answer, since some servers match them by it alone.
  Result<void> settle_results() {
    std::vector<GeminiTurn> turns;
    OpenCalls calls;  // of the turn before
    for (GeminiTurn& turn : into_.turns) {
      if (turn.kind == GeminiTurnKind::results) {
        TRY(sort_results(turn, calls));
        calls = {};
        if (!turn.blocks.empty()) turns.push_back(std::move(turn));
        continue;
      }
      TRY(refuse_open(calls));
      calls = calls_of(turn);
      // What stood between two turns of one side may be gone.
      if (!turns.empty() && turns.back().kind == turn.kind) {
        turns.back().blocks.insert(turns.back().blocks.end(), turn.blocks.begin(), turn.blocks.end());
      } else {
        turns.push_back(std::move(turn));
      }
    }
    TRY(refuse_open(calls));
    into_.turns = std::move(turns);
    return {};
  }

  Result<void> sort_results(GeminiTurn& turn, OpenCalls& calls) {
    std::vector<const Block*> sorted(calls.size(), nullptr);
    for (const Block* block : turn.blocks) {
      const auto& result = std::get<ToolResultBlock>(block->body);
      if (const std::optional<size_t> at = calls.answer(result.call_id)) {
        sorted[*at] = block;
      } else if (known_.find(result.call_id)) {
        notes_.fidelity.add(Severity::warning, LossReason::dropped, fmt::format("/messages/{}", turn.message),
                            fmt::format("result {}", result.call_id));
      } else {
        return fail(ErrorKind::bad_request,
                    fmt::format("the result {} answers no call: no message before it has a call of that id",
                                result.call_id),
                    fmt::format("messages[{}]", turn.message));
      }
    }
    TRY(refuse_open(calls));
    turn.blocks = std::move(sorted);
    return {};
  }

  static Result<void> refuse_open(const OpenCalls& calls) {
    const std::vector<std::string_view> open = calls.open();
    if (open.empty()) return {};
    return fail(
        ErrorKind::bad_request,
        fmt::format("the tool calls {} have no result: each call must be answered by a tool message right "
                    "after it",
                    fmt::join(open, ", ")),
        "messages");
  }

  // The vendor checks signatures of calls since the user's last words.
  void mark_current() {
    for (auto turn = into_.turns.rbegin(); turn != into_.turns.rend(); ++turn) {
      if (turn->kind == GeminiTurnKind::user) return;
      turn->is_current = true;
    }
  }

  const Chat& chat_;
  CallNotes& notes_;
  GeminiConversation into_;
  CallIndex known_;  // the calls so far
  size_t at_ = 0;
  std::vector<const Block*> waiting_;  // media of results that came last
  bool has_dropped_cache_ = false;
};

}  // namespace

Result<GeminiConversation> arrange_gemini_turns(const Chat& chat, CallNotes& notes) {
  return Arranger(chat, notes).arrange();
}

}  // namespace weir
