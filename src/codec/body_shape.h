// What the client half of a dialect reads of a body, as tables: so that nested members which nobody reads
// are reported (translation.md R0.2), as read_fields does for those of the top. Bodies that pass as they are
// are never looked at.
#pragma once

#include <span>
#include <string_view>

#include "llm/chat.h"
#include "llm/fidelity.h"

namespace weir {

struct BodyMember {
  std::string_view key;
  // The shape of the object that is the value or an element of it. nullptr, or giving nullptr: the value is
  // carried whole, or its loss is reported by others.
  const BodyShape* (*inside)(JsonValue object) = nullptr;
  bool is_kept = false;  // targets of the client's own dialect get the value as it came
};

struct BodyShape {
  std::span<const BodyMember> members;
  bool is_open = false;  // members without a row are somebody else's to report
  // Of the root.
  Dialect dialect = Dialect::openai_chat;
  bool is_camel = false;  // keys are camelCase, and may be spelled in snake_case too
};

// For BodyMember::inside, where the shape does not depend on the value.
template <const BodyShape& kShape>
const BodyShape* shape_of(JsonValue) {
  return &kShape;
}

// Adds a record for each member of the body, not null, that its shape does not have: the first of them with
// their places, then how many there are more.
void report_unread(const ClientBody& body, Dialect target, Fidelity& fidelity);

extern const BodyShape kOpenAiChatShape;
extern const BodyShape kResponsesShape;
extern const BodyShape kAnthropicShape;
extern const BodyShape kGeminiShape;
extern const BodyShape kConverseShape;

}  // namespace weir
