// Histories that give several calls one id: of providers that count anew in each answer, and of the older
// `functions`, whose calls are known by their names. Most vendors refuse them.
#pragma once

#include <optional>

#include "llm/chat.h"

namespace weir {

// The chat with an id of its own for each call and for its result: the second of an id gets "_2" behind it,
// and so on. The same history gives the same ids, however much follows it, as prompts are cached by their
// bytes. nullopt: no id is repeated. The copy's views may point into `chat`, which must outlive it.
std::optional<Chat> with_distinct_calls(const Chat& chat);

}  // namespace weir
