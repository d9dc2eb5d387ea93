// Under what a kept turn (gateway/kept_turns.h) is found whose calls come back without the ids that they were
// given: what was said before it, and which tools it calls.
#pragma once

#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "base/crypto.h"
#include "llm/chat.h"

namespace weir {

// What each beginning of a conversation says, as a hash. Two are the same only if the model was told the
// same, so that nothing comes to a conversation that was thought in another. Ids of calls and thinking do not
// count: clients leave them out.
class TurnKeys {
 public:
  // One walk over all that is said, of which nothing is held.
  explicit TurnKeys(std::span<const Message> messages);

  // The key of a turn that stands behind the first `messages` messages, and calls the tools in this order.
  // REQUIRES messages <= those given.
  std::string at(size_t messages, std::span<const std::string_view> tools) const;
  // That of the answer to all of them.
  std::string last(std::span<const std::string_view> tools) const { return at(heads_.size() - 1, tools); }

 private:
  std::vector<Sha256Digest> heads_;  // of so many messages
};

// The tools that a message of the assistant calls, but for those that the vendor runs.
std::vector<std::string_view> called_tools(const Message& message);
// Whether the client has sent such a call without its id.
bool lacks_call_ids(const Message& message);

}  // namespace weir
