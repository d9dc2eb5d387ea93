#include "codec/effort.h"

#include <gtest/gtest.h>

#include "codec/openai.h"

namespace weir {
namespace {

struct Sent {
  std::string body;
  std::string losses;
};

// What a model with the efforts up to high is sent.
Sent sent(const Reasoning& reasoning) {
  Chat chat;
  chat.model = "m";
  chat.messages.push_back({.role = Role::user, .content = {}, .name = {}});
  chat.messages[0].content.push_back({.body = TextBlock{"q"}, .cache = {}, .pointer = {}});
  chat.reasoning = reasoning;
  Capabilities caps;
  caps.thinking = ThinkingMode::effort;
  caps.effort_levels = EffortSet{EffortLevel::low, EffortLevel::medium, EffortLevel::high};
  const auto call = openai_chat_provider().encode_request(chat, {.model = "m", .capabilities = &caps});
  EXPECT_TRUE(call);
  return call ? Sent{call->wire.body, call->notes.fidelity.header_value()} : Sent{};
}

TEST(Effort, TellsWhenChatIsSentAnother) {
  EXPECT_NE(sent({.effort = EffortLevel::max}).body.find(R"("reasoning_effort":"high")"), std::string::npos);
  EXPECT_EQ(sent({.effort = EffortLevel::max}).losses, "clamped;/reasoning_effort;max>high");
  EXPECT_EQ(sent({.effort = EffortLevel::low}).losses, "");
  EXPECT_EQ(sent({.is_disabled = true}).losses, "dropped;/reasoning_effort;disabled>");
}

TEST(Effort, SaysNothingWhereItIsLeftToTheModel) {
  const Sent adaptive = sent({.is_adaptive = true});
  EXPECT_EQ(adaptive.body.find("reasoning_effort"), std::string::npos) << adaptive.body;
  EXPECT_EQ(adaptive.losses, "");
}

}  // namespace
}  // namespace weir
