// Ids of tool calls, where a vendor bounds them or gives none (translation.md 4.3).
#pragma once

#include <string>
#include <string_view>

namespace weir {

// An id that OpenAI's dialects take: at most 64 bytes (its OpenAPI document, FunctionCallOutputItemParam).
// The same long id gives the same short one, so that a call and its result still meet.
std::string short_call_id(std::string_view id);

// The id of a call that the provider gave none: of its place in the answer, and of the answer, since a
// history holds the calls of many.
std::string made_call_id(std::string_view answer_id, int choice, int block);

// The id of a call that the client sends without one: of what it says, and of how many before it in the
// history have said the same. Deterministic, as prompts are cached by their bytes.
std::string said_call_id(std::string_view name, std::string_view arguments, size_t before);

}  // namespace weir
