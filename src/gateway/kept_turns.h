// KeptTurn: what an answer of a model held that a plain client does not send back: thinking with its
// signatures, and the signatures of tool calls. It is kept under the id of the turn's first tool call, and
// put back into the history when the conversation goes on at a target that wants it (translation.md 4.8).
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"
#include "llm/event.h"

namespace weir {

struct TurnPart {
  enum class Kind : uint8_t { thinking, redacted, call };
  Kind kind = Kind::thinking;
  std::string text{};       // of the thinking; data of a redacted one
  std::string signature{};  // of the thinking, or of the call
  std::string id{};         // the issuer's id of the thinking
  // call: its id. Thinking that came after the turn's first call: the call that follows it; else empty.
  std::string call_id{};
};

struct KeptTurn {
  Dialect issuer = Dialect::openai_chat;
  std::vector<TurnPart> parts{};
};

std::string to_json(const KeptTurn& turn);
// Errors: internal for what to_json has not written.
Result<KeptTurn> turn_from_json(std::string text);

// Gathers the turns of an answer, one for each choice, from its events. Text is not looked at.
class TurnFolder {
 public:
  void add(const Event& event);
  struct Kept {
    std::string call_id;             // of the first call
    std::vector<std::string> tools;  // what the calls call, in their order
    KeptTurn turn;
  };
  // The turns worth keeping: with a call, and with thinking or a signature; none is over kTurnBytesMax.
  std::vector<Kept> take();

 private:
  struct Open {
    TurnPart part;
    std::string tool;  // a call's
    int index = 0;
  };
  struct Choice {
    std::vector<Open> blocks;
    Dialect issuer = Dialect::openai_chat;
    size_t bytes = 0;
  };
  Choice& choice(int index);
  static TurnPart* part_of(Choice& choice, int index);

  std::vector<Choice> choices_;
};

// The first call of a message of the assistant that lacks what a target of `dialect` wants back: thinking
// that it would accept at the start, or signatures of calls. Nothing: no call, or all is there.
std::optional<std::string_view> lacks_turn(const Message& message, Dialect dialect);

// Whether the history of a client of `dialect` holds turns that its vendor would refuse, because another
// made them: thinking without a signature, citations that Weir put into the dialect or, of a model that
// thinks, calls without a signature.
bool has_foreign_turns(const Chat& chat, Dialect dialect, bool model_thinks);

// Gives the turn's calls the ids that the message has for them, one after the other: for a turn that was not
// found by them. REQUIRES a message with as many calls.
void take_call_ids(KeptTurn& turn, const Message& message);

// Puts the turn's thinking before the content, in its places, and the signatures onto the calls. What the
// message itself held of thinking goes: a summary without a signature is not what the issuer wrote.
// Byte-exact; the arena keeps the texts. Signatures are labelled as `dialect`'s. REQUIRES
// shares_signatures(turn.issuer, dialect).
void restore_turn(Message& message, const KeptTurn& turn, Dialect dialect, Arena& arena);

}  // namespace weir
