// The conversation of the IR in Anthropic's dialect: `system`, `messages` and where cache markers stay.
#pragma once

#include <set>
#include <vector>

#include "base/json.h"
#include "llm/codec.h"

namespace weir {

// The turns as the vendor wants them (translation.md 4.2): neighbours of one role merged, tool results first
// and in the order of their calls, nothing empty. Views of a Chat, which must outlive it.
struct AnthropicTurn {
  Role role = Role::user;  // user or assistant
  std::vector<const Block*> blocks;
};

struct AnthropicConversation {
  std::vector<const Block*> system;
  std::vector<AnthropicTurn> turns;
  bool ends_with_assistant() const { return !turns.empty() && turns.back().role == Role::assistant; }
};

// Losses go to notes.fidelity. Errors: bad_request for a call without its result and for a conversation
// without a message.
Result<AnthropicConversation> arrange_anthropic_turns(const Chat& chat, CallNotes& notes);

// Which cache markers are kept: the vendor takes four; those of tools and system come first, then the last of
// the messages. A marker is known by its address in the Chat.
class AnthropicCacheMarkers {
 public:
  AnthropicCacheMarkers(const Chat& chat, const AnthropicConversation& conversation,
                        const TargetModel& target, CallNotes& notes);
  // Writes the member cache_control, if this marker is there and kept.
  void write(JsonWriter& json, const std::optional<CacheMarker>& marker) const;
  bool drops(const std::optional<CacheMarker>& marker) const { return marker && !kept_.contains(&marker); }

 private:
  std::set<const std::optional<CacheMarker>*> kept_;
  bool has_hour_ = true;
};

class AnthropicMessagesWriter {
 public:
  AnthropicMessagesWriter(JsonWriter& json, const AnthropicCacheMarkers& markers, const TargetModel& target,
                          CallNotes& notes)
      : json_(json), markers_(markers), caps_(*target.capabilities), notes_(notes) {}

  // The array `system`; `instruction` is one more block at its end unless empty. REQUIRES one of both.
  void write_system(const AnthropicConversation& conversation, std::string_view instruction);
  // The array `messages`. Errors: unsupported for what the dialect has no form for.
  Result<void> write_messages(const AnthropicConversation& conversation);

 private:
  Result<void> write_block(const Block& block, bool is_last_of_prefill);
  void write_text(std::string_view text, const Block& block);
  Result<void> write_image(const ImageBlock& image, const Block& block);
  Result<void> write_document(const DocumentBlock& document, const Block& block);
  Result<void> write_result(const ToolResultBlock& result, const Block& block);
  void write_call(const ToolCallBlock& call, const Block& block);
  void begin(std::string_view type) { json_.begin_object().key("type").value(type); }
  void end(const Block& block) {
    markers_.write(json_, block.cache);
    json_.end_object();
  }
  void lose(Severity severity, LossReason reason, std::string from, std::string to = {}) {
    notes_.fidelity.add(severity, reason, "/messages", std::move(from), std::move(to));
  }

  JsonWriter& json_;
  const AnthropicCacheMarkers& markers_;
  const Capabilities& caps_;
  CallNotes& notes_;
};

}  // namespace weir
