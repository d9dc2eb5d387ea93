#include "codec/call_index.h"

namespace weir {

CallIndex::CallIndex(const Chat& chat) {
  for (const Message& message : chat.messages) {
    for (const Block& block : message.content) {
      if (const auto* call = std::get_if<ToolCallBlock>(&block.body)) add(*call);
    }
  }
}

const ToolCallBlock* CallIndex::find(std::string_view id) const {
  const auto found = calls_.find(id);
  return found == calls_.end() ? nullptr : found->second;
}

void OpenCalls::add(std::string_view id, std::string_view name) {
  by_id_[id].positions.push_back(calls_.size());
  by_name_[name].positions.push_back(calls_.size());
  calls_.push_back({.id = id});
}

std::optional<size_t> OpenCalls::take(Queues& queues, std::string_view key) {
  const auto found = queues.find(key);
  if (found == queues.end()) return std::nullopt;
  Queue& queue = found->second;
  while (queue.next < queue.positions.size()) {
    const size_t position = queue.positions[queue.next++];
    if (calls_[position].is_answered) continue;
    calls_[position].is_answered = true;
    return position;
  }
  return std::nullopt;
}

std::vector<std::string_view> OpenCalls::open() const {
  std::vector<std::string_view> ids;
  for (const Call& call : calls_) {
    if (!call.is_answered) ids.push_back(call.id);
  }
  return ids;
}

}  // namespace weir
