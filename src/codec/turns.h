// Conversations of the IR for targets that want strict turns: Anthropic's models, wherever they are served,
// and Bedrock's.
#pragma once

#include <map>
#include <set>
#include <vector>

#include "llm/codec.h"

namespace weir {

// The turns as such targets want them (translation.md 4.2): neighbours of one role merged, tool results first
// and in the order of their calls, nothing empty. Views of a Chat, which must outlive it.
struct Turn {
  Role role = Role::user;  // user or assistant
  std::vector<const Block*> blocks;
};

struct Conversation {
  std::vector<const Block*> system;
  std::vector<Turn> turns;
  std::map<const Block*, int64_t> documents;  // all of the chat, with their numbers from 0
  bool ends_with_assistant() const { return !turns.empty() && turns.back().role == Role::assistant; }
};

// What a target's history may hold.
struct TurnRules {
  Dialect dialect = Dialect::anthropic_messages;  // whose own blocks it reads
  bool takes_thinking = true;        // signed through this dialect, or one that shares its signatures
  bool takes_own_in_system = false;  // the dialect's own blocks may stand among the instructions
  bool needs_user_first = false;     // refuses a conversation that the assistant begins
};

// Losses go to notes.fidelity. Errors: bad_request for a call without its result, for a conversation without
// a message, and for one that the wrong side begins.
Result<Conversation> arrange_turns(const Chat& chat, const TurnRules& rules, CallNotes& notes);

// Targets cite documents by their numbers, and not all that a client numbers may reach them: for each block
// that is written, in their order. A PDF that came as an image is a document too.
void note_document(const Conversation& conversation, const Block& block, CallNotes& notes);
// When all are written: nothing is kept where the target counts as the client does.
void settle_documents(CallNotes& notes);

// Reports the cache markers of a conversation whose target takes none.
void report_cache_markers(const Conversation& conversation, Fidelity& fidelity);

// Whether a target knows cache markers within the result of a tool.
enum class ResultMarkers : uint8_t { within, behind };

// The one marker of a result where none may stand within: its own, else the last within. May be absent.
const std::optional<CacheMarker>& marker_behind(const Block& block, const ToolResultBlock& result);

// Which cache markers are kept: four may be sent; those of tools and system come first, then the last of the
// messages. A marker is known by its address in the Chat.
class CacheMarkers {
 public:
  CacheMarkers(const Chat& chat, const Conversation& conversation, const TargetModel& target,
               ResultMarkers results, CallNotes& notes);
  bool keeps(const std::optional<CacheMarker>& marker) const { return marker && kept_.contains(&marker); }
  bool drops(const std::optional<CacheMarker>& marker) const { return marker && !kept_.contains(&marker); }
  // The lifetime to send with a marker that is kept.
  CacheTtl ttl_of(const CacheMarker& marker) const {
    return has_hour_ && !shortened_.contains(&marker) ? marker.ttl : CacheTtl::standard;
  }

 private:
  // `all` in the order of the request.
  void shorten(const std::vector<const std::optional<CacheMarker>*>& all, CallNotes& notes);

  std::set<const std::optional<CacheMarker>*> kept_;
  std::set<const CacheMarker*> shortened_;  // the vendor takes none of an hour behind one of 5 minutes
  bool has_hour_ = true;
};

}  // namespace weir
