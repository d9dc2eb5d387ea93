#include "codec/turns.h"

#include <algorithm>
#include <fmt/core.h>
#include <fmt/ranges.h>
#include <utility>

#include "base/text.h"
#include "codec/call_index.h"
#include "codec/media_source.h"

namespace weir {
namespace {

constexpr size_t kCacheMarkersMax =
    4;  // https://platform.claude.com/docs/en/build-with-claude/prompt-caching

bool is_document(const Block& block) {
  if (const auto* image = std::get_if<ImageBlock>(&block.body)) {
    const std::string_view seen = sniff_media_type(image->media.base64);
    return (seen.empty() ? image->media.mime : seen) == "application/pdf";
  }
  const auto* unknown = std::get_if<UnknownBlock>(&block.body);
  return std::holds_alternative<DocumentBlock>(block.body) || (unknown && unknown->type == "document");
}

std::map<const Block*, int64_t> number_documents(const Chat& chat) {
  std::map<const Block*, int64_t> numbers;
  const auto number = [&numbers](const Block& block) {
    if (is_document(block)) numbers.try_emplace(&block, static_cast<int64_t>(numbers.size()));
  };
  for (const Message& message : chat.messages) {
    for (const Block& block : message.content) {
      number(block);
      const auto* result = std::get_if<ToolResultBlock>(&block.body);
      if (!result) continue;
      for (const Block& inner : result->content) number(inner);
    }
  }
  return numbers;
}

class Arranger {
 public:
  Arranger(const Chat& chat, const TurnRules& rules, CallNotes& notes)
      : chat_(chat), rules_(rules), notes_(notes) {}

  Result<Conversation> arrange() {
    bool has_turn = false;
    for (at_ = 0; at_ < chat_.messages.size(); ++at_) {
      const Message& message = chat_.messages[at_];
      if (!message.name.empty()) lose(Severity::warning, LossReason::dropped, "/name", message.name);
      if (message.role == Role::system || message.role == Role::developer) {
        if (has_turn) lose(Severity::warning, LossReason::reordered, "", to_string(message.role), "system");
        add_system(message);
      } else {
        has_turn = true;
        add_turn(message);
      }
    }
    if (!waiting_.empty())
      notes_.fidelity.add(Severity::warning, LossReason::dropped, "/messages", "media of the last message");
    for (size_t i = 0; i < into_.turns.size(); ++i) TRY(settle_results(i));
    merge_neighbours();
    if (into_.turns.empty()) {
      return fail(ErrorKind::bad_request, "messages holds no message with content that this model can read",
                  "messages");
    }
    if (rules_.needs_user_first && into_.turns.front().role == Role::assistant) {
      return fail(ErrorKind::bad_request,
                  "this model wants the user to begin: put a message of the user first", "messages");
    }
    into_.documents = number_documents(chat_);
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
      if (const auto* text = std::get_if<TextBlock>(&block.body)) {
        if (!trim(text->text).empty()) into_.system.push_back(&block);
      } else if (is_own(block) && rules_.takes_own_in_system) {
        into_.system.push_back(&block);
      } else {
        lose(Severity::warning, LossReason::unsupported_block, "/content",
             "a system message that is not text");
      }
    }
  }

  bool is_own(const Block& block) const {
    const auto* unknown = std::get_if<UnknownBlock>(&block.body);
    return unknown && unknown->dialect == rules_.dialect;
  }

  void add_turn(const Message& message) {
    const Role role = message.role == Role::assistant ? Role::assistant : Role::user;
    // Results of parallel calls belong together anyway.
    if (last_ == message.role && role == message.role)
      lose(Severity::info, LossReason::merged, "", to_string(role));
    last_ = message.role;
    if (into_.turns.empty() || into_.turns.back().role != role)
      into_.turns.push_back({.role = role, .blocks = {}});
    std::vector<const Block*>& blocks = into_.turns.back().blocks;
    if (role == Role::user) {
      const std::vector<const Block*> waiting = std::exchange(waiting_, {});
      blocks.insert(blocks.end(), waiting.begin(), waiting.end());
    }
    for (const Block& block : message.content) {
      if (role == Role::assistant && is_media(block)) {
        waiting_.push_back(&block);
        lose(Severity::info, LossReason::reordered, "/content", "media of the assistant", "user turn");
      } else if (is_carried(block)) {
        blocks.push_back(&block);
      }
    }
    // A turn without content is no turn: its neighbours are of one role then.
    if (into_.turns.back().blocks.empty()) into_.turns.pop_back();
  }

