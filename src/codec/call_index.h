// The tool calls of a conversation, found by their ids and names: a history may hold tens of thousands, so
// none is looked for by going through all of them.
#pragma once

#include <optional>
#include <string_view>
#include <unordered_map>
#include <vector>

#include "llm/chat.h"

namespace weir {

// All calls of a conversation by their ids; of several with one id the first. Views of a Chat, which must
// outlive it.
class CallIndex {
 public:
  CallIndex() = default;
  explicit CallIndex(const Chat& chat);

  void add(const ToolCallBlock& call) { calls_.try_emplace(call.id, &call); }
  const ToolCallBlock* find(std::string_view id) const;

 private:
  std::unordered_map<std::string_view, const ToolCallBlock*> calls_;
};

// Calls that wait for their results, each of which is answered once, the earlier before the later. The ids
// and names must outlive it.
class OpenCalls {
 public:
  void add(std::string_view id, std::string_view name);
  // The position of the first open call of that id (or name), which is answered from now on.
  std::optional<size_t> answer(std::string_view id) { return take(by_id_, id); }
  std::optional<size_t> answer_by_name(std::string_view name) { return take(by_name_, name); }
  std::string_view id(size_t position) const { return calls_[position].id; }
  size_t size() const { return calls_.size(); }
  // The ids of the calls that are still open.
  std::vector<std::string_view> open() const;

 private:
  struct Call {
    std::string_view id;
    bool is_answered = false;
  };
  struct Queue {
    std::vector<size_t> positions;
    size_t next = 0;
  };
  using Queues = std::unordered_map<std::string_view, Queue>;

  std::optional<size_t> take(Queues& queues, std::string_view key);

  std::vector<Call> calls_;
  Queues by_id_;
  Queues by_name_;
};

}  // namespace weir
