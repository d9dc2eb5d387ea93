#include "gateway/turn_keys.h"

#include <gtest/gtest.h>

namespace weir {
namespace {

Message message(Role role, std::vector<BlockBody> bodies) {
  Message made;
  made.role = role;
  for (BlockBody& body : bodies)
    made.content.push_back({.body = std::move(body), .cache = {}, .pointer = {}});
  return made;
}

std::string key(std::vector<Message> messages, std::vector<std::string_view> tools = {"f"}) {
  return TurnKeys(messages).last(tools);
}

TEST(TurnKeys, AreOfAllThatWasSaidBefore) {
  const std::string asked = key({message(Role::user, {TextBlock{"ab"}})});
  EXPECT_EQ(asked, key({message(Role::user, {TextBlock{"ab"}})}));
  EXPECT_NE(asked, key({message(Role::user, {TextBlock{"ac"}})}));
  EXPECT_NE(asked, key({message(Role::system, {TextBlock{"ab"}})}));
  EXPECT_NE(asked, key({message(Role::user, {TextBlock{"a"}, TextBlock{"b"}})}));
  EXPECT_NE(asked, key({message(Role::user, {TextBlock{"a"}}), message(Role::user, {TextBlock{"b"}})}));
  EXPECT_NE(asked, key({message(Role::user, {RefusalBlock{"ab"}})}));
  EXPECT_NE(asked, key({message(Role::system, {TextBlock{"s"}}), message(Role::user, {TextBlock{"ab"}})}));
  EXPECT_NE(key({message(Role::user, {ImageBlock{.media = {.url = "x"}}})}),
            key({message(Role::user, {ImageBlock{.media = {.base64 = "x"}}})}));
}

TEST(TurnKeys, AreOfTheToolsInTheirOrder) {
  EXPECT_NE(key({}, {"f"}), key({}, {"g"}));
  EXPECT_NE(key({}, {"f", "g"}), key({}, {"g", "f"}));
  EXPECT_NE(key({}, {"f", "g"}), key({}, {"fg"}));
}

TEST(TurnKeys, AreNotOfWhatClientsLeaveOut) {
  const auto history = [](std::string_view id, bool thinks) {
    std::vector<BlockBody> turn;
    if (thinks) turn.emplace_back(ThinkingBlock{.text = "hm", .signature = "s"});
    turn.emplace_back(ToolCallBlock{.id = id, .name = "f", .arguments = "{}"});
    ToolResultBlock result{.call_id = id, .content = {}};
    result.content.push_back({.body = TextBlock{"found"}, .cache = {}, .pointer = {}});
    return std::vector<Message>{message(Role::assistant, std::move(turn)), message(Role::user, {result})};
  };
  EXPECT_EQ(key(history("call_1", true)), key(history("other", false)));
}

TEST(TurnKeys, OfAnEarlierTurnAreThoseItWasKeptUnder) {
  const std::vector<Message> whole = {message(Role::user, {TextBlock{"q"}}),
                                      message(Role::assistant, {TextBlock{"a"}}),
                                      message(Role::user, {TextBlock{"r"}})};
  const std::vector<std::string_view> tools = {"f"};
  EXPECT_EQ(TurnKeys(whole).at(1, tools), key({whole[0]}));
  EXPECT_NE(TurnKeys(whole).at(1, tools), TurnKeys(whole).at(2, tools));
}

TEST(TurnKeys, AreForTheCallsOfTheCaller) {
  const Message turn =
      message(Role::assistant,
              {ToolCallBlock{.id = "1", .name = "f", .arguments = {}},
               ToolCallBlock{.id = "2", .name = "web_search", .arguments = {}, .kind = ToolKind::server},
               ToolCallBlock{.id = "3", .name = "g", .arguments = {}}});
  EXPECT_EQ(called_tools(turn), (std::vector<std::string_view>{"f", "g"}));
  EXPECT_FALSE(lacks_call_ids(turn));
  EXPECT_TRUE(lacks_call_ids(message(
      Role::assistant, {ToolCallBlock{.id = "1", .name = "f", .arguments = {}, .has_made_id = true}})));
}

}  // namespace
}  // namespace weir
