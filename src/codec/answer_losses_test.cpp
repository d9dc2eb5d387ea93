#include "codec/answer_losses.h"

#include <array>
#include <gtest/gtest.h>

#include "llm/request.h"

namespace weir {
namespace {

constexpr std::array<Dialect, kDialectCount> kAll = {Dialect::openai_chat,        Dialect::openai_responses,
                                                     Dialect::anthropic_messages, Dialect::bedrock_converse,
                                                     Dialect::bedrock_invoke,     Dialect::gemini};

std::string losses(Dialect client, const Event& event, bool is_text_completion = false) {
  Chat chat;
  chat.is_text_completion = is_text_completion;
  return AnswerLosses(client, Request(chat)).of(event).header_value();
}

TEST(AnswerLosses, NameBlocksThatADialectHasNoFormFor) {
  for (const Dialect client : kAll) {
    const bool is_claude = client == Dialect::anthropic_messages || client == Dialect::bedrock_invoke;
    const bool is_gemini = client == Dialect::gemini;
    SCOPED_TRACE(to_string(client));
    EXPECT_EQ(losses(client, BlockStart{.kind = BlockKind::image, .data = "image/png"}),
              is_claude ? "unsupported_block;answer/content;image>" : "");
    EXPECT_EQ(losses(client, BlockStart{.kind = BlockKind::audio}),
              is_gemini ? "" : "unsupported_block;answer/content;audio>");
    for (const BlockKind kind :
         {BlockKind::text, BlockKind::thinking, BlockKind::refusal, BlockKind::tool_call}) {
      EXPECT_EQ(losses(client, BlockStart{.kind = kind}), "");
    }
  }
}

TEST(AnswerLosses, NameImagesOfATypeThatADialectHasNoWordFor) {
  const BlockStart photo{.kind = BlockKind::image, .data = "image/heic"};
  EXPECT_EQ(losses(Dialect::bedrock_converse, photo), "unsupported_block;answer/content;image>");
  EXPECT_EQ(losses(Dialect::openai_chat, photo), "");
  EXPECT_EQ(losses(Dialect::gemini, photo), "");
}

TEST(AnswerLosses, LeaveHiddenThinkingToTheTurnStore) {
  for (const Dialect client : kAll)
    EXPECT_EQ(losses(client, BlockStart{.kind = BlockKind::redacted_thinking}), "");
}

TEST(AnswerLosses, NameWhatTheVendorRanItself) {
  const BlockStart result{.kind = BlockKind::unknown, .dialect = Dialect::anthropic_messages};
  const BlockStart call{
      .kind = BlockKind::tool_call, .tool_kind = ToolKind::server, .dialect = Dialect::anthropic_messages};
  for (const Dialect client : kAll) {
    const bool is_own = client == Dialect::anthropic_messages || client == Dialect::bedrock_invoke;
    EXPECT_EQ(losses(client, result), is_own ? "" : "unsupported_block;answer/content;server_tool_result>");
    EXPECT_EQ(losses(client, call), is_own ? "" : "unsupported_block;answer/content;server_tool_call>");
  }
}

TEST(AnswerLosses, TellOfATextThatStandsBeforeTheCallsInItsMessage) {
  for (const Dialect client : kAll) {
    AnswerLosses losses(client, Request(Chat{}));
    EXPECT_TRUE(losses.of(BlockStart{}).empty());
    EXPECT_TRUE(losses.of(BlockStart{.index = 1, .kind = BlockKind::tool_call}).empty());
    EXPECT_TRUE(losses.of(BlockStart{.choice = 1}).empty()) << "another choice";
    EXPECT_EQ(losses.of(BlockStart{.index = 2}).header_value(),
              client == Dialect::openai_chat ? "reordered;answer/content;text>before_the_calls" : "");
  }
}

TEST(AnswerLosses, NameCitationsWithoutAForm) {
  const Delta cited{.kind = DeltaKind::citation,
                    .text = R"({"type":"char_location","cited_text":"q","document_index":0,)"
                            R"("start_char_index":0,"end_char_index":1})",
                    .dialect = Dialect::anthropic_messages};
  EXPECT_EQ(losses(Dialect::anthropic_messages, cited), "");
  EXPECT_EQ(losses(Dialect::bedrock_invoke, cited), "");
  EXPECT_EQ(losses(Dialect::openai_responses, cited), "dropped;answer/citations;document>");
  EXPECT_EQ(losses(Dialect::openai_chat, cited), "") << "the message has a copy";
  EXPECT_EQ(losses(Dialect::openai_chat, cited, true), "dropped;answer/citations;citation>");
}

TEST(AnswerLosses, NameTheStopSequenceWhereNoMemberTellsIt) {
  for (const Dialect client : kAll) {
    const bool is_told = client != Dialect::openai_responses && client != Dialect::gemini;
    EXPECT_EQ(losses(client, Finish{.reason = StopReason::stop_sequence, .stop_sequence = "two"}),
              is_told ? "" : "dropped;answer/stop_sequence;two>");
    EXPECT_EQ(losses(client, Finish{.reason = StopReason::stop_sequence}), "");
  }
}

TEST(AnswerLosses, NameEndsThatLookLikeOrdinaryOnes) {
  for (const Dialect client : kAll) {
    const bool is_claude = client == Dialect::anthropic_messages || client == Dialect::bedrock_invoke;
    const bool says_pause = is_claude || client == Dialect::openai_responses;
    EXPECT_EQ(losses(client, Finish{.reason = StopReason::pause}),
              says_pause ? "" : "dropped;answer/finish;pause>end");
    EXPECT_EQ(losses(client, Finish{.reason = StopReason::bad_tool}),
              is_claude ? "dropped;answer/finish;bad_tool>end" : "");
    EXPECT_EQ(losses(client, Finish{.reason = StopReason::length}), "");
  }
}

TEST(AnswerLosses, NameAllButTextForLegacyCompletions) {
  EXPECT_EQ(losses(Dialect::openai_chat, BlockStart{.kind = BlockKind::thinking}, true),
            "unsupported_block;answer/content;thinking>");
  EXPECT_EQ(losses(Dialect::openai_chat, BlockStart{.kind = BlockKind::tool_call}, true),
            "unsupported_block;answer/content;tool_call>");
  EXPECT_EQ(losses(Dialect::openai_chat, BlockStart{.kind = BlockKind::refusal}, true), "");
}

TEST(AnswerLosses, AreNoneInWhatEverybodySays) {
  for (const Dialect client : kAll) {
    EXPECT_EQ(losses(client, Start{}), "");
    EXPECT_EQ(losses(client, Delta{.text = "x"}), "");
    EXPECT_EQ(losses(client, Finish{}), "");
    EXPECT_EQ(losses(client, End{}), "");
  }
}

}  // namespace
}  // namespace weir