  // What such targets take in the user's turns only.
  static bool is_media(const Block& block) {
    return std::holds_alternative<ImageBlock>(block.body) || std::holds_alternative<AudioBlock>(block.body) ||
           std::holds_alternative<VideoBlock>(block.body) ||
           std::holds_alternative<DocumentBlock>(block.body);
  }

  bool is_readable(const std::optional<Dialect>& issuer) const {
    return rules_.takes_thinking && issuer && shares_signatures(*issuer, rules_.dialect);
  }

  bool is_carried(const Block& block) {
    if (const auto* text = std::get_if<TextBlock>(&block.body)) {
      // The vendor refuses text without a visible character.
      if (!trim(text->text).empty()) return true;
      if (!text->text.empty()) lose(Severity::info, LossReason::dropped, "/content", "white space");
      return false;
    }
    if (const auto* thinking = std::get_if<ThinkingBlock>(&block.body)) {
      if (is_readable(thinking->issuer) && !thinking->signature.empty()) return true;
      lose(Severity::info,
           thinking->signature.empty() ? LossReason::thinking_dropped : LossReason::signature_dropped,
           "/content", "thinking");
      return false;
    }
    if (const auto* redacted = std::get_if<RedactedThinkingBlock>(&block.body)) {
      if (is_readable(redacted->issuer)) return true;
      lose(Severity::info, LossReason::thinking_dropped, "/content", "redacted_thinking");
      return false;
    }
    if (const auto* unknown = std::get_if<UnknownBlock>(&block.body)) {
      if (unknown->dialect == rules_.dialect) return true;
      lose(Severity::warning, LossReason::unsupported_block, "/content", unknown->type);
      return false;
    }
    return true;
  }

  static OpenCalls calls_of(const Turn& turn) {
    OpenCalls calls;
    for (const Block* block : turn.blocks) {
      if (const auto* call = std::get_if<ToolCallBlock>(&block->body)) calls.add(call->id, call->name);
    }
    return calls;
  }

  // The results of a user turn: first, in the order of the calls of the turn before; those that answer no
  // call go.
  Result<void> settle_results(size_t at) {
    Turn& turn = into_.turns[at];
    if (turn.role == Role::assistant)
      return at + 1 < into_.turns.size() ? Result<void>{} : refuse_open(calls_of(turn));
    OpenCalls calls = at > 0 ? calls_of(into_.turns[at - 1]) : OpenCalls{};
    std::vector<const Block*> results(calls.size(), nullptr);
    std::vector<const Block*> rest;
    for (const Block* block : turn.blocks) {
      const auto* result = std::get_if<ToolResultBlock>(&block->body);
      if (!result) {
        rest.push_back(block);
        continue;
      }
      const std::optional<size_t> slot = calls.answer(result->call_id);
      if (!slot) {
        notes_.fidelity.add(Severity::warning, LossReason::dropped, "/messages",
                            fmt::format("a result for {}, which is no open call", result->call_id));
      } else {
        results[*slot] = block;
      }
    }
    TRY(refuse_open(calls));
    turn.blocks = std::move(results);
    turn.blocks.insert(turn.blocks.end(), rest.begin(), rest.end());
    return {};
  }

  // A turn of nothing but stray results is gone, and what stood around it is one turn.
  void merge_neighbours() {
    std::vector<Turn> merged;
    for (Turn& turn : into_.turns) {
      if (turn.blocks.empty()) continue;
      if (merged.empty() || merged.back().role != turn.role) {
        merged.push_back(std::move(turn));
      } else {
        merged.back().blocks.insert(merged.back().blocks.end(), turn.blocks.begin(), turn.blocks.end());
      }
    }
    into_.turns = std::move(merged);
  }

  static Result<void> refuse_open(const OpenCalls& calls) {
    const std::vector<std::string_view> open = calls.open();
    if (open.empty()) return {};
    return fail(ErrorKind::bad_request,
                fmt::format("the tool calls {} have no result: each call must be answered by a tool message "
                            "right after it",
                            fmt::join(open, ", ")),
                "messages");
  }

  const Chat& chat_;
  const TurnRules& rules_;
  CallNotes& notes_;
  Conversation into_;
  std::vector<const Block*> waiting_;  // media of the assistant, for the user's next turn
  std::optional<Role> last_;           // whose the message before is
  size_t at_ = 0;
};

}  // namespace

