#include "llm/event.h"

#include <array>

#include "llm/event_source.h"
#include "llm/request.h"

namespace weir {

std::string_view to_string(StopReason reason) {
  constexpr std::array<std::string_view, 11> kNames = {
      "end",     "stop_sequence", "length",    "context_full", "tool", "pause",
      "refusal", "filter",        "guardrail", "bad_tool",     "other"};
  return kNames[static_cast<size_t>(reason)];
}

std::string_view to_string(Role role) {
  constexpr std::array<std::string_view, 5> kNames = {"system", "developer", "user", "assistant", "tool"};
  return kNames[static_cast<size_t>(role)];
}

bool is_content(const Event& event) {
  if (const auto* delta = std::get_if<Delta>(&event)) return !delta->text.empty();
  if (const auto* block = std::get_if<BlockStart>(&event)) {
    switch (block->kind) {
      case BlockKind::tool_call:
        return !block->tool_name.empty() || !block->data.empty();
      case BlockKind::redacted_thinking:
      case BlockKind::unknown:
        return !block->data.empty();
      default:
        return false;
    }
  }
  return !std::holds_alternative<Start>(event) && !std::holds_alternative<BlockEnd>(event) &&
         !std::holds_alternative<Ping>(event) && !std::holds_alternative<UsageReport>(event);
}

Task<void> EventSource::wait(Scope& scope) {
  return scope.check();
}

// Not to be told here: take() tells why there is nothing.
Task<const EventBatch*> EventSource::next(Scope& scope) {
  co_return CO_NEXT(*this, scope);
}

std::string_view model_of(const Request& request) {
  return std::visit(
      [](const auto& body) -> std::string_view {
        if constexpr (requires { body.chat; }) {
          return body.chat.model;
        } else {
          return body.model;
        }
      },
      request);
}

Operation operation_of(const Request& request) {
  if (const auto* chat = std::get_if<Chat>(&request)) {
    return chat->is_text_completion ? Operation::text_completion : Operation::chat;
  }
  if (std::holds_alternative<CountTokens>(request)) return Operation::count_tokens;
  if (std::holds_alternative<Embed>(request)) return Operation::embeddings;
  if (std::holds_alternative<Rerank>(request)) return Operation::rerank;
  return Operation::opaque;
}

std::string_view to_string(OpaqueTask task) {
  constexpr std::array<std::string_view, 7> kNames = {"moderation",     "speech",           "transcription",
                                                      "translation",    "image_generation", "image_edit",
                                                      "image_variation"};
  return kNames[static_cast<size_t>(task)];
}

std::string_view operation_name(const Request& request) {
  if (const auto* opaque = std::get_if<Opaque>(&request)) return to_string(opaque->task);
  return to_string(operation_of(request));
}

const Chat* chat_of(const Request& request) {
  if (const auto* chat = std::get_if<Chat>(&request)) return chat;
  if (const auto* count = std::get_if<CountTokens>(&request)) return &count->chat;
  return nullptr;
}

bool is_streamed(const Request& request) {
  const auto* chat = std::get_if<Chat>(&request);
  return chat && chat->is_streamed;
}

}  // namespace weir
