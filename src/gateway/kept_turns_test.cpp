#include "gateway/kept_turns.h"

#include <gtest/gtest.h>

#include "base/limits.h"

namespace weir {
namespace {

constexpr Dialect kIssuer = Dialect::anthropic_messages;

Event thinking(int index) {
  return BlockStart{.index = index, .kind = BlockKind::thinking, .dialect = kIssuer};
}
Event call(int index, std::string id) {
  return BlockStart{.index = index, .kind = BlockKind::tool_call, .tool_id = std::move(id), .tool_name = "t"};
}
Event content(int index, std::string text) {
  return Delta{.index = index, .text = std::move(text)};
}
Event signature(int index, std::string text) {
  return Delta{.index = index, .kind = DeltaKind::signature, .text = std::move(text), .dialect = kIssuer};
}

std::vector<TurnFolder::Kept> fold(const std::vector<Event>& events) {
  TurnFolder folder;
  for (const Event& event : events) folder.add(event);
  return folder.take();
}

ToolCallBlock called(std::string_view id, ToolKind kind = ToolKind::function,
                     std::string_view signed_as = {}) {
  return {.id = id, .name = "t", .arguments = "{}", .kind = kind, .signature = signed_as};
}

Message assistant(std::vector<BlockBody> bodies) {
  Message message;
  message.role = Role::assistant;
  for (BlockBody& body : bodies)
    message.content.push_back({.body = std::move(body), .cache = {}, .pointer = {}});
  return message;
}

TEST(Turns, WhatAClientDropsComesBackByteExact) {
  const std::string odd = "a \xF0\x9F\x98\x80 \"quoted\"\n\ttab";
  const auto kept = fold({thinking(0), content(0, odd.substr(0, 3)), content(0, odd.substr(3)),
                          signature(0, "sig=="), BlockStart{.index = 1, .kind = BlockKind::text},
                          content(1, "I look"), call(2, "call_1"), content(2, "{}")});
  ASSERT_EQ(kept.size(), 1U);
  EXPECT_EQ(kept[0].call_id, "call_1");
  const KeptTurn turn = turn_from_json(to_json(kept[0].turn)).value();
  Message message = assistant({TextBlock{"I look"}, called("call_1")});
  ASSERT_EQ(lacks_turn(message, kIssuer), "call_1");
  Arena arena;
  restore_turn(message, turn, kIssuer, arena);
  ASSERT_EQ(message.content.size(), 3U);
  const auto& restored = std::get<ThinkingBlock>(message.content[0].body);
  EXPECT_EQ(restored.text, odd);
  EXPECT_EQ(restored.signature, "sig==");
  EXPECT_EQ(restored.issuer, kIssuer);
  EXPECT_EQ(lacks_turn(message, kIssuer), std::nullopt);
}

TEST(Turns, ThinkingBetweenCallsGoesBeforeTheNextOne) {
  const auto kept =
      fold({thinking(0), signature(0, "s0"), call(1, "a"), thinking(2), signature(2, "s2"),
            BlockStart{.index = 3, .kind = BlockKind::redacted_thinking, .data = "red", .dialect = kIssuer},
            call(4, "b")});
  ASSERT_EQ(kept.size(), 1U);
  Message message = assistant({called("a"), called("b")});
  Arena arena;
  restore_turn(message, kept[0].turn, kIssuer, arena);
  ASSERT_EQ(message.content.size(), 5U);
  EXPECT_EQ(std::get<ThinkingBlock>(message.content[0].body).signature, "s0");
  EXPECT_EQ(std::get<ToolCallBlock>(message.content[1].body).id, "a");
  EXPECT_EQ(std::get<ThinkingBlock>(message.content[2].body).signature, "s2");
  EXPECT_EQ(std::get<RedactedThinkingBlock>(message.content[3].body).data, "red");
  EXPECT_EQ(std::get<ToolCallBlock>(message.content[4].body).id, "b");
}

TEST(Turns, AreGivenTheIdsThatTheClientsCallsHave) {
  KeptTurn turn{.issuer = Dialect::anthropic_messages,
                .parts = {{.kind = TurnPart::Kind::call, .call_id = "a"},
                          {.kind = TurnPart::Kind::thinking, .text = "between", .call_id = "b"},
                          {.kind = TurnPart::Kind::call, .call_id = "b"}}};
  Message message{.role = Role::assistant, .content = {}, .name = {}};
  for (const std::string_view id : {"call_1", "call_2"}) {
    message.content.push_back({.body = TextBlock{"t"}, .cache = {}, .pointer = {}});
    message.content.push_back(
        {.body = ToolCallBlock{.id = id, .name = "f", .arguments = {}}, .cache = {}, .pointer = {}});
  }
  take_call_ids(turn, message);
  EXPECT_EQ(turn.parts[0].call_id, "call_1");
  EXPECT_EQ(turn.parts[1].call_id, "call_2");
  EXPECT_EQ(turn.parts[2].call_id, "call_2");
}

TEST(Turns, SignaturesOfCallsGoBackOntoThem) {
  const auto kept = fold({call(0, "a"), signature(0, "thought"), call(1, "b")});
  ASSERT_EQ(kept.size(), 1U);
  Message message = assistant({called("a"), called("b")});
  Arena arena;
  restore_turn(message, kept[0].turn, kIssuer, arena);
  EXPECT_EQ(std::get<ToolCallBlock>(message.content[0].body).signature, "thought");
  EXPECT_EQ(std::get<ToolCallBlock>(message.content[1].body).signature, "");
}

TEST(Turns, ASummaryThatTheIssuerDidNotSignGivesWay) {
  const auto kept = fold({thinking(0), content(0, "all of it"), signature(0, "s"), call(1, "a")});
  Message message = assistant(
      {ThinkingBlock{.text = "a summary", .issuer = Dialect::openai_responses, .id = "rs_1"}, called("a")});
  ASSERT_EQ(lacks_turn(message, kIssuer), "a");
  Arena arena;
  restore_turn(message, kept[0].turn, kIssuer, arena);
  ASSERT_EQ(message.content.size(), 2U);
  EXPECT_EQ(std::get<ThinkingBlock>(message.content[0].body).text, "all of it");
}

TEST(Turns, EachChoiceIsATurnOfItsOwn) {
  Event start = thinking(0);
  std::get<BlockStart>(start).choice = 1;
  Event signed_part = signature(0, "s1");
  std::get<Delta>(signed_part).choice = 1;
  Event its_call = call(1, "b");
  std::get<BlockStart>(its_call).choice = 1;
  const auto kept = fold({thinking(0), signature(0, "s0"), call(1, "a"), start, signed_part, its_call});
  ASSERT_EQ(kept.size(), 2U);
  EXPECT_EQ(kept[1].call_id, "b");
  EXPECT_EQ(kept[1].turn.parts[0].signature, "s1");
}

TEST(Turns, NothingIsKeptOfTurnsWithoutCallsOrWithoutSignatures) {
  EXPECT_TRUE(fold({thinking(0), content(0, "x"), signature(0, "s")}).empty());
  EXPECT_TRUE(fold({BlockStart{.index = 0, .kind = BlockKind::text}, call(1, "a")}).empty());
  EXPECT_TRUE(fold({thinking(0), content(0, "unsigned"), call(1, "a")}).empty());
}

TEST(Turns, ATurnOverTheLimitIsNotKept) {
  EXPECT_TRUE(
      fold({thinking(0), content(0, std::string(kTurnBytesMax + 1, 'x')), signature(0, "s"), call(1, "a")})
          .empty());
}

TEST(Turns, UnsignedThinkingIsForeignAndSoIsAnUnsignedCallWhereCallsAreSigned) {
  const auto is_foreign = [](Dialect dialect, Message message, bool model_thinks = true) {
    Chat chat;
    chat.messages = {std::move(message)};
    return has_foreign_turns(chat, dialect, model_thinks);
  };
  const Dialect own = Dialect::anthropic_messages;
  EXPECT_TRUE(is_foreign(own, assistant({ThinkingBlock{.text = "hm"}, TextBlock{"hi"}})));
  EXPECT_FALSE(is_foreign(own, assistant({ThinkingBlock{.signature = "s", .issuer = own}, called("a")})));
  EXPECT_FALSE(is_foreign(own, assistant({called("a")})));
  EXPECT_FALSE(is_foreign(Dialect::openai_chat, assistant({ThinkingBlock{.text = "hm"}})))
      << "a dialect without signatures takes plain thinking";

  EXPECT_TRUE(is_foreign(Dialect::gemini, assistant({called("a")})));
  EXPECT_FALSE(is_foreign(Dialect::gemini, assistant({called("a")}), false));
  EXPECT_FALSE(is_foreign(Dialect::gemini,
                          assistant({ThinkingBlock{.text = "hm"}, called("a", ToolKind::function, "s")})));
}

TEST(Turns, AreForeignWithCitationsThatWeirMade) {
  Chat chat;
  chat.messages = {assistant({TextBlock{"hi"}})};
  EXPECT_FALSE(has_foreign_turns(chat, Dialect::anthropic_messages, false));
  chat.messages[0].content[0].has_made_citations = true;
  EXPECT_TRUE(has_foreign_turns(chat, Dialect::anthropic_messages, false));
}

TEST(Turns, OnlyTheAssistantsCallsWithoutTheirThinkingLackIt) {
  EXPECT_EQ(lacks_turn(assistant({TextBlock{"hi"}}), kIssuer), std::nullopt);
  EXPECT_EQ(lacks_turn(assistant({called("a", ToolKind::function, "s")}), kIssuer), std::nullopt);
  EXPECT_EQ(lacks_turn(assistant({called("a", ToolKind::server)}), kIssuer), std::nullopt);
  // The same vendor behind another dialect signed it.
  EXPECT_EQ(lacks_turn(assistant({ThinkingBlock{.signature = "s", .issuer = Dialect::bedrock_converse},
                                  called("a")}),
                       kIssuer),
            std::nullopt);
  EXPECT_EQ(lacks_turn(assistant({ThinkingBlock{.signature = "s", .issuer = Dialect::gemini}, called("a")}),
                       kIssuer),
            "a");
}

}  // namespace
}  // namespace weir