Result<Conversation> arrange_turns(const Chat& chat, const TurnRules& rules, CallNotes& notes) {
  return Arranger(chat, rules, notes).arrange();
}

void note_document(const Conversation& conversation, const Block& block, CallNotes& notes) {
  const auto found = conversation.documents.find(&block);
  if (found != conversation.documents.end()) notes.documents.push_back(found->second);
}

void settle_documents(CallNotes& notes) {
  int64_t next = 0;
  const bool is_same = std::ranges::all_of(notes.documents, [&](int64_t number) { return number == next++; });
  if (is_same) notes.documents.clear();
}

void report_cache_markers(const Conversation& conversation, Fidelity& fidelity) {
  size_t count = 0;
  for (const Block* block : conversation.system) count += block->cache ? 1 : 0;
  for (const Turn& turn : conversation.turns) {
    for (const Block* block : turn.blocks) count += block->cache ? 1 : 0;
  }
  if (count > 0) fidelity.add(Severity::info, LossReason::cache_dropped, "/messages", "cache_control");
}

const std::optional<CacheMarker>& marker_behind(const Block& block, const ToolResultBlock& result) {
  if (block.cache) return block.cache;
  for (auto inner = result.content.rbegin(); inner != result.content.rend(); ++inner) {
    if (inner->cache) return inner->cache;
  }
  return block.cache;
}

CacheMarkers::CacheMarkers(const Chat& chat, const Conversation& conversation, const TargetModel& target,
                           ResultMarkers results, CallNotes& notes)
    : has_hour_(target.capabilities->cache_ttl_1h != false) {
  std::vector<const std::optional<CacheMarker>*> all;
  std::vector<const std::optional<CacheMarker>*> said;
  const auto gather = [&all](auto& into, const std::optional<CacheMarker>& marker) {
    if (!marker) return;
    all.push_back(&marker);
    into.push_back(&marker);
  };
  std::vector<const std::optional<CacheMarker>*> tools;
  std::vector<const std::optional<CacheMarker>*> system;
  for (const Tool& tool : chat.tools) gather(tools, tool.cache);
  for (const Block* block : conversation.system) gather(system, block->cache);
  for (const Turn& turn : conversation.turns) {
    for (const Block* block : turn.blocks) {
      const auto* result = std::get_if<ToolResultBlock>(&block->body);
      if (result && results == ResultMarkers::behind) {
        gather(said, marker_behind(*block, *result));
        continue;
      }
      if (result) {
        for (const Block& inner : result->content) gather(said, inner.cache);
      }
      gather(said, block->cache);
    }
  }
  if (all.empty()) return;
  const bool takes_markers =
      target.capabilities->cache_control.value_or(CacheControl::markers) == CacheControl::markers;
  if (!takes_markers) {
    notes.fidelity.add(Severity::info, LossReason::cache_dropped, "/messages", "cache_control");
    return;
  }
  const bool wants_hour = std::any_of(
      all.begin(), all.end(), [](const auto* marker) { return (*marker)->ttl == CacheTtl::one_hour; });
  if (wants_hour && !has_hour_)
    notes.fidelity.add(Severity::info, LossReason::clamped, "/messages", "cache ttl 1h", "5m");
  if (all.size() <= kCacheMarkersMax) {
    kept_.insert(all.begin(), all.end());
  } else {
    if (!tools.empty()) kept_.insert(tools.back());
    if (!system.empty()) kept_.insert(system.back());
    const size_t last = std::min(said.size(), kCacheMarkersMax - kept_.size());
    kept_.insert(said.end() - static_cast<std::ptrdiff_t>(last), said.end());
    notes.fidelity.add(Severity::info, LossReason::cache_dropped, "/messages",
                       fmt::format("{} cache markers", all.size()), fmt::format("{}", kept_.size()));
  }
  if (has_hour_) shorten(all, notes);
}

void CacheMarkers::shorten(const std::vector<const std::optional<CacheMarker>*>& all, CallNotes& notes) {
  bool has_short = false;
  for (const std::optional<CacheMarker>* marker : all) {
    if (!kept_.contains(marker)) continue;
    if ((*marker)->ttl == CacheTtl::standard) {
      has_short = true;
    } else if (has_short) {
      shortened_.insert(&**marker);
    }
  }
  if (!shortened_.empty())
    notes.fidelity.add(Severity::info, LossReason::clamped, "/messages", "cache ttl 1h", "5m");
}

}  // namespace weir
