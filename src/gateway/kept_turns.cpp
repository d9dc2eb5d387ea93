#include "gateway/kept_turns.h"

#include <algorithm>
#include <array>
#include <map>

#include "base/json.h"
#include "base/limits.h"

namespace weir {
namespace {

constexpr std::array<std::string_view, 3> kKinds = {"thinking", "redacted", "call"};

bool is_thinking(const BlockBody& body) {
  return std::holds_alternative<ThinkingBlock>(body) || std::holds_alternative<RedactedThinkingBlock>(body);
}

// Thinking that a target of the dialect takes back.
bool is_usable(const BlockBody& body, Dialect dialect) {
  if (const auto* thinking = std::get_if<ThinkingBlock>(&body)) {
    return thinking->issuer && shares_signatures(*thinking->issuer, dialect) &&
           (!thinking->signature.empty() || !thinking->id.empty());
  }
  const auto* redacted = std::get_if<RedactedThinkingBlock>(&body);
  return redacted && redacted->issuer && shares_signatures(*redacted->issuer, dialect);
}

Block block_of(const TurnPart& part, Dialect dialect, Arena& arena) {
  if (part.kind == TurnPart::Kind::redacted) {
    return {.body = RedactedThinkingBlock{.data = arena.copy(part.text), .issuer = dialect},
            .cache = {},
            .pointer = {}};
  }
  return {.body = ThinkingBlock{.text = arena.copy(part.text),
                                .signature = arena.copy(part.signature),
                                .issuer = dialect,
                                .id = arena.copy(part.id)},
          .cache = {},
          .pointer = {}};
}

bool is_callers_call(const Block& block) {
  const auto* call = std::get_if<ToolCallBlock>(&block.body);
  return call && call->kind != ToolKind::server;
}

bool has_made_citations(const Message& message) {
  return std::any_of(message.content.begin(), message.content.end(),
                     [](const Block& block) { return block.has_made_citations; });
}

}  // namespace

std::string to_json(const KeptTurn& turn) {
  std::string out;
  JsonWriter json(out);
  json.begin_object().key("issuer").value(to_string(turn.issuer)).key("parts").begin_array();
  for (const TurnPart& part : turn.parts) {
    json.begin_object().key("kind").value(kKinds[static_cast<size_t>(part.kind)]);
    if (!part.text.empty()) json.key("text").value(part.text);
    if (!part.signature.empty()) json.key("signature").value(part.signature);
    if (!part.id.empty()) json.key("id").value(part.id);
    if (!part.call_id.empty()) json.key("call_id").value(part.call_id);
    json.end_object();
  }
  json.end_array().end_object();
  return out;
}

Result<KeptTurn> turn_from_json(std::string text) {
  const JsonDoc doc = TRY(JsonDoc::parse(std::move(text)));
  KeptTurn turn;
  const auto issuer = dialect_from_string(doc.root()["issuer"].string_or(""));
  if (!issuer) return fail(ErrorKind::internal, "a kept turn has no issuer");
  turn.issuer = *issuer;
  for (const JsonValue value : doc.root()["parts"]) {
    const auto kind = std::find(kKinds.begin(), kKinds.end(), value["kind"].string_or(""));
    if (kind == kKinds.end()) return fail(ErrorKind::internal, "a kept turn has a part of no known kind");
    turn.parts.push_back({.kind = static_cast<TurnPart::Kind>(kind - kKinds.begin()),
                          .text = std::string(value["text"].string_or("")),
                          .signature = std::string(value["signature"].string_or("")),
                          .id = std::string(value["id"].string_or("")),
                          .call_id = std::string(value["call_id"].string_or(""))});
  }
  return turn;
}

TurnFolder::Choice& TurnFolder::choice(int index) {
  const size_t at = static_cast<size_t>(std::max(index, 0));
  if (choices_.size() <= at) choices_.resize(at + 1);
  return choices_[at];
}

// The newest first: deltas are of a block that began lately.
TurnPart* TurnFolder::part_of(Choice& choice, int index) {
  const auto found = std::find_if(choice.blocks.rbegin(), choice.blocks.rend(),
                                  [index](const Open& open) { return open.index == index; });
  return found == choice.blocks.rend() ? nullptr : &found->part;
}

void TurnFolder::add(const Event& event) {
  if (const auto* delta = std::get_if<Delta>(&event)) {
    if (choices_.empty()) return;
    Choice& into = choice(delta->choice);
    TurnPart* part = part_of(into, delta->index);
    if (!part) return;
    if (delta->kind == DeltaKind::signature) {
      into.issuer = delta->dialect;
      part->signature += delta->text;
    } else if (delta->kind == DeltaKind::content && part->kind == TurnPart::Kind::thinking) {
      part->text += delta->text;
    } else {
      return;
    }
    into.bytes += delta->text.size();
    if (into.bytes > kTurnBytesMax) into.blocks.clear();
    return;
  }
  const auto* start = std::get_if<BlockStart>(&event);
  if (!start) return;
  TurnPart part;
  std::string tool;
  if (start->kind == BlockKind::tool_call) {
    if (start->tool_kind == ToolKind::server) return;
    part.kind = TurnPart::Kind::call;
    part.call_id = start->tool_id;
    tool = start->tool_name;
  } else if (start->kind == BlockKind::thinking) {
    part.id = start->id;
  } else if (start->kind == BlockKind::redacted_thinking) {
    part.kind = TurnPart::Kind::redacted;
    part.text = start->data;
  } else {
    return;
  }
  Choice& into = choice(start->choice);
  if (start->kind != BlockKind::tool_call) into.issuer = start->dialect;
  into.bytes += start->data.size();
  if (into.bytes > kTurnBytesMax) return;
  into.blocks.push_back({.part = std::move(part), .tool = std::move(tool), .index = start->index});
}

std::vector<TurnFolder::Kept> TurnFolder::take() {
  std::vector<Kept> kept;
  for (Choice& choice : choices_) {
    Kept one;
    one.turn.issuer = choice.issuer;
    bool is_worth_it = false;
    for (Open& open : choice.blocks) {
      TurnPart& part = open.part;
      if (part.kind == TurnPart::Kind::call) {
        if (one.call_id.empty()) one.call_id = part.call_id;
        one.tools.push_back(std::move(open.tool));
      }
      is_worth_it =
          is_worth_it || part.kind == TurnPart::Kind::redacted || !part.signature.empty() || !part.id.empty();
      one.turn.parts.push_back(std::move(part));
    }
    if (one.call_id.empty() || !is_worth_it) continue;
    // Thinking between calls belongs before the next one; what stands before all calls comes first anyway.
    std::string next_call;
    for (auto part = one.turn.parts.rbegin(); part != one.turn.parts.rend(); ++part) {
      if (part->kind == TurnPart::Kind::call) {
        next_call = part->call_id;
      } else if (next_call != one.call_id) {
        part->call_id = next_call;
      }
    }
    kept.push_back(std::move(one));
  }
  choices_.clear();
  return kept;
}

std::optional<std::string_view> lacks_turn(const Message& message, Dialect dialect) {
  if (message.role != Role::assistant) return std::nullopt;
  std::optional<std::string_view> first_call;
  for (const Block& block : message.content) {
    if (is_usable(block.body, dialect)) return std::nullopt;
    const auto* call = std::get_if<ToolCallBlock>(&block.body);
    if (!call || call->kind == ToolKind::server) continue;
    if (!call->signature.empty()) return std::nullopt;
    if (!first_call && !call->id.empty()) first_call = call->id;
  }
  return first_call;
}

bool has_foreign_turns(const Chat& chat, Dialect dialect, bool model_thinks) {
  if (std::any_of(chat.messages.begin(), chat.messages.end(), &has_made_citations)) return true;
  const auto is_foreign = [&](const Message& message) {
    if (traits(dialect).signs_calls) return model_thinks && lacks_turn(message, dialect).has_value();
    return std::any_of(message.content.begin(), message.content.end(), [](const Block& block) {
      const auto* thinking = std::get_if<ThinkingBlock>(&block.body);
      return thinking && !thinking->issuer;
    });
  };
  return traits(dialect).signs_turns && std::any_of(chat.messages.begin(), chat.messages.end(), is_foreign);
}

void take_call_ids(KeptTurn& turn, const Message& message) {
  std::map<std::string, std::string_view> ids;
  auto block = message.content.begin();
  for (const TurnPart& part : turn.parts) {
    if (part.kind != TurnPart::Kind::call) continue;
    block = std::find_if(block, message.content.end(), &is_callers_call);
    if (block == message.content.end()) break;
    ids.emplace(part.call_id, std::get<ToolCallBlock>((block++)->body).id);
  }
  for (TurnPart& part : turn.parts) {
    if (const auto id = ids.find(part.call_id); id != ids.end()) part.call_id = id->second;
  }
}

void restore_turn(Message& message, const KeptTurn& turn, Dialect dialect, Arena& arena) {
  std::vector<Block> content;
  const auto put_thinking_before = [&](std::string_view call_id) {
    for (const TurnPart& part : turn.parts) {
      if (part.kind != TurnPart::Kind::call && part.call_id == call_id)
        content.push_back(block_of(part, dialect, arena));
    }
  };
  put_thinking_before({});
  for (Block& block : message.content) {
    if (is_thinking(block.body)) continue;
    if (auto* call = std::get_if<ToolCallBlock>(&block.body)) {
      if (!call->id.empty()) put_thinking_before(call->id);
      for (const TurnPart& part : turn.parts) {
        if (part.kind == TurnPart::Kind::call && part.call_id == call->id && !part.signature.empty())
          call->signature = arena.copy(part.signature);
      }
    }
    content.push_back(std::move(block));
  }
  message.content = std::move(content);
}

}  // namespace weir
