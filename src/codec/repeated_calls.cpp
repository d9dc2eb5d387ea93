#include "codec/repeated_calls.h"

#include <deque>
#include <fmt/core.h>
#include <unordered_map>
#include <unordered_set>

namespace weir {
namespace {

bool repeats_calls(const Chat& chat) {
  std::unordered_set<std::string_view> ids;
  for (const Message& message : chat.messages) {
    for (const Block& block : message.content) {
      const auto* call = std::get_if<ToolCallBlock>(&block.body);
      if (call && !call->id.empty() && !ids.insert(call->id).second) return true;
    }
  }
  return false;
}

// Renames the calls in their order, and with each its result.
class Renamer {
 public:
  explicit Renamer(Arena& arena) : arena_(arena) {}

  void rename(Message& message) {
    const bool is_assistant = message.role == Role::assistant;
    // A result answers a call of the turn before it.
    if (is_assistant && !was_assistant_) open_.clear();
    was_assistant_ = is_assistant;
    for (Block& block : message.content) {
      if (auto* call = std::get_if<ToolCallBlock>(&block.body)) {
        const std::string_view id = call->id;
        call->id = distinct(id);
        open_[id].push_back(call->id);
      } else if (auto* result = std::get_if<ToolResultBlock>(&block.body)) {
        const auto found = open_.find(result->call_id);
        if (found == open_.end() || found->second.empty()) continue;
        result->call_id = found->second.front();
        found->second.pop_front();
      }
    }
  }

 private:
  std::string_view distinct(std::string_view id) {
    if (id.empty() || taken_.insert(id).second) return id;
    size_t& count = counts_.try_emplace(id, 1).first->second;
    for (;;) {
      const std::string made = fmt::format("{}_{}", id, ++count);
      if (taken_.contains(made)) continue;
      const std::string_view kept = arena_.copy(made);
      taken_.insert(kept);
      return kept;
    }
  }

  Arena& arena_;
  std::unordered_set<std::string_view> taken_;
  std::unordered_map<std::string_view, size_t> counts_;  // how often each id has come
  // The calls of the last turn that wait for their results, by the ids that they had.
  std::unordered_map<std::string_view, std::deque<std::string_view>> open_;
  bool was_assistant_ = false;
};

}  // namespace

std::optional<Chat> with_distinct_calls(const Chat& chat) {
  if (!repeats_calls(chat)) return std::nullopt;
  std::optional<Chat> copy = chat;
  copy->arena = chat.arena.fork();
  Renamer renamer(*copy->arena);
  for (Message& message : copy->messages) renamer.rename(message);
  return copy;
}

}  // namespace weir
