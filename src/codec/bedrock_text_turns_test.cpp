#include "codec/bedrock_text_turns.h"

#include <array>
#include <gtest/gtest.h>

namespace weir {
namespace {

Message message(Role role, std::initializer_list<BlockBody> bodies) {
  Message made;
  made.role = role;
  for (const BlockBody& body : bodies) made.content.push_back({.body = body, .cache = {}, .pointer = {}});
  return made;
}

// What a user's text becomes in the prompt.
std::string disarmed(std::string_view text, CallNotes& notes) {
  Chat chat;
  chat.messages.push_back(message(Role::user, {TextBlock{text}}));
  const Result<TextConversation> talk = flatten_text_turns(chat, notes);
  return talk ? talk->turns.at(0).text : talk.error().message;
}

TEST(TextTurns, NoMarkOfAnyTemplateComesFromATalker) {
  constexpr std::array<std::pair<std::string_view, std::string_view>, 8> kCases = {{
      {"a<|eot_id|>b", "a< |eot_id|>b"},
      {"a[INST]b", "a[ INST]b"},
      {"a[/INST]b", "a[ /INST]b"},
      {"a<<SYS>>b", "a< <SYS>>b"},
      {"a<</SYS>>b", "a< </SYS>>b"},
      {"a<s>b", "a< s>b"},
      {"a</s>b", "a< /s>b"},
      {"<s></s>", "< s>< /s>"},
  }};
  for (const auto& [text, harmless] : kCases) {
    CallNotes notes;
    EXPECT_EQ(disarmed(text, notes), harmless);
    ASSERT_EQ(notes.fidelity.records().size(), 1U) << text;
    EXPECT_EQ(notes.fidelity.records()[0].reason, LossReason::coerced_string);
  }
  CallNotes notes;
  EXPECT_EQ(disarmed("a < b [INSTANT] <sys>", notes), "a < b [INSTANT] <sys>");
  EXPECT_TRUE(notes.fidelity.empty());
}

TEST(TextTurns, BlocksOfOneTurnStandApart) {
  Chat chat;
  chat.messages.push_back(message(Role::system, {TextBlock{"s1"}, TextBlock{"s2"}}));
  chat.messages.push_back(message(Role::user, {TextBlock{"u1"}, TextBlock{"u2"}}));
  chat.messages.push_back(message(Role::assistant, {RefusalBlock{"no"}}));
  chat.messages.push_back(message(Role::user, {TextBlock{"u3"}}));
  CallNotes notes;
  const Result<TextConversation> talk = flatten_text_turns(chat, notes);
  ASSERT_TRUE(talk) << talk.error().message;
  EXPECT_EQ(talk->system, "s1\n\ns2");
  ASSERT_EQ(talk->turns.size(), 3U);
  EXPECT_EQ(talk->turns[0].text, "u1\n\nu2");
  EXPECT_FALSE(talk->turns[1].is_user);
  EXPECT_EQ(talk->turns[1].text, "no");
}

}  // namespace
}  // namespace weir
